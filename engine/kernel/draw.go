package kernel

import (
	"math"
	"math/bits"
)

// Draw takes the words of the sequence of a key one after another.
type Draw struct {
	words Sequence
	block [4]uint32
	next  uint64 // number of the next word
}

// Draw returns the sequence of the key from its beginning.
func (k Key) Draw() *Draw { return &Draw{words: k.Sequence()} }

// Word returns the next word.
func (d *Draw) Word() uint32 {
	if d.next%4 == 0 {
		d.block = d.words.Block(d.next / 4)
	}
	w := d.block[d.next%4]
	d.next++
	return w
}

// Below returns a number that is uniform in 0 … n−1, without bias (Lemire, Fast random integer generation in an interval,
// 2019). It takes a word, two from n = 2³² on, and now and then more. n is at least 1.
func (d *Draw) Below(n uint64) uint64 {
	if n <= math.MaxUint32 {
		return uint64(d.below(uint32(n)))
	}
	for {
		hi, lo := bits.Mul64(uint64(d.Word())<<32|uint64(d.Word()), n)
		if lo >= n || lo >= -n%n {
			return hi
		}
	}
}

func (d *Draw) below(n uint32) uint32 {
	hi, lo := bits.Mul32(d.Word(), n)
	if lo < n {
		for least := -n % n; lo < least; {
			hi, lo = bits.Mul32(d.Word(), n)
		}
	}
	return hi
}
