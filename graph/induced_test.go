package graph

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/format"
)

// TestInducedIsTheGraphOfThoseNodesAlone compares with the graph that New makes of the edges and rows that are left:
//
//	0 — 1 — 2 — 3        nodes 1, 2, 4        0 — 1
//	     \ /   /         ───────────────►      \ /
//	      4 ——                                  2
func TestInducedIsTheGraphOfThoseNodesAlone(t *testing.T) {
	raw := &format.Graph{Name: "five", Nodes: 5, Classes: 3, Labels: []int32{0, 1, -1, 2, 1},
		Src: []int32{0, 1, 2, 1, 2, 3}, Dst: []int32{1, 2, 3, 4, 4, 4}, Weights: []float32{1, 2, 3, 4, 5, 6}}
	left := &format.Graph{Name: "five", Nodes: 3, Classes: 3, Labels: []int32{1, -1, 1}, Src: []int32{0, 0, 1}, Dst: []int32{1, 2, 2}, Weights: []float32{2, 4, 5}}
	for name, features := range map[string][2]format.Features{
		"dense": {{Cols: 2, Dense: []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}, {Cols: 2, Dense: []float32{3, 4, 5, 6, 9, 10}}},
		"sparse": {
			{Cols: 2, Sparse: &format.Sparse{Rows: 5, Cols: 2, Indptr: []int64{0, 1, 3, 3, 4, 5}, Indices: []int32{0, 0, 1, 1, 0}, Values: []float32{1, 2, 3, 4, 5}}},
			{Cols: 2, Sparse: &format.Sparse{Rows: 3, Cols: 2, Indptr: []int64{0, 2, 2, 3}, Indices: []int32{0, 1, 0}, Values: []float32{2, 3, 5}}},
		},
		"none": {},
	} {
		raw.Features, left.Features = features[0], features[1]
		nodes := []int32{1, 2, 4}
		whole, want := newGraph(t, raw, All), newGraph(t, left, All)
		got, err := whole.Induced(nodes)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		type view struct {
			Indptr   []int64
			Indices  []int32
			Weights  []float32
			Labels   []int32
			Features Features
		}
		of := func(g *Graph) view { return view{g.Indptr, g.Indices, g.Weights, g.Labels, g.Features} }
		if d := cmp.Diff(of(want), of(got), cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Read" }, cmp.Ignore())); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if planned := whole.InducedBytes(nodes); got.Bytes() > planned || got.Bytes() < planned-2048 {
			t.Errorf("%s: %d bytes, planned %d", name, got.Bytes(), planned)
		}
	}
}

// TestInducedOfAllNodesIsTheGraph is an identity.
func TestInducedOfAllNodesIsTheGraph(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var edges [][2]int32
	for range 300 {
		edges = append(edges, [2]int32{r.Int32N(80), r.Int32N(80)})
	}
	g := graphOf(t, 80, edges...)
	all := make([]int32, g.Nodes)
	for i := range all {
		all[i] = int32(i)
	}
	h, err := g.Induced(all)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if d := cmp.Diff(g.Indptr, h.Indptr); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(g.Indices, h.Indices); d != "" {
		t.Error(d)
	}
}
