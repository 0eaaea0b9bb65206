package search

import "github.com/seraph-ml/seraph/engine/kernel"

// Streams of random numbers: one for each use.
const (
	sobolStream   = 0x736f626f6c   // "sobol"
	forestStream  = 0x666f72657374 // "forest"
	advisorStream = 0x61736b       // "ask"
	randomStream  = 0x72616e646f6d // "random"
	geneticStream = 0x6e736761     // "nsga"
)

// draw is random numbers of a seed, a use and a step.
type draw struct{ *kernel.Draw }

func newDraw(seed, stream, step uint64) *draw {
	return &draw{kernel.Key{Seed: seed, Stream: stream, Step: step}.Draw()}
}

// below returns a number that is uniform in 0 … n−1.
func (d *draw) below(n int) int { return int(d.Below(uint64(n))) }

// chance is true with probability p.
func (d *draw) chance(p float64) bool { return float64(d.Word()) < p*(1<<32) }

// choose puts a random choice of the first k of x at the front, in random order (Fisher and Yates).
func (d *draw) choose(x []int, k int) {
	for i := range k {
		j := i + d.below(len(x)-i)
		x[i], x[j] = x[j], x[i]
	}
}
