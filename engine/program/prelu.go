package program

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// PReLU returns x where it is positive and slope·x elsewhere; slope has one element, or one for every column.
func (p *Program) PReLU(x, slope *Value) *Value { return p.apply1(prelu{}, x, slope) }

// LeakyReLU returns x where it is positive and slope·x elsewhere, for a slope that is given.
func (p *Program) LeakyReLU(x *Value, slope float32) *Value {
	return p.PReLU(x, p.Fill(slope, tensor.Fixed(1)))
}

// prelu is y = max(x, 0) + slope·min(x, 0). Operands: x, slope.
type prelu struct{}

func (prelu) Name() string { return "prelu" }

func (prelu) Infer(in []tensor.Type) ([]tensor.Type, error) {
	one, each := tensor.F32(tensor.Fixed(1)), tensor.F32(in[0].Shape.Cols())
	if in[0].DType != tensor.Float32 || !in[1].Equal(one) && !in[1].Equal(each) {
		return nil, fmt.Errorf("slopes %s for %s, expected %s or %s", in[1], in[0], one, each)
	}
	return in[:1:1], nil
}

func (prelu) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: 2 * float64(in[0].Shape.Len())} }

func (prelu) Traits() Traits { return Traits{RowWise: true} }

func (prelu) Kernel() Kernel {
	var k kernel.PReLU
	return KernelFunc(func(c *Call) error {
		k.Dst, k.X, k.Slope, k.Cols = c.Out[0].Float32s(), c.In[0].Float32s(), c.In[1].Float32s(), c.In[0].Cols()
		k.Run(c.Pool)
		return nil
	})
}

func (prelu) Gradient(d *Derivative) {
	copy(d.InGrad, d.P.Apply(preluGrad{}, d.OutGrad[0], d.In[0], d.In[1]))
}

func (prelu) Reference(c *ReferenceCall) {
	slope := c.In[1].X
	for i, x := range c.In[0].X {
		if x <= 0 {
			x *= slope[i%c.In[0].Cols()%len(slope)]
		}
		c.Out[0].X[i] = x
	}
}

// preluGrad makes dx = dy where x is positive and slope·dy elsewhere, and dslope = Σ dy·min(x, 0). Operands: dy, x, slope.
type preluGrad struct{}

func (preluGrad) Name() string { return "prelu-grad" }

func (preluGrad) Infer(in []tensor.Type) ([]tensor.Type, error) {
	return []tensor.Type{in[1], in[2]}, nil
}

func (preluGrad) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: 4 * float64(in[0].Shape.Len())} }

func (preluGrad) Traits() Traits { return Traits{InPlace: []int{0}} }

func (preluGrad) ScratchBytes(in, _ []tensor.Type, _ int) int {
	return kernel.PReLUGradScratchBytes(matrix(in[1]))
}

func (preluGrad) Kernel() Kernel {
	var k kernel.PReLUGrad
	return KernelFunc(func(c *Call) error {
		k.DX, k.DSlope, k.DY, k.X, k.Slope = c.Out[0].Float32s(), c.Out[1].Float32s(), c.In[0].Float32s(), c.In[1].Float32s(), c.In[2].Float32s()
		k.Cols = c.In[1].Cols()
		k.Run(c.Pool)
		return nil
	})
}

func (preluGrad) Reference(c *ReferenceCall) {
	x, slope := c.In[1], c.In[2].X
	for i, dy := range c.In[0].X {
		s := i % x.Cols() % len(slope)
		c.Out[0].X[i] = dy
		if x.X[i] <= 0 {
			c.Out[0].X[i] = dy * slope[s]
			c.Out[1].X[s] += dy * x.X[i]
		}
	}
}
