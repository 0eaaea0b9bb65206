package sgap

import (
	"cmp"
	"encoding/json"
	"math"
	"os"
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
	text, err := os.ReadFile(filepath.Join(out, tuneName))
	if err != nil {
		t.Fatal(err)
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
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
