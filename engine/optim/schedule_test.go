package optim_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/seraph-ml/seraph/engine/optim"
)

func TestSchedulesByHand(t *testing.T) {
	cosine := optim.Cosine{Peak: 1, Final: 0.2, Warmup: 3, Steps: 11}
	linear := optim.Linear{Peak: 1, Final: 0.2, Warmup: 3, Steps: 11}
	for _, c := range []struct {
		name     string
		schedule optim.Schedule
		want     map[int]float64 // by step
	}{
		{"constant", optim.Constant(0.3), map[int]float64{0: 0.3, 1000: 0.3}},
		{"cosine", cosine, map[int]float64{
			0: 0.25, 1: 0.5, 2: 0.75, 3: 1, 5: 0.6 + 0.4*math.Sqrt2/2, 7: 0.6, 9: 0.6 - 0.4*math.Sqrt2/2, 11: 0.2, 12: 0.2, 100: 0.2,
		}},
		{"linear", linear, map[int]float64{0: 0.25, 2: 0.75, 3: 1, 5: 0.8, 7: 0.6, 10: 0.3, 11: 0.2, 100: 0.2}},
		{"no warm-up", optim.Cosine{Peak: 1, Steps: 4}, map[int]float64{0: 1, 2: 0.5, 4: 0}},
		{"nothing but warm-up", optim.Cosine{Peak: 1, Final: 0.1, Warmup: 4, Steps: 4}, map[int]float64{0: 0.2, 3: 0.8, 4: 0.1}},
		{"warm-up beyond the end", optim.Linear{Peak: 1, Final: 0.1, Warmup: 9, Steps: 4}, map[int]float64{0: 0.1, 8: 0.9, 9: 0.1}},
		{"decay", optim.Decay{Start: 8, Factor: 0.5, Every: 10}, map[int]float64{0: 8, 9: 8, 10: 4, 29: 2, 30: 1}},
		{"decay at every step", optim.Decay{Start: 8, Factor: 0.5}, map[int]float64{0: 8, 1: 4, 3: 1}},
	} {
		for step, want := range c.want {
			if got := c.schedule.LR(step); !(math.Abs(got-want) <= 1e-15) {
				t.Errorf("%s: %.17g at step %d, expected %.17g", c.name, got, step, want)
			}
		}
	}
}

// TestCosineAgreesWithNanoGPT holds the schedule against the rates that bench/oracle/lm_ten_steps.py recorded.
func TestCosineAgreesWithNanoGPT(t *testing.T) {
	text, err := os.ReadFile("../../bench/oracle/testdata/lm/losses.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Training struct {
			LR     float64 `json:"lr"`
			MinLR  float64 `json:"min_lr"`
			Warmup int     `json:"warmup"`
			Steps  int     `json:"steps"`
		} `json:"training"`
		Rates []float64 `json:"learning_rates"`
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	s := optim.Cosine{Peak: want.Training.LR, Final: want.Training.MinLR, Warmup: want.Training.Warmup, Steps: want.Training.Steps}
	if len(want.Rates) != 10 {
		t.Fatalf("%d rates", len(want.Rates))
	}
	for step, rate := range want.Rates {
		if got := s.LR(step); !(math.Abs(got-rate) <= 1e-15*rate) {
			t.Errorf("%.17g at step %d, nanoGPT's formula gives %.17g", got, step, rate)
		}
	}
}
