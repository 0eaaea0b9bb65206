//go:build linux || darwin

package kernel

import (
	"math/rand/v2"
	"testing"
)

func TestAttentionStaysWithinItsOperands(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 10))
	for _, size := range []attentionSize{
		{1, 2, 2, 1, 1, true, true}, {1, 4, 2, 70, 20, true, false}, {1, 2, 1, 33, 67, false, true}, {2, 1, 1, 15, 32, true, true},
	} {
		for _, place := range []floatsOf{
			func(n int) []float32 { return guardEnd[float32](t, n) },
			func(n int) []float32 { return guardStart[float32](t, n) },
		} {
			g := randomAttention(r, size, place)
			for _, g.BF16 = range []bool{false, true} {
				for _, level := range levels() {
					g.both(nil, level) // or dies
				}
			}
		}
	}
}
