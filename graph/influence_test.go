package graph

import (
	"math"
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
)

// What the theorems of the NDLS paper rest on, of the influence I_i(k) on every node of the largest component of Cora: it sums
// to 1; π stays as it is; √(Σ_j (I_ij − π_j)²/π_j) shrinks by λ₂ or more in a step; the plain distance does not, by up
// to 0.17, so that no search may skip steps.
func TestInfluenceTendsToTheStationaryState(t *testing.T) {
	const lambda2 = 0.99637936
	g := realGraph(t, "cora", Largest)
	s := &Smoothing{Graph: g, Adjacency: normalize(t, g, randomWalk)}
	walk := &influences{Smoothing: s}
	pi := make([]float64, g.Nodes)
	for u := range g.Nodes {
		walk.degree = append(walk.degree, float64(g.Degree(u)+1))
		pi[u] = walk.degree[u] / float64(2*g.Edges()+g.Nodes)
	}
	w := &walker{row: slices.Clone(pi), shares: make([]float64, g.Nodes)}
	walk.step(w)
	if off := distance(w.row, pi); off > 1e-12 {
		t.Errorf("the stationary state moves by %.2g in a step", off)
	}
	weighted := func() float64 {
		sum := 0.0
		for j, v := range w.row {
			sum += (v - pi[j]) * (v - pi[j]) / pi[j]
		}
		return math.Sqrt(sum)
	}
	rise := 0.0
	for i := range g.Nodes {
		clear(w.row)
		w.row[i] = 1
		plain, before := distance(w.row, pi), weighted()
		for k := 1; k <= 4; k++ {
			walk.step(w)
			mass := 0.0
			for _, v := range w.row {
				mass += v
			}
			if math.Abs(mass-1) > 1e-12 {
				t.Fatalf("the influence on node %d sums to %v after %d steps", i, mass, k)
			}
			now := weighted()
			if now > lambda2*before*(1+1e-7) {
				t.Fatalf("node %d, step %d: the weighted distance goes from %v to %v", i, k, before, now)
			}
			rise, plain, before = max(rise, distance(w.row, pi)-plain), distance(w.row, pi), now
		}
	}
	if math.Abs(rise-.17) > .005 {
		t.Errorf("the distance rises by up to %v in a step, want 0.17", rise)
	}
}

// Distances of random features estimate those of influence: E‖(I_i(k) − π)R‖² = ‖I_i(k) − π‖² for normal numbers R of
// variance 1/columns (Johnson and Lindenstrauss).
func TestRandomFeaturesEstimateInfluence(t *testing.T) {
	const columns = 256
	g := realGraph(t, "cora", Largest)
	r := make([]float32, g.Nodes*columns)
	random := kernel.Normal{Dst: r, Std: 1 / math.Sqrt(columns), Key: kernel.Key{Seed: 5}}
	random.Run(nil)
	s := &Smoothing{
		Graph: g, Adjacency: normalize(t, g, randomWalk), Epsilon: .3, Kmax: 100,
		Features: &Features{Rows: g.Nodes, Cols: columns, Dense: r},
	}
	sum, near := 0, 0
	exact := byInfluence(t, g, .3, 100)
	for u, k := range localSteps(t, s).K {
		sum += int(k)
		if d := k - exact[u]; -1 <= d && d <= 1 {
			near++
		}
	}
	// A distance errs by 1/√(2·256) = 4 %, and falls by more than that in a step of the first ones.
	if math.Abs(float64(sum)/9073-1) > .03 || float64(near) < .97*float64(g.Nodes) {
		t.Errorf("the steps sum to %d, exactly 9073; those of %d of %d nodes are at most 1 off", sum, near, g.Nodes)
	}
	t.Logf("sum %d, near %d of %d", sum, near, g.Nodes)
}
