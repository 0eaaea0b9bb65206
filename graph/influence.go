package graph

import (
	"context"
	"errors"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// stepsByInfluence finds the first step at which the influence on each node is near the stationary one, one node at a time
// on every worker.
func (s *Smoothing) stepsByInfluence(ctx context.Context, steps []int32, pool *kernel.Pool) (err error) {
	arena, err := memory.NewArena(s.influenceBytes(pool.Workers()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, arena.Close()) }()
	b := &bump{arena: arena}
	n := s.Graph.Nodes
	t := &influences{Smoothing: s, steps: steps, pi: s.stationary(b), degree: b.float64s(n)}
	for u := range t.degree {
		t.degree[u] = s.Graph.degree(u, s.Graph.Weights, s.Adjacency.Norm)
	}
	for range pool.Workers() {
		t.walkers = append(t.walkers, walker{row: b.float64s(n), shares: b.float64s(n), target: b.float64s(n), group: alone})
	}
	const turn = 64 // nodes a worker between two looks at the context
	for t.first = 0; t.first < n; t.first += turn * pool.Workers() {
		if err := ctx.Err(); err != nil {
			return err
		}
		end := min(n, t.first+turn*pool.Workers())
		pool.For(end-t.first, 1, t)
		if s.Progress != nil {
			s.Progress(end, n)
		}
	}
	return nil
}

// influences follows the influence on nodes, as a task: a unit is a node.
type influences struct {
	*Smoothing
	steps   []int32
	pi      []float64 // of each node, in its group
	degree  []float64 // d̃ of each node
	walkers []walker  // of each worker
	first   int       // node of unit 0
}

// walker is what a worker needs.
type walker struct {
	row    []float64 // I_i(k), row i of Âᵏ
	shares []float64 // I_iu(k) / d̃_u: what u passes to each of its neighbours
	target []float64 // I^∞ of a group, 0 elsewhere
	group  int32
}

// Do finds the steps of the nodes of units lo to hi.
func (t *influences) Do(worker, lo, hi int) {
	w := &t.walkers[worker]
	for i := t.first + lo; i < t.first+hi; i++ {
		if t.steps[i] != undecided {
			continue
		}
		t.aim(w, t.groups().group(i))
		clear(w.row)
		w.row[i] = 1
		for k := range t.Kmax {
			if k > 0 {
				t.step(w)
			}
			if bound := t.Epsilon * t.Epsilon; squaredDistance(0, bound, w.row, w.target) < bound {
				t.steps[i] = int32(k)
				break
			}
		}
	}
}

// aim sets the stationary influence of a group.
func (t *influences) aim(w *walker, group int32) {
	if w.group == group {
		return
	}
	w.group = group
	for j := range w.target {
		w.target[j] = 0
		if t.groups().group(j) == group {
			w.target[j] = t.pi[j]
		}
	}
}

// step multiplies the row by Â = D̃⁻¹Ã from the right. Ã is symmetric: its columns are its rows.
func (t *influences) step(w *walker) {
	g := t.Graph
	for u, v := range w.row {
		w.shares[u] = v / t.degree[u]
	}
	for j := range w.row {
		sum := w.shares[j]
		for e := g.Indptr[j]; e < g.Indptr[j+1]; e++ {
			sum += float64(weightOf(g.Weights, e) * w.shares[g.Indices[e]])
		}
		w.row[j] = sum
	}
}
