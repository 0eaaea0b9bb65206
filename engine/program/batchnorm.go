package program

import (
	"errors"
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// BatchNorm normalises every column of x by the mean and variance of the batch, scales by gain and adds bias. The running
// mean and variance (unbiased, as evaluation will use it) move towards those of the batch by the share momentum. To run it
// on one row is an error.
func (p *Program) BatchNorm(x, gain, bias, runningMean, runningVar *Value, momentum, eps float32) *Value {
	return p.apply1(batchNorm{momentum, eps}, x, gain, bias, runningMean, runningVar)
}

// BatchNormApply normalises every column of x by given means and variances: evaluation. Blocks of rows give the bits of all
// rows at once.
func (p *Program) BatchNormApply(x, gain, bias, mean, variance *Value, eps float32) *Value {
	return p.apply1(batchNormApply{eps}, x, gain, bias, mean, variance)
}

// batchNorm makes y, and the batch's mean and 1/√(variance + eps) of every column.
type batchNorm struct{ momentum, eps float32 }

func (batchNorm) Name() string { return "batch-norm" }

func (o batchNorm) Attributes() string { return fmt.Sprintf("momentum=%g eps=%g", o.momentum, o.eps) }

func (batchNorm) Infer(in []tensor.Type) ([]tensor.Type, error) {
	_, err := normShapes(in)
	return []tensor.Type{in[0], in[1], in[1]}, err
}

func (batchNorm) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: 8 * float64(in[0].Shape.Len())} }

func (batchNorm) Traits() Traits { return Traits{Mutates: []int{3, 4}} }

func (batchNorm) ScratchBytes(in, _ []tensor.Type, workers int) int {
	rows, cols := matrix(in[0])
	return (&kernel.BatchNorm{Rows: rows, Cols: cols}).ScratchBytes(workers)
}

func (o batchNorm) Kernel() Kernel {
	k := &kernel.BatchNorm{Momentum: o.momentum, Eps: o.eps}
	return KernelFunc(func(c *Call) error {
		if c.In[0].Rows() == 1 {
			return errors.New("a batch of one row has no variance")
		}
		k.X, k.Gain, k.Bias, k.RunningMean, k.RunningVar = c.In[0].Float32s(), c.In[1].Float32s(), c.In[2].Float32s(), c.In[3].Float32s(), c.In[4].Float32s()
		k.Dst, k.Mean, k.RStd = c.Out[0].Float32s(), c.Out[1].Float32s(), c.Out[2].Float32s()
		k.Rows, k.Cols = rowsCols(c.In[0])
		k.Run(c.Pool)
		return nil
	})
}

func (batchNorm) Gradient(d *Derivative) {
	copy(d.InGrad, d.P.Apply(batchNormGrad{}, d.OutGrad[0], d.In[0], d.Out[1], d.Out[2], d.In[1]))
}

func (o batchNorm) Reference(c *ReferenceCall) {
	x, gain, bias := c.In[0], c.In[1].X, c.In[2].X
	n, m := float64(x.Rows()), float64(o.momentum)
	for j := range x.Cols() {
		var mean, variance float64
		for i := range x.Rows() {
			mean += x.Row(i)[j] / n
		}
		for i := range x.Rows() {
			variance += (x.Row(i)[j] - mean) * (x.Row(i)[j] - mean) / n
		}
		rstd := 1 / math.Sqrt(variance+float64(o.eps))
		c.Out[1].X[j], c.Out[2].X[j] = mean, rstd
		c.In[3].X[j] += m * (mean - c.In[3].X[j])
		c.In[4].X[j] += m * (variance*n/(n-1) - c.In[4].X[j])
		for i := range x.Rows() {
			c.Out[0].Row(i)[j] = (x.Row(i)[j]-mean)*rstd*gain[j] + bias[j]
		}
	}
}

// batchNormGrad makes dx = gain·rstd·(dy − mean(dy) − x̂·mean(dy·x̂)), dgain = Σ dy·x̂ and dbias = Σ dy, means and sums over
// rows. Operands: dy, x, mean, rstd, gain.
type batchNormGrad struct{}

func (batchNormGrad) Name() string { return "batch-norm-grad" }

func (batchNormGrad) Infer(in []tensor.Type) ([]tensor.Type, error) {
	return []tensor.Type{in[1], in[4], in[4]}, nil
}

func (batchNormGrad) Cost(in, _ []tensor.Type) Cost {
	return Cost{Flops: 12 * float64(in[0].Shape.Len())}
}

func (batchNormGrad) Traits() Traits { return Traits{InPlace: []int{0}} }

func (batchNormGrad) ScratchBytes(in, _ []tensor.Type, workers int) int {
	rows, cols := matrix(in[1])
	return (&kernel.BatchNormGrad{Rows: rows, Cols: cols}).ScratchBytes(workers)
}

func (batchNormGrad) Kernel() Kernel {
	var k kernel.BatchNormGrad
	return KernelFunc(func(c *Call) error {
		k.DY, k.X, k.Mean, k.RStd, k.Gain = c.In[0].Float32s(), c.In[1].Float32s(), c.In[2].Float32s(), c.In[3].Float32s(), c.In[4].Float32s()
		k.DX, k.DGain, k.DBias = c.Out[0].Float32s(), c.Out[1].Float32s(), c.Out[2].Float32s()
		k.Rows, k.Cols = rowsCols(c.In[1])
		k.Run(c.Pool)
		return nil
	})
}

func (batchNormGrad) Reference(c *ReferenceCall) {
	dy, x := c.In[0], c.In[1]
	n := float64(x.Rows())
	for j := range x.Cols() {
		mean, rstd, gain := c.In[2].X[j], c.In[3].X[j], c.In[4].X[j]
		var sum, dot float64
		for i := range x.Rows() {
			sum += dy.Row(i)[j]
			dot += dy.Row(i)[j] * (x.Row(i)[j] - mean) * rstd
		}
		c.Out[1].X[j], c.Out[2].X[j] = dot, sum
		for i := range x.Rows() {
			xhat := (x.Row(i)[j] - mean) * rstd
			c.Out[0].Row(i)[j] = gain * rstd * (dy.Row(i)[j] - sum/n - xhat*dot/n)
		}
	}
}

// batchNormApply is y = (x − mean)/√(variance + eps)·gain + bias. Operands: x, gain, bias, mean, variance.
type batchNormApply struct{ eps float32 }

func (batchNormApply) Name() string { return "batch-norm-apply" }

func (o batchNormApply) Attributes() string { return fmt.Sprintf("eps=%g", o.eps) }

func (batchNormApply) Infer(in []tensor.Type) ([]tensor.Type, error) {
	_, err := normShapes(in)
	return in[:1:1], err
}

func (batchNormApply) Cost(in, _ []tensor.Type) Cost {
	return Cost{Flops: 4 * float64(in[0].Shape.Len())}
}

func (batchNormApply) Traits() Traits { return Traits{RowWise: true, InPlace: []int{0}} }

func (batchNormApply) ScratchBytes(in, _ []tensor.Type, workers int) int {
	rows, cols := matrix(in[0])
	return (&kernel.BatchNormApply{Rows: rows, Cols: cols}).ScratchBytes(workers)
}

func (o batchNormApply) Kernel() Kernel {
	k := &kernel.BatchNormApply{Eps: o.eps}
	return KernelFunc(func(c *Call) error {
		k.Dst, k.X, k.Gain, k.Bias, k.Mean, k.Var = c.Out[0].Float32s(), c.In[0].Float32s(), c.In[1].Float32s(), c.In[2].Float32s(), c.In[3].Float32s(), c.In[4].Float32s()
		k.Rows, k.Cols = rowsCols(c.In[0])
		k.Run(c.Pool)
		return nil
	})
}

func (o batchNormApply) Reference(c *ReferenceCall) {
	x := c.In[0]
	for i := range x.Rows() {
		for j, v := range x.Row(i) {
			c.Out[0].Row(i)[j] = (v-c.In[3].X[j])/math.Sqrt(c.In[4].X[j]+float64(o.eps))*c.In[1].X[j] + c.In[2].X[j]
		}
	}
}
