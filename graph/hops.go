package graph

import (
	"errors"
	"fmt"
	"sync"

	"github.com/seraph-ml/seraph/engine/memory"
)

// Hops are the matrices H_First … H_K of a propagation, or the sum of its hops in place of H_K, Rows × Cols each: in memory,
// on disk, or, for hop 0, made from the features of the graph, which is not closed before. Where it was asked for, the limit
// of the hops is hop K+1. Methods may be called from several goroutines; those that read from disk wait for each other.
type Hops struct {
	Rows, Cols int
	First, K   int
	Exchanged  int64 // bytes of rows that ranks got from each other

	kept   []hop   // hop k is kept[k−First]
	nodes  []int32 // the node of each row, nil = row i is node i
	source *source
	arena  *memory.Arena

	mu      sync.Mutex // of what follows
	staging staging
	order   []int32
}

// hop is where one hop lies: in memory, on disk, or nowhere, when it is made from the features.
type hop struct {
	matrix []float32
	tiles  *tiles
	limit  *limit  // of hop K+1: made when it is read
	factor float32 // what rows are multiplied by when they are read; 0 = nothing
}

// open sets memory and disk of the hops aside, and prepares hop 0.
func (h *Hops) open(p *Propagation, way Way, need need, spill *memory.Spill, work *bump) error {
	h.Rows, h.Cols, h.First, h.K, h.nodes = p.kept(), p.Graph.Features.Cols, p.First, p.K, p.Rows
	arena, err := memory.NewArena(need.hops())
	if err != nil {
		return err
	}
	h.arena = arena
	b := &bump{arena: arena}
	width := p.width(way)
	h.kept = make([]hop, p.K-p.First+1)
	for k := p.First; k <= p.K; k++ {
		switch p.where(k, way) {
		case inMemory:
			h.kept[k-p.First].matrix = b.float32s(h.Rows * h.Cols)
		case onDisk:
			if h.kept[k-p.First].tiles, err = newTiles(spill, fmt.Sprintf("hop %d", k), h.Rows, h.Cols, width); err != nil {
				return err
			}
		}
	}
	if p.reads(way) {
		h.staging = b.staging(stagingBytes)
	}
	if h.source, err = newSource(p, width, spill, b, work); err != nil || !p.Limit {
		return err
	}
	l, err := h.newLimit(p, b, work)
	h.kept = append(h.kept, hop{limit: l})
	return err
}

// scale applies ScaleRMS when hops are read, given the sums of squares of all of them.
func (h *Hops) scale(squares []float64, nodes int) {
	for i := range h.kept {
		h.kept[i].factor = rmsFactor(squares[h.First+i], nodes)
	}
}

// Scale returns what the hops that are kept are multiplied by where they are read, for ScaleRMS; nil for any other scaling.
func (h *Hops) Scale() []float32 {
	var factors []float32
	for _, k := range h.kept {
		if k.factor != 0 {
			factors = append(factors, k.factor)
		}
	}
	return factors
}

// Rescale takes the scale of other hops in place of their own: those that a model was trained on. It is nil for any scaling but
// ScaleRMS.
func (h *Hops) Rescale(factors []float32) error {
	if own := len(h.Scale()); len(factors) != own {
		return fmt.Errorf("rescale hops: %d factors, expected %d", len(factors), own)
	}
	for i, f := range factors {
		h.kept[i].factor = f
	}
	return nil
}

// Matrix returns a hop, Rows × Cols, where it lies in memory as it is read, else nil.
func (h *Hops) Matrix(k int) []float32 {
	if k < h.First || k > h.K || h.kept[k-h.First].factor != 0 {
		return nil
	}
	return h.kept[k-h.First].matrix
}

// ReadRows copies rows lo … hi−1 of hop k to dst, hi−lo rows of Cols.
func (h *Hops) ReadRows(lo, hi, k int, dst []float32) error {
	if lo < 0 || hi < lo || hi > h.Rows {
		return fmt.Errorf("read rows %d … %d of hop %d: there are %d", lo, hi-1, k, h.Rows)
	}
	from, err := h.at(k, hi-lo, dst)
	if err != nil {
		return err
	}
	switch {
	case from.matrix != nil:
		copy(dst, from.matrix[lo*h.Cols:hi*h.Cols])
	case from.limit != nil:
		err = h.limitRows(from.limit, hi-lo, func(i int) int { return int(original(h.nodes, lo+i)) }, dst)
	case from.tiles != nil:
		h.mu.Lock()
		defer h.mu.Unlock()
		err = from.tiles.readRows(dst, lo, hi, &h.staging)
	case h.source.tiles != nil:
		h.mu.Lock()
		defer h.mu.Unlock()
		err = h.source.tiles.readRows(dst, lo, hi, &h.staging)
	default:
		for i := range hi - lo {
			h.source.row(dst[i*h.Cols:(i+1)*h.Cols], int(original(h.nodes, lo+i)), 0, h.Cols)
		}
	}
	return h.finish(err, k, dst[:(hi-lo)*h.Cols])
}

// Gather copies the given rows of hop k to dst, len(rows) rows of Cols.
func (h *Hops) Gather(rows []int32, k int, dst []float32) error {
	from, err := h.at(k, len(rows), dst)
	if err != nil {
		return err
	}
	for _, i := range rows {
		if i < 0 || int(i) >= h.Rows {
			return fmt.Errorf("gather rows of hop %d: row %d, there are %d", k, i, h.Rows)
		}
	}
	switch {
	case from.matrix != nil:
		for at, i := range rows {
			copy(dst[at*h.Cols:(at+1)*h.Cols], from.matrix[int(i)*h.Cols:])
		}
	case from.limit != nil:
		err = h.limitRows(from.limit, len(rows), func(i int) int { return int(original(h.nodes, int(rows[i]))) }, dst)
	case from.tiles != nil:
		err = h.gather(from.tiles, rows, dst)
	case h.source.tiles != nil:
		err = h.gather(h.source.tiles, rows, dst)
	default:
		for at, i := range rows {
			h.source.row(dst[at*h.Cols:(at+1)*h.Cols], int(original(h.nodes, int(i))), 0, h.Cols)
		}
	}
	return h.finish(err, k, dst[:len(rows)*h.Cols])
}

func (h *Hops) gather(t *tiles, rows []int32, dst []float32) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.order) < len(rows) {
		h.order = make([]int32, len(rows))
	}
	return t.gather(dst, rows, h.order[:len(rows)], &h.staging)
}

// at finds hop k for a read of so many rows into dst.
func (h *Hops) at(k, rows int, dst []float32) (*hop, error) {
	switch {
	case k < h.First || k-h.First >= len(h.kept):
		return nil, fmt.Errorf("read hop %d: hops %d … %d were kept", k, h.First, h.K)
	case len(dst) < rows*h.Cols:
		return nil, fmt.Errorf("read hop %d: %d rows of %d do not fit in %d elements", k, rows, h.Cols, len(dst))
	}
	return &h.kept[k-h.First], nil
}

// finish scales what was read of hop k.
func (h *Hops) finish(err error, k int, dst []float32) error {
	if err != nil {
		return fmt.Errorf("read hop %d: %w", k, err)
	}
	if factor := h.kept[k-h.First].factor; factor != 0 {
		for i := range dst {
			dst[i] *= factor
		}
	}
	return nil
}

// Close gives memory and disk back.
func (h *Hops) Close() error {
	var err error
	for _, k := range h.kept {
		if k.tiles != nil {
			err = errors.Join(err, k.tiles.close())
		}
	}
	if h.source != nil && h.source.tiles != nil {
		err = errors.Join(err, h.source.tiles.close())
	}
	if h.arena != nil {
		err = errors.Join(err, h.arena.Close())
	}
	h.kept, h.source, h.arena = nil, nil, nil
	return err
}
