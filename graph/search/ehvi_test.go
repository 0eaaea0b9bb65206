package search

import (
	"math"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"pgregory.net/rapid"
)

// testdata/ehvi.py computes the values in strips along the other objective.
func TestExpectedImprovementHasItsKnownValues(t *testing.T) {
	front := [][]float64{{1, 3}, {2, 2}, {3, 1}}
	for _, c := range []struct {
		front     [][]float64
		reference []float64
		mu, sigma []float64
		want      float64
	}{
		{front, []float64{4, 4}, []float64{1.5, 1.5}, []float64{.5, .5}, 1.415086653651176},
		{front, []float64{4, 4}, []float64{3.5, 3.5}, []float64{.5, .5}, 1.590990372813329e-05},
		{front, []float64{4, 4}, []float64{0, 0}, []float64{1, 2}, 10.725544101162283},
		{front, []float64{4, 4}, []float64{2.5, 2.5}, []float64{1e-6, 1e-6}, 0},
		{front, []float64{4, 4}, []float64{1.5, 1.5}, []float64{1e-6, 1e-6}, 1.25},
		{nil, []float64{1, 1}, []float64{0, 0}, []float64{1, 1}, 1.1735724088146204},
	} {
		e := NewImprovement(c.front, c.reference)
		got := e.Expected(c.mu, c.sigma)
		if !(math.Abs(got-c.want) <= 1e-12*c.want) {
			t.Errorf("mu %v, sigma %v: %.17g, want %.17g", c.mu, c.sigma, got, c.want)
		}
	}
}

// scene is a random front with a random belief about a new point.
func scene(t *rapid.T) (front [][]float64, reference, mu, sigma []float64) {
	m := rapid.IntRange(1, 3).Draw(t, "objectives")
	front = points(t, m, 10)
	reference = []float64{6, 5, 6}[:m]
	mu = rapid.SliceOfN(rapid.Float64Range(-2, 8), m, m).Draw(t, "mu")
	sigma = rapid.SliceOfN(rapid.Float64Range(1e-3, 3), m, m).Draw(t, "sigma")
	return
}

func expected(front [][]float64, reference, mu, sigma []float64) float64 {
	e := NewImprovement(front, reference)
	return e.Expected(mu, sigma)
}

func TestDominatedPointsDoNotChangeTheExpectation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		front, reference, mu, sigma := scene(t)
		want := expected(front, reference, mu, sigma)
		if want < 0 {
			t.Fatalf("the expectation is %v", want)
		}
		var more [][]float64
		for i, p := range front {
			q := append([]float64(nil), p...)
			q[i%len(q)] += float64(i % 3)
			more = append(more, q, p)
		}
		if got := expected(more, reference, mu, sigma); got != want {
			t.Fatalf("with dominated points %v, without %v", got, want)
		}
	})
}

func TestExpectationGrowsWithTheReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		front, reference, mu, sigma := scene(t)
		j := rapid.IntRange(0, len(reference)-1).Draw(t, "objective")
		// Below every point, so that the one reference leaves out none that the other one counts.
		for _, p := range front {
			for i, x := range p {
				reference[i] = max(reference[i], x+1)
			}
		}
		less := expected(front, reference, mu, sigma)
		reference[j] += rapid.Float64Range(0, 3).Draw(t, "further")
		if more := expected(front, reference, mu, sigma); more < less*(1-1e-12) {
			t.Fatalf("the expectation falls from %v to %v", less, more)
		}
	})
}

// A belief without doubt improves by what the point itself adds, at any number of objectives.
func TestCertainPointsImproveByWhatTheyAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		front, reference, mu, _ := scene(t)
		want := Hypervolume(append(front, mu), reference) - Hypervolume(front, reference)
		for _, s := range []float64{0, 1e-9} {
			sigma := []float64{s, s, s}[:len(mu)]
			if got := expected(front, reference, mu, sigma); math.Abs(got-want) > 1e-6 {
				t.Fatalf("sigma %v: %v, want %v", s, got, want)
			}
		}
	})
}

func TestNoFrontLeavesMoreThanItsReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		front, reference, mu, sigma := scene(t)
		bound := excessProduct(reference, mu, sigma)
		if got := expected(front, reference, mu, sigma); got > bound*(1+1e-12) {
			t.Fatalf("%v, above %v", got, bound)
		}
		if got := expected(nil, reference, mu, sigma); math.Abs(got-bound) > 1e-12*bound {
			t.Fatalf("without a front %v, want %v", got, bound)
		}
	})
}

// The mean improvement by 2^16 drawn points must lie within 4.5 of its standard errors: for a normal variable that fails
// once in 150,000 tests, and the draws are fixed.
func TestExpectationIsTheMeanImprovement(t *testing.T) {
	const n = 1 << 16
	for k, c := range []struct {
		front                [][]float64
		reference, mu, sigma []float64
	}{
		{[][]float64{{2}, {3}}, []float64{4}, []float64{2.5}, []float64{1}},
		{[][]float64{{1, 3}, {2, 2}, {3, 1}}, []float64{4, 4}, []float64{1.8, 2.1}, []float64{0.7, 1.2}},
		{[][]float64{{1, 3}, {2, 2}, {3, 1}}, []float64{4, 4}, []float64{3, 3}, []float64{0.5, 0.5}},
		{[][]float64{{1, 2, 3}, {3, 1, 2}, {2, 3, 1}, {2, 2, 2}}, []float64{4, 4, 4}, []float64{2, 1.7, 2.2}, []float64{1, 0.8, 0.6}},
	} {
		m := len(c.mu)
		z := make([]float32, n*m)
		(&kernel.Normal{Dst: z, Std: 1, Key: kernel.Key{Seed: 11, Stream: uint64(k)}}).Run(nil)
		base := Hypervolume(c.front, c.reference)
		y := make([]float64, m)
		sum, squares := 0.0, 0.0
		for i := range n {
			for j := range y {
				y[j] = c.mu[j] + c.sigma[j]*float64(z[i*m+j])
			}
			gain := Hypervolume(append(c.front[:len(c.front):len(c.front)], y), c.reference) - base
			sum += gain
			squares += gain * gain
		}
		mean := sum / n
		deviation := math.Sqrt((squares/n - mean*mean) / n)
		got := expected(c.front, c.reference, c.mu, c.sigma)
		if math.Abs(got-mean) > 4.5*deviation {
			t.Errorf("case %d: %v, but the mean of %d draws is %v ± %v", k, got, n, mean, deviation)
		}
	}
}
