package graph

import (
	"math/bits"

	"github.com/seraph-ml/seraph/engine/kernel"
)

// Streams of random numbers: one for each use.
const (
	splitStream = 0x73706c6974 // "split"
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

// below returns a number that is uniform in 0 … n−1, without bias (Lemire, Fast random integer generation in an interval, 2019).
func (d *draw) below(n uint32) uint32 {
	hi, lo := bits.Mul32(d.word(), n)
	if lo < n {
		for least := -n % n; lo < least; {
			hi, lo = bits.Mul32(d.word(), n)
		}
	}
	return hi
}

// shuffle puts a random choice of the ids in random order at the front, the first of them (Fisher and Yates).
func (d *draw) shuffle(ids []int32, first int) {
	for i := range first {
		j := i + int(d.below(uint32(len(ids)-i)))
		ids[i], ids[j] = ids[j], ids[i]
	}
}
