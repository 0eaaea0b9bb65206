package format_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/format"
)

// triangle is a valid graph with everything.
//
//	0 → 1
//	↑   ↓
//	└── 2
func triangle() *format.Graph {
	return &format.Graph{
		Name: "triangle", Format: "test", Nodes: 3, IDs: []int64{5, 6, 9},
		Src: []int32{0, 1, 2}, Dst: []int32{1, 2, 0}, Weights: []float32{1, 2, 3},
		Features: format.Features{Cols: 2, Sparse: &format.Sparse{Rows: 3, Cols: 2, Indptr: []int64{0, 1, 1, 2}, Indices: []int32{1, 0}, Values: []float32{1, 2}}},
		Labels:   []int32{0, -1, 1}, Classes: 2, ClassNames: []string{"red", "blue"},
		Train: []int32{0}, Val: []int32{}, Test: []int32{2},
	}
}

func TestValidateFindsWhatIsWrong(t *testing.T) {
	if err := triangle().Validate("x"); err != nil {
		t.Error(err)
	}
	dense := func(cols int, values ...float32) func(g *format.Graph) {
		return func(g *format.Graph) { g.Features = format.Features{Cols: cols, Dense: values} }
	}
	for what, damage := range map[string]func(g *format.Graph){
		"number of nodes":         func(g *format.Graph) { g.Nodes = 0 },
		"1 sources":               func(g *format.Graph) { g.Src = g.Src[:1] },
		"edge weights":            func(g *format.Graph) { g.Weights = g.Weights[:2] },
		"node ids":                func(g *format.Graph) { g.IDs = g.IDs[:2] },
		"source of edge 1":        func(g *format.Graph) { g.Src[1] = 3 },
		"target of edge 2":        func(g *format.Graph) { g.Dst[2] = -1 },
		"training node 0":         func(g *format.Graph) { g.Train[0] = 3 },
		"validation node 0":       func(g *format.Graph) { g.Val = []int32{-1} },
		"test node 0":             func(g *format.Graph) { g.Test[0] = math.MaxInt32 },
		"labels":                  func(g *format.Graph) { g.Labels = g.Labels[:2] },
		"label of node 2":         func(g *format.Graph) { g.Labels[2] = 2 },
		"label of node 1":         func(g *format.Graph) { g.Labels[1] = -2 },
		"class names":             func(g *format.Graph) { g.ClassNames = g.ClassNames[:1] },
		"feature columns":         func(g *format.Graph) { g.Features.Cols = -1 },
		"sparse and dense":        func(g *format.Graph) { g.Features.Dense = make([]float32, 6) },
		"shape of features":       func(g *format.Graph) { g.Features.Sparse.Rows = 2 },
		"indptr: found 3 entries": func(g *format.Graph) { g.Features.Sparse.Indptr = g.Features.Sparse.Indptr[:3] },
		"features: indptr: found": func(g *format.Graph) { g.Features.Sparse.Indptr[3] = 1 },
		"indptr of row 1":         func(g *format.Graph) { g.Features.Sparse.Indptr[1] = 2; g.Features.Sparse.Indptr[2] = 1 },
		"features: indices":       func(g *format.Graph) { g.Features.Sparse.Values = []float32{1} },
		"features: column index":  func(g *format.Graph) { g.Features.Sparse.Indices[0] = 2 },
		"feature value 1":         func(g *format.Graph) { g.Features.Sparse.Values[1] = float32(math.NaN()) },
		"feature value 5":         dense(2, 0, 0, 0, 0, 0, float32(math.Inf(-1))),
		"found 5 values":          dense(2, 0, 0, 0, 0, 0),
		"found 6 values":          dense(3, 0, 0, 0, 0, 0, 0),
		"found 1 values":          dense(0, 0),
		"expected one of both":    func(g *format.Graph) { g.Features.Dense = []float32{} },
		"expected as many of bot": func(g *format.Graph) { g.Dst = nil },
	} {
		g := triangle()
		damage(g)
		err := g.Validate("x.graph")
		var corrupt *format.CorruptError
		if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), what) || corrupt.Path != "x.graph" {
			t.Errorf("error %v, expected a CorruptError of x.graph about %s", err, what)
		}
	}
}

func TestDescribeShowsWhatIsThere(t *testing.T) {
	whole := triangle().Describe("x")
	if diff := cmp.Diff([][]string{{"0", "red", "1"}, {"1", "blue", "1"}, {"-1", "no label", "1"}}, whole.Rows); diff != "" {
		t.Error(diff)
	}
	want := []format.Field{{"nodes", "3"}, {"edge entries", "3"}, {"edge weights", "1 … 3"}, {"node ids", "5 … 9"}, {"feature columns", "2"}, {"feature entries", "2"}, {"classes", "2"}, {"public split", "1 train / 0 validation / 1 test"}}
	if diff := cmp.Diff(want, whole.Fields); diff != "" {
		t.Error(diff)
	}
	bare := (&format.Graph{Name: "pair", Nodes: 2, Src: []int32{0}, Dst: []int32{1}}).Describe("x")
	if diff := cmp.Diff([]format.Field{{"nodes", "2"}, {"edge entries", "1"}}, bare.Fields); diff != "" || bare.Rows != nil || bare.Title != `graph "pair"` {
		t.Errorf("title %q, rows %v, %s", bare.Title, bare.Rows, diff)
	}
}
