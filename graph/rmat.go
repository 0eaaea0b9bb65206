package graph

import (
	"fmt"
	"io"
	"strconv"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/run"
)

// RMAT is the recursive-matrix generator (Chakrabarti, Zhan and Faloutsos, R-MAT: a recursive model for graph mining, SDM 2004)
// with the quadrants of Graph500, a, b, c, d = 0.57, 0.19, 0.19, 0.05: 2^Scale vertices and EdgeFactor · 2^Scale directed
// samples, duplicates and self-loops among them, ids not permuted. Sample e, level l draw from a generator that counts
// (splitmix64), so any part of the graph can be made alone, in any language, with the same bits.
type RMAT struct {
	Scale      int // 1 … 31
	EdgeFactor int // ≥ 1
	Seed       uint64
}

// The upper ends of the first three quadrants, of 2^32.
const (
	quadrantA = 57 << 32 / 100
	quadrantB = quadrantA + 19<<32/100
	quadrantC = quadrantB + 19<<32/100
)

// Check says what is wrong with the settings: a *run.UsageError.
func (r RMAT) Check() error {
	if r.Scale < 1 || r.Scale > 31 {
		return run.Usagef("an R-MAT graph of scale %d: expected 1 … 31, for 2^scale vertices", r.Scale)
	}
	if r.EdgeFactor < 1 || r.EdgeFactor > 1<<16 {
		return run.Usagef("an R-MAT graph of edge factor %d: expected 1 … %d", r.EdgeFactor, 1<<16)
	}
	return nil
}

// Samples is the number of directed edges, duplicates and self-loops included.
func (r RMAT) Samples() int64 { return int64(r.EdgeFactor) << r.Scale }

// Edge is sample e.
func (r RMAT) Edge(e int64) (u, v int64) {
	const golden = 0x9E3779B97F4A7C15
	x := r.Seed*golden + uint64(e)*uint64(r.Scale)*golden
	for range r.Scale {
		x += golden
		z := (x ^ x>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
		draw := int64(z >> 32)
		// Each border that the draw has passed is a sign bit; the second one turns the column back and the row on.
		a, b, c := (quadrantA-1-draw)>>63&1, (quadrantB-1-draw)>>63&1, (quadrantC-1-draw)>>63&1
		u, v = u<<1|b, v<<1|a^b^c
	}
	return u, v
}

// rmatBlock is how many samples are made at a time.
const rmatBlock = 1 << 15

// WriteText writes the samples in order, "u v\n" each.
func (r RMAT) WriteText(w io.Writer, pool *kernel.Pool) error {
	blocks := make([][]byte, 4*pool.Workers())
	for i := range blocks {
		blocks[i] = make([]byte, 0, rmatBlock*24)
	}
	for first := int64(0); first < r.Samples(); first += int64(len(blocks)) * rmatBlock {
		pool.For(len(blocks), 1, &rmatText{r, first, blocks})
		for _, block := range blocks {
			if _, err := w.Write(block); err != nil {
				return fmt.Errorf("write the edges: %w", err)
			}
		}
	}
	return nil
}

// rmatText is the writing of blocks as a task: a unit is a block.
type rmatText struct {
	RMAT
	first  int64
	blocks [][]byte
}

// Do writes blocks lo to hi.
func (t *rmatText) Do(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		text := t.blocks[i][:0]
		first := t.first + int64(i)*rmatBlock
		for e := first; e < min(first+rmatBlock, t.Samples()); e++ {
			u, v := t.Edge(e)
			text = append(strconv.AppendInt(text, u, 10), ' ')
			text = append(strconv.AppendInt(text, v, 10), '\n')
		}
		t.blocks[i] = text
	}
}
