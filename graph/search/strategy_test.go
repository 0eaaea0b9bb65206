package search

import (
	"slices"
	"strings"
	"testing"
)

// strategies makes one of each.
func strategies(t *testing.T, p Problem) map[string]Strategy {
	t.Helper()
	random, err := NewRandom(p)
	if err != nil {
		t.Fatal(err)
	}
	genetic, err := NewNSGA2(p, 8)
	if err != nil {
		t.Fatal(err)
	}
	exact, err := NewAdvisor(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	local, err := NewAdvisor(p, Options{Initial: 5, LocalSearch: true, Reference: []float64{40, 70}[:p.Objectives]})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]Strategy{"random": random, "nsga-ii": genetic, "advisor": exact, "local advisor": local}
}

func TestStrategiesTryEveryDesignOnceAndEnd(t *testing.T) {
	s := small()
	for name, strategy := range strategies(t, Problem{s, 2, 1}) {
		seen := map[Design]bool{}
		for {
			d, ok := strategy.Ask()
			if !ok {
				break
			}
			if seen[d] {
				t.Fatalf("%s: %s is asked for twice", name, d)
			}
			seen[d] = true
			if len(seen)%4 == 3 {
				continue // this one is never told
			}
			if err := strategy.Tell(d, bowl(d)); err != nil {
				t.Fatal(err)
			}
		}
		if len(seen) != s.Count() {
			t.Errorf("%s: %d of %d designs", name, len(seen), s.Count())
		}
	}
}

// fake fails for some designs.
func fake(d Design) []float64 {
	if d.Rank()%5 == 2 {
		return nil
	}
	return bowl(d)
}

func TestStrategiesGoOnFromAToldHistory(t *testing.T) {
	s := small()
	for name, strategy := range strategies(t, Problem{s, 2, 3}) {
		var told []Trial
		for i := range 40 {
			d, ok := strategy.Ask()
			if !ok {
				t.Fatalf("%s: nothing to ask for after %d trials", name, i)
			}
			resumed := strategies(t, Problem{s, 2, 3})[name]
			for _, trial := range told {
				if err := resumed.Tell(trial.Design, trial.Objectives); err != nil {
					t.Fatal(err)
				}
			}
			if again, _ := resumed.Ask(); again != d {
				t.Fatalf("%s: after %d trials %s, resumed %s", name, i, d, again)
			}
			told = append(told, Trial{d, fake(d)})
			if err := strategy.Tell(d, fake(d)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A search that was interrupted with designs running goes on as if it had not been.
func TestStrategiesGoOnWithRunningDesigns(t *testing.T) {
	s := small()
	for name, strategy := range strategies(t, Problem{s, 2, 3}) {
		resumed := strategies(t, Problem{s, 2, 3})[name]
		for i := range 40 {
			d, ok := strategy.Ask()
			if !ok {
				t.Fatalf("%s: nothing to ask for after %d", name, i)
			}
			if i%4 == 3 { // every fourth is asked for by the resumed one, too
				if again, _ := resumed.Ask(); again != d {
					t.Fatalf("%s: %s after %d, resumed %s", name, d, i, again)
				}
			} else if err := resumed.Resume(d); err != nil {
				t.Fatal(err)
			}
			if err := resumed.Resume(d); err == nil {
				t.Fatalf("%s: %s is resumed twice", name, d)
			}
			if i%3 > 0 {
				for _, either := range []Strategy{strategy, resumed} {
					if err := either.Tell(d, fake(d)); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if err := resumed.Resume(PaSca().At(0)); err == nil {
			t.Errorf("%s: a design of another space is resumed", name)
		}
	}
}

func TestSeedsDiffer(t *testing.T) {
	first := map[string]map[Design]bool{}
	for seed := range uint64(8) {
		for name, strategy := range strategies(t, Problem{PaSca(), 2, seed}) {
			d, _ := strategy.Ask()
			if first[name] == nil {
				first[name] = map[Design]bool{}
			}
			first[name][d] = true
		}
	}
	for name, designs := range first {
		if len(designs) != 8 {
			t.Errorf("%s: 8 seeds begin with %d designs", name, len(designs))
		}
	}
}

// Four workers that finish in another order than they began, some trials failing.
func TestWorkersMayFinishInAnyOrder(t *testing.T) {
	for name, strategy := range strategies(t, Problem{small(), 2, 5}) {
		var running []Design
		for i := range 50 {
			d, ok := strategy.Ask()
			if !ok || slices.Contains(running, d) {
				t.Fatalf("%s: ask %d gives %v, %v", name, i, d, ok)
			}
			if running = append(running, d); len(running) < 4 {
				continue
			}
			done := i * 7 % 4
			if err := strategy.Tell(running[done], fake(running[done])); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			running = slices.Delete(running, done, done+1)
		}
	}
}

func TestSearchesThatOnlyFailGoOn(t *testing.T) {
	for name, strategy := range strategies(t, Problem{small(), 2, 5}) {
		for range 30 {
			d, ok := strategy.Ask()
			if !ok {
				t.Fatalf("%s: nothing to ask for", name)
			}
			if err := strategy.Tell(d, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestTellSaysWhatIsWrong(t *testing.T) {
	s := small()
	zero := 0.0
	for name, strategy := range strategies(t, Problem{s, 2, 1}) {
		if err := strategy.Tell(s.At(3), []float64{1, 2}); err != nil {
			t.Fatal(err)
		}
		for want, trial := range map[string]Trial{
			"another space":    {PaSca().At(0), []float64{1, 2}},
			"told before":      {s.At(3), []float64{1, 2}},
			"1 objectives":     {s.At(4), []float64{1}},
			"not a number":     {s.At(4), []float64{1, zero / zero}},
			"+Inf is not":      {s.At(4), []float64{1 / zero, 1}},
			"-1e+301 is not a": {s.At(4), []float64{1, -1e301}},
		} {
			if err := strategy.Tell(trial.Design, trial.Objectives); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
		}
		if err := strategy.Tell(s.At(4), []float64{1, 2}); err != nil {
			t.Errorf("%s: refused trials left a mark: %v", name, err)
		}
	}
}

func TestOneAndThreeObjectivesWork(t *testing.T) {
	s := small()
	for _, m := range []int{1, 3} {
		a, err := NewAdvisor(Problem{s, m, 2}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for range 40 {
			d, _ := a.Ask()
			if err := a.Tell(d, append(bowl(d), float64(d.Int("a")))[:m]); err != nil {
				t.Fatal(err)
			}
		}
		if m == 1 && a.Front()[0].Objectives[0] != 0 {
			t.Errorf("the best of 40 of 64 designs has %v, the best of all 0", a.Front()[0].Objectives[0])
		}
	}
}
