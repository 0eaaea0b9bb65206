package kcore

import (
	"context"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/graph/kcore/rowfile"
)

// Shell is the vertices of one core number.
type Shell struct {
	Core     int32 `json:"core"`
	Vertices int64 `json:"vertices"`
	// Edges are those that a core loses with the shell: their other ends have this core number, too, or a higher one. The k-core has
	// those of shells k and above.
	Edges     int64 `json:"edges"`
	MinDegree int32 `json:"min_degree"`
	MaxDegree int32 `json:"max_degree"`
	Degrees   int64 `json:"degree_sum"`
}

// Shells are the shells that have vertices, by ascending core number.
func Shells(g *Graph, core []int32) []Shell {
	var t shellTally
	for v, k := range core {
		if !g.Present(v) {
			continue
		}
		halves := int64(0)
		for _, u := range g.Neighbours(v) {
			halves += halfEdges(k, core[u])
		}
		t.vertex(k, g.Degree(v), halves)
	}
	return t.shells()
}

// Shells is Shells of a store whose estimates are core numbers, in a pass over its rows.
func (s *Store) Shells(ctx context.Context, pool *kernel.Pool) ([]Shell, error) {
	tallies := make([]shellTally, pool.Workers())
	chunks := make([][chunkLen]int32, pool.Workers())
	err := s.scan(ctx, pool, func(worker int, r *rowfile.Rows) error {
		if r.Degree == 0 {
			return nil // counted with those that have no row
		}
		chunk, k, halves := chunks[worker][:], s.Core[r.Vertex], int64(0)
		for n, rest, last := 0, r.Neighbours, uint32(0); len(rest) > 0; {
			n, rest, last = rowfile.Unpack(chunk, rest, last)
			for _, u := range chunk[:n] {
				halves += halfEdges(k, s.Core[u])
			}
		}
		tallies[worker].vertex(k, int32(r.Degree), halves)
		return nil
	})
	t := tallies[0]
	for _, more := range tallies[1:] {
		for _, shell := range more {
			t.add(shell)
		}
	}
	for v, k := range s.Core {
		if k == 0 && s.Present(v) {
			t.vertex(0, 0, 0)
		}
	}
	return t.shells(), err
}

// halfEdges is how much of two the edge to a neighbour of core number c adds to shell k, seen from its vertex: an edge within the shell is seen
// twice.
func halfEdges(k, c int32) int64 {
	switch {
	case c == k:
		return 1
	case c > k:
		return 2
	}
	return 0
}

// shellTally is shells by core number, whose edges are counted in halves.
type shellTally []Shell

func (t *shellTally) vertex(k, degree int32, halves int64) {
	t.add(Shell{Core: k, Vertices: 1, Edges: halves, MinDegree: degree, MaxDegree: degree, Degrees: int64(degree)})
}

// add adds the vertices of a shell.
func (t *shellTally) add(more Shell) {
	if more.Vertices == 0 {
		return
	}
	for len(*t) <= int(more.Core) {
		*t = append(*t, Shell{Core: int32(len(*t))})
	}
	s := &(*t)[more.Core]
	if s.Vertices == 0 || more.MinDegree < s.MinDegree {
		s.MinDegree = more.MinDegree
	}
	s.MaxDegree = max(s.MaxDegree, more.MaxDegree)
	s.Vertices += more.Vertices
	s.Edges += more.Edges
	s.Degrees += more.Degrees
}

func (t shellTally) shells() (list []Shell) {
	for _, s := range t {
		if s.Vertices > 0 {
			s.Edges /= 2
			list = append(list, s)
		}
	}
	return list
}
