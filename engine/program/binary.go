package program

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Add returns a + b, element by element.
func (p *Program) Add(a, b *Value) *Value { return p.apply1(binary{kernel.Add}, a, b) }

// Sub returns a − b.
func (p *Program) Sub(a, b *Value) *Value { return p.apply1(binary{kernel.Sub}, a, b) }

// Mul returns a·b, element by element.
func (p *Program) Mul(a, b *Value) *Value { return p.apply1(binary{kernel.Mul}, a, b) }

// Scale returns alpha·x.
func (p *Program) Scale(x *Value, alpha float32) *Value { return p.apply1(scale{alpha}, x) }

// binary is an operation of two arrays of the same shape.
type binary struct{ op kernel.BinaryOp }

func (o binary) Name() string {
	switch o.op {
	case kernel.Sub:
		return "sub"
	case kernel.Mul:
		return "mul"
	}
	return "add"
}

func (binary) Infer(in []tensor.Type) ([]tensor.Type, error) { return sameType(in) }

func (binary) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: float64(in[0].Shape.Len())} }

func (o binary) Traits() Traits { return Traits{RowWise: true, InPlace: []int{0}} }

func (o binary) Kernel() Kernel { return runElements(o) }

func (o binary) elements() elementKernel {
	k := &kernel.Binary{Op: o.op}
	return func(e *elements) {
		k.Dst, k.A, k.B = e.dst, e.in[0], e.in[1]
		k.Run(e.pool)
	}
}

func (o binary) Gradient(d *Derivative) {
	dy := d.OutGrad[0]
	switch o.op {
	case kernel.Add:
		d.InGrad[0], d.InGrad[1] = dy, dy
	case kernel.Sub:
		d.InGrad[0] = dy
		if d.Wants(1) {
			d.InGrad[1] = d.P.Scale(dy, -1)
		}
	case kernel.Mul:
		for k := range 2 {
			if d.Wants(k) {
				d.InGrad[k] = d.P.Mul(dy, d.In[1-k])
			}
		}
	}
}

func (o binary) Reference(c *ReferenceCall) {
	for i, a := range c.In[0].X {
		b := c.In[1].X[i]
		switch o.op {
		case kernel.Add:
			c.Out[0].X[i] = a + b
		case kernel.Sub:
			c.Out[0].X[i] = a - b
		case kernel.Mul:
			c.Out[0].X[i] = a * b
		}
	}
}

// scale is y = alpha·x.
type scale struct{ alpha float32 }

func (scale) Name() string { return "scale" }

func (o scale) Attributes() string { return fmt.Sprintf("alpha=%g", o.alpha) }

func (scale) Infer(in []tensor.Type) ([]tensor.Type, error) { return sameType(in) }

func (scale) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: float64(in[0].Shape.Len())} }

func (scale) Traits() Traits { return Traits{RowWise: true, InPlace: []int{0}} }

func (o scale) Kernel() Kernel { return runElements(o) }

func (o scale) elements() elementKernel {
	k := &kernel.Scale{Alpha: o.alpha}
	return func(e *elements) {
		k.Dst, k.X = e.dst, e.in[0]
		k.Run(e.pool)
	}
}

func (o scale) Gradient(d *Derivative) { d.InGrad[0] = d.P.Scale(d.OutGrad[0], o.alpha) }

func (o scale) Reference(c *ReferenceCall) {
	for i, x := range c.In[0].X {
		c.Out[0].X[i] = float64(o.alpha) * x
	}
}

// sameType is the shape rule of operations on float32 arrays of one shape.
func sameType(in []tensor.Type) ([]tensor.Type, error) {
	for _, t := range in {
		if t.DType != tensor.Float32 || !t.Equal(in[0]) {
			return nil, fmt.Errorf("%s beside %s, expected float32 arrays of the same shape", in[0], t)
		}
	}
	return in[:1:1], nil
}
