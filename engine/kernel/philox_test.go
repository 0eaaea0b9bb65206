package kernel

import "testing"

// The vectors are those of Random123 1.14, tests/kat_vectors, lines philox4x32 10.
func TestPhiloxGivesThePublishedVectors(t *testing.T) {
	for _, v := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{want: [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{
			[4]uint32{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, [2]uint32{0xffffffff, 0xffffffff},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
		},
		{
			[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
		},
	} {
		keys := schedule(v.key[0], v.key[1])
		if got := keys.block(v.counter); got != v.want {
			t.Errorf("counter %x, key %x: got %x, want %x", v.counter, v.key, got, v.want)
		}
	}
}

func TestSequencesOfDifferentKeysDiffer(t *testing.T) {
	keys := []Key{{}, {Seed: 1}, {Stream: 1}, {Step: 1}, {Seed: 1 << 32}, {Stream: 1 << 32}, {Step: 1 << 32}, {Seed: 1, Stream: 1}, {Stream: 1, Step: 1}}
	seen := map[[4]uint32]Key{}
	for _, k := range keys {
		s := k.sequence()
		for _, n := range []uint64{0, 1, 1 << 32, 1 << 61} {
			b := s.block(n)
			if other, twice := seen[b]; twice {
				t.Errorf("keys %v and %v share the block %x", k, other, b)
			}
			seen[b] = k
		}
	}
}
