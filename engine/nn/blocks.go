package nn

import (
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/program"
)

// FanOut returns the initializer U(−a, a) with a = 1/√out.
func FanOut(out int) program.Initializer {
	return func(dst []float32, _ []int, key kernel.Key) { uniform(dst, 1/math.Sqrt(float64(max(out, 1))), key) }
}

// XavierReLU draws from U(−a, a) with a = √(12/(in + out)): XavierUniform with the gain √2 of a rectifier.
func XavierReLU(dst []float32, dims []int, key kernel.Key) {
	in, out := fans(dims)
	uniform(dst, math.Sqrt(12/float64(in+out)), key)
}

// blocks is the rest of a stack with InitialResidual, x_1 … x_L, from the product of its first layer:
//
//	x_0 = BN(x W_0)                              (+ x where widths agree)
//	x_i = BN((y + x_0)/2 W_i) + y,  0 < i < L−1  y = dropout(act(x_{i−1}))
//	x_i = BN(y W_i),  i = L−1                    (+ y where widths agree)
//
// which is GAMLP's as its authors build it: a residual connection to the layer before, and half of the input from the first.
func (m MLP) blocks(p *program.Program, x, product *Value, training bool) *Value {
	first := m.normalise(p, 0, x, product, training)
	x = first
	for i := 1; i < m.Layers; i++ {
		y := Activate(p, "", x, m.Activation)
		if training {
			y = p.Dropout(y, m.Dropout)
		}
		in := y
		if i < m.Layers-1 {
			in = p.Add(p.Scale(y, 0.5), p.Scale(first, 0.5))
		}
		if m.NoLast && i == m.Layers-1 {
			return in
		}
		x = m.normalise(p, i, y, m.layer(i).Apply(p, fmt.Sprint(i), in), training)
	}
	return x
}

// normalise ends a block: the product of layer i over the batch, plus what came into the block where that is as wide; x is nil where
// it is not.
func (m MLP) normalise(p *program.Program, i int, x, product *Value, training bool) *Value {
	y := BatchNorm(p, fmt.Sprintf("%d.norm", i), product, training)
	if x != nil && fixed(p, x) == fixed(p, y) {
		y = p.Add(y, x)
	}
	return y
}
