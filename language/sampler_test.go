package language

import (
	"math"
	"testing"
)

// shares counts what a sampler chooses in n draws.
func shares(t *testing.T, s sampler, logits []float32, n int) []float64 {
	t.Helper()
	count := make([]float64, len(logits))
	for i := range n {
		id, err := s.choose(logits, i)
		if err != nil {
			t.Fatal(err)
		}
		count[id] += 1 / float64(n)
	}
	return count
}

func TestSamplerDrawsFromTheSoftmax(t *testing.T) {
	logits := []float32{0.5, -1, 2, 0.25, float32(math.Inf(-1))}
	const n = 20_000
	for _, s := range []sampler{
		{temperature: 1}, {temperature: 0.5}, {temperature: 3, seed: 7}, {temperature: 1, topK: 2}, {temperature: 1, topK: 3, seed: 1}, {temperature: 0.8, topK: 100},
	} {
		want := make([]float64, len(logits))
		least := math.Inf(-1)
		switch s.topK {
		case 2:
			least = 0.5
		case 3:
			least = 0.25
		}
		var sum float64
		for i, x := range logits {
			if float64(x) >= least {
				want[i] = math.Exp(float64(x) / s.temperature)
				sum += want[i]
			}
		}
		for i, got := range shares(t, s, logits, n) {
			p := want[i] / sum
			if bound := 5 * math.Sqrt(p*(1-p)/n); math.Abs(got-p) > bound {
				t.Errorf("%+v: character %d in %.4f of the draws, expected %.4f ± %.4f", s, i, got, p, bound)
			}
		}
	}
}

func TestTemperatureZeroAndTopOneTakeTheMostLikely(t *testing.T) {
	logits := []float32{1, 3, 2, 3.5, -1}
	for _, s := range []sampler{{}, {seed: 5, topK: 2}, {temperature: 1, topK: 1}, {temperature: 1e-3}} {
		if got := shares(t, s, logits, 50); got[3] < 1-1e-9 {
			t.Errorf("%+v: %v", s, got)
		}
	}
}

func TestLogitsThatAreNoNumbersAreRefused(t *testing.T) {
	for _, temperature := range []float64{0, 1} {
		if _, err := (&sampler{temperature: temperature}).choose([]float32{0, float32(math.NaN()), 1}, 0); err == nil {
			t.Errorf("temperature %g: chose among NaN", temperature)
		}
	}
}
