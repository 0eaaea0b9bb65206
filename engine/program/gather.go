package program

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Gather returns the rows ids of a table: an embedding lookup. The result has the shape of ids and the width of the table.
func (p *Program) Gather(table, ids *Value) *Value { return p.apply1(gather{}, table, ids) }

// gather is y[i] = table[ids[i]].
type gather struct{}

func (gather) Name() string { return "gather" }

func (gather) Infer(in []tensor.Type) ([]tensor.Type, error) {
	table, ids := in[0], in[1]
	if len(table.Shape) != 2 || table.DType != tensor.Float32 || ids.DType != tensor.Int32 || hasSymbol(table.Shape) {
		return nil, fmt.Errorf("a table %s and ids %s, expected a float32 matrix of fixed size and int32 ids", table, ids)
	}
	return []tensor.Type{tensor.F32(append(ids.Shape[:len(ids.Shape):len(ids.Shape)], table.Shape[1])...)}, nil
}

func (gather) Cost(_, out []tensor.Type) Cost { return Cost{Traffic: 2 * float64(out[0].Bytes())} }

func (gather) Kernel() Kernel {
	var k kernel.Gather
	return KernelFunc(func(c *Call) error {
		k.Dst, k.Table, k.IDs, k.Cols = c.Out[0].Float32s(), c.In[0].Float32s(), c.In[1].Int32s(), c.In[0].Cols()
		if err := checkIDs(k.IDs, c.In[0].Rows()); err != nil {
			return err
		}
		k.Run(c.Pool)
		return nil
	})
}

func checkIDs(ids []int32, rows int) error {
	for i, id := range ids {
		if id < 0 || int(id) >= rows {
			return fmt.Errorf("id %d at position %d, expected 0 … %d", id, i, rows-1)
		}
	}
	return nil
}

func (gather) Gradient(d *Derivative) {
	table := d.In[0].Type
	d.InGrad[0] = d.P.apply1(scatterAdd{table}, d.OutGrad[0], d.In[1])
}

func (gather) Reference(c *ReferenceCall) {
	for i, id := range c.In[1].X {
		copy(c.Out[0].Row(i), c.In[0].Row(int(id)))
	}
}

// scatterAdd is y[id] = Σ over ids[i] = id of x[i], in the order of i: the gradient of a table. Operands: x, ids.
type scatterAdd struct{ table tensor.Type }

func (scatterAdd) Name() string { return "scatter-add" }

func (o scatterAdd) Infer([]tensor.Type) ([]tensor.Type, error) { return []tensor.Type{o.table}, nil }

func (scatterAdd) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: float64(in[0].Shape.Len())} }

func (o scatterAdd) Kernel() Kernel {
	k := kernel.ScatterAdd{DstRows: o.table.Shape[0].Size, Cols: o.table.Shape[1].Size}
	return KernelFunc(func(c *Call) error {
		k.Dst, k.Src, k.IDs = c.Out[0].Float32s(), c.In[0].Float32s(), c.In[1].Int32s()
		clear(k.Dst)
		k.Run(c.Pool)
		return nil
	})
}

func (scatterAdd) Gradient(d *Derivative) { d.InGrad[0] = d.P.Gather(d.OutGrad[0], d.In[1]) }

func (scatterAdd) Reference(c *ReferenceCall) {
	for i, id := range c.In[1].X {
		for j, x := range c.In[0].Row(i) {
			c.Out[0].Row(int(id))[j] += x
		}
	}
}
