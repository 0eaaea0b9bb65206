package program

import (
	"fmt"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// TestWorkingMemoryIsPlannedForAllSizes looks at every number of rows, as a size of the result and as the terms of a gradient.
func TestWorkingMemoryIsPlannedForAllSizes(t *testing.T) {
	closest := 2.0
	for _, bound := range []int{9, 140, 500, 1208, 4096} {
		for _, cols := range []int{1, 7, 64, 500} {
			for _, terms := range []int{1, 64, 500, 1433, 6805} {
				for _, workers := range []int{1, 2, 8} {
					for _, o := range []Product{{}, {TransB: true}, {TransA: true}, {TransB: true, BF16: true}, {TransA: true, BF16: true}} {
						p := New("product")
						rows := p.Size("rows", bound)
						a, b := tensor.F32(rows, tensor.Fixed(terms)), f32(terms, cols)
						if o.TransB {
							b = f32(cols, terms)
						}
						if o.TransA {
							b = tensor.F32(rows, tensor.Fixed(cols))
						}
						in := []tensor.Type{a, b}
						sized := copyTypes(in)
						planned := scratch(matmul{Product: o}, in, nil, p.sizes, workers)
						for n := bound; n > 0; n -= 1 + n/200 {
							resize(sized, in, "rows", n)
							if took := int64(matmul{Product: o}.ScratchBytes(sized, nil, workers)); took > planned {
								t.Errorf("%s, %d workers, rows = %d of %d: %d bytes, planned %d", fmt.Sprint(in, o), workers, n, bound, took, planned)
							} else if took > 1<<10 {
								closest = min(closest, float64(planned)/float64(took))
							}
						}
					}
				}
			}
		}
	}
	t.Logf("at least %.3f of what is taken is planned, on %s", closest, kernel.ActiveLevel())
}
