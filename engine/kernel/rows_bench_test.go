package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Rows of what does not fit the cache, and of what does.
func BenchmarkRowKernels(b *testing.B) {
	for _, size := range [][2]int{{16384, 1024}, {768, 128}, {4096, 512}} {
		rows, cols := size[0], size[1]
		n := rows * cols
		x, y, dst := filled(b, n), filled(b, n), filled(b, n)
		gain, bias, dGain, dBias := ones(cols), ones(cols), ones(cols), ones(cols)
		mean, rstd := ones(rows), ones(rows)
		labels, loss := make([]int32, rows), ones(rows)
		for _, k := range []struct {
			name  string
			bytes int // an element
			run   func(p *Pool)
		}{
			{"triad", 12, (&Axpby{Dst: dst, A: x, B: y, Alpha: 1, Beta: 3}).Run},
			{"softmax", 8, (&Softmax{Dst: dst, X: x, Rows: rows, Cols: cols}).Run},
			{"softmaxGrad", 12, (&SoftmaxGrad{DX: dst, DY: x, Y: y, Rows: rows, Cols: cols}).Run},
			{"crossEntropy", 4, (&CrossEntropy{Logits: x, Labels: labels, Loss: loss, LSE: mean, Rows: rows, Cols: cols}).Run},
			{"crossEntropyGrad", 8, (&CrossEntropyGrad{DLogits: dst, Logits: x, LSE: mean, Labels: labels, Scale: 1, Rows: rows, Cols: cols}).Run},
			{"layerNorm", 8, (&LayerNorm{Dst: dst, X: x, Gain: gain, Bias: bias, Mean: mean, RStd: rstd, Rows: rows, Cols: cols}).Run},
			{"layerNormGrad", 12, (&LayerNormGrad{DX: dst, DY: x, X: y, DGain: dGain, DBias: dBias, Gain: gain, Mean: mean, RStd: rstd, Rows: rows, Cols: cols}).Run},
			{"rmsNorm", 8, (&RMSNorm{Dst: dst, X: x, Gain: gain, RStd: rstd, Rows: rows, Cols: cols}).Run},
			{"batchNorm", 8, (&BatchNorm{Dst: dst, X: x, Gain: gain, Bias: bias, Mean: dGain, RStd: dBias, Rows: rows, Cols: cols}).Run},
			{"columnSum", 4, (&ColumnSum{Dst: dGain, X: x, Rows: rows, Cols: cols}).Run},
			{"sumSquares", 4, (&SumSquares{Dst: dGain, X: x}).Run},
			{"transpose", 8, (&Transpose{Dst: dst, X: x, Rows: rows, Cols: cols}).Run},
		} {
			for _, workers := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/%dx%d/workers=%d", k.name, rows, cols, workers), func(b *testing.B) {
					p := NewPool(workers)
					defer p.Close()
					best(b, float64(k.bytes*n), "GB/s", func() { k.run(p) })
				})
			}
		}
	}
}

// A few thousand rows of an embedding table and their gradients.
func BenchmarkGather(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	const tableRows, n = 100_000, 4096
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32(r.IntN(tableRows))
	}
	for _, cols := range []int{16, 128, 768} {
		table, rows := filled(b, tableRows*cols), filled(b, n*cols)
		for _, workers := range []int{1, 2} {
			p := NewPool(workers)
			defer p.Close()
			gather := &Gather{Dst: rows, Table: table, IDs: ids, Cols: cols}
			scatter := &ScatterAdd{Dst: table, Src: rows, IDs: ids, DstRows: tableRows, Cols: cols}
			b.Run(fmt.Sprintf("gather/%d/workers=%d", cols, workers), func(b *testing.B) {
				best(b, 8*n*float64(cols), "GB/s", func() { gather.Run(p) })
			})
			b.Run(fmt.Sprintf("scatterAdd/%d/workers=%d", cols, workers), func(b *testing.B) {
				best(b, 12*n*float64(cols), "GB/s", func() { scatter.Run(p) })
			})
		}
	}
}

// filled returns n numbers off the Go heap, where tensors lie.
func filled(b *testing.B, n int) []float32 {
	s := &scratch{}
	if err := s.grow(n); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.free)
	for i := range s.mem {
		s.mem[i] = float32(i%31)*0.1 - 1.5
	}
	return s.mem[:n]
}
