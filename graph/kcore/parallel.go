package kcore

import (
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/graph/edges"
)

// PeelParallel is [Peel] on the workers of a pool. Every worker owns a range of vertices with about as many entries as the
// others', and it alone lowers their degrees: all workers walk the vertices that were removed last, each along the part of
// their rows that lies in its range, which stand together as rows ascend. So there are no atomics and no messages, and what is
// removed in a round does not depend on the number of workers. The same holds for ranks: owners tell each other the vertices
// that they remove, nothing else.
func PeelParallel(g *Graph, core []int32, work *Work, pool *kernel.Pool) {
	p := newPeeling(g, core, work, pool.Workers())
	for p.remaining() > 0 {
		pool.For(len(p.owners), p.grain(p.remaining()), (*starting)(p))
		for p.advance() {
			pool.For(len(p.owners), p.grain(p.entries()), (*lowering)(p))
		}
		p.k++
	}
}

// peeling is a parallel peeling at level k.
type peeling struct {
	g      *Graph
	core   []int32
	k      int32
	owners []owner
}

// owner is a range of vertices and what is left of them.
type owner struct {
	lo, hi  int32
	left    []int32
	shell   []int32 // those removed at this level, with room for one more: see Peel
	removed int     // how many these are
	from    int     // shell[from:to] are walked in this round
	to      int
	_       [32]byte // owners lie in different cache lines
}

// perVertex is what a vertex costs its owner beside its entries, in entries: it is looked at once a level.
const perVertex = 16

func newPeeling(g *Graph, core []int32, work *Work, workers int) *peeling {
	p := &peeling{g: g, core: core}
	cuts := edges.Ranges(g.Indptr[:g.Nodes], int64(len(g.Indices)), perVertex, workers)
	for w := range workers {
		lo, hi := int(cuts[w]), int(cuts[w+1])
		for v := lo; v < hi; v++ {
			core[v] = g.Degree(v)
			work.left[v] = int32(v)
		}
		p.owners = append(p.owners, owner{lo: int32(lo), hi: int32(hi), left: work.left[lo:hi], shell: work.shell[lo+w : hi+w+1]})
	}
	return p
}

func (p *peeling) remaining() (n int) {
	for i := range p.owners {
		n += len(p.owners[i].left)
	}
	return n
}

// advance begins a round with those that the last one removed; it is false when there are none.
func (p *peeling) advance() bool {
	any := false
	for i := range p.owners {
		o := &p.owners[i]
		o.from, o.to = o.to, o.removed
		any = any || o.from < o.to
	}
	return any
}

// entries bounds what a round walks, as far as it matters.
func (p *peeling) entries() (n int) {
	for i := range p.owners {
		o := &p.owners[i]
		for _, v := range o.shell[o.from:o.to] {
			if n += int(p.g.Degree(int(v))); n > alone {
				return n
			}
		}
	}
	return n
}

// alone is how many entries, or vertices, the caller goes through sooner than it has woken others.
const alone = 4096

// grain says how many owners a worker takes at a time: all, where there is little to do.
func (p *peeling) grain(work int) int {
	if work <= alone {
		return len(p.owners)
	}
	return 1
}

// starting is the beginning of a level as a task: a unit is an owner.
type starting peeling

// Do begins the level of owners first to end.
func (p *starting) Do(_, first, end int) {
	for i := first; i < end; i++ {
		o := &p.owners[i]
		o.left, o.removed = level(p.core, o.left, o.shell, p.k)
		o.from, o.to = 0, 0
	}
}

// lowering is a round as a task: a unit is an owner.
type lowering peeling

// Do lowers the degrees of the vertices of owners first to end.
func (p *lowering) Do(_, first, end int) {
	for i := first; i < end; i++ {
		me := &p.owners[i]
		core, shell, removed := p.core, me.shell, me.removed
		for j := range p.owners {
			o := &p.owners[j]
			for _, v := range o.shell[o.from:o.to] {
				removed = lower(core, within(p.g.Neighbours(int(v)), me.lo, me.hi), shell, removed, p.k)
			}
		}
		me.removed = removed
	}
}

// within is the part of an ascending row that lies in lo … hi−1.
func within(row []int32, lo, hi int32) []int32 {
	if len(row) > 16 {
		first, _ := slices.BinarySearch(row, lo)
		last, _ := slices.BinarySearch(row[first:], hi)
		return row[first : first+last]
	}
	for len(row) > 0 && row[0] < lo {
		row = row[1:]
	}
	for len(row) > 0 && row[len(row)-1] >= hi {
		row = row[:len(row)-1]
	}
	return row
}
