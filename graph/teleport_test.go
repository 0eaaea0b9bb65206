package graph

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Norm and sum of ten steps of personalised PageRank on Cora, computed with SciPy in float64.
func TestPersonalisedPageRankAgreesWithSciPy(t *testing.T) {
	g := realGraph(t, "cora", All)
	p := &Propagation{Graph: g, Adjacency: normalize(t, g, Symmetric), Scaling: ScaleL1, Teleport: 0.1, First: 10, K: 10}
	h := readHop(t, propagate(t, p, p.Ways()[0], nil, nil), 10)
	sum := 0.0
	for _, v := range h {
		sum += float64(v)
	}
	for _, c := range []struct {
		what      string
		got, want float64
	}{{"norm", frobenius(h), 5.80912057}, {"sum", sum, 2519.819687}} {
		off := math.Abs(c.got/c.want - 1)
		t.Logf("%s: off by %.2g", c.what, off)
		// As for powers of Â: 6e-8 of each of the ten steps' operator, and as much of the rounded 1−α.
		if off > 1.5e-7+10*1.2e-7 {
			t.Errorf("%s %.8f, want %.8f", c.what, c.got, c.want)
		}
	}
}

// What K steps come to, the powers of Â in float64:
// H_K = (1−α)^K Â^K X + α Σ_{i<K} (1−α)^i Â^i X.
func TestTeleportsAreASeriesOfPowers(t *testing.T) {
	const nodes, cols, hops = 150, 6, 7
	g := newGraph(t, randomGraph(nodes, cols, false, 3), All)
	for _, norm := range []Norm{Symmetric, {R: 0, SelfLoops: true}, {R: 1}} {
		a := normalize(t, g, norm)
		powers := powersOf(a, g.Features.Dense, cols, hops)
		for _, alpha := range []float64{0.1, 0.5, 0.9} {
			p := &Propagation{Graph: g, Adjacency: a, Teleport: alpha, K: hops}
			h := propagate(t, p, Way{Width: 16}, nil, nil)
			worst, largest := 0.0, 0.0
			for k := 0; k <= hops; k++ {
				for i, got := range readHop(t, h, k) {
					want := math.Pow(1-alpha, float64(k)) * powers[k][i]
					for j := range k {
						want += alpha * math.Pow(1-alpha, float64(j)) * powers[j][i]
					}
					worst, largest = max(worst, math.Abs(float64(got)-want)), max(largest, math.Abs(powers[k][i]))
				}
			}
			// A step adds four roundings, and those of a sum of products.
			if bound := 2 * 0x1p-24 * hops * largest; worst > bound {
				t.Errorf("%+v, α = %v: off by %.2g, allowed %.2g", norm, alpha, worst, bound)
			} else {
				t.Logf("%+v, α = %v: off by %.2g of %.2g allowed", norm, alpha, worst, bound)
			}
		}
	}
}

// powersOf returns Â^k X, k = 0 … hops, in float64.
func powersOf(a *Adjacency, x []float32, cols, hops int) [][]float64 {
	powers := [][]float64{make([]float64, len(x))}
	for i, v := range x {
		powers[0][i] = float64(v)
	}
	for k := range hops {
		next := make([]float64, len(x))
		for u := range a.Rows {
			for e := a.Indptr[u]; e < a.Indptr[u+1]; e++ {
				for c := range cols {
					next[u*cols+c] += float64(a.Values[e]) * powers[k][int(a.Indices[e])*cols+c]
				}
			}
		}
		powers = append(powers, next)
	}
	return powers
}

// A step is one product with Â, then (1−α)·ÂH + α·X with each product and the sum rounded: to the bit.
func TestATeleportIsRoundedAsStated(t *testing.T) {
	const nodes, cols, hops = 200, 18, 4
	const alpha = 0.15
	g, step := newGraph(t, randomGraph(nodes, cols, false, 3), All), newGraph(t, randomGraph(nodes, cols, false, 3), All)
	a := normalize(t, g, Symmetric)
	p := &Propagation{Graph: g, Adjacency: a, Teleport: alpha, K: hops}
	h := propagate(t, p, Way{Width: 16}, nil, nil)
	x := g.Features.Dense
	stay := float32(1 - alpha)
	for k := 1; k <= hops; k++ {
		copy(step.Features.Dense, readHop(t, h, k-1))
		one := &Propagation{Graph: step, Adjacency: a, First: 1, K: 1}
		want := readHop(t, propagate(t, one, Way{Width: cols}, nil, nil), 1)
		for i, v := range want {
			want[i] = float32(stay*v) + float32(float32(alpha)*x[i])
		}
		if !slices.Equal(readHop(t, h, k), want) {
			t.Errorf("hop %d differs", k)
		}
	}
}

// α = 1 goes back every time: every hop is X, to the bit.
func TestWhoAlwaysTeleportsStays(t *testing.T) {
	for form, g := range formsOfFeatures(t, 300, 20) {
		for _, scaling := range []Scaling{ScaleNone, ScaleL2} {
			p := &Propagation{Graph: g, Adjacency: normalize(t, g, Symmetric), Scaling: scaling, Teleport: 1, K: 3}
			h := propagate(t, p, Way{Width: 16}, nil, openSpill(t))
			x := readHop(t, h, 0)
			for k := 1; k <= 3; k++ {
				if !slices.Equal(readHop(t, h, k), x) {
					t.Errorf("%s features scaled by %s: hop %d differs from X", form, scaling, k)
				}
			}
		}
	}
}

// With many steps H solves (I − (1−α)Â) H = α X: personalised PageRank (APPNP's limit).
func TestTeleportsTendToTheirEquation(t *testing.T) {
	const nodes, cols = 120, 5
	g := newGraph(t, randomGraph(nodes, cols, false, 3), All)
	for _, norm := range []Norm{Symmetric, {R: 0, SelfLoops: true}} {
		a := normalize(t, g, norm)
		for alpha, steps := range map[float64]int{0.1: 160, 0.5: 24} { // (1−α)^K is below the rounding
			p := &Propagation{Graph: g, Adjacency: a, Teleport: alpha, First: steps, K: steps}
			h := readHop(t, propagate(t, p, Way{Width: 16}, nil, nil), steps)
			step := powersOf(a, h, cols, 1)[1]
			worst, largest := 0.0, 0.0
			for i, x := range g.Features.Dense {
				worst = max(worst, math.Abs(float64(h[i])-(1-alpha)*step[i]-alpha*float64(x)))
				largest = max(largest, math.Abs(float64(h[i])))
			}
			if bound := 8 * 0x1p-24 * largest; worst > bound {
				t.Errorf("%+v, α = %v: off by %.2g, allowed %.2g", norm, alpha, worst, bound)
			} else {
				t.Logf("%+v, α = %v: off by %.2g of %.2g allowed", norm, alpha, worst, bound)
			}
		}
	}
}

// TestHopsFollowTheNumbersOfNodes numbers nodes in another order: every hop has the same rows, in that order. Only sums over
// neighbours are made in another order, too.
func TestHopsFollowTheNumbersOfNodes(t *testing.T) {
	const nodes, cols, hops = 170, 6, 4
	raw := randomGraph(nodes, cols, false, 3)
	other := *raw
	to := rand.New(rand.NewPCG(2, 2)).Perm(nodes)
	other.Src, other.Dst, other.Labels, other.Features.Dense = nil, nil, make([]int32, nodes), make([]float32, nodes*cols)
	for i := range raw.Src {
		other.Src, other.Dst = append(other.Src, int32(to[raw.Src[i]])), append(other.Dst, int32(to[raw.Dst[i]]))
	}
	for u := range nodes {
		other.Labels[to[u]] = raw.Labels[u]
		copy(other.Features.Dense[to[u]*cols:][:cols], raw.Features.Dense[u*cols:])
	}
	one, two := newGraph(t, raw, All), newGraph(t, &other, All)
	for _, norm := range []Norm{Symmetric, {R: 0}, {R: 1, SelfLoops: true}, triangleMean} {
		for _, alpha := range []float64{0, 0.2} {
			hop := func(g *Graph) []float32 {
				p := &Propagation{Graph: g, Adjacency: normalize(t, g, norm), Scaling: ScaleL2, Teleport: alpha, K: hops}
				return readHop(t, propagate(t, p, Way{Width: cols}, nil, nil), hops)
			}
			x, y := hop(one), hop(two)
			worst, largest := 0.0, 0.0
			for i, v := range x {
				worst = max(worst, math.Abs(float64(v-y[to[i/cols]*cols+i%cols])))
				largest = max(largest, math.Abs(float64(v)))
			}
			if bound := 2 * 0x1p-24 * hops * largest; worst > bound || largest == 0 {
				t.Errorf("%+v, α = %v: rows differ by %.2g, allowed %.2g", norm, alpha, worst, bound)
			}
		}
	}
}
