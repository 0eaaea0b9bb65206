package search

import "testing"

// The first points as every implementation of the sequence in Gray code order prints them, in eighths and sixteenths.
func TestSobolPointsStartAsPublished(t *testing.T) {
	q := newSobol(3)
	x := make([]uint32, 3)
	for i, want := range [][3]float64{
		{0, 0, 0}, {.5, .5, .5}, {.75, .25, .25}, {.25, .75, .75}, {.375, .375, .625},
		{.875, .875, .125}, {.625, .125, .875}, {.125, .625, .375}, {.1875, .3125, .9375}, {.6875, .8125, .4375},
	} {
		q.at(uint32(i), x)
		for j := range x {
			if got := float64(x[j]) / (1 << 32); got != want[j] {
				t.Errorf("point %d, dimension %d: %v, want %v", i, j, got, want[j])
			}
		}
	}
}

// A polynomial over GF(2) of degree s is primitive if x has the order 2^s − 1 modulo it.
func TestSobolPolynomialsArePrimitive(t *testing.T) {
	seen := map[uint]bool{}
	for j, p := range joeKuo {
		full := uint(1)<<p.s | p.a<<1 | 1
		if seen[full] {
			t.Errorf("dimension %d: its polynomial %b is there twice", j+2, full)
		}
		seen[full] = true
		order, x := 1, uint(2)
		for ; x != 1 && order < 1<<p.s; order++ {
			if x <<= 1; x>>p.s == 1 {
				x ^= full
			}
		}
		if p.s > 1 && order != 1<<p.s-1 {
			t.Errorf("dimension %d: x has the order %d modulo %b, want %d", j+2, order, full, 1<<p.s-1)
		}
	}
}

// Every dimension puts one of any 64 aligned points into each 64th of the interval.
func TestSobolPointsFillEveryDimension(t *testing.T) {
	q := newSobol(maxSobol)
	x := make([]uint32, maxSobol)
	for _, start := range []uint32{0, 64, 1 << 20} {
		var seen [maxSobol]uint64
		for i := range uint32(64) {
			q.at(start+i, x)
			for j := range x {
				seen[j] |= 1 << (x[j] >> 26)
			}
		}
		for j, s := range seen {
			if s != ^uint64(0) {
				t.Errorf("from %d, dimension %d: the filled parts are %b", start, j, s)
			}
		}
	}
}

// testdata/sobol.py wrote the words, with an implementation that has the direction numbers from the authors' file.
func TestSobolPointsAreThoseOfAnotherImplementation(t *testing.T) {
	q := newSobol(maxSobol)
	x := make([]uint32, maxSobol)
	for i, want := range map[uint32][maxSobol]uint32{
		7: {
			0x20000000, 0xa0000000, 0x60000000, 0x20000000, 0x20000000, 0x60000000, 0xa0000000,
			0xa0000000, 0xa0000000, 0xe0000000, 0xa0000000, 0x20000000, 0xa0000000, 0x60000000,
			0x20000000, 0x20000000, 0x20000000, 0x20000000, 0xa0000000, 0xe0000000, 0xe0000000,
		},
		100: {
			0x6a000000, 0x42000000, 0xc6000000, 0xba000000, 0xe2000000, 0xbe000000, 0x06000000,
			0x7a000000, 0xa2000000, 0xb2000000, 0x76000000, 0xae000000, 0x7a000000, 0xda000000,
			0x52000000, 0x7e000000, 0xae000000, 0xbe000000, 0xd6000000, 0x56000000, 0xc2000000,
		},
		100000: {
			0x0fa28000, 0x1b8a8000, 0xf18e8000, 0x9eed8000, 0x9b058000, 0xf7368000, 0x0f9e8000,
			0x09268000, 0x05388000, 0xc51c8000, 0x47278000, 0x73ad8000, 0x90b08000, 0x32658000,
			0x18a08000, 0x0f2d8000, 0xf9a38000, 0x3f068000, 0x6f018000, 0x1be18000, 0x3ea18000,
		},
	} {
		q.at(i, x)
		for j := range x {
			if x[j] != want[j] {
				t.Errorf("point %d, dimension %d: %#x, want %#x", i, j, x[j], want[j])
			}
		}
	}
}
