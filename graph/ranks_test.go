package graph

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/graph/edges"
)

// halos counts the nodes that rows of ranks have entries for and that others own, each once a rank.
func halos(a *Adjacency, ranks int) int64 {
	cuts := edges.Ranges(a.Indptr[:a.Rows], a.Indptr[a.Rows], perNode, ranks)
	n := int64(0)
	for i := range ranks {
		seen := map[int32]bool{}
		for _, v := range a.Indices[a.Indptr[cuts[i]]:a.Indptr[cuts[i+1]]] {
			if (v < cuts[i] || v >= cuts[i+1]) && !seen[v] {
				seen[v] = true
				n++
			}
		}
	}
	return n
}

// TestRanksPropagateWithTheSameBits divides every kind of propagation, and counts what ranks exchange by hand.
func TestRanksPropagateWithTheSameBits(t *testing.T) {
	const nodes, cols, hops = shardRows + 30, 37, 3
	for form, g := range formsOfFeatures(t, nodes, cols) {
		a := normalize(t, g, Symmetric)
		for _, c := range []Propagation{
			{First: 1}, {First: hops, Scaling: ScaleL1, Rows: []int32{9, shardRows + 3, 2}}, {First: 1, Scaling: ScaleRMS, Teleport: 0.1},
			{First: hops, Combine: MeanWeights(hops)}, {First: 0, Scaling: ScaleL2, Limit: true},
		} {
			c.Graph, c.Adjacency, c.K = g, a, hops
			spill := openSpill(t)
			whole := c
			want := propagate(t, &whole, Way{Width: 16}, nil, spill)
			for _, ranks := range []int{2, 3, 4} {
				for _, way := range []Way{{Width: cols}, {Width: 16, Spill: true}} {
					divided := c
					divided.Ranks = ranks
					got := propagate(t, &divided, way, nil, spill)
					name := fmt.Sprintf("%s, first %d, %s, %d ranks, %+v", form, c.First, c.Scaling, ranks, way)
					last := hops
					if c.Limit {
						last++
					}
					for k := c.First; k <= last; k++ {
						x, y := make([]float32, want.Rows*cols), make([]float32, want.Rows*cols)
						if err := want.ReadRows(0, want.Rows, k, x); err != nil {
							t.Fatal(err)
						}
						if err := got.ReadRows(0, got.Rows, k, y); err != nil {
							t.Fatal(err)
						}
						if !slices.Equal(x, y) {
							t.Errorf("%s: other bits in hop %d", name, k)
						}
					}
					if sent := 4 * cols * hops * halos(a, ranks); got.Exchanged != sent {
						t.Errorf("%s: %d bytes were exchanged, expected %d", name, got.Exchanged, sent)
					}
					if err := got.Close(); err != nil {
						t.Error(err)
					}
				}
			}
			if want.Exchanged != 0 {
				t.Errorf("one rank exchanged %d bytes", want.Exchanged)
			}
			if err := want.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestMoreRanksThanNodes leaves some without any.
func TestMoreRanksThanNodes(t *testing.T) {
	g := newGraph(t, randomGraph(3, 2, false, 2), All)
	a := normalize(t, g, Symmetric)
	one := propagate(t, &Propagation{Graph: g, Adjacency: a, First: 2, K: 2}, Way{Width: 2}, nil, nil)
	many := propagate(t, &Propagation{Graph: g, Adjacency: a, First: 2, K: 2, Ranks: 7}, Way{Width: 2}, nil, nil)
	if !slices.Equal(one.Matrix(2), many.Matrix(2)) {
		t.Errorf("%v, expected %v", many.Matrix(2), one.Matrix(2))
	}
}

// TestRanksTakeNoMoreThanPlanned compares the arena of ranks with what is touched of it.
func TestRanksTakeNoMoreThanPlanned(t *testing.T) {
	for _, nodes := range []int{5, 300} {
		g := newGraph(t, randomGraph(nodes, 4, false, 2), All)
		a := normalize(t, g, Symmetric)
		for _, n := range []int{2, 4, 9} {
			r, err := newRanks(&a.CSR, n, 4) // which ends with a panic where there is too little
			if err != nil {
				t.Fatal(err)
			}
			if err := r.close(); err != nil {
				t.Error(err)
			}
			p := &Propagation{Graph: g, Adjacency: a, First: 1, K: 1, Ranks: n}
			items := p.Stage(Way{Width: 4}).Items
			bytes := ranksBytes(n, nodes, a.Indptr[a.Rows], 4)
			found := false
			for _, item := range items {
				found = found || strings.HasPrefix(item.Name, "ranks") && item.Bytes == bytes
			}
			if !found {
				t.Errorf("%d ranks of %d nodes: no item of %d bytes in the plan", n, nodes, bytes)
			}
		}
	}
}
