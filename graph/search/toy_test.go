package search

import "math"

// toy is a made-up pair of objectives over PaSca's space, error and cost, with what makes the real ones hard: messages
// help with diminishing returns and to an extent that depends on aggregator and operator together, deep transformations
// overfit, too many steps smooth everything away, and all of it costs.
func toy(d Design) []float64 {
	pre, post, layers := float64(d.Int("k_pre")), float64(d.Int("k_post")), float64(d.Int("k_trans"))
	operator := []float64{0.9, 1, 0.85, 0.7, 0.4}
	message := []float64{0.6, 0.75, 0.5, 0.8, 0.9, 1}[d.Int("ma")]
	loss := 0.5 -
		0.25*operator[d.Int("ga_pre")]*message*(1-math.Exp(-pre/2.5)) -
		0.06*operator[4-d.Int("ga_post")]*(1-math.Exp(-post/2)) +
		0.004*(layers-3)*(layers-3) + 0.003*math.Pow(max(0, pre+post-9), 2)
	cost := 1 + 2*layers + pre*[]float64{1, 1.1, 1.1, 1.1, 0.6}[d.Int("ga_pre")] + 0.3*post +
		pre*[]float64{0, 0.1, 0.2, 1, 0.1, 0.5}[d.Int("ma")]
	return []float64{loss, cost}
}

var toyReference = []float64{0.6, 30}

// small is a space of 1 + 5·3 = 16, times 4, designs.
func small() *Space {
	s, err := NewSpace(
		Parameter{Name: "k", Max: 5},
		Parameter{Name: "a", Values: []string{"p", "q", "r"}, UnusedIf: []Setting{{"k", "0"}}},
		Parameter{Name: "w", Min: 1, Max: 4},
	)
	if err != nil {
		panic(err)
	}
	return s
}

// bowl is a pair of objectives over the small space.
func bowl(d Design) []float64 {
	k, a, w := float64(d.Int("k")), float64(d.Int("a")), float64(d.Int("w"))
	return []float64{(k-4)*(k-4) + a, 10*k + w*w}
}
