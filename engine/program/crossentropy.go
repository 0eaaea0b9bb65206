package program

import (
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// CrossEntropy returns the mean over labelled rows of −log softmax(logits)[label], a scalar, and the loss of each row. A
// label of −1 leaves its row out.
func (p *Program) CrossEntropy(logits, labels *Value) (mean, rows *Value) {
	out := p.Apply(crossEntropy{}, logits, labels)
	return out[0].Named("loss"), out[1]
}

// crossEntropy makes the mean loss, the losses, and each row's log-sum-exp, from which its gradient is computed.
type crossEntropy struct{}

func (crossEntropy) Name() string { return "cross-entropy" }

func (crossEntropy) Infer(in []tensor.Type) ([]tensor.Type, error) {
	rows, ok := in[0].Shape.Rows()
	count, ok2 := in[1].Shape.Total()
	if !ok || !ok2 || rows != count || in[0].DType != tensor.Float32 || in[1].DType != tensor.Int32 {
		return nil, fmt.Errorf("logits %s and labels %s, expected as many int32 labels as rows", in[0], in[1])
	}
	return []tensor.Type{tensor.F32(), tensor.F32(rows), tensor.F32(rows)}, nil
}

func (crossEntropy) Cost(in, _ []tensor.Type) Cost {
	return Cost{Flops: 10 * float64(in[0].Shape.Len())}
}

func (crossEntropy) ScratchBytes(in, _ []tensor.Type, _ int) int {
	return kernel.SumScratchBytes(in[1].Shape.Len())
}

func (crossEntropy) Kernel() Kernel {
	var k kernel.CrossEntropy
	var total kernel.Sum
	return KernelFunc(func(c *Call) error {
		k.Logits, k.Labels = c.In[0].Float32s(), c.In[1].Int32s()
		k.Loss, k.LSE = c.Out[1].Float32s(), c.Out[2].Float32s()
		k.Rows, k.Cols = rowsCols(c.In[0])
		for i, label := range k.Labels {
			if int(label) >= k.Cols || label < -1 {
				return fmt.Errorf("label %d of row %d, expected −1 … %d", label, i, k.Cols-1)
			}
		}
		k.Run(c.Pool)
		total.Dst, total.X = c.Out[0].Float32s(), k.Loss
		total.Run(c.Pool)
		total.Dst[0] /= float32(max(labelled(k.Labels), 1))
		return nil
	})
}

func labelled(labels []int32) int {
	n := 0
	for _, label := range labels {
		if label >= 0 {
			n++
		}
	}
	return n
}

func (crossEntropy) Gradient(d *Derivative) {
	if d.OutGrad[0] == nil || d.OutGrad[1] != nil || d.OutGrad[2] != nil {
		d.P.Fail("cross-entropy: only the mean loss can be differentiated")
		return
	}
	d.InGrad[0] = d.P.apply1(crossEntropyGrad{}, d.In[0], d.In[1], d.Out[2], d.OutGrad[0])
}

func (crossEntropy) Reference(c *ReferenceCall) {
	logits, labels := c.In[0], c.In[1].X
	count := 0
	for i := range logits.Rows() {
		row := logits.Row(i)
		top := math.Inf(-1)
		for _, x := range row {
			top = max(top, x)
		}
		var s float64
		for _, x := range row {
			s += math.Exp(x - top)
		}
		lse := top + math.Log(s)
		c.Out[2].X[i] = lse
		if label := int(labels[i]); label >= 0 {
			c.Out[1].X[i] = lse - row[label]
			c.Out[0].X[0] += lse - row[label]
			count++
		}
	}
	c.Out[0].X[0] /= float64(max(count, 1))
}

// crossEntropyGrad is dlogits = (softmax(logits) − onehot(label))·dmean/labelled. Operands: logits, labels, log-sum-exp, dmean.
type crossEntropyGrad struct{}

func (crossEntropyGrad) Name() string { return "cross-entropy-grad" }

func (crossEntropyGrad) Infer(in []tensor.Type) ([]tensor.Type, error) { return in[:1:1], nil }

func (crossEntropyGrad) Cost(in, _ []tensor.Type) Cost {
	return Cost{Flops: 10 * float64(in[0].Shape.Len())}
}

func (crossEntropyGrad) Traits() Traits { return Traits{RowWise: true, InPlace: []int{0}} }

func (crossEntropyGrad) Kernel() Kernel {
	var k kernel.CrossEntropyGrad
	return KernelFunc(func(c *Call) error {
		k.DLogits, k.Logits, k.Labels, k.LSE = c.Out[0].Float32s(), c.In[0].Float32s(), c.In[1].Int32s(), c.In[2].Float32s()
		k.Rows, k.Cols = rowsCols(c.In[0])
		k.Scale = c.In[3].Float32s()[0] / float32(max(labelled(k.Labels), 1))
		k.Run(c.Pool)
		return nil
	})
}

func (crossEntropyGrad) Reference(c *ReferenceCall) {
	logits, labels := c.In[0], c.In[1].X
	count := 0
	for _, label := range labels {
		if label >= 0 {
			count++
		}
	}
	scale := c.In[3].X[0] / float64(max(count, 1))
	for i := range logits.Rows() {
		label := int(labels[i])
		for j, x := range logits.Row(i) {
			g := math.Exp(x - c.In[2].X[i])
			if j == label {
				g--
			}
			if label < 0 {
				g = 0
			}
			c.Out[0].Row(i)[j] = g * scale
		}
	}
}
