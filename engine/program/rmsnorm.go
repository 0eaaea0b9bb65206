package program

import (
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// RMSNorm returns x/√(mean(x²) + eps)·gain over the last axis.
func (p *Program) RMSNorm(x, gain *Value, eps float32) *Value {
	return p.apply1(rmsNorm{eps}, x, gain)
}

// rmsNorm makes y and each row's 1/√(mean(x²) + eps). Operands: x, gain.
type rmsNorm struct{ eps float32 }

func (rmsNorm) Name() string { return "rms-norm" }

func (o rmsNorm) Attributes() string { return fmt.Sprintf("eps=%g", o.eps) }

func (rmsNorm) Infer(in []tensor.Type) ([]tensor.Type, error) {
	rows, err := normShapes(in)
	return []tensor.Type{in[0], tensor.F32(rows)}, err
}

func (rmsNorm) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: 5 * float64(in[0].Shape.Len())} }

func (rmsNorm) Traits() Traits { return Traits{RowWise: true} }

func (o rmsNorm) Kernel() Kernel {
	k := &kernel.RMSNorm{Eps: o.eps}
	return KernelFunc(func(c *Call) error {
		k.Dst, k.RStd, k.X, k.Gain = c.Out[0].Float32s(), c.Out[1].Float32s(), c.In[0].Float32s(), c.In[1].Float32s()
		k.Rows, k.Cols = rowsCols(c.In[0])
		k.Run(c.Pool)
		return nil
	})
}

func (rmsNorm) Gradient(d *Derivative) {
	copy(d.InGrad, d.P.Apply(rmsNormGrad{}, d.OutGrad[0], d.In[0], d.Out[1], d.In[1]))
}

func (o rmsNorm) Reference(c *ReferenceCall) {
	x := c.In[0]
	for i := range x.Rows() {
		var square float64
		for _, v := range x.Row(i) {
			square += v * v / float64(x.Cols())
		}
		rstd := 1 / math.Sqrt(square+float64(o.eps))
		c.Out[1].X[i] = rstd
		for j, v := range x.Row(i) {
			c.Out[0].Row(i)[j] = v * rstd * c.In[1].X[j]
		}
	}
}

// rmsNormGrad makes dx = rstd·(g − x̂·mean(g·x̂)) and dgain = Σ_rows dy·x̂, with x̂ = x·rstd and g = dy·gain. Operands:
// dy, x, rstd, gain.
type rmsNormGrad struct{}

func (rmsNormGrad) Name() string { return "rms-norm-grad" }

func (rmsNormGrad) Infer(in []tensor.Type) ([]tensor.Type, error) {
	return []tensor.Type{in[1], in[3]}, nil
}

func (rmsNormGrad) Cost(in, _ []tensor.Type) Cost {
	return Cost{Flops: 10 * float64(in[0].Shape.Len())}
}

func (rmsNormGrad) Traits() Traits { return Traits{InPlace: []int{0}} }

func (rmsNormGrad) ScratchBytes(in, _ []tensor.Type, workers int) int {
	var k kernel.RMSNormGrad
	k.Rows, k.Cols = matrix(in[1])
	k.DGain = make([]float32, k.Cols)
	return k.ScratchBytes(workers)
}

func (rmsNormGrad) Kernel() Kernel {
	var k kernel.RMSNormGrad
	return KernelFunc(func(c *Call) error {
		k.DY, k.X, k.RStd, k.Gain = c.In[0].Float32s(), c.In[1].Float32s(), c.In[2].Float32s(), c.In[3].Float32s()
		k.DX, k.DGain = c.Out[0].Float32s(), c.Out[1].Float32s()
		k.Rows, k.Cols = rowsCols(c.In[1])
		k.Run(c.Pool)
		return nil
	})
}

func (rmsNormGrad) Reference(c *ReferenceCall) {
	dy, x, gain := c.In[0], c.In[1], c.In[3].X
	for i := range x.Rows() {
		rstd := c.In[2].X[i]
		var dot float64
		for j, v := range dy.Row(i) {
			xhat := x.Row(i)[j] * rstd
			dot += v * gain[j] * xhat
			c.Out[1].X[j] += v * xhat
		}
		for j, v := range dy.Row(i) {
			c.Out[0].Row(i)[j] = rstd * (v*gain[j] - x.Row(i)[j]*rstd*dot/float64(x.Cols()))
		}
	}
}
