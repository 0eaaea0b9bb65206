package graph

import (
	"math/bits"

	"github.com/seraph-ml/seraph/engine/kernel"
)

// permutation is a random bijection of 0 … n−1 that takes no memory: a Feistel network over the next even number of bits,
// walked until it comes back into the range (Black and Rogaway, Ciphers with arbitrary finite domains, 2002).
type permutation struct {
	n    int
	half uint // bits of half a number
	keys [8]uint32
}

func newPermutation(n int, seed, stream uint64) permutation {
	p := permutation{n: n, half: max(1, (uint(bits.Len(uint(n-1)))+1)/2)}
	words := kernel.Key{Seed: seed, Stream: stream}.Sequence()
	for i := range 2 {
		b := words.Block(uint64(i))
		copy(p.keys[4*i:], b[:])
	}
	return p
}

// mix is the round function: the finaliser of MurmurHash3.
func mix(x uint32) uint32 {
	x ^= x >> 16
	x *= 0x85ebca6b
	x ^= x >> 13
	x *= 0xc2b2ae35
	return x ^ x>>16
}

// forward returns the number that i goes to.
func (p *permutation) forward(i int) int {
	mask := uint32(1)<<p.half - 1
	for {
		l, r := uint32(i>>p.half), uint32(i)&mask
		for _, k := range p.keys {
			l, r = r, l^mix(r^k)&mask
		}
		if i = int(l)<<p.half | int(r); i < p.n {
			return i
		}
	}
}

// inverse returns the number that goes to i.
func (p *permutation) inverse(i int) int {
	mask := uint32(1)<<p.half - 1
	for {
		l, r := uint32(i>>p.half), uint32(i)&mask
		for k := len(p.keys) - 1; k >= 0; k-- {
			l, r = r^mix(l^p.keys[k])&mask, l
		}
		if i = int(l)<<p.half | int(r); i < p.n {
			return i
		}
	}
}
