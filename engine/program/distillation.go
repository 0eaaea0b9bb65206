package program

import (
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Distillation returns the mean over all rows of trust_i·KL(p_i ‖ softmax(logits_i)), a scalar: how far logits (rows, classes)
// are from the probabilities p of a teacher, in rows that are trusted as far as trust (rows) says. A logarithm of p is taken
// of p + 1e-8. It is differentiated by the logits alone.
func (p *Program) Distillation(logits, probabilities, trust *Value) *Value {
	return p.Apply(distillation{}, logits, probabilities, trust)[0].Named("distillation")
}

// distillation makes the mean loss, the losses, and each row's log-sum-exp, from which its gradient is computed.
type distillation struct{}

func (distillation) Name() string { return "distillation" }

func (distillation) Infer(in []tensor.Type) ([]tensor.Type, error) {
	rows, ok := in[0].Shape.Rows()
	count, ok2 := in[2].Shape.Total()
	if !ok || !ok2 || rows != count || !in[0].Shape.Equal(in[1].Shape) || in[0].DType != tensor.Float32 || in[1].DType != tensor.Float32 || in[2].DType != tensor.Float32 {
		return nil, fmt.Errorf("logits %s, probabilities %s and trust %s, expected as many probabilities as logits and a trust a row", in[0], in[1], in[2])
	}
	return []tensor.Type{tensor.F32(), tensor.F32(rows), tensor.F32(rows)}, nil
}

func (distillation) Cost(in, _ []tensor.Type) Cost {
	return Cost{Flops: 30 * float64(in[0].Shape.Len())}
}

func (distillation) ScratchBytes(in, _ []tensor.Type, _ int) int {
	return kernel.SumScratchBytes(in[2].Shape.Len())
}

func (distillation) Kernel() Kernel {
	var k kernel.Distillation
	var total kernel.Sum
	return KernelFunc(func(c *Call) error {
		k.Logits, k.P, k.Trust = c.In[0].Float32s(), c.In[1].Float32s(), c.In[2].Float32s()
		k.Loss, k.LSE = c.Out[1].Float32s(), c.Out[2].Float32s()
		k.Rows, k.Cols = rowsCols(c.In[0])
		k.Run(c.Pool)
		total.Dst, total.X = c.Out[0].Float32s(), k.Loss
		total.Run(c.Pool)
		total.Dst[0] /= float32(k.Rows)
		return nil
	})
}

func (distillation) Gradient(d *Derivative) {
	if d.OutGrad[0] == nil || d.OutGrad[1] != nil || d.OutGrad[2] != nil {
		d.P.Fail("distillation: only the mean loss can be differentiated")
		return
	}
	d.InGrad[0] = d.P.apply1(distillationGrad{}, d.In[0], d.In[1], d.In[2], d.Out[2], d.OutGrad[0])
}

func (distillation) Reference(c *ReferenceCall) {
	logits, p, trust := c.In[0], c.In[1], c.In[2].X
	for i := range logits.Rows() {
		row := logits.Row(i)
		var s float64
		for _, x := range row {
			s += math.Exp(x)
		}
		lse := math.Log(s)
		c.Out[2].X[i] = lse
		for j, v := range p.Row(i) {
			c.Out[1].X[i] += trust[i] * v * (math.Log(v+1e-8) - (row[j] - lse))
		}
		c.Out[0].X[0] += c.Out[1].X[i] / float64(logits.Rows())
	}
}

// distillationGrad is dlogits = (softmax(logits)·Σp − p)·trust·dmean/rows. Operands: logits, p, trust, log-sum-exp, dmean.
type distillationGrad struct{}

func (distillationGrad) Name() string { return "distillation-grad" }

func (distillationGrad) Infer(in []tensor.Type) ([]tensor.Type, error) { return in[:1:1], nil }

func (distillationGrad) Cost(in, _ []tensor.Type) Cost {
	return Cost{Flops: 12 * float64(in[0].Shape.Len())}
}

func (distillationGrad) Traits() Traits { return Traits{RowWise: true, InPlace: []int{0}} }

func (distillationGrad) Kernel() Kernel {
	var k kernel.DistillationGrad
	return KernelFunc(func(c *Call) error {
		k.DLogits, k.Logits, k.P = c.Out[0].Float32s(), c.In[0].Float32s(), c.In[1].Float32s()
		k.Trust, k.LSE = c.In[2].Float32s(), c.In[3].Float32s()
		k.Rows, k.Cols = rowsCols(c.In[0])
		k.Scale = c.In[4].Float32s()[0] / float32(k.Rows)
		k.Run(c.Pool)
		return nil
	})
}

func (distillationGrad) Reference(c *ReferenceCall) {
	logits, p := c.In[0], c.In[1]
	for i := range logits.Rows() {
		var sum float64
		for _, v := range p.Row(i) {
			sum += v
		}
		scale := c.In[2].X[i] * c.In[4].X[0] / float64(logits.Rows())
		for j, x := range logits.Row(i) {
			c.Out[0].Row(i)[j] = scale * (math.Exp(x-c.In[3].X[i])*sum - p.Row(i)[j])
		}
	}
}
