package program

import (
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// ELU returns x where it is positive and e^x − 1 elsewhere.
func (p *Program) ELU(x *Value) *Value { return p.apply1(elu{}, x) }

type elu struct{}

func (elu) Name() string { return "elu" }

func (elu) Infer(in []tensor.Type) ([]tensor.Type, error) { return sameType(in) }

func (elu) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: 10 * float64(in[0].Shape.Len())} }

func (elu) Traits() Traits { return Traits{RowWise: true, InPlace: []int{0}} }

func (elu) Kernel() Kernel {
	var k kernel.ELU
	return KernelFunc(func(c *Call) error {
		k.Dst, k.X = c.Out[0].Float32s(), c.In[0].Float32s()
		k.Run(c.Pool)
		return nil
	})
}

func (elu) Gradient(d *Derivative) {
	d.InGrad[0] = d.P.apply1(eluGrad{}, d.OutGrad[0], d.Out[0])
}

func (elu) Reference(c *ReferenceCall) {
	for i, x := range c.In[0].X {
		if x <= 0 {
			x = math.Expm1(x)
		}
		c.Out[0].X[i] = x
	}
}

// eluGrad is dx = dy where y is positive and dy·(y + 1) elsewhere. Operands: dy, y.
type eluGrad struct{}

func (eluGrad) Name() string { return "elu-grad" }

func (eluGrad) Infer(in []tensor.Type) ([]tensor.Type, error) { return sameType(in) }

func (eluGrad) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: 2 * float64(in[0].Shape.Len())} }

func (eluGrad) Traits() Traits { return Traits{RowWise: true, InPlace: []int{0}} }

func (eluGrad) Kernel() Kernel {
	var k kernel.ELUGrad
	return KernelFunc(func(c *Call) error {
		k.DX, k.DY, k.Y = c.Out[0].Float32s(), c.In[0].Float32s(), c.In[1].Float32s()
		k.Run(c.Pool)
		return nil
	})
}

func (eluGrad) Reference(c *ReferenceCall) {
	for i, dy := range c.In[0].X {
		c.Out[0].X[i] = dy * min(1, c.In[1].X[i]+1)
	}
}
