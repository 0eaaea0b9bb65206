package program

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Sum returns the sum of all elements, a scalar.
func (p *Program) Sum(x *Value) *Value { return p.apply1(sum{}, x) }

// Mean returns the mean of all elements, a scalar.
func (p *Program) Mean(x *Value) *Value { return p.apply1(sum{mean: true}, x) }

// sum is y = Σ x, or Σ x / n.
type sum struct{ mean bool }

func (o sum) Name() string {
	if o.mean {
		return "mean"
	}
	return "sum"
}

func (sum) Infer(in []tensor.Type) ([]tensor.Type, error) {
	if in[0].DType != tensor.Float32 {
		return nil, fmt.Errorf("%s, expected float32", in[0])
	}
	return []tensor.Type{tensor.F32()}, nil
}

func (sum) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: float64(in[0].Shape.Len())} }

func (sum) ScratchBytes(in, _ []tensor.Type, _ int) int {
	return kernel.SumScratchBytes(in[0].Shape.Len())
}

func (o sum) Kernel() Kernel {
	k := &kernel.Sum{}
	return KernelFunc(func(c *Call) error {
		k.Dst, k.X = c.Out[0].Float32s(), c.In[0].Float32s()
		k.Run(c.Pool)
		if o.mean {
			k.Dst[0] /= float32(len(k.X))
		}
		return nil
	})
}

func (o sum) Gradient(d *Derivative) {
	d.InGrad[0] = d.P.apply1(spread{shape: d.In[0].Type.Shape, mean: o.mean}, d.OutGrad[0])
}

func (o sum) Reference(c *ReferenceCall) {
	var s float64
	for _, x := range c.In[0].X {
		s += x
	}
	if o.mean {
		s /= float64(c.In[0].Len())
	}
	c.Out[0].X[0] = s
}

// spread is an array of one scalar operand, divided by the number of elements for the gradient of a mean.
type spread struct {
	shape tensor.Shape
	mean  bool
}

func (spread) Name() string { return "spread" }

func (o spread) Infer([]tensor.Type) ([]tensor.Type, error) {
	return []tensor.Type{tensor.F32(o.shape...)}, nil
}

func (spread) Cost(_, _ []tensor.Type) Cost { return Cost{} }

func (o spread) Kernel() Kernel {
	return KernelFunc(func(c *Call) error {
		x, y := c.In[0].Float32s()[0], c.Out[0].Float32s()
		if o.mean {
			x /= float32(len(y))
		}
		for i := range y {
			y[i] = x
		}
		return nil
	})
}

func (o spread) Gradient(d *Derivative) { d.InGrad[0] = d.P.apply1(sum{mean: o.mean}, d.OutGrad[0]) }

func (o spread) Reference(c *ReferenceCall) {
	x := c.In[0].X[0]
	if o.mean {
		x /= float64(c.Out[0].Len())
	}
	for i := range c.Out[0].X {
		c.Out[0].X[i] = x
	}
}
