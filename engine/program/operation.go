package program

import (
	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Operation is one kind of step in a program, with its attributes. It is immutable once applied.
type Operation interface {
	// Name is what printed programs and errors call it.
	Name() string
	// Infer returns the types of the results, or says which shapes do not go together.
	Infer(in []tensor.Type) ([]tensor.Type, error)
	// Cost counts work at the upper bounds of all sizes.
	Cost(in, out []tensor.Type) Cost
	// Kernel returns what runs it at one place of a program; it may keep state of its own between runs.
	Kernel() Kernel
	// Reference computes the results in float64 by plain loops: the formula.
	Reference(c *ReferenceCall)
}

// Differentiable is an operation with a gradient.
type Differentiable interface {
	Operation
	// Gradient appends the operations of the backward pass and sets d.InGrad where d.Wants.
	Gradient(d *Derivative)
}

// Described is an operation with attributes that printed programs show: "transB act=relu".
type Described interface{ Attributes() string }

// Traited is an operation with properties that planning and rewriting use.
type Traited interface{ Traits() Traits }

// Traits are properties of an operation.
type Traits struct {
	RowWise bool  // of the first operand, row i of every result depends on row i alone
	InPlace []int // for each result, the operand whose storage it may take when nothing else needs that; -1 for none
	Mutates []int // operands that are overwritten: persistent tensors
}

// Cost is the work of an operation.
type Cost struct {
	Flops     float64 // floating-point operations in all
	FlopsBF16 float64 // those of them that are done in bfloat16 products
	Traffic   float64 // bytes read and written, each operand once; 0 counts operands and results
}

// Kernel runs an operation.
type Kernel interface {
	Run(c *Call) error
}

// Call is one run of one operation.
type Call struct {
	In, Out []*tensor.Tensor
	Pool    *kernel.Pool
	Key     kernel.Key // seed, stream of this operation, and step: for random numbers
}

// KernelFunc is a kernel without state.
type KernelFunc func(c *Call) error

// Run calls f.
func (f KernelFunc) Run(c *Call) error { return f(c) }

func traits(op Operation) Traits {
	if t, ok := op.(Traited); ok {
		return t.Traits()
	}
	return Traits{}
}

func attributes(op Operation) string {
	if d, ok := op.(Described); ok {
		return d.Attributes()
	}
	return ""
}

// cost is the operation's cost with its traffic filled in.
func cost(op Operation, in, out []tensor.Type) Cost {
	c := op.Cost(in, out)
	if c.Traffic == 0 {
		for _, t := range in {
			c.Traffic += float64(t.Bytes())
		}
		for _, t := range out {
			c.Traffic += float64(t.Bytes())
		}
	}
	return c
}

func hasSymbol(s tensor.Shape) bool {
	for _, d := range s {
		if d.Symbol != "" {
			return true
		}
	}
	return false
}

// matrix is the matrix that a type is to row-wise operations, at the upper bounds.
func matrix(t tensor.Type) (rows, cols int) {
	cols = t.Shape.Cols().Size
	rows = 1
	for _, d := range t.Shape[:max(len(t.Shape)-1, 0)] {
		rows *= d.Size
	}
	return rows, cols
}

// rowsCols is the matrix that a shape is to row-wise operations: all sizes but the last, and the last.
func rowsCols(t *tensor.Tensor) (rows, cols int) { return t.Rows(), t.Cols() }
