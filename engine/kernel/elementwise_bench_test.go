package kernel

import (
	"fmt"
	"testing"
)

// BenchmarkRows measures the elementwise kernels on operands that stay in the first-level cache.
func BenchmarkRows(b *testing.B) {
	const n = 2048
	for _, k := range rowKernels() {
		var x [][]float32
		for range k.operands {
			x = append(x, normalFloats(randSource(1), n))
		}
		for _, level := range testLevels() {
			b.Run(fmt.Sprintf("%s/%v", k.name, level), func(b *testing.B) {
				best(b, n, "Gelements/s", func() { k.run(level, 0, x) })
			})
		}
	}
}

// BenchmarkStreams measures kernels on operands larger than the caches. The bytes that an operation must read and write are
// counted, 12 for the triad of STREAM; what an out-of-place store reads first is not.
func BenchmarkStreams(b *testing.B) {
	const n = 1 << 24
	var x [4][]float32
	for i := range x {
		mem, _, err := mapScratch(n)
		if err != nil {
			b.Fatal(err)
		}
		x[i] = mem
		for filled := copy(mem, normalFloats(randSource(uint64(i)), 1<<16)); filled < n; filled *= 2 {
			copy(mem[filled:], mem[:filled])
		}
	}
	adam := &AdamW{Param: x[0], Grad: x[1], M: x[2], V: x[3], LR: 1e-3, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Correct1: 0.1, Correct2: 0.01, GradScale: 1}
	sgd := &SGD{Param: x[0], Grad: x[1], Momentum: x[2], LR: 1e-3, Mu: 0.9, GradScale: 1}
	adagrad := &Adagrad{Param: x[0], Grad: x[1], Sum: x[2], LR: 1e-3, Eps: 1e-10, GradScale: 1}
	triad := &Axpby{Dst: x[0], A: x[1], B: x[2], Alpha: 1, Beta: 1e-3}
	drop := &Dropout{Dst: x[0], X: x[1], P: 0.1}
	scale := &Scale{Dst: x[0], X: x[1], Alpha: 0.5}
	gelu := &Map{Dst: x[0], X: x[1], Act: GELU}
	for _, workers := range []int{1, 2} {
		p := NewPool(workers)
		for _, k := range []struct {
			name  string
			bytes float64
			run   func()
		}{
			{"triad", 12, func() { triad.Run(p) }},
			{"AdamW", 28, func() { adam.Run(p) }},
			{"SGD with momentum", 20, func() { sgd.Run(p) }},
			{"Adagrad", 20, func() { adagrad.Run(p) }},
			{"scale", 8, func() { scale.Run(p) }},
			{"dropout", 8, func() { drop.Run(p) }},
			{"gelu", 8, func() { gelu.Run(p) }},
		} {
			b.Run(fmt.Sprintf("%s/workers=%d", k.name, workers), func(b *testing.B) {
				best(b, k.bytes*n, "GB/s", k.run)
			})
		}
		p.Close()
	}
}
