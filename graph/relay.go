package graph

import (
	"errors"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// relay makes the hops of a block of columns one after another, all nodes, in two strips that take turns.
type relay struct {
	source *source
	a      *Adjacency
	strips [2]strip
	turn   int
	pool   *kernel.Pool
	work   bump // what follows the strips
}

// newRelay sets memory aside for the relay of blocks of so many columns, and another more bytes in r.work. What it returns has to be
// closed even after an error.
func (s *Smoothing) newRelay(width int, more int64, pool *kernel.Pool, spill *memory.Spill) (*relay, error) {
	r := &relay{a: s.Adjacency, pool: pool}
	arena, err := memory.NewArena(s.relayBytes(width) + more)
	if err != nil {
		return r, err
	}
	r.work.arena = arena
	for i := range r.strips {
		b := r.work.staging(4 * padRows(s.Graph.Nodes) * width)
		r.strips[i] = strip{data: b.floats, raw: b.raw}
	}
	r.source, err = newSource(s.hopZero(), width, spill, &r.work, &r.work)
	return r, err
}

// hopZero describes what is smoothed to the source.
func (s *Smoothing) hopZero() *Propagation {
	view := *s.Graph
	view.Features = *s.features()
	return &Propagation{Graph: &view, Adjacency: s.Adjacency, Scaling: s.Scaling, K: s.Kmax}
}

// first makes columns lo … hi−1 of hop 0.
func (r *relay) first(lo, hi int) (strip, error) {
	for i := range r.strips {
		r.strips[i].stride = hi - lo
	}
	r.turn = 0
	return r.strips[0], r.source.block(r.strips[0], nil, lo, hi, r.pool)
}

// next makes the same columns of the next hop.
func (r *relay) next() (strip, error) {
	x := r.strips[r.turn]
	r.turn = 1 - r.turn
	y := r.strips[r.turn]
	return y, r.a.multiply(x, y, y.stride, r.pool)
}

func (r *relay) close() error {
	var err error
	if r.source != nil && r.source.tiles != nil {
		err = r.source.tiles.close()
	}
	if r.work.arena != nil {
		err = errors.Join(err, r.work.arena.Close())
	}
	return err
}
