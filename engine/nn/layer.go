package nn

import (
	"fmt"
	"strings"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Value is a tensor of a program.
type Value = program.Value

// Linear describes a fully connected layer: x·weightᵀ + bias.
type Linear struct {
	Out    int
	NoBias bool
	BF16   bool                // product in bfloat16
	Init   program.Initializer // of weight, with a bias of zeros; nil is PyTorch's, FanIn of the inputs for both
}

// Matrix is what the first layer of a model takes: dense rows, or sparse ones, which give the same bits.
type Matrix struct {
	Dense  *Value
	Sparse *program.Sparse // where it is not nil
}

// Apply returns the layer's result; its parameters are name.weight (out, in) and name.bias (out).
func (l Linear) Apply(p *program.Program, name string, x *Value) *Value {
	return l.ApplyMatrix(p, name, Matrix{Dense: x})
}

// ApplyMatrix is Apply for dense or sparse rows. Sparse ones are multiplied in float32 whatever BF16 says.
func (l Linear) ApplyMatrix(p *program.Program, name string, x Matrix) *Value {
	defer p.Scope(name)()
	weight, bias := l.parameters(p, x.Width(p))
	return x.Linear(p, weight, bias, l.BF16)
}

// parameters makes those of the layer for rows of in columns: weight (Out, in) and, unless NoBias, bias (Out).
func (l Linear) parameters(p *program.Program, in int) (weight, bias *Value) {
	init, zero := l.Init, Zeros
	if init == nil {
		init, zero = FanIn(in), FanIn(in)
	}
	weight = p.Parameter("weight", init, l.Out, in)
	if !l.NoBias {
		bias = p.Parameter("bias", zero, l.Out)
	}
	return weight, bias
}

// Width is the number of columns.
func (x Matrix) Width(p *program.Program) int {
	if x.Sparse != nil {
		return x.Sparse.Cols.Size
	}
	return fixed(p, x.Dense)
}

// Linear returns x·weightᵀ + bias; bias may be nil.
func (x Matrix) Linear(p *program.Program, weight, bias *Value, bf16 bool) *Value {
	if x.Sparse != nil {
		return p.SparseLinear(x.Sparse, weight, bias)
	}
	return p.Linear(x.Dense, weight, bias, bf16)
}

// fixed is the last size of x, which a layer's parameters depend on.
func fixed(p *program.Program, x *Value) int {
	d := x.Dim(-1)
	if d.Symbol != "" {
		p.Fail("a layer needs a fixed last size, found %s", x.Type)
	}
	return d.Size
}

// LayerNorm normalises the last axis; parameters name.weight (ones) and, unless noBias, name.bias.
func LayerNorm(p *program.Program, name string, x *Value, eps float32, noBias bool) *Value {
	defer p.Scope(name)()
	n := fixed(p, x)
	gain := p.Parameter("weight", Ones, n)
	if noBias {
		return p.LayerNorm(x, gain, nil, eps)
	}
	return p.LayerNorm(x, gain, p.Parameter("bias", Zeros, n), eps)
}

// RMSNorm scales the last axis to a root mean square of one; parameter name.weight (ones).
func RMSNorm(p *program.Program, name string, x *Value, eps float32) *Value {
	defer p.Scope(name)()
	return p.RMSNorm(x, p.Parameter("weight", Ones, fixed(p, x)), eps)
}

// BatchNorm normalises every column over the batch while training, and by the running statistics otherwise. Parameters are
// name.weight and name.bias, states name.running_mean and name.running_var; momentum 0.1 and eps 1e-5 as in PyTorch.
func BatchNorm(p *program.Program, name string, x *Value, training bool) *Value {
	defer p.Scope(name)()
	const momentum, eps = 0.1, 1e-5
	n := fixed(p, x)
	gain, bias := p.Parameter("weight", Ones, n), p.Parameter("bias", Zeros, n)
	mean := p.State("running_mean", nil, tensor.F32(tensor.Fixed(n)))
	variance := p.State("running_var", Ones, tensor.F32(tensor.Fixed(n)))
	if training {
		return p.BatchNorm(x, gain, bias, mean, variance, momentum, eps)
	}
	return p.BatchNormApply(x, gain, bias, mean, variance, eps)
}

// PReLU is a rectifier with one learned slope for negative values, 0.25 at first; parameter name.weight.
func PReLU(p *program.Program, name string, x *Value) *Value {
	defer p.Scope(name)()
	return p.PReLU(x, p.Parameter("weight", Fill(0.25), 1))
}

// Embedding returns the rows ids of a table of n rows and the given width; parameter name.weight, whose init is PyTorch's
// N(0, 1) when nil.
func Embedding(p *program.Program, name string, ids *Value, n, width int, init program.Initializer) *Value {
	defer p.Scope(name)()
	if init == nil {
		init = Normal(1)
	}
	return p.Gather(p.Parameter("weight", init, n, width), ids)
}

// Activations are the names that settings use.
var Activations = map[string]kernel.Activation{
	"identity": kernel.Identity, "relu": kernel.ReLU, "gelu": kernel.GELU, "gelu-tanh": kernel.GELUTanh, "silu": kernel.SiLU,
	"sigmoid": kernel.Sigmoid, "tanh": kernel.Tanh, "softplus": kernel.Softplus,
}

// MLP describes a stack of linear layers: dropout, linear, and but for the last one normalisation and activation. A learned slope
// ("prelu") is one for the whole stack: name.act.weight.
type MLP struct {
	Hidden          int // width of the layers but the last
	Out             int
	Layers          int     // linear layers; 1 is a linear model
	Activation      string  // a name of Activations, or "prelu"; "" is relu
	Dropout         float64 // before every layer but the first
	InputDropout    float64 // before the first
	BatchNorm       bool
	Residual        bool // every layer from the third on takes the sum of what the two before it give
	InitialResidual bool // layers are the blocks of GAMLP: normalised over the batch, the last one too, without bias, each taking half of what the first gives
	NoBias          bool
	NoLast          bool // the result is what the last linear layer would take; with a single layer the rows, which are dense
	BF16            bool
	Init            program.Initializer // nil is PyTorch's, FanIn; with InitialResidual FanOut
}

// Apply returns the stack's result. Layer i is name.i; training says whether dropout and batch statistics are in force.
func (m MLP) Apply(p *program.Program, name string, x *Value, training bool) *Value {
	return m.ApplyMatrix(p, name, Matrix{Dense: x}, training)
}

// ApplyMatrix is Apply for dense or sparse rows; dropout on sparse ones is a mistake.
func (m MLP) ApplyMatrix(p *program.Program, name string, rows Matrix, training bool) *Value {
	defer p.Scope(name)()
	if rows.Sparse != nil && training && m.InputDropout > 0 {
		p.Fail("dropout on sparse rows")
	}
	if m.Layers < 1 {
		p.Fail("an MLP of %d layers, expected at least 1", m.Layers)
		return rows.Dense
	}
	if training && rows.Sparse == nil {
		rows.Dense = p.Dropout(rows.Dense, m.InputDropout)
	}
	if m.NoLast && m.Layers == 1 {
		return rows.Dense
	}
	first := m.layer(0).ApplyMatrix(p, "0", rows)
	if m.InitialResidual {
		if rows.Sparse != nil && rows.Width(p) == m.Width() {
			p.Fail("a block adds its input, which is sparse")
		}
		return m.blocks(p, rows.Dense, first, training)
	}
	return m.follow(p, first, training)
}

// Width is that of the first layer's result.
func (m MLP) Width() int {
	if m.Layers == 1 {
		return m.Out
	}
	return m.Hidden
}

// FirstParameters makes those of the first layer, for rows of in columns, where the caller applies it.
func (m MLP) FirstParameters(p *program.Program, name string, in int) (weight, bias *Value) {
	defer p.Scope(name)()
	defer p.Scope("0")()
	return m.layer(0).parameters(p, in)
}

// Follow returns the stack's result from that of its first linear layer, of rows that are wider or narrower than it.
func (m MLP) Follow(p *program.Program, name string, first *Value, training bool) *Value {
	defer p.Scope(name)()
	if m.InitialResidual {
		return m.blocks(p, nil, first, training)
	}
	return m.follow(p, first, training)
}

func (m MLP) follow(p *program.Program, x *Value, training bool) *Value {
	var before *Value // what the layer before gives
	for i := range m.Layers - 1 {
		if m.BatchNorm {
			x = BatchNorm(p, fmt.Sprintf("%d.norm", i), x, training)
		}
		x = Activate(p, "", x, m.Activation)
		input := x
		if m.Residual && before != nil {
			input = p.Add(x, before)
		}
		before = x
		if training {
			input = p.Dropout(input, m.Dropout)
		}
		if m.NoLast && i == m.Layers-2 {
			return input
		}
		x = m.layer(i+1).Apply(p, fmt.Sprint(i+1), input)
	}
	return x
}

// layer describes linear layer i.
func (m MLP) layer(i int) Linear {
	l := Linear{Out: m.Hidden, NoBias: m.NoBias, BF16: m.BF16, Init: m.Init}
	if i == m.Layers-1 {
		l.Out = m.Out
	}
	if m.InitialResidual {
		l.NoBias = true
		if l.Init == nil {
			l.Init = FanOut(l.Out)
		}
	}
	return l
}

// Activate applies an activation by its name: one of Activations, "prelu" (parameter layer.act.weight; act.weight where layer is
// ""), or "" for relu.
func Activate(p *program.Program, layer string, x *Value, name string) *Value {
	switch name {
	case "":
		name = "relu"
	case "prelu":
		return PReLU(p, strings.TrimPrefix(layer+".act", "."), x)
	}
	act, ok := Activations[name]
	if !ok {
		p.Fail("activation %q is unknown", name)
	}
	return p.Activate(x, act)
}

// ParameterCount is the number of trained elements of a program.
func ParameterCount(p *program.Program) int {
	n := 0
	for _, v := range p.Parameters() {
		n += v.Type.Shape.Len()
	}
	return n
}
