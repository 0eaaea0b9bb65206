package graph

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/format"
)

var triangleMean = Norm{Triangles: true} // PaSca's Triangle.IA

func TestTriangleOperatorOfSmallGraphs(t *testing.T) {
	third := float32(1.0 / 3)
	for _, c := range []struct {
		raw  *format.Graph
		norm Norm
		want [][]float32
	}{
		// No triangle: every message stays.
		{small("path", 3, [2]int32{0, 1}, [2]int32{1, 2}), triangleMean, [][]float32{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
		{small("alone", 2), Norm{R: 0.5, SelfLoops: true, Triangles: true}, [][]float32{{1, 0}, {0, 1}}},
		// Complete: the mean of the others, each edge in two triangles.
		{small("K4", 4, [2]int32{0, 1}, [2]int32{0, 2}, [2]int32{0, 3}, [2]int32{1, 2}, [2]int32{1, 3}, [2]int32{2, 3}), triangleMean,
			[][]float32{{0, third, third, third}, {third, 0, third, third}, {third, third, 0, third}, {third, third, third, 0}}},
		// 0 – 1      two triangles that share the edge 1 – 2, and 4, which hangs on 3
		//  \ / \
		//   2 – 3 – 4
		{small("kite", 5, [2]int32{0, 1}, [2]int32{0, 2}, [2]int32{1, 2}, [2]int32{1, 3}, [2]int32{2, 3}, [2]int32{3, 4}), triangleMean,
			[][]float32{{0, .5, .5, 0, 0}, {.25, 0, .5, .25, 0}, {.25, .5, 0, .25, 0}, {0, .5, .5, 0, 0}, {0, 0, 0, 0, 1}}},
		{small("kite", 5, [2]int32{0, 1}, [2]int32{0, 2}, [2]int32{1, 2}, [2]int32{1, 3}, [2]int32{2, 3}, [2]int32{3, 4}), Norm{SelfLoops: true, Triangles: true},
			[][]float32{{third, third, third, 0, 0}, {.2, .2, .4, .2, 0}, {.2, .4, .2, .2, 0}, {0, third, third, third, 0}, {0, 0, 0, 0, 1}}},
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

// Against A ∘ (A·A) of dense matrices in float64, with weights and without, for every r; some nodes are next to so many that
// their neighbours are searched.
func TestTriangleOperatorIsTheProductOfDenseMatrices(t *testing.T) {
	const nodes = 220
	r := rand.New(rand.NewPCG(8, 8))
	for _, weighted := range []bool{false, true} {
		raw := small("random", nodes)
		for range 3 * nodes {
			raw.Src, raw.Dst = append(raw.Src, int32(r.IntN(nodes))), append(raw.Dst, int32(r.IntN(nodes)))
		}
		for u := 1; u < nodes-20; u++ {
			raw.Src, raw.Dst = append(raw.Src, 0), append(raw.Dst, int32(u))
		}
		if weighted {
			for range raw.Src {
				raw.Weights = append(raw.Weights, float32(r.ExpFloat64()+0.1))
			}
		}
		g := newGraph(t, raw, All)
		a, tri := make([][]float64, nodes), make([][]float64, nodes)
		for u := range a {
			a[u], tri[u] = make([]float64, nodes), make([]float64, nodes)
			for i := g.Indptr[u]; i < g.Indptr[u+1]; i++ {
				a[u][g.Indices[i]] = weightOf(g.Weights, i)
			}
		}
		searched := false
		for u := range a {
			for v := range a {
				for x := range a {
					tri[u][v] += a[u][v] * a[u][x] * a[x][v]
				}
				searched = searched || a[u][v] > 0 && g.Degree(u) > muchLonger*g.Degree(v)
			}
		}
		if !searched {
			t.Fatal("no list of neighbours is searched")
		}
		for _, norm := range []Norm{triangleMean, {R: 0.5, Triangles: true}, {R: 1, Triangles: true}, {R: 0.3, SelfLoops: true, Triangles: true}} {
			degree := make([]float64, nodes)
			want := make([][]float64, nodes)
			for u := range want {
				want[u] = append([]float64(nil), tri[u]...)
				sum := 0.0
				for _, w := range tri[u] {
					sum += w
				}
				if norm.SelfLoops || sum == 0 {
					want[u][u]++
					sum++
				}
				degree[u] = sum
			}
			got := matrix(normalize(t, g, norm))
			for u := range got {
				for v := range got[u] {
					w := want[u][v] * math.Pow(degree[u], norm.R-1) * math.Pow(degree[v], -norm.R)
					// Elements of A_tri and of the operator are rounded once, and the sums of degrees carry the first.
					if math.Abs(float64(got[u][v])-w) > 3*0x1p-24*w {
						t.Fatalf("weighted %v, %+v: element (%d, %d) is %v, want %v", weighted, norm, u, v, got[u][v], w)
					}
				}
			}
		}
	}
}

// A node in no triangle keeps its message over hops, to the bit.
func TestMessagesStayWhereThereIsNoTriangle(t *testing.T) {
	g := newGraph(t, randomGraph(300, 8, false, 2), All)
	a := normalize(t, g, triangleMean)
	h := propagate(t, &Propagation{Graph: g, Adjacency: a, K: 2}, Way{Width: 8}, nil, nil)
	x, last := readHop(t, h, 0), readHop(t, h, 2)
	stay := 0
	for u := range g.Nodes {
		if a.Indptr[u+1]-a.Indptr[u] == 1 && a.Indices[a.Indptr[u]] == int32(u) {
			stay++
			for c := range 8 {
				if x[8*u+c] != last[8*u+c] {
					t.Fatalf("node %d is in no triangle, its message changes", u)
				}
			}
		}
	}
	if stay == 0 || stay == g.Nodes {
		t.Errorf("%d of %d nodes are in no triangle", stay, g.Nodes)
	}
}

// As published (Network Repository), Cora has 1,630 triangles, each seen from both directions of three edges.
func TestTrianglesOfCora(t *testing.T) {
	g := realGraph(t, "cora", All)
	through := make([]float32, len(g.Indices))
	if err := g.triangles(through); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, n := range through {
		sum += float64(n)
	}
	if sum != 6*1630 {
		t.Errorf("%v triangles, want 1630", sum/6)
	}
}

func TestTrianglesTooHeavyAreAnError(t *testing.T) {
	raw := small("heavy", 3, [2]int32{0, 1}, [2]int32{0, 2}, [2]int32{1, 2})
	raw.Weights = []float32{1e13, 1e13, 1e13}
	if _, err := newGraph(t, raw, All).Normalize(triangleMean); err == nil || !strings.Contains(err.Error(), "nodes 0 and 1 have the weight 1e+39") {
		t.Errorf("the error is %v", err)
	}
}
