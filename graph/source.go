package graph

import (
	"fmt"
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// source is hop 0: the features, scaled by rows. It makes blocks of columns for a propagation, and rows for readers.
type source struct {
	features *Features
	values   []float32 // of sparse features, scaled
	factors  []float64 // what each row of dense features is multiplied by; nil = 1
	tiles    *tiles    // features that are read from elsewhere, scaled
}

// scalesRows says whether features are scaled before they are propagated.
func (s Scaling) scalesRows() bool { return s != ScaleNone && s != "" }

// newSource prepares the features of p. It keeps memory of b; work is needed until it returns.
func newSource(p *Propagation, width int, spill *memory.Spill, b, work *bump) (*source, error) {
	s := &source{features: &p.Graph.Features}
	if s.features.Read != nil {
		return s, s.layOut(p.Scaling, width, spill, work)
	}
	if sparse := s.features.Sparse; sparse != nil {
		s.values = sparse.Values
		if p.Scaling.scalesRows() {
			s.values = b.float32s(len(sparse.Values))
			for i := range sparse.Rows {
				lo, hi := sparse.Indptr[i], sparse.Indptr[i+1]
				scaleRow(s.values[lo:hi], sparse.Values[lo:hi], p.Scaling.factor(sparse.Values[lo:hi]))
			}
		}
		return s, nil
	}
	if p.Scaling.scalesRows() {
		s.factors = b.float64s(s.features.Rows)
		for i := range s.factors {
			s.factors[i] = p.Scaling.factor(s.features.Dense[i*s.features.Cols : (i+1)*s.features.Cols])
		}
	}
	return s, nil
}

// scaledBytes is what newSource keeps.
func scaledBytes(f *Features, s Scaling) int64 {
	switch {
	case !s.scalesRows() || f.Read != nil:
		return 0
	case f.Sparse != nil:
		return 4*int64(len(f.Sparse.Values)) + memory.Align
	}
	return 8*int64(f.Rows) + memory.Align
}

// layOut reads features that are larger than memory once, from the first row to the last, and writes them as tiles of the
// width of the blocks to come.
func (s *source) layOut(scaling Scaling, width int, spill *memory.Spill, work *bump) error {
	f := s.features
	var err error
	if s.tiles, err = newTiles(spill, "features", f.Rows, f.Cols, width); err != nil {
		return err
	}
	step := layOutRows(f, width)
	rows, tile := work.float32s(step*f.Cols), work.staging(4*step*width)
	for first := 0; first < f.Rows; first += step {
		n := min(step, f.Rows-first)
		if err := f.Read(first, rows[:n*f.Cols]); err != nil {
			return fmt.Errorf("read rows %d … %d of the features: %w", first, first+n-1, err)
		}
		for i := range n {
			row := rows[i*f.Cols : (i+1)*f.Cols]
			if scaling.scalesRows() {
				scaleRow(row, row, scaling.factor(row))
			}
		}
		for lo := 0; lo < f.Cols; lo += width {
			w := s.tiles.blockWidth(lo)
			for i := range n {
				copy(tile.floats[i*w:(i+1)*w], rows[i*f.Cols+lo:])
			}
			if err := s.tiles.writeTiles(first/shardRows, lo, tile.raw[:4*padRows(n)*w]); err != nil {
				return err
			}
		}
	}
	return nil
}

// layOutRows is how many rows are laid out at a time: whole shards, of up to largestPiece bytes.
func layOutRows(f *Features, width int) int {
	return max(1, min(largestPiece/(4*shardRows*(f.Cols+width)), padRows(f.Rows)/shardRows)) * shardRows
}

// largestPiece is what is laid out or picked at a time: more makes transfers hardly faster.
const largestPiece = 8 << 20

// layOutBytes is the working memory of layOut.
func layOutBytes(f *Features, width int) int64 {
	if f.Read == nil {
		return 0
	}
	return 4*int64(layOutRows(f, width))*int64(f.Cols+width) + 2*memory.BlockSize
}

// block makes columns lo … hi−1 of the rows of the given nodes (nil = all) in a strip.
func (s *source) block(dst strip, nodes []int32, lo, hi int, pool *kernel.Pool) error {
	if s.tiles == nil {
		n := len(nodes)
		if nodes == nil {
			n = s.features.Rows
		}
		pool.For(n, 64, &sourceRows{source: s, dst: dst, nodes: nodes, lo: lo, hi: hi})
		return nil
	}
	return s.tiles.readBlock(lo, dst.raw)
}

// sourceRows is the making of a block as a task: a unit is a row.
type sourceRows struct {
	*source
	dst    strip
	nodes  []int32
	lo, hi int
}

// Do makes rows first to end.
func (s *sourceRows) Do(_, first, end int) {
	for i := first; i < end; i++ {
		s.row(s.dst.data[i*s.dst.stride:][:s.hi-s.lo], int(original(s.nodes, i)), s.lo, s.hi)
	}
}

// row makes columns lo … hi−1 of the row of node u, of features in memory.
func (s *source) row(dst []float32, u, lo, hi int) {
	if s.features.Dense != nil {
		factor := 1.0
		if s.factors != nil {
			factor = s.factors[u]
		}
		scaleRow(dst, s.features.Dense[u*s.features.Cols+lo:u*s.features.Cols+hi], factor)
		return
	}
	clear(dst)
	begin, end := s.features.Sparse.Indptr[u], s.features.Sparse.Indptr[u+1]
	columns, values := s.features.Sparse.Indices[begin:end], s.values[begin:end]
	first, _ := slices.BinarySearch(columns, int32(lo))
	for e := first; e < len(columns) && int(columns[e]) < hi; e++ {
		dst[int(columns[e])-lo] = values[e]
	}
}
