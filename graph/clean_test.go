package graph

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/run"
)

// rows returns the neighbours of every node, and the weights where there are some.
func rows(g *Graph) (neighbours [][]int32, weights [][]float32) {
	for u := range g.Nodes {
		neighbours = append(neighbours, slices.Clone(g.Indices[g.Indptr[u]:g.Indptr[u+1]]))
		if g.Weights != nil {
			weights = append(weights, slices.Clone(g.Weights[g.Indptr[u]:g.Indptr[u+1]]))
		}
	}
	return neighbours, weights
}

// A raw graph with all that cleaning removes:
//
//	0 → 1 twice and back, 1 → 2 one way, 2 → 2, 4 ⇄ 5, 3 alone
var messy = format.Graph{
	Name: "messy", Nodes: 6, IDs: []int64{10, 20, 30, 40, 50, 60},
	Src: []int32{0, 0, 1, 1, 2, 4, 5}, Dst: []int32{1, 1, 0, 2, 2, 5, 4},
	Labels: []int32{1, 0, -1, 1, 0, 1}, Classes: 2,
	Features: format.Features{Cols: 3, Sparse: &format.Sparse{
		Rows: 6, Cols: 3, Indptr: []int64{0, 2, 2, 5, 6, 6, 7},
		Indices: []int32{2, 0, 1, 0, 1, 2, 0}, Values: []float32{1, 2, 3, 4, 5, 6, 7},
	}},
	Train: []int32{5, 0}, Val: []int32{2, 1}, Test: []int32{3},
	Notes: []string{"read well"},
}

func TestCleaningMergesDirectionsAndDuplicatesAndDropsSelfLoops(t *testing.T) {
	raw := messy
	g := newGraph(t, &raw, All)
	neighbours, _ := rows(g)
	if diff := cmp.Diff([][]int32{{1}, {0, 2}, {1}, {}, {5}, {4}}, neighbours); diff != "" {
		t.Error(diff)
	}
	if g.Edges() != 3 || g.Weights != nil {
		t.Errorf("%d edges, weights %v", g.Edges(), g.Weights)
	}
	if !slices.Equal(g.IDs, raw.IDs) || !slices.Equal(g.Labels, raw.Labels) {
		t.Errorf("ids %v, labels %v", g.IDs, g.Labels)
	}
	// Columns are sorted, and entries of the same column added.
	s := g.Features.Sparse
	if !slices.Equal(s.Indptr, []int64{0, 2, 2, 4, 5, 5, 6}) || !slices.Equal(s.Indices, []int32{0, 2, 0, 1, 2, 0}) ||
		!slices.Equal(s.Values, []float32{2, 1, 4, 8, 6, 7}) {
		t.Errorf("features %v %v %v", s.Indptr, s.Indices, s.Values)
	}
	if diff := cmp.Diff(&Split{Train: []int32{0, 5}, Val: []int32{1}, Test: []int32{3}}, g.Public); diff != "" {
		t.Error(diff)
	}
	for _, want := range []string{"read well", "7 edge entries are 3 undirected edges", "self-loops dropped: 1", "1 nodes of the public split have no label"} {
		if !strings.Contains(strings.Join(g.Notes, "\n"), want) {
			t.Errorf("notes %q do not say %q", g.Notes, want)
		}
	}
	if h := g.Homophily(); h != 0 { // 0–1 and 4–5 differ, 1–2 has one label
		t.Errorf("homophily %v", h)
	}
}

func TestTheLargestComponentCountsItsNodesInTheirOrder(t *testing.T) {
	raw := messy
	g := newGraph(t, &raw, Largest)
	neighbours, _ := rows(g)
	if diff := cmp.Diff([][]int32{{1}, {0, 2}, {1}}, neighbours); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(g.IDs, []int64{10, 20, 30}) || !slices.Equal(g.Labels, []int32{1, 0, -1}) ||
		g.Features.Rows != 3 || len(g.Features.Sparse.Values) != 4 {
		t.Errorf("ids %v, labels %v, features %+v", g.IDs, g.Labels, g.Features)
	}
	if diff := cmp.Diff(&Split{Train: []int32{0}, Val: []int32{1}, Test: []int32{}}, g.Public); diff != "" {
		t.Error(diff)
	}
	// Of two components as large, the one with the lowest node; dense features, and numbers as ids.
	raw = format.Graph{Name: "two", Nodes: 5, Src: []int32{4, 3}, Dst: []int32{1, 2}, Features: format.Features{Cols: 1, Dense: []float32{0, 1, 2, 3, 4}}}
	g = newGraph(t, &raw, Largest)
	if !slices.Equal(g.IDs, []int64{1, 4}) || !slices.Equal(g.Features.Dense, []float32{1, 4}) {
		t.Errorf("ids %v, features %v", g.IDs, g.Features.Dense)
	}
	of, sizes := newGraph(t, &raw, All).Components()
	if !slices.Equal(of, []int32{0, 1, 2, 2, 1}) || !slices.Equal(sizes, []int{1, 2, 2}) {
		t.Errorf("components %v of %v nodes", of, sizes)
	}
}

func TestTheLargestWeightOfAnEdgeCounts(t *testing.T) {
	raw := &format.Graph{
		Name: "weighted", Nodes: 4, Src: []int32{0, 1, 0, 3, 2, 2}, Dst: []int32{1, 0, 1, 2, 2, 0}, Weights: []float32{2, 5, 3, 0.5, 9, 4},
	}
	neighbours, weights := rows(newGraph(t, raw, Largest))
	if diff := cmp.Diff([][]int32{{1, 2}, {0}, {0, 3}, {2}}, neighbours); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]float32{{5, 4}, {5}, {4, 0.5}, {0.5}}, weights); diff != "" {
		t.Error(diff)
	}
	for _, w := range []float32{0, -1, float32(math.NaN()), float32(math.Inf(1))} {
		raw.Weights[3] = w
		var corrupt *format.CorruptError
		if _, err := New(raw, All); !errors.As(err, &corrupt) || !strings.Contains(err.Error(), "weight of edge 3 (3 → 2)") {
			t.Errorf("weight %v: %v", w, err)
		}
	}
	var usage *run.UsageError
	if _, err := New(raw, "most"); !errors.As(err, &usage) {
		t.Errorf("component most: %v", err)
	}
}

// Against a matrix: max(A, Aᵀ) without its diagonal.
func TestCleaningAgreesWithAMatrix(t *testing.T) {
	for nodes := 1; nodes <= 40; nodes++ {
		r := rand.New(rand.NewPCG(2, uint64(nodes)))
		raw := &format.Graph{Name: "random", Nodes: nodes}
		matrix := make([][]float32, nodes)
		for u := range matrix {
			matrix[u] = make([]float32, nodes)
		}
		for range r.IntN(3 * nodes * nodes) {
			u, v, w := int32(r.IntN(nodes)), int32(r.IntN(nodes)), r.Float32()+0.1
			raw.Src, raw.Dst, raw.Weights = append(raw.Src, u), append(raw.Dst, v), append(raw.Weights, w)
			if u != v {
				matrix[u][v] = max(matrix[u][v], w)
				matrix[v][u] = matrix[u][v]
			}
		}
		for _, weighted := range []bool{true, false} {
			if !weighted {
				raw.Weights = nil
			}
			g := newGraph(t, raw, All)
			for u := range nodes {
				at := g.Indptr[u]
				for v, w := range matrix[u] {
					if w == 0 {
						continue
					}
					if at == g.Indptr[u+1] || int(g.Indices[at]) != v || weighted && g.Weights[at] != max(w, matrix[v][u]) {
						t.Fatalf("%d nodes: row %d differs at column %d", nodes, u, v)
					}
					at++
				}
				if at != g.Indptr[u+1] {
					t.Fatalf("%d nodes: row %d is too long", nodes, u)
				}
			}
		}
	}
}

func TestAGraphWithoutEdgesOrFeaturesIsAGraph(t *testing.T) {
	g := newGraph(t, &format.Graph{Name: "bare", Nodes: 3}, Largest)
	if g.Nodes != 1 || g.Edges() != 0 || g.Public != nil || g.Labels != nil {
		t.Errorf("%+v", g)
	}
	zero := &format.Graph{Name: "zero", Nodes: 3, Features: format.Features{Cols: 2, Sparse: &format.Sparse{Rows: 3, Cols: 2, Indptr: make([]int64, 4)}}}
	if s := newGraph(t, zero, All).Features.Sparse; len(s.Indptr) != 4 || len(s.Values) != 0 {
		t.Errorf("%+v", s)
	}
	p := Propagation{Graph: g, Adjacency: normalize(t, g, Symmetric)}
	if err := p.Check(); err == nil || !strings.Contains(err.Error(), "no features") {
		t.Errorf("no features: %v", err)
	}
}
