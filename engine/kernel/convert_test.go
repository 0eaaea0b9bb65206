package kernel

import (
	"math"
	"testing"
)

// halfBits is every value of 16 bits.
func halfBits() []uint16 {
	h := make([]uint16, 1<<16)
	for i := range h {
		h[i] = uint16(i)
	}
	return h
}

// value is the number with the given sign, exponent and mantissa bits of a format with m bits of mantissa.
func value(h uint16, m int) float64 {
	bias := 1<<(14-m) - 1
	mantissa, exponent := int(h)&(1<<m-1), int(h)>>m&(1<<(15-m)-1)
	var v float64
	switch {
	case exponent == 2*bias+1 && mantissa != 0:
		return math.NaN()
	case exponent == 2*bias+1:
		v = math.Inf(1)
	case exponent == 0:
		v = math.Ldexp(float64(mantissa), 1-bias-m)
	default:
		v = math.Ldexp(float64(mantissa+1<<m), exponent-bias-m)
	}
	if h>>15 == 1 {
		v = -v
	}
	return v
}

// format is one of the formats of 16 bits.
type format struct {
	name     string
	mantissa int
	from     func(level Level, dst []uint16, x []float32)
	to       func(level Level, dst []float32, x []uint16)
}

var formats = []format{{"bfloat16", 7, bf16FromF32Row, f32FromBF16Row}, {"float16", 10, f16FromF32Row, f32FromF16Row}}

func TestEveryValueOf16BitsIsWidenedAndComesBack(t *testing.T) {
	for _, f := range formats {
		h := halfBits()
		for _, level := range testLevels() {
			x, back := make([]float32, len(h)), make([]uint16, len(h))
			f.to(level, x, h)
			f.from(level, back, x)
			for i := range h {
				if want := value(h[i], f.mantissa); !sameBits(x[i], float32(want)) {
					t.Fatalf("%s, level %v: %#04x is %v, want %v", f.name, level, h[i], x[i], want)
				}
				want := h[i]
				if x[i] != x[i] {
					want |= 1 << (f.mantissa - 1) // quiet
				}
				if back[i] != want {
					t.Fatalf("%s, level %v: %#04x came back as %#04x, want %#04x", f.name, level, h[i], back[i], want)
				}
			}
		}
	}
}

// Every finite number between two neighbours of the format is rounded to the nearer, and to the even one from the middle.
func TestRoundingIsToNearestEven(t *testing.T) {
	for _, f := range formats {
		var x []float32
		var want []uint16
		for _, h := range halfBits() {
			a, b := value(h, f.mantissa), value(h+1, f.mantissa)
			if math.IsNaN(a) || math.IsNaN(b) || math.IsInf(a, 0) || h == 0x7fff {
				continue
			}
			if math.IsInf(b, 0) { // beyond the largest, as if the exponents went on
				b = 2*a - value(h-1, f.mantissa)
			}
			middle := float32((a + b) / 2)
			even := h + h&1
			x = append(x, float32(a), middle, toward(middle, float32(a)), toward(middle, float32(b)))
			want = append(want, h, even, h, h+1)
		}
		for _, level := range testLevels() {
			got := make([]uint16, len(x))
			f.from(level, got, x)
			for i := range x {
				if got[i] != want[i] {
					t.Fatalf("%s, level %v: %v became %#04x, want %#04x", f.name, level, x[i], got[i], want[i])
				}
			}
		}
	}
}

func toward(x, y float32) float32 { return math.Nextafter32(x, y) }

func TestConversionsHaveTheSameBitsAtEveryLevel(t *testing.T) {
	const n = 1 << 12
	x := make([]float32, n)
	for _, f := range formats {
		for step := range uint32(64) { // 2¹⁸ of the float32, spread evenly
			for i := range x {
				x[i] = math.Float32frombits((step*n + uint32(i)) * 16381)
			}
			want := make([]uint16, n)
			f.from(Generic, want, x)
			for _, level := range testLevels() {
				got := make([]uint16, n)
				f.from(level, got, x)
				for i := range got {
					if got[i] != want[i] {
						t.Fatalf("%s, level %v: %v (%#08x) became %#04x, portable %#04x", f.name, level, x[i], math.Float32bits(x[i]), got[i], want[i])
					}
				}
			}
		}
	}
}

func TestConversionsOfAnyLengthStayInTheirSlices(t *testing.T) {
	r := randSource(1)
	for _, f := range formats {
		for n := 0; n <= 67; n++ {
			x := awkward(r, n)
			want := make([]uint16, n)
			f.from(Generic, want, x)
			for _, level := range testLevels() {
				h, back := guardCopies(t, make([]uint16, n)), guardCopies(t, make([]float32, n))
				for i, in := range guardCopies(t, x) {
					f.from(level, h[i], in)
					f.to(level, back[i], h[i])
					for j := range want {
						if h[i][j] != want[j] || !sameBits(back[i][j], float32(value(want[j], f.mantissa))) {
							t.Fatalf("%s, level %v, %d elements: element %d, %v, became %#04x and %v", f.name, level, n, j, x[j], h[i][j], back[i][j])
						}
					}
				}
			}
		}
	}
}

func TestConversionsAreSplitWithoutChangingABit(t *testing.T) {
	n := 3*elementGrain + 77
	x := awkward(randSource(1), n)
	h, dst := make([]uint16, n), make([]float32, n)
	toB, fromB := &F32ToBF16{Dst: h, X: x}, &BF16ToF32{Dst: dst, X: h}
	toH, fromH := &F32ToF16{Dst: h, X: x}, &F16ToF32{Dst: dst, X: h}
	checkTasks(t, []taskCase{
		{"bfloat16", func(p *Pool, level Level) []float32 { toB.run(p, level); fromB.run(p, level); return dst }},
		{"float16", func(p *Pool, level Level) []float32 { toH.run(p, level); fromH.run(p, level); return dst }},
	})
}
