package program

import (
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Softmax returns exp(x) / Σ exp(x) along the last axis.
func (p *Program) Softmax(x *Value) *Value { return p.apply1(softmax{}, x) }

type softmax struct{}

func (softmax) Name() string { return "softmax" }

func (softmax) Infer(in []tensor.Type) ([]tensor.Type, error) { return sameType(in) }

func (softmax) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: 10 * float64(in[0].Shape.Len())} }

func (softmax) Traits() Traits { return Traits{RowWise: true, InPlace: []int{0}} }

func (softmax) ScratchBytes(in, _ []tensor.Type, workers int) int {
	rows, cols := matrix(in[0])
	return (&kernel.Softmax{Rows: rows, Cols: cols}).ScratchBytes(workers)
}

func (softmax) Kernel() Kernel {
	var k kernel.Softmax
	return KernelFunc(func(c *Call) error {
		k.Dst, k.X = c.Out[0].Float32s(), c.In[0].Float32s()
		k.Rows, k.Cols = rowsCols(c.In[0])
		k.Run(c.Pool)
		return nil
	})
}

func (softmax) Gradient(d *Derivative) {
	d.InGrad[0] = d.P.apply1(softmaxGrad{}, d.OutGrad[0], d.Out[0])
}

func (softmax) Reference(c *ReferenceCall) {
	for i := range c.In[0].Rows() {
		x, y := c.In[0].Row(i), c.Out[0].Row(i)
		top := math.Inf(-1)
		for _, v := range x {
			top = max(top, v)
		}
		var s float64
		for j, v := range x {
			y[j] = math.Exp(v - top)
			s += y[j]
		}
		for j := range y {
			y[j] /= s
		}
	}
}

// softmaxGrad is dx = y·(dy − Σ y·dy). Operands: dy, y.
type softmaxGrad struct{}

func (softmaxGrad) Name() string { return "softmax-grad" }

func (softmaxGrad) Infer(in []tensor.Type) ([]tensor.Type, error) { return sameType(in) }

func (softmaxGrad) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: 4 * float64(in[0].Shape.Len())} }

func (softmaxGrad) Traits() Traits { return Traits{RowWise: true, InPlace: []int{0}} }

func (softmaxGrad) Kernel() Kernel {
	var k kernel.SoftmaxGrad
	return KernelFunc(func(c *Call) error {
		k.DX, k.DY, k.Y = c.Out[0].Float32s(), c.In[0].Float32s(), c.In[1].Float32s()
		k.Rows, k.Cols = rowsCols(c.In[0])
		k.Run(c.Pool)
		return nil
	})
}

func (softmaxGrad) Reference(c *ReferenceCall) {
	for i := range c.In[0].Rows() {
		dy, y, dx := c.In[0].Row(i), c.In[1].Row(i), c.Out[0].Row(i)
		var dot float64
		for j := range y {
			dot += y[j] * dy[j]
		}
		for j := range y {
			dx[j] = y[j] * (dy[j] - dot)
		}
	}
}
