package program

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Array is a tensor of the float64 reference. Integer arrays hold whole numbers.
type Array struct {
	Dims []int
	X    []float64
}

// Len is the number of elements.
func (a *Array) Len() int {
	n := 1
	for _, d := range a.Dims {
		n *= d
	}
	return n
}

// Cols is the last size, 1 for a scalar.
func (a *Array) Cols() int {
	if len(a.Dims) == 0 {
		return 1
	}
	return a.Dims[len(a.Dims)-1]
}

// Rows is the product of the sizes but the last.
func (a *Array) Rows() int {
	n := 1
	for _, d := range a.Dims[:max(len(a.Dims)-1, 0)] {
		n *= d
	}
	return n
}

// Row returns row i of the matrix of Rows by Cols.
func (a *Array) Row(i int) []float64 { return a.X[i*a.Cols() : (i+1)*a.Cols()] }

// ReferenceCall is one run of one operation in float64.
type ReferenceCall struct {
	In, Out []*Array
	Key     kernel.Key
}

// Evaluate runs the program in float64 by its operations' references, at the upper bounds of all sizes: the oracle for
// kernels and gradients. The map holds the inputs and persistent tensors when it begins, and every value when it ends.
func (p *Program) Evaluate(values map[*Value]*Array, seed, step uint64) error {
	if p.err != nil {
		return p.err
	}
	return evaluate(p.nodes, values, seed, step)
}

func evaluate(nodes []*node, values map[*Value]*Array, seed, step uint64) error {
	for _, n := range nodes {
		c := &ReferenceCall{Key: kernel.Key{Seed: seed, Stream: n.stream(), Step: step}}
		for _, v := range n.in {
			a := values[v]
			if a == nil {
				return fmt.Errorf("evaluate %s: %s has no value", n.op.Name(), v.Name)
			}
			c.In = append(c.In, a)
		}
		for _, v := range n.out {
			a := NewArray(v.Type)
			c.Out = append(c.Out, a)
			values[v] = a
		}
		n.op.Reference(c)
	}
	return nil
}

// NewArray returns a zero array of a type at its upper bounds.
func NewArray(t tensor.Type) *Array {
	a := &Array{Dims: tensor.New(t).Dims}
	a.X = make([]float64, a.Len())
	return a
}

// stream is the operation's own stream of random numbers.
func (n *node) stream() uint64 {
	if k, ok := n.op.(interface{ Stream() uint64 }); ok {
		return k.Stream()
	}
	return 0
}
