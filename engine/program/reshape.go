package program

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/tensor"
)

// Reshape returns the same elements in another shape.
func (p *Program) Reshape(x *Value, shape ...tensor.Dim) *Value {
	if x.Type.Shape.Equal(shape) {
		return x
	}
	return p.apply1(reshape{shape}, x)
}

// reshape copies nothing where it may take its operand's storage.
type reshape struct{ shape tensor.Shape }

func (reshape) Name() string { return "reshape" }

func (o reshape) Infer(in []tensor.Type) ([]tensor.Type, error) {
	have, ok := in[0].Shape.Total()
	want, ok2 := o.shape.Total()
	if !ok || !ok2 || have != want || in[0].DType != tensor.Float32 {
		return nil, fmt.Errorf("%s cannot become %s", in[0], tensor.F32(o.shape...))
	}
	return []tensor.Type{tensor.F32(o.shape...)}, nil
}

func (reshape) Cost(_, _ []tensor.Type) Cost { return Cost{} }

func (reshape) Traits() Traits { return Traits{InPlace: []int{0}} }

func (reshape) Kernel() Kernel {
	return KernelFunc(func(c *Call) error {
		moveTo(c.Out[0].Float32s(), c.In[0].Float32s())
		return nil
	})
}

func (reshape) Gradient(d *Derivative) {
	d.InGrad[0] = d.P.Reshape(d.OutGrad[0], d.In[0].Type.Shape...)
}

func (reshape) Reference(c *ReferenceCall) { copy(c.Out[0].X, c.In[0].X) }
