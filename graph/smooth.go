package graph

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// Smooth averages the hops of every node up to its number of steps, on the pool's workers: X̃_i = Σ_k w_i(k) X⁽ᵏ⁾_i. The
// result is hop 0 of what is returned. spill may be nil unless the way spills or the features are read from elsewhere.
func (s *Smoothing) Smooth(ctx context.Context, w Way, steps []int32, pool *kernel.Pool, spill *memory.Spill) (*Hops, error) {
	if err := errors.Join(s.Check(), s.checkDisk(w.Spill, spill)); err != nil {
		return nil, err
	}
	if n := s.Graph.Nodes; len(steps) != n || slices.Min(steps) < 0 || int(slices.Max(steps)) >= s.Kmax {
		return nil, fmt.Errorf("local smoothing: %d numbers of steps, expected one of 0 … %d for each of %d nodes", len(steps), s.Kmax-1, n)
	}
	h, err := s.openResult(w, spill)
	if err == nil {
		err = s.smooth(ctx, w, steps, h, pool, spill)
	}
	if err != nil {
		return nil, fmt.Errorf("local smoothing: %w", errors.Join(err, h.Close()))
	}
	return h, nil
}

// openResult sets memory and disk of the result aside. What it returns has to be closed even after an error.
func (s *Smoothing) openResult(w Way, spill *memory.Spill) (*Hops, error) {
	h := &Hops{Rows: s.kept(), Cols: s.features().Cols, nodes: s.Rows, kept: make([]hop, 1)}
	arena, err := memory.NewArena(s.resultBytes(w))
	if err != nil {
		return h, err
	}
	h.arena = arena
	b := &bump{arena: arena}
	if !w.Spill {
		h.kept[0].matrix = b.float32s(h.Rows * h.Cols)
		return h, nil
	}
	h.staging = b.staging(stagingBytes)
	h.kept[0].tiles, err = newTiles(spill, "smoothed features", h.Rows, h.Cols, s.width(w))
	return h, err
}

// smooth fills the result, block after block.
func (s *Smoothing) smooth(ctx context.Context, w Way, steps []int32, h *Hops, pool *kernel.Pool, spill *memory.Spill) (err error) {
	width := s.width(w)
	r, err := s.newRelay(width, s.sumBytes(w), pool, spill)
	defer func() { err = errors.Join(err, r.close()) }()
	if err != nil {
		return err
	}
	out := strip{data: h.kept[0].matrix, stride: h.Cols}
	if w.Spill {
		out = newStrip(h.Rows, width, &r.work)
	}
	terms, moving := s.Averaging.terms(slices.Max(steps)), s.moving(steps)
	done, total := 0, (h.Cols+width-1)/width*terms
	for lo := 0; lo < h.Cols; lo += width {
		hi := min(lo+width, h.Cols)
		x, err := r.first(lo, hi)
		if err != nil {
			return err
		}
		sum := out
		if w.Spill {
			sum.stride = hi - lo
		} else {
			sum.data = out.data[lo:]
		}
		for k := range terms {
			if err := ctx.Err(); err != nil {
				return err
			}
			if 0 < k && k < moving {
				if x, err = r.next(); err != nil {
					return err
				}
			}
			pool.For(h.Rows, 64, &weightedSum{s, steps, k, x, sum, hi - lo})
			done++
			if s.Progress != nil {
				s.Progress(done, total)
			}
		}
		if w.Spill {
			write := tileWrite{to: h.kept[0].tiles, from: sum, lo: lo}
			if err := write.run(); err != nil {
				return err
			}
		}
	}
	return nil
}

// moving is the number of hops that are averaged for any node that has neighbours: from there on, those that are left have the same
// row in every hop, their own.
func (s *Smoothing) moving(steps []int32) (terms int) {
	for u, k := range steps {
		if s.Graph.Degree(u) > 0 {
			terms = max(terms, s.Averaging.terms(k))
		}
	}
	return terms
}

// weightedSum adds a hop to the sums of the nodes that it is averaged for, as a task: a unit is a row that is kept.
type weightedSum struct {
	*Smoothing
	steps  []int32
	k      int
	x, sum strip
	width  int
}

// Do adds to rows lo to hi.
func (t *weightedSum) Do(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		u := int(original(t.Rows, i))
		terms := t.Averaging.terms(t.steps[u])
		if t.k >= terms {
			continue
		}
		sum, x := t.sum.data[i*t.sum.stride:][:t.width], t.x.data[u*t.x.stride:][:t.width]
		weight := (1 - t.Restart) / float64(terms)
		if t.k == 0 {
			first := float32(weight + t.Restart)
			for c, v := range x {
				sum[c] = first * v
			}
			continue
		}
		next := float32(weight)
		for c, v := range x {
			sum[c] += float32(next * v)
		}
	}
}
