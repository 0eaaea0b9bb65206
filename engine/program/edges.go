package program

import (
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Edges is the pattern of a symmetric matrix as an operand, in memory of the caller: the edges of an undirected graph, each in
// both directions, in compressed rows that ascend. What belongs to edges is (heads, entries), those of a head together.
//
// Unlike [Sparse], rows are not cut at columns: sums run over the entries of a node, and the pattern is its own transpose.
type Edges struct {
	Indptr  *Value // int64 (nodes + 1)
	Indices *Value // int32 (entries): the neighbours of each node
	Mirror  *Value // int32 (entries): the entry (v, u) of every entry (u, v), as kernel.EdgeMirror finds it
}

// NewEdges declares the edges name.indptr, name.indices and name.mirror, which are bound before each run. A symbolic number of
// nodes stands at its bound whenever the program runs.
func (p *Program) NewEdges(name string, nodes tensor.Dim, entries int) *Edges {
	return &Edges{
		Indptr:  p.External(name+".indptr", tensor.I64(nodes.Plus(1))),
		Indices: p.External(name+".indices", tensor.I32(tensor.Fixed(entries))),
		Mirror:  p.External(name+".mirror", tensor.I32(tensor.Fixed(entries))),
	}
}

// EdgeAggregate adds up the neighbours of every node with the weights of the edges to them: with x (nodes, heads·width),
//
//	y[u, h, ·] = Σ_{e = (u, v)} weights[h, e]·x[v, h, ·].
//
// With one head and the normalised adjacency matrix as weights this is the propagation of Kipf and Welling (ICLR 2017, eq. 2).
func (p *Program) EdgeAggregate(edges *Edges, weights, x *Value) *Value {
	return p.onEdges(edgeAggregate{}, edges, weights, x)
}

// EdgeScores adds what both ends bring, s[h, e] = left[u, h] + right[v, h] for e = (u, v); left and right are (nodes, heads).
func (p *Program) EdgeScores(edges *Edges, left, right *Value) *Value {
	return p.onEdges(edgeScores{}, edges, left, right)
}

// EdgeSoftmax is the softmax over the edges of every node, a head at a time (Veličković et al., ICLR 2018, eq. 3).
func (p *Program) EdgeSoftmax(edges *Edges, scores *Value) *Value {
	return p.onEdges(edgeSoftmax{}, edges, scores)
}

// onEdges applies an operation whose operands begin with the edges.
func (p *Program) onEdges(op Operation, edges *Edges, in ...*Value) *Value {
	return p.apply1(op, append([]*Value{edges.Indptr, edges.Indices, edges.Mirror}, in...)...)
}

// edgeOperands is the number of operands that are the edges.
const edgeOperands = 3

// onSameEdges applies the operation of a gradient to the edges of another.
func (d *Derivative) onSameEdges(op Operation, in ...*Value) *Value {
	return d.P.apply1(op, append(d.In[:edgeOperands:edgeOperands], in...)...)
}

// edgesOf are the edges that a call has.
func edgesOf(in []*tensor.Tensor) kernel.Edges {
	return kernel.Edges{Indptr: in[0].Int64s(), Indices: in[1].Int32s(), Mirror: in[2].Int32s()}
}

// edgeEntries is the number of entries that an operation on edges has.
func edgeEntries(in []tensor.Type) int { return in[1].Shape[0].Size }

// ofEdges says whether a type is (heads, entries), and how many heads.
func ofEdges(in []tensor.Type, t tensor.Type) (heads int, err error) {
	entries := edgeEntries(in)
	if len(t.Shape) != 2 || t.DType != tensor.Float32 || t.Shape[1] != tensor.Fixed(entries) {
		return 0, fmt.Errorf("%s for %d edges, expected float32 (heads, %d)", t, entries, entries)
	}
	return t.Shape[0].Size, nil
}

// ofNodes says whether a type is (nodes, heads·width), and what the width is.
func ofNodes(in []tensor.Type, heads int, t tensor.Type) (width int, err error) {
	if len(t.Shape) != 2 || t.DType != tensor.Float32 || t.Shape[0].Plus(1) != in[0].Shape[0] || t.Shape[1].Size%heads != 0 {
		return 0, fmt.Errorf("%s for %d nodes and %d heads", t, in[0].Shape[0].Size-1, heads)
	}
	return t.Shape[1].Size / heads, nil
}

// eachEdge calls f for every edge of the reference.
func eachEdge(in []*Array, f func(u, v, e, mirror int)) {
	for u := range len(in[0].X) - 1 {
		for e := int(in[0].X[u]); e < int(in[0].X[u+1]); e++ {
			f(u, int(in[1].X[e]), e, int(in[2].X[e]))
		}
	}
}

// edgeAggregate has the operands edges, weights, x; transposed takes the weight of the mirrored edge.
type edgeAggregate struct{ transposed bool }

func (edgeAggregate) Name() string { return "edge-aggregate" }

func (o edgeAggregate) Attributes() string {
	if o.transposed {
		return "transposed"
	}
	return ""
}

func (edgeAggregate) Infer(in []tensor.Type) ([]tensor.Type, error) {
	heads, err := ofEdges(in, in[3])
	if err != nil {
		return nil, err
	}
	_, err = ofNodes(in, heads, in[4])
	return in[4:5:5], err
}

func (edgeAggregate) Cost(in, _ []tensor.Type) Cost {
	entries := edgeEntries(in)
	cols := float64(in[4].Shape[1].Size)
	return Cost{Flops: 2 * float64(entries) * cols, Traffic: 4*float64(entries)*(cols+float64(in[3].Shape[0].Size)) + float64(in[4].Bytes())}
}

func (o edgeAggregate) ScratchBytes(in, _ []tensor.Type, _ int) int {
	entries := edgeEntries(in)
	return (&kernel.EdgeAggregate{Transposed: o.transposed}).ScratchBytes(entries)
}

func (o edgeAggregate) Kernel() Kernel {
	k := kernel.EdgeAggregate{Transposed: o.transposed}
	return KernelFunc(func(c *Call) error {
		k.Edges, k.Weights, k.X, k.Y = edgesOf(c.In), c.In[3].Float32s(), c.In[4].Float32s(), c.Out[0].Float32s()
		k.Heads = c.In[3].Dims[0]
		k.Width = c.In[4].Cols() / k.Heads
		k.Run(c.Pool)
		return nil
	})
}

func (o edgeAggregate) Gradient(d *Derivative) {
	dy := d.OutGrad[0]
	if d.Wants(3) {
		d.InGrad[3] = d.onSameEdges(edgeDots{d.In[3].Type}, dy, d.In[4])
	}
	if d.Wants(4) {
		d.InGrad[4] = d.onSameEdges(edgeAggregate{!o.transposed}, d.In[3], dy)
	}
}

func (o edgeAggregate) Reference(c *ReferenceCall) {
	weights, x, y := c.In[3], c.In[4], c.Out[0]
	width := x.Cols() / weights.Dims[0]
	eachEdge(c.In, func(u, v, e, mirror int) {
		if o.transposed {
			e = mirror
		}
		for j := range x.Cols() {
			y.Row(u)[j] += weights.Row(j / width)[e] * x.Row(v)[j]
		}
	})
}

// edgeDots is s[h, e] = Σ_j l[u, h, j]·r[v, h, j] for e = (u, v). Operands: edges, l, r.
type edgeDots struct{ s tensor.Type }

func (edgeDots) Name() string { return "edge-dots" }

func (o edgeDots) Infer([]tensor.Type) ([]tensor.Type, error) { return []tensor.Type{o.s}, nil }

func (edgeDots) Cost(in, out []tensor.Type) Cost {
	entries := edgeEntries(in)
	cols := float64(in[3].Shape[1].Size)
	return Cost{Flops: 2 * float64(entries) * cols, Traffic: 4*float64(entries)*cols + float64(in[3].Bytes()+out[0].Bytes())}
}

func (o edgeDots) Kernel() Kernel {
	k := kernel.EdgeDots{Heads: o.s.Shape[0].Size}
	return KernelFunc(func(c *Call) error {
		k.Edges, k.L, k.R, k.S = edgesOf(c.In), c.In[3].Float32s(), c.In[4].Float32s(), c.Out[0].Float32s()
		k.Width = c.In[3].Cols() / k.Heads
		k.Run(c.Pool)
		return nil
	})
}

func (o edgeDots) Reference(c *ReferenceCall) {
	l, r, s := c.In[3], c.In[4], c.Out[0]
	width := l.Cols() / s.Dims[0]
	eachEdge(c.In, func(u, v, e, _ int) {
		for j := range l.Cols() {
			s.Row(j / width)[e] += l.Row(u)[j] * r.Row(v)[j]
		}
	})
}

// edgeScores has the operands edges, left, right.
type edgeScores struct{}

func (edgeScores) Name() string { return "edge-scores" }

func (edgeScores) Infer(in []tensor.Type) ([]tensor.Type, error) {
	left, right := in[3], in[4]
	if _, err := ofNodes(in, 1, left); err != nil {
		return nil, err
	}
	if !left.Equal(right) {
		return nil, fmt.Errorf("%s at one end and %s at the other", left, right)
	}
	entries := edgeEntries(in)
	return []tensor.Type{tensor.F32(left.Shape[1], tensor.Fixed(entries))}, nil
}

func (edgeScores) Cost(_, out []tensor.Type) Cost { return Cost{Flops: float64(out[0].Shape.Len())} }

func (edgeScores) Kernel() Kernel {
	var k kernel.EdgeScores
	return KernelFunc(func(c *Call) error {
		k.Edges, k.L, k.R, k.S = edgesOf(c.In), c.In[3].Float32s(), c.In[4].Float32s(), c.Out[0].Float32s()
		k.Heads = c.In[3].Cols()
		k.Run(c.Pool)
		return nil
	})
}

func (edgeScores) Gradient(d *Derivative) {
	for i, transposed := range []bool{false, true} {
		if d.Wants(3 + i) {
			d.InGrad[3+i] = d.onSameEdges(edgeSums{d.In[3+i].Type, transposed}, d.OutGrad[0])
		}
	}
}

func (edgeScores) Reference(c *ReferenceCall) {
	eachEdge(c.In, func(u, v, e, _ int) {
		for h := range c.Out[0].Dims[0] {
			c.Out[0].Row(h)[e] = c.In[3].Row(u)[h] + c.In[4].Row(v)[h]
		}
	})
}

// edgeSums is y[u, h] = Σ_{e = (u, ·)} s[h, e], or of the mirrored edges. Operands: edges, s.
type edgeSums struct {
	y          tensor.Type
	transposed bool
}

func (edgeSums) Name() string { return "edge-sums" }

func (o edgeSums) Attributes() string { return edgeAggregate{o.transposed}.Attributes() }

func (o edgeSums) Infer([]tensor.Type) ([]tensor.Type, error) { return []tensor.Type{o.y}, nil }

func (edgeSums) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: float64(in[3].Shape.Len())} }

func (o edgeSums) Kernel() Kernel {
	k := kernel.EdgeSums{Transposed: o.transposed}
	return KernelFunc(func(c *Call) error {
		k.Edges, k.S, k.Y, k.Heads = edgesOf(c.In), c.In[3].Float32s(), c.Out[0].Float32s(), c.In[3].Dims[0]
		k.Run(c.Pool)
		return nil
	})
}

func (o edgeSums) Reference(c *ReferenceCall) {
	eachEdge(c.In, func(u, _, e, mirror int) {
		if o.transposed {
			e = mirror
		}
		for h := range c.In[3].Dims[0] {
			c.Out[0].Row(u)[h] += c.In[3].Row(h)[e]
		}
	})
}

// edgeSoftmax has the operands edges, scores.
type edgeSoftmax struct{}

func (edgeSoftmax) Name() string { return "edge-softmax" }

func (edgeSoftmax) Infer(in []tensor.Type) ([]tensor.Type, error) {
	_, err := ofEdges(in, in[3])
	return in[3:4:4], err
}

func (edgeSoftmax) Cost(in, _ []tensor.Type) Cost {
	return Cost{Flops: 10 * float64(in[3].Shape.Len())}
}

func (edgeSoftmax) Traits() Traits { return Traits{InPlace: []int{3}} }

func (edgeSoftmax) Kernel() Kernel {
	var k kernel.EdgeSoftmax
	return KernelFunc(func(c *Call) error {
		k.Edges, k.X, k.S, k.Heads = edgesOf(c.In), c.In[3].Float32s(), c.Out[0].Float32s(), c.In[3].Dims[0]
		k.Run(c.Pool)
		return nil
	})
}

func (edgeSoftmax) Gradient(d *Derivative) {
	if d.Wants(3) {
		d.InGrad[3] = d.onSameEdges(edgeSoftmaxGrad{}, d.OutGrad[0], d.Out[0])
	}
}

func (edgeSoftmax) Reference(c *ReferenceCall) {
	x, s := c.In[3], c.Out[0]
	for h := range x.Dims[0] {
		sums := make([]float64, len(c.In[0].X)-1)
		eachEdge(c.In, func(u, _, e, _ int) { sums[u] += math.Exp(x.Row(h)[e]) })
		eachEdge(c.In, func(u, _, e, _ int) { s.Row(h)[e] = math.Exp(x.Row(h)[e]) / sums[u] })
	}
}

// edgeSoftmaxGrad is dx = s·(ds − Σ ds·s), the sum over the edges of each node. Operands: edges, ds, s.
type edgeSoftmaxGrad struct{}

func (edgeSoftmaxGrad) Name() string { return "edge-softmax-grad" }

func (edgeSoftmaxGrad) Infer(in []tensor.Type) ([]tensor.Type, error) { return in[3:4:4], nil }

func (edgeSoftmaxGrad) Cost(in, _ []tensor.Type) Cost {
	return Cost{Flops: 4 * float64(in[3].Shape.Len())}
}

func (edgeSoftmaxGrad) Traits() Traits { return Traits{InPlace: []int{3}} }

func (edgeSoftmaxGrad) Kernel() Kernel {
	var k kernel.EdgeSoftmaxGrad
	return KernelFunc(func(c *Call) error {
		k.Edges, k.DS, k.S, k.DX, k.Heads = edgesOf(c.In), c.In[3].Float32s(), c.In[4].Float32s(), c.Out[0].Float32s(), c.In[3].Dims[0]
		k.Run(c.Pool)
		return nil
	})
}

func (edgeSoftmaxGrad) Reference(c *ReferenceCall) {
	ds, s := c.In[3], c.In[4]
	for h := range s.Dims[0] {
		sums := make([]float64, len(c.In[0].X)-1)
		eachEdge(c.In, func(u, _, e, _ int) { sums[u] += ds.Row(h)[e] * s.Row(h)[e] })
		eachEdge(c.In, func(u, _, e, _ int) { c.Out[0].Row(h)[e] = s.Row(h)[e] * (ds.Row(h)[e] - sums[u]) })
	}
}
