package program

import (
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
)

// TestProductsDoNotOverwriteWhatTheyMultiply applies a residual layer x + x·w without a gradient: x is needed for the last
// time by the product that is added to it, and must not be its result's storage all the same.
func TestProductsDoNotOverwriteWhatTheyMultiply(t *testing.T) {
	sizes := []int{5, 64, 300, 1100}
	if testing.Short() {
		sizes = sizes[:3]
	}
	for _, n := range sizes {
		p := New("residual")
		x := p.Activate(p.Input("x", f32(n, n)), kernel.Tanh)
		p.Output(p.Add(x, p.MatMul(x, p.Parameter("w", normal, n, n), Product{})))
		var want []float32
		for _, o := range []Options{{Workers: 1, asBuilt: true}, {Workers: 1}, {Workers: 2}} {
			c, err := Compile(p, o)
			if err != nil {
				t.Fatal(err)
			}
			pool := kernel.NewPool(o.Workers)
			defer pool.Close()
			s, err := Start(pool, c)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			s.Initialize(1)
			e := s.Execution(c)
			normal(e.Tensor(p.find("x")).Float32s(), nil, kernel.Key{})
			if err := e.Run(); err != nil {
				t.Fatal(err)
			}
			got := slices.Clone(e.Tensor(p.find("add")).Float32s())
			if want == nil {
				want = got
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d × %d, %d workers: other bits than as built", n, n, o.Workers)
			}
		}
	}
}
