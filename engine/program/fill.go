package program

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/tensor"
)

// Fill returns an array of one number, which has no gradient.
func (p *Program) Fill(value float32, shape ...tensor.Dim) *Value {
	return p.apply1(fill{value: value, t: tensor.F32(shape...)})
}

// fill is an array of one number.
type fill struct {
	value float32
	t     tensor.Type
}

func (fill) Name() string { return "fill" }

func (o fill) Attributes() string { return fmt.Sprintf("value=%g", o.value) }

func (o fill) Infer([]tensor.Type) ([]tensor.Type, error) { return []tensor.Type{o.t}, nil }

func (fill) Cost(_, _ []tensor.Type) Cost { return Cost{} }

func (o fill) Kernel() Kernel {
	return KernelFunc(func(c *Call) error {
		y := c.Out[0].Float32s()
		for i := range y {
			y[i] = o.value
		}
		return nil
	})
}

func (o fill) Reference(c *ReferenceCall) {
	for i := range c.Out[0].X {
		c.Out[0].X[i] = float64(o.value)
	}
}
