package program

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// AddRow returns x + row, the vector row being added to every row of x.
func (p *Program) AddRow(x, row *Value) *Value { return p.apply1(broadcast{kernel.Add}, x, row) }

// MulRow returns x·row, every row of x being multiplied by the vector row.
func (p *Program) MulRow(x, row *Value) *Value { return p.apply1(broadcast{kernel.Mul}, x, row) }

// ColumnSum returns the sum over all rows of x: a vector as long as a row.
func (p *Program) ColumnSum(x *Value) *Value { return p.apply1(columnSum{}, x) }

// broadcast is y[i, j] = x[i, j] op row[j].
type broadcast struct{ op kernel.BinaryOp }

func (o broadcast) Name() string {
	if o.op == kernel.Mul {
		return "mul-row"
	}
	return "add-row"
}

func (broadcast) Infer(in []tensor.Type) ([]tensor.Type, error) {
	if want := tensor.F32(in[0].Shape.Cols()); in[0].DType != tensor.Float32 || !in[1].Equal(want) {
		return nil, fmt.Errorf("a row of type %s for %s, expected %s", in[1], in[0], want)
	}
	return in[:1:1], nil
}

func (broadcast) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: float64(in[0].Shape.Len())} }

func (broadcast) Traits() Traits { return Traits{RowWise: true, InPlace: []int{0}} }

func (o broadcast) Kernel() Kernel {
	k := &kernel.Broadcast{Op: o.op}
	return KernelFunc(func(c *Call) error {
		k.Dst, k.X, k.Row = c.Out[0].Float32s(), c.In[0].Float32s(), c.In[1].Float32s()
		k.Run(c.Pool)
		return nil
	})
}

func (o broadcast) Gradient(d *Derivative) {
	p, dy := d.P, d.OutGrad[0]
	if o.op == kernel.Add {
		d.InGrad[0] = dy
		if d.Wants(1) {
			d.InGrad[1] = p.ColumnSum(dy)
		}
		return
	}
	if d.Wants(0) {
		d.InGrad[0] = p.MulRow(dy, d.In[1])
	}
	if d.Wants(1) {
		d.InGrad[1] = p.ColumnSum(p.Mul(dy, d.In[0]))
	}
}

func (o broadcast) Reference(c *ReferenceCall) {
	row := c.In[1].X
	for i, x := range c.In[0].X {
		r := row[i%len(row)]
		if o.op == kernel.Mul {
			c.Out[0].X[i] = x * r
		} else {
			c.Out[0].X[i] = x + r
		}
	}
}

// columnSum is y[j] = Σ_i x[i, j].
type columnSum struct{}

func (columnSum) Name() string { return "column-sum" }

func (columnSum) Infer(in []tensor.Type) ([]tensor.Type, error) {
	if _, ok := in[0].Shape.Rows(); !ok || in[0].DType != tensor.Float32 {
		return nil, fmt.Errorf("%s has no rows to add up", in[0])
	}
	return []tensor.Type{tensor.F32(in[0].Shape.Cols())}, nil
}

func (columnSum) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: float64(in[0].Shape.Len())} }

func (columnSum) ScratchBytes(in, _ []tensor.Type, workers int) int {
	rows, cols := matrix(in[0])
	return (&kernel.ColumnSum{Rows: rows, Cols: cols}).ScratchBytes(workers)
}

func (columnSum) Kernel() Kernel {
	k := &kernel.ColumnSum{}
	return KernelFunc(func(c *Call) error {
		k.Dst, k.X = c.Out[0].Float32s(), c.In[0].Float32s()
		k.Rows, k.Cols = rowsCols(c.In[0])
		k.Run(c.Pool)
		return nil
	})
}

func (columnSum) Gradient(d *Derivative) {
	d.InGrad[0] = d.P.apply1(repeatRow{d.In[0].Type.Shape}, d.OutGrad[0])
}

func (columnSum) Reference(c *ReferenceCall) {
	x, y := c.In[0], c.Out[0]
	for i := range x.Rows() {
		for j, v := range x.Row(i) {
			y.X[j] += v
		}
	}
}

// repeatRow is y[i, j] = row[j].
type repeatRow struct{ shape tensor.Shape }

func (repeatRow) Name() string { return "repeat-row" }

func (o repeatRow) Infer([]tensor.Type) ([]tensor.Type, error) {
	return []tensor.Type{tensor.F32(o.shape...)}, nil
}

func (repeatRow) Cost(_, _ []tensor.Type) Cost { return Cost{} }

func (repeatRow) Kernel() Kernel {
	return KernelFunc(func(c *Call) error {
		row, y := c.In[0].Float32s(), c.Out[0].Float32s()
		for i := 0; i < len(y); i += len(row) {
			copy(y[i:], row)
		}
		return nil
	})
}

func (repeatRow) Gradient(d *Derivative) { d.InGrad[0] = d.P.ColumnSum(d.OutGrad[0]) }

func (repeatRow) Reference(c *ReferenceCall) {
	for i := range c.Out[0].Rows() {
		copy(c.Out[0].Row(i), c.In[0].X)
	}
}
