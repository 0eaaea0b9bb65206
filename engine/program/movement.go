package program

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Transpose returns the transpose of a matrix.
func (p *Program) Transpose(x *Value) *Value { return p.apply1(transpose{}, x) }

// Concat puts arrays side by side along the last axis; their other sizes are the same.
func (p *Program) Concat(parts ...*Value) *Value {
	if len(parts) == 1 {
		return parts[0]
	}
	return p.apply1(concat{}, parts...)
}

// Columns returns the columns lo ≤ j < hi of the last axis.
func (p *Program) Columns(x *Value, lo, hi int) *Value { return p.apply1(columns{lo, hi}, x) }

// transpose is y[j, i] = x[i, j].
type transpose struct{}

func (transpose) Name() string { return "transpose" }

func (transpose) Infer(in []tensor.Type) ([]tensor.Type, error) {
	if s := in[0].Shape; len(s) == 2 && in[0].DType == tensor.Float32 {
		return []tensor.Type{tensor.F32(s[1], s[0])}, nil
	}
	return nil, fmt.Errorf("%s, expected a float32 matrix", in[0])
}

func (transpose) Cost(_, _ []tensor.Type) Cost { return Cost{} }

func (transpose) Kernel() Kernel {
	var k kernel.Transpose
	return KernelFunc(func(c *Call) error {
		k.Dst, k.X = c.Out[0].Float32s(), c.In[0].Float32s()
		k.Rows, k.Cols = rowsCols(c.In[0])
		k.Run(c.Pool)
		return nil
	})
}

func (transpose) Gradient(d *Derivative) { d.InGrad[0] = d.P.Transpose(d.OutGrad[0]) }

func (transpose) Reference(c *ReferenceCall) {
	for i := range c.In[0].Rows() {
		for j, x := range c.In[0].Row(i) {
			c.Out[0].Row(j)[i] = x
		}
	}
}

// concat is y = [x₀ x₁ …].
type concat struct{}

func (concat) Name() string { return "concat" }

func (concat) Infer(in []tensor.Type) ([]tensor.Type, error) {
	first := in[0].Shape
	if len(first) == 0 {
		return nil, fmt.Errorf("%s has no axis to concatenate along", in[0])
	}
	lead := first[:len(first)-1]
	width := 0
	for _, t := range in {
		s := t.Shape
		if t.DType != tensor.Float32 || len(s) != len(first) || !s[:len(s)-1].Equal(lead) || s.Cols().Symbol != "" {
			return nil, fmt.Errorf("%s beside %s, expected float32 arrays that differ in a fixed last size alone", in[0], t)
		}
		width += s.Cols().Size
	}
	return []tensor.Type{tensor.F32(append(lead[:len(lead):len(lead)], tensor.Fixed(width))...)}, nil
}

func (concat) Cost(_, _ []tensor.Type) Cost { return Cost{} }

func (concat) Traits() Traits { return Traits{RowWise: true} }

func (concat) Kernel() Kernel {
	var k kernel.CopyBlock
	return KernelFunc(func(c *Call) error {
		y, at := c.Out[0].Float32s(), 0
		k.DstStride = c.Out[0].Cols()
		for _, x := range c.In {
			k.Dst, k.X = y[at:], x.Float32s()
			k.Rows, k.Cols = rowsCols(x)
			k.XStride = k.Cols
			k.Run(c.Pool)
			at += k.Cols
		}
		return nil
	})
}

func (concat) Gradient(d *Derivative) {
	at := 0
	for i, x := range d.In {
		width := x.Dim(-1).Size
		if d.Wants(i) {
			d.InGrad[i] = d.P.Columns(d.OutGrad[0], at, at+width)
		}
		at += width
	}
}

func (concat) Reference(c *ReferenceCall) {
	for i := range c.Out[0].Rows() {
		y := c.Out[0].Row(i)
		for _, x := range c.In {
			y = y[copy(y, x.Row(i)):]
		}
	}
}

// columns is y[i, j] = x[i, lo + j].
type columns struct{ lo, hi int }

func (columns) Name() string { return "columns" }

func (o columns) Attributes() string { return fmt.Sprintf("%d:%d", o.lo, o.hi) }

func (o columns) Infer(in []tensor.Type) ([]tensor.Type, error) {
	s := in[0].Shape
	if len(s) == 0 || in[0].DType != tensor.Float32 || s.Cols().Symbol != "" || o.lo < 0 || o.lo > o.hi || o.hi > s.Cols().Size {
		return nil, fmt.Errorf("columns %d to %d of %s", o.lo, o.hi, in[0])
	}
	return []tensor.Type{tensor.F32(append(s[:len(s)-1:len(s)-1], tensor.Fixed(o.hi-o.lo))...)}, nil
}

func (columns) Cost(_, _ []tensor.Type) Cost { return Cost{} }

func (columns) Traits() Traits { return Traits{RowWise: true} }

func (o columns) Kernel() Kernel {
	var k kernel.CopyBlock
	return KernelFunc(func(c *Call) error {
		k.Dst, k.X = c.Out[0].Float32s(), c.In[0].Float32s()[o.lo:]
		k.Rows, k.Cols = rowsCols(c.Out[0])
		k.DstStride, k.XStride = k.Cols, c.In[0].Cols()
		k.Run(c.Pool)
		return nil
	})
}

func (o columns) Gradient(d *Derivative) {
	d.InGrad[0] = d.P.apply1(padColumns{o.lo, d.In[0].Dim(-1).Size}, d.OutGrad[0])
}

func (o columns) Reference(c *ReferenceCall) {
	for i := range c.Out[0].Rows() {
		copy(c.Out[0].Row(i), c.In[0].Row(i)[o.lo:o.hi])
	}
}

// padColumns is y = [0 x 0], x beginning at column at of width columns: the gradient of columns.
type padColumns struct{ at, width int }

func (padColumns) Name() string { return "pad-columns" }

func (o padColumns) Attributes() string { return fmt.Sprintf("at=%d width=%d", o.at, o.width) }

func (o padColumns) Infer(in []tensor.Type) ([]tensor.Type, error) {
	s := in[0].Shape
	return []tensor.Type{tensor.F32(append(s[:len(s)-1:len(s)-1], tensor.Fixed(o.width))...)}, nil
}

func (padColumns) Cost(_, _ []tensor.Type) Cost { return Cost{} }

func (padColumns) Traits() Traits { return Traits{RowWise: true} }

func (o padColumns) Kernel() Kernel {
	var k kernel.CopyBlock
	return KernelFunc(func(c *Call) error {
		y := c.Out[0].Float32s()
		clear(y)
		k.Dst, k.X = y[o.at:], c.In[0].Float32s()
		k.Rows, k.Cols = rowsCols(c.In[0])
		k.DstStride, k.XStride = o.width, k.Cols
		k.Run(c.Pool)
		return nil
	})
}

func (o padColumns) Gradient(d *Derivative) {
	d.InGrad[0] = d.P.Columns(d.OutGrad[0], o.at, o.at+d.In[0].Dim(-1).Size)
}

func (o padColumns) Reference(c *ReferenceCall) {
	for i := range c.In[0].Rows() {
		copy(c.Out[0].Row(i)[o.at:], c.In[0].Row(i))
	}
}
