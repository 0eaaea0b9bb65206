package graph

import (
	"fmt"
	"math"
)

// MeanWeights returns w_k = 1/(K+1), k = 0 … K: the mean of the hops, as a message aggregator of GMLP and PaSca. They sum
// to 1.
func MeanWeights(k int) []float64 {
	w := make([]float64, k+1)
	for i := range w {
		w[i] = 1 / float64(k+1)
	}
	return w
}

// S2GCWeights returns the weights of Simple Spectral Graph Convolution (Zhu and Koniusz, ICLR 2021),
//
//	C = 1/K · Σ_{k=1..K} ((1−α) Â^k X + α X),
//
// which are w_0 = α and w_k = (1−α)/K, k = 1 … K. They sum to 1. K = 0 leaves X alone: w_0 = 1.
func S2GCWeights(alpha float64, k int) []float64 {
	w := make([]float64, k+1)
	w[0] = alpha
	if k == 0 {
		w[0] = 1
	}
	for i := 1; i <= k; i++ {
		w[i] = (1 - alpha) / float64(k)
	}
	return w
}

// PPRWeights returns the weights w_k = α(1−α)^k, k = 0 … K, by which GBP (Chen et al., NeurIPS 2020) approximates
// personalised PageRank. As there, the series is cut off after K and not scaled up again: the weights sum to
// 1 − (1−α)^(K+1). APPNP's recursion, whose last weight is (1−α)^K instead, is Propagation.Teleport without weights.
func PPRWeights(alpha float64, k int) []float64 {
	w := make([]float64, k+1)
	for i := range w {
		w[i] = alpha * math.Pow(1-alpha, float64(i))
	}
	return w
}

// HeatWeights returns the weights w_k = e^(−t) t^k / k!, k = 0 … K, by which GBP approximates the heat kernel
// e^(−t(I−Â)) of time t ≥ 0. The series is cut off after K and not scaled up again: the weights sum to less than 1.
func HeatWeights(t float64, k int) []float64 {
	w := make([]float64, k+1)
	w[0] = math.Exp(-t)
	for i := 1; i <= k; i++ {
		w[i] = w[i-1] * t / float64(i)
	}
	return w
}

// checkHopWeights says what is wrong with the weights of hops first … k, nil = there are none.
func checkHopWeights(weights []float64, first, k int) error {
	if weights == nil {
		return nil
	}
	if len(weights) != k+1 {
		return fmt.Errorf("combine hops: %d weights, expected one for each of the hops 0 … %d", len(weights), k)
	}
	if first != k {
		return fmt.Errorf("combine hops: the hops from %d on are to be kept; their sum is kept as hop %d, expected First = %d", first, k, k)
	}
	for i, w := range weights {
		if w32 := float64(float32(w)); math.IsNaN(w32) || math.IsInf(w32, 0) {
			return fmt.Errorf("combine hops: the weight of hop %d is %v, expected a finite float32", i, w)
		}
	}
	if firstWeight(weights) > k {
		return fmt.Errorf("combine hops: all %d weights are zero", k+1)
	}
	return nil
}

// firstWeight is the first hop whose weight is not zero.
func firstWeight(weights []float64) int {
	for k, w := range weights {
		if float32(w) != 0 {
			return k
		}
	}
	return len(weights)
}
