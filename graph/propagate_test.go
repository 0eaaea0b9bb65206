package graph

import (
	"context"
	"math"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

func normalize(t testing.TB, g *Graph, m Norm) *Adjacency {
	t.Helper()
	a, err := g.Normalize(m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// Sums and norms of the operator and of its powers applied to row-normalised features, computed with SciPy in float64.
func TestOperatorAgreesWithSciPy(t *testing.T) {
	for _, want := range []struct {
		data           string
		norm           Norm
		entries        int
		sum, sq, trace float64
		hops           map[int]float64
	}{
		{"cora", Symmetric, 13264, 2505.33927051, 619.18627835, 745.55897407,
			map[int]float64{0: 14.0310421, 1: 8.06730878, 2: 6.74951398, 4: 5.78932822, 8: 5.10864676, 16: 4.65157172}},
		{"cora", Norm{R: 0, SelfLoops: true}, 13264, 2708, 745.55897407, 745.55897407,
			map[int]float64{0: 14.0310421, 1: 8.66424547, 2: 7.08910374, 4: 6.10816828, 8: 5.37102757, 16: 4.86184255}},
		{"citeseer", Symmetric, 12431, 3187.47825646, 0, 1195.96508994,
			map[int]float64{0: 10.42975059, 1: 6.97307357, 2: 6.29274814, 4: 5.80924378}},
	} {
		g := realGraph(t, want.data, All)
		a := normalize(t, g, want.norm)
		var sum, sq, trace float64
		for u := range a.Rows {
			for e := a.Indptr[u]; e < a.Indptr[u+1]; e++ {
				v := float64(a.Values[e])
				sum += v
				sq += v * v
				if int(a.Indices[e]) == u {
					trace += v
				}
			}
		}
		near := func(what string, got, want float64) {
			if want != 0 && math.Abs(got/want-1) > 1e-7 { // float32 elements: 6e-8 each, in both directions
				t.Errorf("%v r=%v: %s %.8f, want %.8f", g.Name, a.Norm.R, what, got, want)
			}
		}
		if len(a.Values) != want.entries {
			t.Errorf("%s: %d entries, want %d", g.Name, len(a.Values), want.entries)
		}
		near("sum", sum, want.sum)
		near("squares", sq, want.sq)
		near("trace", trace, want.trace)
		last := 0
		for k := range want.hops {
			last = max(last, k)
		}
		p := Propagation{Graph: g, Adjacency: a, Scaling: ScaleL1, K: last}
		h := propagate(t, &p, p.Ways()[0], nil, nil)
		for k, norm := range want.hops {
			// The oracle's own sums are good to 1.5e-7. The elements of Â are rounded once, by 6e-8 at most, all of a row
			// the same way where degrees are equal, and each hop adds that.
			if got := frobenius(readHop(t, h, k)); math.Abs(got/norm-1) > 1.5e-7+6e-8*float64(k) {
				t.Errorf("%v r=%v: norm of hop %d is %.8f, want %.8f", g.Name, a.Norm.R, k, got, norm)
			}
		}
	}
}

func propagate(t testing.TB, p *Propagation, w Way, pool *kernel.Pool, spill *memory.Spill) *Hops {
	t.Helper()
	h, err := p.Run(context.Background(), w, pool, spill)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// readHop returns all rows of hop k.
func readHop(t testing.TB, h *Hops, k int) []float32 {
	t.Helper()
	m := make([]float32, h.Rows*h.Cols)
	if err := h.ReadRows(0, h.Rows, k, m); err != nil {
		t.Fatal(err)
	}
	return m
}

func frobenius(m []float32) float64 {
	sum := 0.0
	for _, v := range m {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}
