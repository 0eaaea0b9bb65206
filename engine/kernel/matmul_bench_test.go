package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// best reports the rate of the fastest run, which is the one that other processes disturbed least.
func best(b *testing.B, work float64, unit string, run func()) {
	run()
	fastest := time.Hour
	for b.Loop() {
		start := time.Now()
		run()
		fastest = min(fastest, time.Since(start))
	}
	b.ReportMetric(work/fastest.Seconds()/1e9, unit)
}

// forms are the transpose cases, by how A and B are laid out.
var forms = []struct {
	name string
	a, b layout
}{{"nn", byRows, byRows}, {"nt", byRows, byColumns}, {"tn", byColumns, byRows}, {"tt", byColumns, byColumns}}

func BenchmarkMatMul(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range [][3]int{
		{1024, 1024, 1024}, {4096, 512, 512}, {2048, 768, 3072}, {2048, 3072, 768},
		{1, 768, 768}, {8, 768, 768}, {64, 768, 768}, {4096, 40, 512}, {512, 512, 4096}, {64, 64, 32}, {256, 256, 64}, {256, 64, 256},
	} {
		m, n, k := size[0], size[1], size[2]
		for _, form := range forms {
			mm := &MatMul{A: randomMat(r, m, k, form.a, 0, 0), B: randomMat(r, k, n, form.b, 0, 0), C: randomMat(r, m, n, byRows, 0, 0)}
			for _, workers := range []int{1, 2} {
				b.Run(fmt.Sprintf("%dx%dx%d/%s/workers=%d", m, n, k, form.name, workers), func(b *testing.B) {
					p := NewPool(workers)
					defer p.Close()
					best(b, 2*float64(m)*float64(n)*float64(k), "GFLOP/s", func() { mm.Run(p) })
				})
			}
		}
	}
}

func BenchmarkMatMulBF16(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range [][3]int{
		{1024, 1024, 1024}, {4096, 512, 512}, {2048, 768, 3072}, {1, 768, 768}, {8, 768, 768}, {64, 768, 768}, {4096, 40, 512}, {512, 512, 4096},
	} {
		m, n, k := size[0], size[1], size[2]
		for _, form := range forms {
			x, y := randomMat(r, m, k, form.a, 0, 0), randomMat(r, k, n, form.b, 0, 0)
			for name, mm := range map[string]*MatMulBF16{
				"float": {A: x.BF16(), B: y.BF16(), C: randomMat(r, m, n, byRows, 0, 0)},
				"half":  {A: toBF16(x), B: toBF16(y), C: randomMat(r, m, n, byRows, 0, 0)},
			} {
				for _, workers := range []int{1, 2} {
					b.Run(fmt.Sprintf("%dx%dx%d/%s/%s/workers=%d", m, n, k, form.name, name, workers), func(b *testing.B) {
						p := NewPool(workers)
						defer p.Close()
						best(b, 2*float64(m)*float64(n)*float64(k), "GFLOP/s", func() { mm.Run(p) })
					})
				}
			}
		}
	}
}
