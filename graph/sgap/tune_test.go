package sgap

import (
	"cmp"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/run"
)

// TestTheSearchHalvesOverTheSeeds reads from the record of a search which candidates went on, and on how many seeds.
func TestTheSearchHalvesOverTheSeeds(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	o := run.Options{Out: out, Sources: run.Sources{Flags: map[string]string{"data": Blocks(t), "epochs": "12", "tune": "12", "seeds": "5"}}}
	if _, err := run.Train(t.Context(), Models()[1], o); err != nil {
		t.Fatal(err)
	}
	r := recordOf(t, out)
	seeds := map[int]int{}
	for _, c := range r.Candidates {
		seeds[len(c.Accuracy)]++
	}
	if seeds[1] != 8 || seeds[3] != 1 || seeds[5] != 3 || len(seeds) != 3 {
		t.Errorf("candidates by the seeds they were trained on: %v, expected 8 on one, 1 on three, 3 on five", seeds)
	}
	left := make([]int, len(r.Candidates))
	for i := range left {
		left[i] = i
	}
	for _, round := range []struct{ seeds, keep int }{{1, 4}, {3, 3}, {5, 1}} {
		score := func(i int, of func(c *candidate) []float64) float64 { return mean(of(&r.Candidates[i])[:round.seeds]) }
		slices.SortFunc(left, func(a, b int) int {
			accuracy, loss := func(c *candidate) []float64 { return c.Accuracy }, func(c *candidate) []float64 { return c.Loss }
			return cmp.Or(cmp.Compare(score(b, accuracy), score(a, accuracy)), cmp.Compare(score(a, loss), score(b, loss)), cmp.Compare(a, b))
		})
		left = left[:round.keep]
		for _, i := range left {
			if n := len(r.Candidates[i].Accuracy); n < round.seeds {
				t.Errorf("candidate %d is among the %d best of the round with %d seeds and was trained on %d", i, round.keep, round.seeds, n)
			}
		}
	}
	if r.Chosen != left[0] {
		t.Errorf("candidate %d was chosen, %d is the best", r.Chosen, left[0])
	}
}

func TestSteadyAccuracyIsTheBestMeanOfTenEpochs(t *testing.T) {
	var s steady
	add := func(epochs int, accuracy float64) {
		for range epochs {
			s.add(accuracy)
		}
	}
	expect := func(best float64, stale int) {
		t.Helper()
		if math.Abs(s.best-best) > 1e-12 || s.stale != stale {
			t.Errorf("best %v, %d epochs ago, expected %v, %d ago", s.best, s.stale, best, stale)
		}
	}
	add(5, 0.5)
	add(1, 0.8) // a lucky epoch counts a sixth: there have been no more than six
	expect((5*0.5+0.8)/6, 0)
	add(10, 0.5)
	expect((5*0.5+0.8)/6, 10)
	add(1, 0.9) // and now a tenth
	expect((5*0.5+0.8)/6, 11)
	add(12, 0.6)
	expect((9*0.6+0.9)/10, 3)
}

// TestTheMeanOfHopsStandsIn reads from the record of a search which candidates were good enough with equal weights to be trained
// with learned ones.
func TestTheMeanOfHopsStandsIn(t *testing.T) {
	search := func(settings map[string]string) record {
		t.Helper()
		flags := map[string]string{"data": Blocks(t), "epochs": "3", "tune": "10", "hops": "2", "seeds": "2"}
		maps.Copy(flags, settings)
		out := filepath.Join(t.TempDir(), "run")
		if _, err := run.Train(t.Context(), ModelNamed(t, "gamlp-jk"), run.Options{Out: out, Sources: run.Sources{Flags: flags}}); err != nil {
			t.Fatal(err)
		}
		return recordOf(t, out)
	}
	r := search(nil)
	worstIn, bestOut := 1.0, 0.0
	trained := 0
	for i, c := range r.Candidates {
		if c.MeanOfHops == nil || len(c.MeanOfHops.Accuracy) != 2 {
			t.Fatalf("candidate %d: the mean of hops was not trained on both seeds: %+v", i, c.MeanOfHops)
		}
		m := mean(c.MeanOfHops.Accuracy)
		if len(c.Accuracy) > 0 {
			trained++
			worstIn = min(worstIn, m)
		} else {
			bestOut = max(bestOut, m)
		}
	}
	if trained != 8 || worstIn < bestOut {
		t.Errorf("%d candidates went on, expected 8; the worst of them has %.4f with equal weights, the best of the others %.4f", trained, worstIn, bestOut)
	}
	if len(r.Candidates[r.Chosen].Accuracy) != 2 {
		t.Errorf("candidate %d was chosen, with accuracies %v of its own", r.Chosen, r.Candidates[r.Chosen].Accuracy)
	}
	for i, c := range search(map[string]string{"hop-layers": "1", "tune": "3"}).Candidates {
		if c.MeanOfHops != nil || len(c.Accuracy) == 0 {
			t.Errorf("candidate %d with a network of every hop: mean of hops %v, accuracies of its own %v", i, c.MeanOfHops, c.Accuracy)
		}
	}
}
