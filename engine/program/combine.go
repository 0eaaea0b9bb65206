package program

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Combine returns the sum of K matrices of the same shape with weights of their own for each row,
//
//	y[i, ·] = Σ_k weights[i, k]·parts[k][i, ·],
//
// for weights (rows, K) and parts (rows, cols): what attention makes of the features of K hops (the message aggregator of
// GMLP; GAMLP, section 3.2.2). An element is one chain in increasing k whose products and sums are rounded, so its bits
// depend on nothing else. A part may stand in several places; K is 1 to kernel.Chunk.
func (p *Program) Combine(weights *Value, parts ...*Value) *Value {
	return p.apply1(combine{}, append([]*Value{weights}, parts...)...)
}

// combine has the operands weights, and parts one after another.
type combine struct{}

func (combine) Name() string { return "combine" }

func (combine) Infer(in []tensor.Type) ([]tensor.Type, error) {
	parts := in[1:]
	if len(parts) == 0 || len(parts) > kernel.Chunk {
		return nil, fmt.Errorf("%d matrices, expected 1 to %d", len(parts), kernel.Chunk)
	}
	if len(parts[0].Shape) != 2 {
		return nil, fmt.Errorf("%s, expected a float32 matrix", parts[0])
	}
	out, err := sameType(parts)
	if err != nil {
		return nil, err
	}
	if want := tensor.F32(parts[0].Shape[0], tensor.Fixed(len(parts))); !in[0].Equal(want) {
		return nil, fmt.Errorf("weights %s for %d times %s, expected %s", in[0], len(parts), parts[0], want)
	}
	return out, nil
}

func (combine) Cost(in, out []tensor.Type) Cost {
	return Cost{Flops: 2 * float64(len(in)-1) * float64(out[0].Shape.Len())}
}

func (combine) Traits() Traits { return Traits{RowWise: true, InPlace: []int{1}} }

func (combine) Kernel() Kernel {
	var k kernel.Combine
	return KernelFunc(func(c *Call) error {
		k.Dst, k.Weights, k.Parts = c.Out[0].Float32s(), c.In[0].Float32s(), dataOf(k.Parts, c.In[1:])
		k.Rows, k.Cols = rowsCols(c.Out[0])
		k.Run(c.Pool)
		return nil
	})
}

func (combine) Gradient(d *Derivative) {
	dy := d.OutGrad[0]
	if d.Wants(0) {
		d.InGrad[0] = d.P.apply1(combineGrad{}, append([]*Value{dy}, d.In[1:]...)...)
	}
	for k := range d.In[1:] {
		if d.Wants(k + 1) {
			d.InGrad[k+1] = d.P.apply1(combinePartGrad{k}, dy, d.In[0])
		}
	}
}

func (combine) Reference(c *ReferenceCall) {
	weights, y := c.In[0], c.Out[0]
	for k, part := range c.In[1:] {
		for i := range y.Rows() {
			for j, x := range part.Row(i) {
				y.Row(i)[j] += weights.Row(i)[k] * x
			}
		}
	}
}

// combineGrad is dweights[i, k] = Σ_j dy[i, j]·parts[k][i, j]. Operands: dy, and parts one after another.
type combineGrad struct{}

func (combineGrad) Name() string { return "combine-grad" }

func (combineGrad) Infer(in []tensor.Type) ([]tensor.Type, error) {
	return []tensor.Type{tensor.F32(in[0].Shape[0], tensor.Fixed(len(in)-1))}, nil
}

func (combineGrad) Cost(in, _ []tensor.Type) Cost {
	return Cost{Flops: 2 * float64(len(in)-1) * float64(in[0].Shape.Len())}
}

func (combineGrad) Traits() Traits { return Traits{RowWise: true} }

func (combineGrad) Kernel() Kernel {
	var k kernel.CombineGrad
	return KernelFunc(func(c *Call) error {
		k.DWeights, k.DY, k.Parts = c.Out[0].Float32s(), c.In[0].Float32s(), dataOf(k.Parts, c.In[1:])
		k.Rows, k.Cols = rowsCols(c.In[0])
		k.Run(c.Pool)
		return nil
	})
}

func (combineGrad) Reference(c *ReferenceCall) {
	dy, dWeights := c.In[0], c.Out[0]
	for k, part := range c.In[1:] {
		for i := range dy.Rows() {
			for j, x := range part.Row(i) {
				dWeights.Row(i)[k] += dy.Row(i)[j] * x
			}
		}
	}
}

// combinePartGrad is dpart[i, j] = weights[i, part]·dy[i, j]. Operands: dy, weights.
type combinePartGrad struct{ part int }

func (combinePartGrad) Name() string { return "combine-part-grad" }

func (o combinePartGrad) Attributes() string { return fmt.Sprintf("part=%d", o.part) }

func (combinePartGrad) Infer(in []tensor.Type) ([]tensor.Type, error) { return in[:1:1], nil }

func (combinePartGrad) Cost(in, _ []tensor.Type) Cost {
	rows, _ := matrix(in[0])
	return Cost{Flops: float64(in[0].Shape.Len()), Traffic: 2*float64(in[0].Bytes()) + 4*float64(rows)}
}

func (combinePartGrad) Traits() Traits { return Traits{RowWise: true, InPlace: []int{0}} }

func (o combinePartGrad) Kernel() Kernel {
	var k kernel.ScaleRows
	return KernelFunc(func(c *Call) error {
		k.Dst, k.X, k.Factors, k.Stride = c.Out[0].Float32s(), c.In[0].Float32s(), c.In[1].Float32s()[o.part:], c.In[1].Cols()
		k.Rows, k.Cols = rowsCols(c.In[0])
		k.Run(c.Pool)
		return nil
	})
}

func (o combinePartGrad) Reference(c *ReferenceCall) {
	for i := range c.In[0].Rows() {
		for j, dy := range c.In[0].Row(i) {
			c.Out[0].Row(i)[j] = c.In[1].Row(i)[o.part] * dy
		}
	}
}

// dataOf returns the data of tensors, in list where it has the room: after the first run nothing is allocated.
func dataOf(list [][]float32, tensors []*tensor.Tensor) [][]float32 {
	list = list[:0]
	for _, t := range tensors {
		list = append(list, t.Float32s())
	}
	return list
}
