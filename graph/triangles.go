package graph

import (
	"fmt"
	"math"
	"slices"
)

// triangles computes the triangle-induced adjacency matrix A_tri = A ∘ (A·A) in the places of the entries of A: that of the
// edge (u, v) is w_uv · Σ_x w_ux w_xv over the common neighbours x, in ascending order in float64, rounded once. Without
// weights this is the number of triangles that the edge is a side of, 0 where there is none.
func (g *Graph) triangles(through []float32) error {
	for u := range g.Nodes {
		for i := g.Indptr[u]; i < g.Indptr[u+1]; i++ {
			v := int(g.Indices[i])
			w := weightOf(g.Weights, i) * g.common(u, v)
			if through[i] = float32(w); math.IsInf(float64(through[i]), 0) {
				return fmt.Errorf("the triangles through the edge between the nodes %d and %d have the weight %.3g, more than a float32 holds", u, v, w)
			}
		}
	}
	return nil
}

// muchLonger is how many times longer one list of neighbours is than the other from which on it is searched for each element
// of the other, not read along with it.
const muchLonger = 32

// common is Σ_x w_ux w_xv over the common neighbours x of two nodes.
func (g *Graph) common(u, v int) float64 {
	if g.Degree(u) > g.Degree(v) {
		u, v = v, u // A is symmetric, and so is the product of two weights
	}
	sum := 0.0
	i, endU := g.Indptr[u], g.Indptr[u+1]
	j, endV := g.Indptr[v], g.Indptr[v+1]
	search := endV-j > muchLonger*(endU-i)
	for i < endU && j < endV {
		x := g.Indices[i]
		if search {
			skip, _ := slices.BinarySearch(g.Indices[j:endV], x)
			j += int64(skip)
		} else {
			for j < endV && g.Indices[j] < x {
				j++
			}
		}
		if j < endV && g.Indices[j] == x {
			sum += weightOf(g.Weights, i) * weightOf(g.Weights, j)
		}
		i++
	}
	return sum
}
