package search

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// sample returns n designs of the space, drawn with the seed.
func sample(s *Space, n int, seed uint64) []Design {
	random := newDraw(seed, 0, 0)
	designs := make([]Design, n)
	for i := range designs {
		designs[i] = s.At(random.below(s.Size()))
	}
	return designs
}

func valuesOf(designs []Design, f func(Design) float64) []float64 {
	values := make([]float64, len(designs))
	for i, d := range designs {
		values[i] = f(d)
	}
	return values
}

// Two leaves of three observations need six.
func TestForestOfFewObservationsIsAConstant(t *testing.T) {
	s := PaSca()
	for n := range 6 {
		designs := sample(s, n, 1)
		f := NewForest(s, designs, valuesOf(designs, func(d Design) float64 { return float64(d.Int("k_trans")) }), 1, 0)
		mean, variance := f.Predict(s.At(0))
		for _, d := range sample(s, 100, 2) {
			if m, v := f.Predict(d); m != mean || v != variance {
				t.Fatalf("%d observations: %v ± %v, and elsewhere %v ± %v", n, mean, variance, m, v)
			}
		}
		if n == 0 && mean != 0 {
			t.Errorf("no observation: %v", mean)
		}
	}
}

func TestForestOfEqualValuesIsCertainUpToTheFloor(t *testing.T) {
	s := PaSca()
	designs := sample(s, 50, 1)
	f := NewForest(s, designs, valuesOf(designs, func(Design) float64 { return 0.25 }), 1, 0)
	for _, d := range sample(s, 100, 2) {
		if m, v := f.Predict(d); m != 0.25 || v != 1e-5 {
			t.Fatalf("%v ± %v", m, v)
		}
	}
}

// A single parameter: all trees split on it, and the categories' order does not matter.
func TestForestRecoversAStepOverOneCategorical(t *testing.T) {
	s, err := NewSpace(Parameter{Name: "a", Values: []string{"p", "q", "r", "s", "t"}})
	if err != nil {
		t.Fatal(err)
	}
	step := func(d Design) float64 { return []float64{3, -1, 3, 0, 3}[d.Int("a")] }
	var designs []Design
	for range 20 {
		for d := range s.Designs() {
			designs = append(designs, d)
		}
	}
	f := NewForest(s, designs, valuesOf(designs, step), 7, 0)
	for d := range s.Designs() {
		if m, v := f.Predict(d); math.Abs(m-step(d)) > 1e-12 || v != minVariance {
			t.Errorf("%s: %v ± %v, want %v", d, m, v, step(d))
		}
	}
}

// Among the five other parameters of PaSca's space, of which each split sees five of six, the step must still come out.
func TestForestFindsTheOneParameterThatMatters(t *testing.T) {
	s := PaSca()
	step := func(d Design) float64 { return []float64{0, 1, 0, 1, 1}[d.Int("ga_post")] }
	designs := sample(s, 400, 3)
	f := NewForest(s, designs, valuesOf(designs, step), 7, 0)
	wrong := 0
	test := sample(s, 500, 4)
	for _, d := range test {
		if m, _ := f.Predict(d); math.Round(m) != step(d) {
			wrong++
		}
	}
	if wrong > 5 {
		t.Errorf("%d of %d designs fall on the wrong side of the step", wrong, len(test))
	}
}

// The best of all ways to divide the categories, by trying each, is what the order of means finds. (Every category that
// is there fills a leaf; otherwise the bound on leaves may rule out the best division in that order.)
func TestCategoriesAreDividedInTheBestWay(t *testing.T) {
	s, err := NewSpace(Parameter{Name: "a", Values: []string{"p", "q", "r", "s", "t"}})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		var positions, rows []int
		var values []float64
		mean := 0.0
		for p := range 5 {
			for range rapid.SampledFrom([]int{0, 3, 4, 7}).Draw(t, "observations") {
				positions, rows = append(positions, p), append(rows, len(rows))
				values = append(values, rapid.Float64Range(-5, 5).Draw(t, "value"))
				mean += values[len(values)-1]
			}
		}
		n := len(rows)
		mean /= float64(max(n, 1))
		want := 0.0
		for set := range uint(32) {
			count, sum := 0, 0.0
			for i, p := range positions {
				if set>>p&1 == 1 {
					count++
					sum += values[i] - mean
				}
			}
			if 0 < count && count < n {
				want = max(want, sum*sum*(1/float64(count)+1/float64(n-count)))
			}
		}
		if n == 0 {
			return
		}
		g := grower{space: s, positions: positions, values: values, random: newDraw(1, 0, 0), parameters: []int{0}}
		if got := g.best(rows, mean).gain; math.Abs(got-want) > 1e-9*(1+want) {
			t.Fatalf("gain %v, want %v", got, want)
		}
	})
}

func TestForestIsAFunctionOfItsArguments(t *testing.T) {
	s := PaSca()
	designs := sample(s, 80, 1)
	values := valuesOf(designs, func(d Design) float64 { return math.Sin(float64(d.Rank())) })
	a, b := NewForest(s, designs, values, 5, 1), NewForest(s, designs, values, 5, 1)
	other := NewForest(s, designs, values, 5, 2)
	differ := 0
	for _, d := range sample(s, 200, 2) {
		m, v := a.Predict(d)
		if m2, v2 := b.Predict(d); m2 != m || v2 != v {
			t.Fatalf("%s: %v ± %v, and again %v ± %v", d, m, v, m2, v2)
		}
		if m2, _ := other.Predict(d); m2 != m {
			differ++
		}
	}
	if differ < 150 {
		t.Errorf("another step changes %d of 200 predictions", differ)
	}
}

// A range of integers that no observation covers is more doubtful than one that many do.
func TestForestDoubtsWhatItHasNotSeen(t *testing.T) {
	s, err := NewSpace(Parameter{Name: "k", Max: 100})
	if err != nil {
		t.Fatal(err)
	}
	var designs []Design
	for range 10 {
		for _, k := range []int{0, 5, 10, 90, 95, 100} {
			designs = append(designs, s.At(k))
		}
	}
	f := NewForest(s, designs, valuesOf(designs, func(d Design) float64 { return float64(d.Rank() / 50) }), 1, 0)
	_, seen := f.Predict(s.At(5))
	_, unseen := f.Predict(s.At(50))
	if seen != minVariance || unseen < 0.05 {
		t.Errorf("variance %v at an observation, %v between", seen, unseen)
	}
}

// A category that no observation has may be like any of the others.
func TestForestDoubtsCategoriesItHasNotSeen(t *testing.T) {
	s, err := NewSpace(Parameter{Name: "a", Values: []string{"p", "q", "r"}})
	if err != nil {
		t.Fatal(err)
	}
	var designs []Design
	for range 20 {
		designs = append(designs, s.At(0), s.At(1))
	}
	f := NewForest(s, designs, valuesOf(designs, func(d Design) float64 { return float64(d.Rank()) }), 1, 0)
	_, seen := f.Predict(s.At(1))
	_, unseen := f.Predict(s.At(2))
	if seen != minVariance || unseen < 0.05 {
		t.Errorf("variance %v of a category that was observed, %v of one that was not", seen, unseen)
	}
}

func TestPredictionDoesNotAllocate(t *testing.T) {
	s := PaSca()
	designs := sample(s, 80, 1)
	f := NewForest(s, designs, valuesOf(designs, func(d Design) float64 { return float64(d.Rank()) }), 5, 1)
	e := NewImprovement([][]float64{{1, 3}, {2, 2}, {3, 1}}, []float64{4, 4})
	v := make([]int, 6)
	mu, sigma := []float64{1, 2}, []float64{1, 1}
	if n := testing.AllocsPerRun(100, func() {
		mu[0], sigma[0] = f.predict(v)
		e.Expected(mu, sigma)
		s.next(v)
	}); n != 0 {
		t.Errorf("%v allocations a design", n)
	}
}
