package format_test

import (
	"math"
	"testing"

	"github.com/seraph-ml/seraph/format"
)

// The definition: (−1)^s · 2^(e−15) · (1 + f/1024); for e = 0, (−1)^s · 2^−14 · f/1024.
func TestAllHalves(t *testing.T) {
	for h := range 1 << 16 {
		sign, e, f := math.Copysign(1, float64(0x7fff-h)), h>>10&31, float64(h&1023)/1024
		want := sign * math.Ldexp(1+f, e-15)
		switch {
		case e == 31 && f != 0:
			want = math.NaN()
		case e == 31:
			want = math.Inf(int(sign))
		case e == 0:
			want = sign * math.Ldexp(f, -14)
		}
		got := format.HalfToFloat32(uint16(h))
		if math.IsNaN(want) != (got != got) || !math.IsNaN(want) && math.Float32bits(got) != math.Float32bits(float32(want)) {
			t.Fatalf("%#04x: %g, expected %g", h, got, want)
		}
	}
}
