package graph

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// Propagation describes the hops H_k = Â^k X of a graph's features X after row scaling, k = First … K.
type Propagation struct {
	Graph     *Graph
	Adjacency *Adjacency
	Scaling   Scaling
	First, K  int // the hops that are kept: 0 … K for SIGN, K alone for SGC
}

// Hops are the matrices H_First … H_K of a propagation, Rows × Cols each. They are valid until Close.
type Hops struct {
	Rows, Cols int
	First, K   int

	norms []float64 // ‖H_k‖_F
	arena *memory.Arena
	mem   [][]float32
}

// Check says what is wrong with the description.
func (p *Propagation) Check() error {
	switch {
	case p.First < 0 || p.K < p.First:
		return fmt.Errorf("propagate features: hops %d … %d, expected 0 ≤ first ≤ last", p.First, p.K)
	case p.Graph.Features.Cols == 0:
		return fmt.Errorf("propagate features: the graph %s has no features", p.Graph.Name)
	case p.Adjacency.Rows != p.Graph.Nodes:
		return fmt.Errorf("propagate features: an adjacency matrix of %d rows, the graph has %d nodes", p.Adjacency.Rows, p.Graph.Nodes)
	}
	return nil
}

// Run computes the hops on the pool's workers.
func (p *Propagation) Run(ctx context.Context, pool *kernel.Pool) (*Hops, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	f := &p.Graph.Features
	factors, err := f.rowFactors(p.Scaling)
	if err != nil {
		return nil, err
	}
	n, d := f.Rows, f.Cols
	h := &Hops{Rows: n, Cols: d, First: p.First, K: p.K, norms: make([]float64, p.K+1), mem: make([][]float32, p.K+1)}
	size := 4 * int64(n) * int64(d)
	if h.arena, err = memory.NewArena(int64(p.K+1) * size); err != nil {
		return nil, fmt.Errorf("propagate features: %w", err)
	}
	for k := range h.mem {
		h.mem[k] = h.arena.Float32s(int64(k)*size, n*d)
	}
	for i := range n {
		f.block(h.mem[0][i*d:], i, 0, d, factors)
	}
	for k := 1; k <= p.K; k++ {
		if err := ctx.Err(); err != nil {
			return nil, errors.Join(err, h.Close())
		}
		step := &kernel.SpMM{A: p.Adjacency.CSR, X: h.mem[k-1], Y: h.mem[k], XStride: d, YStride: d, Width: d}
		step.Run(pool)
	}
	for k, m := range h.mem {
		sum := 0.0
		for _, v := range m {
			sum += float64(v) * float64(v)
		}
		h.norms[k] = math.Sqrt(sum)
	}
	if p.Scaling == ScaleRMS {
		for k, m := range h.mem {
			scale := kernel.Scale{Dst: m, X: m, Alpha: h.rmsFactor(k)}
			scale.Run(pool)
		}
	}
	return h, nil
}

// rmsFactor is what hop k is multiplied by for ScaleRMS.
func (h *Hops) rmsFactor(hop int) float32 {
	if h.norms[hop] == 0 {
		return 1
	}
	return float32(math.Sqrt(float64(h.Rows)) / h.norms[hop])
}

// Norm is the Frobenius norm of a hop, before it is scaled for ScaleRMS.
func (h *Hops) Norm(hop int) float64 { return h.norms[hop] }

// Matrix returns a hop as a Rows × Cols matrix where it lies in memory as such, else nil.
func (h *Hops) Matrix(hop int) []float32 { return h.mem[hop] }

// ReadRows copies rows lo … hi−1 of a hop to dst, hi−lo rows of Cols.
func (h *Hops) ReadRows(lo, hi, hop int, dst []float32) error {
	if err := h.check(hop, hi-lo, dst); err != nil {
		return err
	}
	if lo < 0 || hi > h.Rows {
		return fmt.Errorf("read rows %d … %d of hop %d: there are %d", lo, hi-1, hop, h.Rows)
	}
	copy(dst, h.mem[hop][lo*h.Cols:hi*h.Cols])
	return nil
}

// Gather copies the rows of the given nodes of a hop to dst, len(ids) rows of Cols.
func (h *Hops) Gather(ids []int32, hop int, dst []float32) error {
	if err := h.check(hop, len(ids), dst); err != nil {
		return err
	}
	for i, id := range ids {
		if id < 0 || int(id) >= h.Rows {
			return fmt.Errorf("gather rows of hop %d: row %d, there are %d", hop, id, h.Rows)
		}
		copy(dst[i*h.Cols:(i+1)*h.Cols], h.mem[hop][int(id)*h.Cols:])
	}
	return nil
}

func (h *Hops) check(hop, rows int, dst []float32) error {
	switch {
	case hop < h.First || hop > h.K:
		return fmt.Errorf("read hop %d: hops %d … %d were kept", hop, h.First, h.K)
	case rows < 0 || len(dst) < rows*h.Cols:
		return fmt.Errorf("read hop %d: %d rows of %d do not fit in %d elements", hop, rows, h.Cols, len(dst))
	}
	return nil
}

// Close gives the memory back.
func (h *Hops) Close() error {
	if h.arena == nil {
		return nil
	}
	arena := h.arena
	h.arena, h.mem = nil, nil
	return arena.Close()
}
