package kernel

import "math/bits"

// Key names a sequence of random numbers: those of one run (Seed), one place in the model (Stream) and one step. Number i
// of a sequence is a function of the key and i alone, so any part of a sequence can be made anywhere, in any order.
//
// The sequence is Philox-4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011): number i is word
// i mod 4 of the block with the counter i div 4. (Stream, Step) is turned by the generator itself, keyed with the seed, into
// the key of the sequence and the upper half of its counter; that is a bijection, so sequences of a seed never overlap.
type Key struct {
	Seed, Stream, Step uint64
}

// The multipliers of a round and the increments of the key between rounds.
const (
	philoxM0 = 0xD2511F53
	philoxM1 = 0xCD9E8D57
	philoxW0 = 0x9E3779B9
	philoxW1 = 0xBB67AE85
)

const philoxRounds = 10

// philoxKeys are the keys of the rounds.
type philoxKeys [2 * philoxRounds]uint32

// schedule returns the round keys of a key.
func schedule(k0, k1 uint32) (k philoxKeys) {
	for r := range philoxRounds {
		k[2*r], k[2*r+1] = k0, k1
		k0 += philoxW0
		k1 += philoxW1
	}
	return k
}

// block is the generator: a block of four words from a counter of 128 bits, lowest word first.
func (k *philoxKeys) block(c [4]uint32) [4]uint32 {
	for r := 0; r < len(k); r += 2 {
		hi0, lo0 := bits.Mul32(philoxM0, c[0])
		hi1, lo1 := bits.Mul32(philoxM1, c[2])
		c = [4]uint32{hi1 ^ c[1] ^ k[r], lo1, hi0 ^ c[3] ^ k[r+1], lo0}
	}
	return c
}

// sequence is the sequence of random words that a Key names.
type sequence struct {
	keys philoxKeys
	high [2]uint32 // upper half of the counter
}

// sequence returns the sequence that the key names.
func (k Key) sequence() sequence {
	seed := schedule(uint32(k.Seed), uint32(k.Seed>>32))
	w := seed.block([4]uint32{uint32(k.Stream), uint32(k.Stream >> 32), uint32(k.Step), uint32(k.Step >> 32)})
	return sequence{schedule(w[0], w[1]), [2]uint32{w[2], w[3]}}
}

// block returns words 4·n to 4·n+3.
func (s *sequence) block(n uint64) [4]uint32 {
	return s.keys.block([4]uint32{uint32(n), uint32(n >> 32), s.high[0], s.high[1]})
}
