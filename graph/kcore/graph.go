package kcore

import (
	"errors"

	"github.com/seraph-ml/seraph/engine/memory"
)

// Graph is a simple undirected graph in CSR form, outside the Go heap: the neighbours of v are
// Indices[Indptr[v]:Indptr[v+1]], strictly ascending, and every edge stands in the rows of both its ends.
type Graph struct {
	Names
	Counts
	Indptr  []int64
	Indices []int32

	arena *memory.Arena
}

// Counts are how many edges a graph has, and what was dropped on the way to it.
type Counts struct {
	Edges      int64 `json:"edges"`                     // undirected
	Loops      int64 `json:"self_loops_dropped"`        // that were dropped
	Duplicates int64 `json:"duplicates_dropped"`        // pairs that were dropped, being there already, in this direction or the other
	Longer     int64 `json:"lines_with_more,omitempty"` // lines with more columns than the two ids
}

// Neighbours are the neighbours of v, ascending.
func (g *Graph) Neighbours(v int) []int32 { return g.Indices[g.Indptr[v]:g.Indptr[v+1]] }

// Degree is the number of neighbours of v.
func (g *Graph) Degree(v int) int32 { return int32(g.Indptr[v+1] - g.Indptr[v]) }

// Close gives the memory of the graph back. The slices must not be used any more.
func (g *Graph) Close() error {
	err := g.labels.close()
	if g.arena != nil {
		err = errors.Join(err, g.arena.Close())
	}
	*g = Graph{}
	return err
}
