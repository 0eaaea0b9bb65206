package measure

import (
	"context"
	"time"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// productSize is the largest m, n and k of the product that is measured: three matrices of it lie in the cache of the second or
// third level, as the blocks of a training step do.
const productSize = 1024

// Product measures C = A·B of square matrices in float32, or of bfloat16 operands with sums in float32: floating-point
// operations a second on the workers of the pool. A slow machine is measured with fewer rows.
func Product(ctx context.Context, pool *kernel.Pool, bf16 bool, limit time.Duration) (float64, error) {
	const n = productSize
	arena, err := memory.NewArena(3 * 4 * n * n)
	if err != nil {
		return 0, err
	}
	defer arena.Close()
	a, b := arena.Float32s(0, n*n), arena.Float32s(4*n*n, n*n)
	c := kernel.RowMajor(arena.Float32s(8*n*n, n*n), n, n)
	for i := range a {
		a[i], b[i] = float32(i%7)-3, float32(i%5)-2
	}
	var run func(rows int)
	if bf16 {
		x, y := halves(a, pool), halves(b, pool)
		m := &kernel.MatMulBF16{B: kernel.RowMajorBF16(y, n, n)}
		run = func(rows int) {
			m.A, m.C = kernel.RowMajorBF16(x[:rows*n], rows, n), firstRows(c, rows)
			m.Run(pool)
		}
	} else {
		m := &kernel.MatMul{B: kernel.RowMajor(b, n, n)}
		run = func(rows int) {
			m.A, m.C = kernel.RowMajor(a[:rows*n], rows, n), firstRows(c, rows)
			m.Run(pool)
		}
	}
	rows := fittingRows(ctx, run, limit/8)
	seconds, err := best(ctx, limit, func() error { run(rows); return nil })
	return 2 * float64(rows) * n * n / seconds, err
}

// halves rounds to bfloat16.
func halves(x []float32, pool *kernel.Pool) []uint16 {
	h := make([]uint16, len(x))
	(&kernel.F32ToBF16{Dst: h, X: x}).Run(pool)
	return h
}

func firstRows(m kernel.Mat, rows int) kernel.Mat {
	m.Rows = rows
	return m
}

// fittingRows is the most rows, a power of two, of which a product should end within a time, or those it had come to when
// the context ended.
func fittingRows(ctx context.Context, run func(rows int), within time.Duration) int {
	rows := 32
	for rows < productSize && ctx.Err() == nil {
		began := time.Now()
		run(rows)
		if 2*time.Since(began) > within {
			break
		}
		rows *= 2
	}
	return rows
}

// best is the seconds of the fastest of the repeats that fit into a time, one at least, and warm: the first is not counted where
// there are others.
func best(ctx context.Context, limit time.Duration, run func() error) (float64, error) {
	began := time.Now()
	var fastest time.Duration
	for i := 0; i < 2 || time.Since(began) < limit; i++ {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		start := time.Now()
		if err := run(); err != nil {
			return 0, err
		}
		took := max(time.Since(start), 1)
		if fastest == 0 || took < fastest {
			fastest = took
		}
	}
	return fastest.Seconds(), nil
}
