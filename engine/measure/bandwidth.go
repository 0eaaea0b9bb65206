package measure

import (
	"context"
	"time"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// Memory measures the triad z = a·x + b·y of the STREAM benchmark (McCalpin 1995) over bytes of memory in all, far more than the
// caches hold: bytes a second that are read and written, 12 for each element.
func Memory(ctx context.Context, pool *kernel.Pool, bytes int64, limit time.Duration) (float64, error) {
	n := int(bytes / 12)
	arena, err := memory.NewArena(3 * int64(align(4*n)))
	if err != nil {
		return 0, err
	}
	defer arena.Close()
	part := func(i int) []float32 { return arena.Float32s(int64(i*align(4*n)), n) }
	triad := &kernel.Axpby{Dst: part(0), A: part(1), B: part(2), Alpha: 1, Beta: 3}
	for i := range triad.A {
		triad.A[i], triad.B[i] = 1, 2
	}
	seconds, err := best(ctx, limit, func() error { triad.Run(pool); return nil })
	return 12 * float64(n) / seconds, err
}

func align(bytes int) int { return (bytes + memory.Align - 1) / memory.Align * memory.Align }
