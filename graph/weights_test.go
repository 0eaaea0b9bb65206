package graph

import (
	"math"
	"testing"
)

// The weights are what the papers' sums make of a sequence of numbers in place of hops.
func TestWeightsAreThoseOfThePapers(t *testing.T) {
	const alpha, time, last = 0.15, 1.7, 6
	x := func(k int) float64 { return math.Cos(float64(k)) } // Â^k X
	combined := func(weights []float64) (sum float64) {
		if len(weights) != last+1 {
			t.Fatalf("%d weights", len(weights))
		}
		for k, w := range weights {
			sum += w * x(k)
		}
		return sum
	}
	mean, s2gc, gbp, heat := 0.0, 0.0, 0.0, 0.0
	for k := 0; k <= last; k++ {
		mean += x(k)
		if k > 0 {
			s2gc += (1-alpha)*x(k) + alpha*x(0)
		}
		gbp += alpha * math.Pow(1-alpha, float64(k)) * x(k)
		heat += math.Exp(-time) * math.Pow(time, float64(k)) / math.Gamma(float64(k)+1) * x(k)
	}
	for name, pair := range map[string][2]float64{
		"mean": {combined(MeanWeights(last)), mean / (last + 1)},
		"S2GC": {combined(S2GCWeights(alpha, last)), s2gc / last},
		"PPR":  {combined(PPRWeights(alpha, last)), gbp},
		"heat": {combined(HeatWeights(time, last)), heat},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-14 {
			t.Errorf("%s: %v, want %v", name, pair[0], pair[1])
		}
	}
}

func TestWeightsSumToWhatIsSaid(t *testing.T) {
	sum := func(weights []float64) (total float64) {
		for _, w := range weights {
			total += w
		}
		return total
	}
	for _, k := range []int{0, 1, 5, 40} {
		for name, pair := range map[string][2]float64{
			"mean":              {sum(MeanWeights(k)), 1},
			"S2GC":              {sum(S2GCWeights(0.2, k)), 1},
			"PPR":               {sum(PPRWeights(0.2, k)), 1 - math.Pow(0.8, float64(k+1))},
			"PPR that stays":    {sum(PPRWeights(1, k)), 1},
			"heat at time zero": {sum(HeatWeights(0, k)), 1},
		} {
			if math.Abs(pair[0]-pair[1]) > 1e-14 {
				t.Errorf("%s, K = %d: the weights sum to %v, want %v", name, k, pair[0], pair[1])
			}
		}
	}
	if s := sum(HeatWeights(3, 40)); math.Abs(s-1) > 1e-14 {
		t.Errorf("the weights of the whole heat kernel sum to %v", s)
	}
}
