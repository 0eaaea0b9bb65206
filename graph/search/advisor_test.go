package search

import (
	"math"
	"slices"
	"sort"
	"strings"
	"testing"
)

// advise returns an advisor over PaSca's space that was told n trials.
func advise(t *testing.T, seed uint64, n int, o Options) *Advisor {
	t.Helper()
	a, err := NewAdvisor(Problem{PaSca(), 2, seed}, o)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		d, _ := a.Ask()
		if err := a.Tell(d, toy(d)); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func TestAdvisorRefusesOptionsThatMakeNoSense(t *testing.T) {
	p := Problem{PaSca(), 2, 1}
	for want, o := range map[string]Options{
		"-1 initial":    {Initial: -1},
		"has 1 numbers": {Reference: []float64{1}},
		"not finite":    {Reference: []float64{1, math.NaN()}},
	} {
		if _, err := NewAdvisor(p, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", o, err, want)
		}
	}
	if _, err := NewAdvisor(Problem{PaSca(), 0, 1}, Options{}); err == nil {
		t.Error("no objective was taken")
	}
	if _, err := NewNSGA2(p, 1); err == nil {
		t.Error("a population of 1 was taken")
	}
}

// The initial designs do not depend on what is told, and no value of a parameter is far from all of them: of 14 points
// of the sequence at least 8 are aligned, hence every eighth of the integers 0 … 10 is there.
func TestAdvisorBeginsWithAnEvenSpread(t *testing.T) {
	for seed := range uint64(10) {
		a := advise(t, seed, 0, Options{Initial: 16})
		b := advise(t, seed, 0, Options{Initial: 16})
		var pre [3]int
		for range 16 {
			d, _ := a.Ask()
			e, _ := b.Ask()
			if d != e {
				t.Fatalf("seed %d: %s with running designs, %s without", seed, d, e)
			}
			if err := b.Tell(e, toy(e)); err != nil {
				t.Fatal(err)
			}
			pre[d.Int("k_pre")/4]++
		}
		if slices.Min(pre[:]) < 3 {
			t.Errorf("seed %d: k_pre of 16 designs, in thirds: %v", seed, pre)
		}
	}
}

// What is asked for has the largest expected improvement of all designs that are not known, by the plain way: each
// objective's forest and the expectation for one design after the other.
func TestAdvisorMaximisesOverTheWholeSpace(t *testing.T) {
	a := advise(t, 1, 20, Options{})
	for a.step() < 23 {
		if newDraw(a.problem.Seed, advisorStream, a.step()).chance(randomShare) {
			a.Ask() // a random one
			continue
		}
		b := newBelief(a, a.succeeded())
		value := func(d Design) float64 {
			mu, sigma := make([]float64, 2), make([]float64, 2)
			for j, f := range b.forests {
				m, v := f.Predict(d)
				mu[j], sigma[j] = m, math.Sqrt(v)
			}
			return b.improvement.Expected(mu, sigma)
		}
		best := 0.0
		for d := range PaSca().Designs() {
			if !a.known[d.Rank()] {
				best = max(best, value(d))
			}
		}
		d, _ := a.Ask() // stays running: the next belief imputes it
		if got := value(d); got != best || best == 0 {
			t.Errorf("step %d: %s with %v, the best has %v", a.step(), d, got, best)
		}
	}
}

func TestLocalSearchComesNearTheBest(t *testing.T) {
	a := advise(t, 2, 30, Options{LocalSearch: true})
	b := newBelief(a, a.succeeded())
	exact := choice{History: &a.History, random: newDraw(1, 0, 0), best: -1}
	b.searchAll(&exact)
	local := choice{History: &a.History, random: newDraw(1, 0, 0), best: -1}
	b.searchLocally(&local)
	if local.best > exact.best || local.best < 0.9*exact.best {
		t.Errorf("local search finds %v, the best is %v", local.best, exact.best)
	}
	if a.known[local.design.Rank()] || b.of(local.design) != local.best {
		t.Errorf("%s is known, or has not the value %v", local.design, local.best)
	}
}

func TestFailedTrialsCountAsTheWorstAndRunningOnesAsTheMedian(t *testing.T) {
	s := small()
	a, err := NewAdvisor(Problem{s, 1, 1}, Options{Initial: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i, y := range [][]float64{{30}, nil, {10}, {20}, {14}} {
		if err := a.Tell(s.At(12+i), y); err != nil {
			t.Fatal(err)
		}
	}
	a.Ask()
	a.Ask()
	got := a.values(newScale(a.succeeded(), 0), 0)
	// Of 1, 1, 0, 0.5, 0.2 the median is 0.5.
	if want := []float64{1, 1, 0, 0.5, 0.2, 0.5, 0.5}; !slices.Equal(got, want) {
		t.Errorf("values %v, want %v", got, want)
	}
}

// hypervolumeAfter tells the strategy n trials of the toy and returns the hypervolume.
func hypervolumeAfter(t *testing.T, s Strategy, h *History, n int) float64 {
	t.Helper()
	for range n {
		d, _ := s.Ask()
		if err := s.Tell(d, toy(d)); err != nil {
			t.Fatal(err)
		}
	}
	return h.Hypervolume(toyReference)
}

// With 40 trials each, over 10 seeds: the medians are in the order in which one would hope.
func TestAdvisorFindsMoreThanRandomSearch(t *testing.T) {
	if testing.Short() {
		t.Skip("ten searches over the whole space")
	}
	const seeds, budget = 10, 40
	var random, genetic, advisor, local []float64
	for seed := range uint64(seeds) {
		p := Problem{PaSca(), 2, seed}
		r, _ := NewRandom(p)
		random = append(random, hypervolumeAfter(t, r, &r.History, budget))
		g, _ := NewNSGA2(p, 10)
		genetic = append(genetic, hypervolumeAfter(t, g, &g.History, budget))
		l, _ := NewAdvisor(p, Options{Reference: toyReference, LocalSearch: true})
		local = append(local, hypervolumeAfter(t, l, &l.History, budget))
		a, _ := NewAdvisor(p, Options{Reference: toyReference})
		advisor = append(advisor, hypervolumeAfter(t, a, &a.History, budget))
	}
	wins := 0
	for i := range advisor {
		if advisor[i] > random[i] {
			wins++
		}
	}
	middle := func(x []float64) float64 { x = slices.Clone(x); sort.Float64s(x); return median(x) }
	t.Logf("median hypervolume: random %.3f, nsga-ii %.3f, local advisor %.3f, advisor %.3f (wins %d of %d)",
		middle(random), middle(genetic), middle(local), middle(advisor), wins, seeds)
	if middle(advisor) <= middle(random) || wins < 8 {
		t.Errorf("the advisor wins over random search %d times of %d: %v, %v", wins, seeds, advisor, random)
	}
	if middle(local) <= middle(random) {
		t.Errorf("with local search %v, random search %v", local, random)
	}
}
