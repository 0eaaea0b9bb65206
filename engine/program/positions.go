package program

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// AddPositions returns x + table[t] for token t of every sequence: x is (sequences, length, width), table (at least length,
// width). Learned positions.
func (p *Program) AddPositions(x, table *Value) *Value { return p.apply1(positions{}, x, table) }

// positions is y[b, t] = x[b, t] + table[t].
type positions struct{}

func (positions) Name() string { return "add-positions" }

func (positions) Infer(in []tensor.Type) ([]tensor.Type, error) {
	x, table := in[0].Shape, in[1].Shape
	if len(x) != 3 || len(table) != 2 || table[0].Size < x[1].Size || x[2] != table[1] || in[0].DType != tensor.Float32 || in[1].DType != tensor.Float32 {
		return nil, fmt.Errorf("positions %s for %s, expected (sequences, length, width) and at least (length, width)", in[1], in[0])
	}
	return in[:1:1], nil
}

func (positions) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: float64(in[0].Shape.Len())} }

func (positions) Traits() Traits { return Traits{InPlace: []int{0}} }

func (positions) Kernel() Kernel {
	k := &kernel.Broadcast{Op: kernel.Add}
	return KernelFunc(func(c *Call) error {
		x := c.In[0]
		k.Dst, k.X, k.Row = c.Out[0].Float32s(), x.Float32s(), c.In[1].Float32s()[:x.Dims[1]*x.Dims[2]]
		k.Run(c.Pool)
		return nil
	})
}

func (positions) Gradient(d *Derivative) {
	d.InGrad[0] = d.OutGrad[0]
	if d.Wants(1) {
		d.InGrad[1] = d.P.apply1(positionsGrad{d.In[1].Type}, d.OutGrad[0])
	}
}

func (positions) Reference(c *ReferenceCall) {
	x := c.In[0]
	length := x.Dims[1]
	for i := range x.Rows() {
		for j, v := range x.Row(i) {
			c.Out[0].Row(i)[j] = v + c.In[1].Row(i % length)[j]
		}
	}
}

// positionsGrad is the gradient of the table: the sum over sequences, and zero for positions beyond the length.
type positionsGrad struct{ table tensor.Type }

func (positionsGrad) Name() string { return "positions-grad" }

func (o positionsGrad) Infer([]tensor.Type) ([]tensor.Type, error) {
	return []tensor.Type{o.table}, nil
}

func (positionsGrad) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: float64(in[0].Shape.Len())} }

func (positionsGrad) ScratchBytes(in, _ []tensor.Type, workers int) int {
	s := in[0].Shape
	return (&kernel.ColumnSum{Rows: s[0].Size, Cols: s[1].Size * s[2].Size}).ScratchBytes(workers)
}

func (positionsGrad) Kernel() Kernel {
	var k kernel.ColumnSum
	return KernelFunc(func(c *Call) error {
		dy, table := c.In[0], c.Out[0].Float32s()
		k.Rows, k.Cols = dy.Dims[0], dy.Dims[1]*dy.Dims[2]
		k.Dst, k.X = table[:k.Cols], dy.Float32s()
		k.Run(c.Pool)
		clear(table[k.Cols:])
		return nil
	})
}

func (positionsGrad) Reference(c *ReferenceCall) {
	dy := c.In[0]
	for i := range dy.Rows() {
		for j, v := range dy.Row(i) {
			c.Out[0].Row(i % dy.Dims[1])[j] += v
		}
	}
}
