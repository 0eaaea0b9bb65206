package search

import (
	"math/bits"

	"github.com/seraph-ml/seraph/engine/kernel"
)

// Streams of random numbers: one for each use.
const (
	sobolStream   = 0x736f626f6c   // "sobol"
	forestStream  = 0x666f72657374 // "forest"
	advisorStream = 0x61736b       // "ask"
	randomStream  = 0x72616e646f6d // "random"
	geneticStream = 0x6e736761     // "nsga"
)

// draw takes the words of a sequence one after another.
type draw struct {
	words kernel.Sequence
	block [4]uint32
	next  uint64 // number of the next word
}

func newDraw(seed, stream, step uint64) *draw {
	return &draw{words: kernel.Key{Seed: seed, Stream: stream, Step: step}.Sequence()}
}

func (d *draw) word() uint32 {
	if d.next%4 == 0 {
		d.block = d.words.Block(d.next / 4)
	}
	w := d.block[d.next%4]
	d.next++
	return w
}

// below returns a number that is uniform in 0 … n−1, without bias (Lemire, Fast random integer generation in an
// interval, 2019).
func (d *draw) below(n int) int {
	for {
		x := uint64(d.word())<<32 | uint64(d.word())
		hi, lo := bits.Mul64(x, uint64(n))
		if lo >= uint64(n) || lo >= -uint64(n)%uint64(n) {
			return int(hi)
		}
	}
}

// chance is true with probability p.
func (d *draw) chance(p float64) bool { return float64(d.word()) < p*(1<<32) }

// choose puts a random choice of the first k of x at the front, in random order (Fisher and Yates).
func (d *draw) choose(x []int, k int) {
	for i := range k {
		j := i + d.below(len(x)-i)
		x[i], x[j] = x[j], x[i]
	}
}
