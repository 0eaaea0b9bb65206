package kcore

import (
	"math/bits"

	"github.com/seraph-ml/seraph/engine/memory"
)

// Graph is a simple undirected graph in CSR form, outside the Go heap: the neighbours of v are
// Indices[Indptr[v]:Indptr[v+1]], strictly ascending, and every edge stands in the rows of both its ends.
type Graph struct {
	Nodes   int // numbers in use, below 2^31; those that are not Present are no vertices
	Indptr  []int64
	Indices []int32

	Loops      int64 // self-loops that were dropped
	Duplicates int64 // pairs that were dropped, being there already, in this direction or the other
	Longer     int64 // lines with more columns than the two ids

	names names
	arena *memory.Arena
}

// names are the ids of the vertices.
type names struct {
	base     int64    // the id of vertex 0, where ids is nil and those of the others follow
	ids      []int64  // ascending, nil where they follow each other
	declared bool     // every number is a vertex; otherwise those in ids, with a neighbour, or in looped
	looped   []uint64 // bitmap of vertices with a self-loop, nil where every number is a vertex
}

// Neighbours are the neighbours of v, ascending.
func (g *Graph) Neighbours(v int) []int32 { return g.Indices[g.Indptr[v]:g.Indptr[v+1]] }

// Degree is the number of neighbours of v.
func (g *Graph) Degree(v int) int32 { return int32(g.Indptr[v+1] - g.Indptr[v]) }

// Edges is the number of undirected edges.
func (g *Graph) Edges() int64 { return int64(len(g.Indices)) / 2 }

// ID is what the file calls vertex v.
func (g *Graph) ID(v int) int64 {
	if g.names.ids != nil {
		return g.names.ids[v]
	}
	return g.names.base + int64(v)
}

// Present says whether v is a vertex: declared by a header or seen in the file.
func (g *Graph) Present(v int) bool {
	n := &g.names
	return n.declared || n.ids != nil || g.Indptr[v] < g.Indptr[v+1] || n.looped != nil && n.looped[v/64]>>(v%64)&1 == 1
}

// Declared says whether the vertices are Nodes ids in a row, whatever the edges.
func (g *Graph) Declared() bool { return g.names.declared }

// Vertices is the number of vertices that are present.
func (g *Graph) Vertices() int {
	if g.names.declared || g.names.ids != nil {
		return g.Nodes
	}
	n := 0
	for v := range g.Nodes {
		if g.Indptr[v] < g.Indptr[v+1] {
			n++
		}
	}
	for i, word := range g.names.looped {
		for ; word != 0; word &= word - 1 {
			if v := 64*i + bits.TrailingZeros64(word); g.Indptr[v] == g.Indptr[v+1] {
				n++
			}
		}
	}
	return n
}

// Close gives the memory of the graph back. The slices must not be used any more.
func (g *Graph) Close() error {
	arena := g.arena
	*g = Graph{}
	if arena == nil {
		return nil
	}
	return arena.Close()
}
