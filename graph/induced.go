package graph

import (
	"errors"
	"fmt"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
)

// Induced returns the graph that some nodes, which ascend, have among themselves: node i is nodes[i] with its features and label,
// and its neighbours are those of g that are among nodes, too. It shares no memory with g, and depends on nothing of g but what
// these nodes have. g is in memory. See [Graph.InducedBytes] for the memory that it takes.
func (g *Graph) Induced(nodes []int32) (*Graph, error) {
	if g.OnDisk() {
		return nil, errors.New("the graph that some nodes have among themselves: the edges have to be in memory")
	}
	number, entries := g.inducedEntries(nodes)
	arena, err := memory.NewArena(g.inducedBytes(nodes, entries))
	if err != nil {
		return nil, fmt.Errorf("the graph that some nodes of %s have among themselves: %w", g.Name, err)
	}
	b := &bump{arena: arena}
	h := &Graph{
		Name: g.Name, Format: g.Format, Nodes: len(nodes), Classes: g.Classes, ClassNames: g.ClassNames, arena: arena, grouped: &grouping{},
		Indptr: b.int64s(len(nodes) + 1), Indices: b.int32s(int(entries)),
	}
	if g.Weights != nil {
		h.Weights = b.float32s(int(entries))
	}
	end := int64(0)
	for i, u := range nodes {
		for at := g.Indptr[u]; at < g.Indptr[u+1]; at++ {
			v := number[g.Indices[at]]
			if v < 0 {
				continue
			}
			h.Indices[end] = v
			if g.Weights != nil {
				h.Weights[end] = g.Weights[at]
			}
			end++
		}
		h.Indptr[i+1] = end
	}
	if g.Labels != nil {
		h.Labels = b.int32s(len(nodes))
		for i, u := range nodes {
			h.Labels[i] = g.Labels[u]
		}
	}
	h.Features = copyFeatures(&format.Features{Cols: g.Features.Cols, Sparse: g.Features.Sparse, Dense: g.Features.Dense}, nodes, len(nodes), b)
	h.bytes = b.next
	return h, nil
}

// InducedBytes is the memory that Induced takes, of which 4 bytes a node of g are needed only meanwhile.
func (g *Graph) InducedBytes(nodes []int32) int64 {
	_, entries := g.inducedEntries(nodes)
	return g.inducedBytes(nodes, entries) + 4*int64(g.Nodes)
}

// inducedBytes is what is left of it.
func (g *Graph) inducedBytes(nodes []int32, entries int64) int64 {
	n := int64(len(nodes))
	sum := 8*(n+1) + 4*entries + 8*memory.Align
	if g.Weights != nil {
		sum += 4 * entries
	}
	if g.Labels != nil {
		sum += 4 * n
	}
	if s := g.Features.Sparse; s != nil {
		sum += 8 * (n + 1)
		for _, u := range nodes {
			sum += 8 * (s.Indptr[u+1] - s.Indptr[u])
		}
	}
	return sum + 4*n*int64(g.Features.Cols)*int64(min(1, len(g.Features.Dense)))
}

// inducedEntries counts the entries of the adjacency matrix of Induced. It returns the number of each node there, −1 for those that
// are not.
func (g *Graph) inducedEntries(nodes []int32) (number []int32, entries int64) {
	number = make([]int32, g.Nodes)
	for u := range number {
		number[u] = -1
	}
	for i, u := range nodes {
		number[u] = int32(i)
	}
	for _, u := range nodes {
		for _, v := range g.Indices[g.Indptr[u]:g.Indptr[u+1]] {
			if number[v] >= 0 {
				entries++
			}
		}
	}
	return number, entries
}
