package kernel

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// randomEdges is the pattern of a random undirected graph in which node 0 knows everybody and the last nodes nobody, with loops.
func randomEdges(seed uint64, nodes int) Edges {
	r := randSource(seed)
	known := make([]map[int]bool, nodes)
	for u := range known {
		known[u] = map[int]bool{u: true}
	}
	for u := range nodes - 2 {
		for _, v := range []int{0, r.IntN(nodes - 2), r.IntN(nodes - 2)} {
			known[u][v], known[v][u] = true, true
		}
	}
	e := Edges{Indptr: make([]int64, 1, nodes+1)}
	for u := range known {
		for v := range nodes {
			if known[u][v] && u != nodes-1 {
				e.Indices = append(e.Indices, int32(v))
			}
		}
		e.Indptr = append(e.Indptr, int64(len(e.Indices)))
	}
	e.Mirror = make([]int32, len(e.Indices))
	EdgeMirror(e.Mirror, make([]int64, nodes), e.Indptr, e.Indices)
	return e
}

// end is the node that an entry begins at.
func (e *Edges) begin(entry int) int {
	u, _ := slices.BinarySearch(e.Indptr, int64(entry)+1)
	return u - 1
}

func TestMirrorLeadsBack(t *testing.T) {
	e := randomEdges(3, 40)
	for i, m := range e.Mirror {
		if e.begin(i) != int(e.Indices[m]) || e.begin(int(m)) != int(e.Indices[i]) {
			t.Fatalf("entry %d from %d to %d is mirrored by entry %d from %d to %d", i, e.begin(i), e.Indices[i], m, e.begin(int(m)), e.Indices[m])
		}
	}
	for name, indices := range map[string][]int32{"one way": {1, 2, 0}, "not ascending": {1, 0, 0}} {
		indptr := map[string][]int64{"one way": {0, 1, 2, 3}, "not ascending": {0, 2, 3}}[name]
		if EdgeMirror(make([]int32, 3), make([]int64, 3), indptr, indices) {
			t.Errorf("a pattern that is %s was taken for a symmetric one", name)
		}
	}
}

// Every element of a kernel over edges is its formula in float64, to rounding.
func TestEdgesFollowTheirFormulas(t *testing.T) {
	const nodes, heads, width = 60, 3, 5
	e, r := randomEdges(4, nodes), randSource(5)
	entries := len(e.Indices)
	normal := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	s, ds := normal(heads*entries), normal(heads*entries)
	l, x := normal(nodes*heads*width), normal(nodes*heads*width)
	near := func(name string, i int, got float32, want float64) {
		t.Helper()
		if !(math.Abs(float64(got)-want) <= 1e-5*max(1, math.Abs(want))) {
			t.Fatalf("%s: element %d is %v, want %v", name, i, got, want)
		}
	}
	sums := func(y func(h, entry int) float64) []float64 { // (nodes, heads)
		list := make([]float64, nodes*heads)
		for entry := range entries {
			for h := range heads {
				list[e.begin(entry)*heads+h] += y(h, entry)
			}
		}
		return list
	}
	for _, level := range testLevels() {
		for _, transposed := range []bool{false, true} {
			at := func(entry int) int {
				if transposed {
					return int(e.Mirror[entry])
				}
				return entry
			}
			a := &EdgeAggregate{Edges: e, Transposed: transposed, Weights: s, X: x, Y: make([]float32, len(x)), Heads: heads, Width: width}
			if err := a.Check(); err != nil {
				t.Fatal(err)
			}
			a.run(nil, level)
			for j := range width {
				want := sums(func(h, entry int) float64 {
					return float64(s[h*entries+at(entry)]) * float64(x[int(e.Indices[entry])*heads*width+h*width+j])
				})
				for i, w := range want {
					near("sum over neighbours", i, a.Y[i*width+j], w)
				}
			}
			b := &EdgeSums{Edges: e, Transposed: transposed, S: s, Y: make([]float32, nodes*heads), Heads: heads}
			b.Run(nil)
			for i, w := range sums(func(h, entry int) float64 { return float64(s[h*entries+at(entry)]) }) {
				near("sums of edges", i, b.Y[i], w)
			}
		}
	}
	dots := &EdgeDots{Edges: e, S: make([]float32, len(s)), L: l, R: x, Heads: heads, Width: width}
	scores := &EdgeScores{Edges: e, S: make([]float32, len(s)), L: l[:nodes*heads], R: x[:nodes*heads], Heads: heads}
	soft := &EdgeSoftmax{Edges: e, S: make([]float32, len(s)), X: s, Heads: heads}
	dots.Run(nil)
	scores.Run(nil)
	soft.Run(nil)
	grad := &EdgeSoftmaxGrad{Edges: e, DX: make([]float32, len(s)), DS: ds, S: soft.S, Heads: heads}
	grad.Run(nil)
	total := sums(func(h, entry int) float64 { return math.Exp(float64(s[h*entries+entry])) })
	mean := sums(func(h, entry int) float64 { return float64(ds[h*entries+entry]) * float64(soft.S[h*entries+entry]) })
	for h := range heads {
		for entry := range entries {
			u, v, i := e.begin(entry), int(e.Indices[entry]), h*entries+entry
			want := 0.0
			for j := range width {
				want += float64(l[(u*heads+h)*width+j]) * float64(x[(v*heads+h)*width+j])
			}
			near("products along edges", i, dots.S[i], want)
			near("sums along edges", i, scores.S[i], float64(l[u*heads+h])+float64(x[v*heads+h]))
			near("softmax", i, soft.S[i], math.Exp(float64(s[i]))/total[u*heads+h])
			near("gradient of a softmax", i, grad.DX[i], float64(soft.S[i])*(float64(ds[i])-mean[u*heads+h]))
		}
	}
}

func TestEdgesAreSplitWithoutChangingABit(t *testing.T) {
	const nodes, heads, width = 3000, 2, 7
	e, r := randomEdges(6, nodes), randSource(7)
	entries := len(e.Indices)
	s, x := awkward(r, heads*entries), awkward(r, nodes*heads*width)
	a := &EdgeAggregate{Edges: e, Transposed: true, Weights: s, X: x, Y: make([]float32, len(x)), Heads: heads, Width: width}
	dots := &EdgeDots{Edges: e, S: make([]float32, len(s)), L: x, R: x, Heads: heads, Width: width}
	scores := &EdgeScores{Edges: e, S: make([]float32, len(s)), L: x[:nodes*heads], R: x[nodes*heads:], Heads: heads}
	sums := &EdgeSums{Edges: e, Transposed: true, S: s, Y: make([]float32, nodes*heads), Heads: heads}
	soft := &EdgeSoftmax{Edges: e, S: make([]float32, len(s)), X: s, Heads: heads}
	grad := &EdgeSoftmaxGrad{Edges: e, DX: make([]float32, len(s)), DS: s, S: dots.S, Heads: heads}
	elu := &ELU{Dst: make([]float32, len(x)), X: x}
	eluGrad := &ELUGrad{DX: make([]float32, len(x)), DY: x, Y: elu.Dst}
	checkTasks(t, []taskCase{
		{"sum over neighbours", func(p *Pool, level Level) []float32 { a.run(p, level); return a.Y }},
		{"products along edges", func(p *Pool, _ Level) []float32 { dots.Run(p); return dots.S }},
		{"sums along edges", func(p *Pool, _ Level) []float32 { scores.Run(p); return scores.S }},
		{"sums of edges", func(p *Pool, _ Level) []float32 { sums.Run(p); return sums.Y }},
		{"softmax over edges", func(p *Pool, _ Level) []float32 { soft.Run(p); return soft.S }},
		{"gradient of a softmax over edges", func(p *Pool, _ Level) []float32 { grad.Run(p); return grad.DX }},
		{"elu", func(p *Pool, _ Level) []float32 { elu.Run(p); return elu.Dst }},
		{"elu gradient", func(p *Pool, _ Level) []float32 { eluGrad.Run(p); return eluGrad.DX }},
	})
}

func TestChecksOfEdgesNameTheWrongOperand(t *testing.T) {
	e := randomEdges(8, 12)
	n := len(e.Indices)
	short := e
	short.Mirror = short.Mirror[1:]
	for _, c := range []struct {
		err  error
		want string
	}{
		{(&EdgeAggregate{Edges: short, Heads: 1}).Check(), "mirrored entries"},
		{(&EdgeAggregate{Edges: e, Heads: 1, Width: 1, Weights: make([]float32, n)}).Check(), "X has 0"},
		{(&EdgeDots{Edges: e, Heads: 1, Width: 1}).Check(), "S has 0"},
		{(&EdgeScores{Edges: e, Heads: 2, S: make([]float32, 2*n)}).Check(), "L has 0"},
		{(&EdgeSums{Edges: e, Heads: 1, S: make([]float32, n)}).Check(), "Y has 0"},
		{(&EdgeSoftmax{Edges: e, Heads: 1, X: make([]float32, n)}).Check(), "S has 0"},
		{(&EdgeSoftmaxGrad{Edges: e, Heads: 1, DX: make([]float32, n)}).Check(), "DS has 0"},
		{(&ELU{X: make([]float32, 1)}).Check(), "Dst has 0"},
		{(&ELUGrad{Y: make([]float32, 1)}).Check(), "DX has 0"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%v, expected %q", c.err, c.want)
		}
	}
}
