package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// normalFloats returns n normal numbers that begin on a cache line.
func normalFloats(r *rand.Rand, n int) []float32 {
	x := alignedFloats(n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func BenchmarkMap(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	const n = 4096
	x, dy, dst := normalFloats(r, n), normalFloats(r, n), alignedFloats(n)
	for act := range activations {
		for _, level := range levels() {
			if level > AVX512 {
				continue
			}
			b.Run(fmt.Sprintf("%v/%v", act, level), func(b *testing.B) {
				best(b, n, "Gelements/s", func() { activateRow(level, act, dst, x) })
			})
			b.Run(fmt.Sprintf("%v-grad/%v", act, level), func(b *testing.B) {
				best(b, n, "Gelements/s", func() { activateGradRow(level, act, dst, dy, x) })
			})
		}
	}
}
