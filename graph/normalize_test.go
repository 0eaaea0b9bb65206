package graph

import (
	"math"
	"testing"

	"github.com/seraph-ml/seraph/format"
)

func small(name string, nodes int, edges ...[2]int32) *format.Graph {
	g := &format.Graph{Name: name, Nodes: nodes}
	for _, e := range edges {
		g.Src, g.Dst = append(g.Src, e[0]), append(g.Dst, e[1])
	}
	return g
}

// matrix returns Â as rows.
func matrix(a *Adjacency) [][]float32 {
	m := make([][]float32, a.Rows)
	for u := range m {
		m[u] = make([]float32, a.Cols)
		for e := a.Indptr[u]; e < a.Indptr[u+1]; e++ {
			m[u][a.Indices[e]] = a.Values[e]
		}
	}
	return m
}

func TestNormalisationOfSmallGraphs(t *testing.T) {
	root := func(x float64) float32 { return float32(math.Sqrt(x)) }
	path := small("path", 3, [2]int32{0, 1}, [2]int32{1, 2})                                                       // 0 – 1 – 2
	star := small("star", 4, [2]int32{0, 1}, [2]int32{0, 2}, [2]int32{0, 3})                                       // 0 in the middle
	complete := small("complete", 3, [2]int32{0, 1}, [2]int32{0, 2}, [2]int32{1, 2})                               // a triangle
	alone := small("alone", 2)                                                                                     // no edge
	weighted := &format.Graph{Name: "weighted", Nodes: 2, Src: []int32{0}, Dst: []int32{1}, Weights: []float32{3}} // one edge of weight 3
	third := float32(1.0 / 3)
	for _, c := range []struct {
		raw  *format.Graph
		norm Norm
		want [][]float32
	}{
		{path, Norm{R: 0.5, SelfLoops: true}, [][]float32{{.5, root(1. / 6), 0}, {root(1. / 6), third, root(1. / 6)}, {0, root(1. / 6), .5}}},
		{path, Norm{R: 0, SelfLoops: true}, [][]float32{{.5, .5, 0}, {third, third, third}, {0, .5, .5}}},
		{path, Norm{R: 1, SelfLoops: true}, [][]float32{{.5, third, 0}, {.5, third, .5}, {0, third, .5}}},
		{path, Norm{R: 0.5}, [][]float32{{0, root(.5), 0}, {root(.5), 0, root(.5)}, {0, root(.5), 0}}},
		{star, Norm{R: 0}, [][]float32{{0, third, third, third}, {1, 0, 0, 0}, {1, 0, 0, 0}, {1, 0, 0, 0}}},
		{star, Norm{R: 0.5, SelfLoops: true}, [][]float32{{.25, root(.125), root(.125), root(.125)}, {root(.125), .5, 0, 0}, {root(.125), 0, .5, 0}, {root(.125), 0, 0, .5}}},
		{complete, Norm{R: 0.5, SelfLoops: true}, [][]float32{{third, third, third}, {third, third, third}, {third, third, third}}},
		{alone, Norm{R: 0.5, SelfLoops: true}, [][]float32{{1, 0}, {0, 1}}},
		{alone, Norm{R: 0.5}, [][]float32{{0, 0}, {0, 0}}},
		{weighted, Norm{R: 0, SelfLoops: true}, [][]float32{{.25, .75}, {.75, .25}}},
	} {
		got := matrix(normalize(t, newGraph(t, c.raw, All), c.norm))
		for u := range got {
			for v := range got[u] {
				if math.Abs(float64(got[u][v]-c.want[u][v])) > 6e-8 {
					t.Errorf("%s, %+v: element (%d, %d) is %v, want %v", c.raw.Name, c.norm, u, v, got[u][v], c.want[u][v])
				}
			}
		}
	}
}

// Identities of Â_r = D̃^(r−1) Ã D̃^(−r): sums of rows and columns, symmetry, and similarity of all Â_r.
func TestIdentitiesOfTheOperator(t *testing.T) {
	g := newGraph(t, randomGraph(300, 1, true, 3), All)
	half := matrix(normalize(t, g, Symmetric))
	for _, r := range []float64{0, 0.25, 0.5, 1} {
		norm := Norm{R: r, SelfLoops: true}
		a := normalize(t, g, norm)
		m := matrix(a)
		columns := make([]float64, g.Nodes)
		worst := 0.0
		for u := range m {
			row := 0.0
			for v := range m[u] {
				row += float64(m[u][v])
				columns[v] += float64(m[u][v])
				if r == 0.5 && m[u][v] != m[v][u] {
					t.Fatalf("element (%d, %d) is %v, (%d, %d) is %v", u, v, m[u][v], v, u, m[v][u])
				}
				// D̃^(½−r) Â_r D̃^(r−½) = Â_½
				similar := math.Pow(g.degree(u, g.Weights, norm), 0.5-r) * float64(m[u][v]) * math.Pow(g.degree(v, g.Weights, norm), r-0.5)
				if half[u][v] != 0 {
					worst = max(worst, math.Abs(similar/float64(half[u][v])-1))
				}
			}
			if r == 0 && math.Abs(row-1) > 1e-6 {
				t.Errorf("row %d sums to %v", u, row)
			}
		}
		for v, sum := range columns {
			if r == 1 && math.Abs(sum-1) > 1e-6 {
				t.Errorf("column %d sums to %v", v, sum)
			}
		}
		if worst > 1.3e-7 { // two roundings to float32
			t.Errorf("r = %v is similar to r = ½ up to %v", r, worst)
		}
	}
	for _, r := range []float64{-0.1, 1.1, math.NaN()} {
		if _, err := g.Normalize(Norm{R: r}); err == nil {
			t.Errorf("r = %v was accepted", r)
		}
	}
}

// A constant is a fixed point of the random walk, and √d̃ one of the symmetric operator.
func TestFixedPoints(t *testing.T) {
	raw := randomGraph(400, 2, false, 3)
	g := newGraph(t, raw, All)
	for _, norm := range []Norm{{R: 0, SelfLoops: true}, {R: 0.5, SelfLoops: true}} {
		for u := range g.Nodes {
			g.Features.Dense[2*u] = 3
			g.Features.Dense[2*u+1] = float32(math.Sqrt(g.degree(u, g.Weights, norm)))
		}
		column := 0
		if norm.R == 0.5 {
			column = 1
		}
		p := &Propagation{Graph: g, Adjacency: normalize(t, g, norm), K: 6}
		h := propagate(t, p, Way{Width: 2}, nil, nil)
		first, last := readHop(t, h, 0), readHop(t, h, 6)
		for u := range g.Nodes {
			x, y := float64(first[2*u+column]), float64(last[2*u+column])
			// Each hop: the weights of a row are rounded, and their sum of up to 100s of terms.
			if math.Abs(y/x-1) > 6*1e-6 {
				t.Fatalf("%+v: node %d goes from %v to %v", norm, u, x, y)
			}
		}
	}
}
