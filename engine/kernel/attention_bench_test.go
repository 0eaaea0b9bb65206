package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkAttention runs the attention of the language presets; the unit counts what causal attention needs, 4 and 10
// operations for every pair of a query, a key that it sees, and an element of a head.
func BenchmarkAttention(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, preset := range []struct {
		name string
		size attentionSize
	}{{"char-cpu", attentionSize{12, 4, 4, 64, 32, true, true}}, {"char-gpu", attentionSize{64, 6, 6, 256, 64, true, true}}} {
		for _, level := range levels() {
			for _, bf16 := range []bool{false, true} {
				for _, workers := range []int{1, 2} {
					s := preset.size
					g := randomAttention(r, s, alignedFloats)
					g.BF16 = bf16
					p := NewPool(workers)
					g.Attention.run(p, level)
					pairs := float64(s.batch*s.heads) * float64(s.seq*(s.seq+1)/2) * float64(s.dim)
					name := fmt.Sprintf("%s/%v/bf16=%v/workers=%d/", preset.name, level, bf16, workers)
					b.Run(name+"forward", func(b *testing.B) {
						best(b, 4*pairs, "GFLOP/s", func() { g.Attention.run(p, level) })
					})
					b.Run(name+"backward", func(b *testing.B) {
						best(b, 10*pairs, "GFLOP/s", func() { g.run(p, level) })
					})
					p.Close()
				}
			}
		}
	}
}
