package program

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"strings"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Program is a step under construction: values and the operations that make them, in the order of execution.
type Program struct {
	Name string

	values   []*Value
	names    map[string]*Value
	nodes    []*node
	sizes    []tensor.Dim // the symbolic sizes with their bounds
	scope    []string
	backward bool // Differentiate is at work
	err      error
}

// Value is a tensor of a program: what an operation takes and makes.
type Value struct {
	Name string // unique within the program
	Type tensor.Type
	Kind plan.Kind
	Init Initializer // of a parameter

	program  *Program
	id       int
	producer *node // nil for inputs and persistent tensors
	external bool  // the caller's memory, bound before each run
	output   bool  // read by the caller after the run
}

// node is one operation applied to values.
type node struct {
	op       Operation
	in, out  []*Value
	path     string // of the layer that applied it
	backward bool   // appended by Differentiate
}

// New begins a program.
func New(name string) *Program { return &Program{Name: name, names: map[string]*Value{}} }

// Err returns the first mistake made while building, or nil.
func (p *Program) Err() error { return p.err }

// Fail records a mistake found by whoever builds, unless one is known already.
func (p *Program) Fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("program %s: %s%w", p.Name, p.prefix(), fmt.Errorf(format, args...))
	}
}

func (p *Program) prefix() string {
	if len(p.scope) == 0 {
		return ""
	}
	return p.path() + ": "
}

func (p *Program) path() string { return strings.Join(p.scope, ".") }

// Scope enters a layer: names of values made inside begin with it, and errors name it. The result leaves it again:
//
//	defer p.Scope("blocks.0")()
func (p *Program) Scope(layer string) (leave func()) {
	p.scope = append(p.scope, layer)
	depth := len(p.scope)
	return func() { p.scope = p.scope[:depth-1] }
}

// Size declares a symbolic size with its upper bound.
func (p *Program) Size(name string, bound int) tensor.Dim {
	if bound < 1 {
		p.Fail("the symbolic size %s has the bound %d", name, bound)
		bound = 1
	}
	for _, d := range p.sizes {
		if d.Symbol == name {
			p.Fail("the symbolic size %s is declared twice", name)
		}
	}
	d := tensor.Symbol(name, bound)
	p.sizes = append(p.sizes, d)
	return d
}

// add makes a value whose name is unique.
func (p *Program) add(name string, t tensor.Type, kind plan.Kind) *Value {
	if !kind.Persistent() {
		name = p.nextName(name)
	}
	if err := t.Check(); err != nil {
		p.Fail("%s: %w", name, err)
		t = tensor.F32()
	}
	v := &Value{Name: name, Type: t, Kind: kind, program: p, id: len(p.values)}
	p.values = append(p.values, v)
	p.names[name] = v
	return v
}

func (p *Program) find(name string) *Value { return p.names[name] }

// persistent makes, or finds, the tensor of that name that lives across runs.
func (p *Program) persistent(name string, t tensor.Type, kind plan.Kind) *Value {
	if len(p.scope) > 0 {
		name = p.path() + "." + name
	}
	if v := p.find(name); v != nil {
		if v.Kind != kind || !v.Type.Equal(t) {
			p.Fail("%s is %s already, asked for again as %s", name, v.Type, t)
		}
		return v
	}
	if _, ok := t.Shape.Total(); !ok || hasSymbol(t.Shape) {
		p.Fail("%s, which lives across runs, has the symbolic shape %s", name, t.Shape)
	}
	return p.add(name, t, kind)
}

// Parameter returns the trained tensor of that name within the current scope, made by init at the start.
func (p *Program) Parameter(name string, init Initializer, sizes ...int) *Value {
	v := p.persistent(name, tensor.F32(tensor.Of(sizes...)...), plan.Parameter)
	v.Init = init
	return v
}

// Optimizer returns optimizer state, zero at the start.
func (p *Program) Optimizer(name string, t tensor.Type) *Value {
	return p.persistent(name, t, plan.Optimizer)
}

// State returns other state that lives across runs, such as running statistics, made by init (zero when nil).
func (p *Program) State(name string, init Initializer, t tensor.Type) *Value {
	v := p.persistent(name, t, plan.State)
	v.Init = init
	return v
}

// Constant returns a tensor that the caller fills once before the first run.
func (p *Program) Constant(name string, t tensor.Type) *Value {
	return p.persistent(name, t, plan.Constant)
}

// Input returns a tensor that the caller fills before each run; its memory may serve other tensors during the run.
func (p *Program) Input(name string, t tensor.Type) *Value { return p.add(name, t, plan.Input) }

// External returns an input that lies in memory of the caller, bound to the execution before each run and never written.
func (p *Program) External(name string, t tensor.Type) *Value {
	v := p.add(name, t, plan.Input)
	v.external = true
	return v
}

// Output keeps a value until the end of a run for the caller to read, and returns it.
func (p *Program) Output(v *Value) *Value {
	v.output = true
	return v
}

// Apply applies an operation. After a mistake it returns values of no use, so that building can go on to its end.
func (p *Program) Apply(op Operation, in ...*Value) []*Value {
	out := p.apply(op, in)
	if p.err != nil {
		for len(out) < 8 { // as many as any operation has
			out = append(out, &Value{program: p, id: -1, Name: "?"})
		}
	}
	return out
}

// apply1 applies an operation with one result.
func (p *Program) apply1(op Operation, in ...*Value) *Value { return p.Apply(op, in...)[0] }

func (p *Program) apply(op Operation, in []*Value) []*Value {
	if p.err != nil {
		return nil
	}
	types := make([]tensor.Type, len(in))
	for i, v := range in {
		if v == nil || v.program != p {
			p.Fail("%s: operand %d is of another program", op.Name(), i)
			return nil
		}
		types[i] = v.Type
	}
	outTypes, err := op.Infer(types)
	if err != nil {
		p.Fail("%s: %w", op.Name(), err)
		return nil
	}
	n := &node{op: op, in: in, path: p.path(), backward: p.backward}
	for _, t := range outTypes {
		if t.Check() == nil && t.Shape.Len() > math.MaxInt32 {
			p.Fail("%s: a result of %s is too large", op.Name(), t)
			return nil
		}
		v := p.add(op.Name(), t, plan.Transient)
		v.producer = n
		n.out = append(n.out, v)
	}
	for _, i := range traits(op).Mutates {
		if !in[i].Kind.Persistent() {
			p.Fail("%s: writes to %s, which does not live across runs", op.Name(), in[i].Name)
		}
	}
	p.nodes = append(p.nodes, n)
	return n.out
}

// Named gives a value a name to be found by in printed programs and errors, and returns it.
func (v *Value) Named(name string) *Value {
	if v.program == nil || v.program.err != nil || v.id < 0 {
		return v
	}
	if len(v.program.scope) > 0 {
		name = v.program.path() + "." + name
	}
	if v.program.find(name) == nil {
		delete(v.program.names, v.Name)
		v.program.names[name] = v
		v.Name = name
	}
	return v
}

// Dim is size i of the shape, counted from the end when negative; 1 where there is none (after a mistake).
func (v *Value) Dim(i int) tensor.Dim {
	if i < 0 {
		i += len(v.Type.Shape)
	}
	if i < 0 || i >= len(v.Type.Shape) {
		return tensor.Fixed(1)
	}
	return v.Type.Shape[i]
}

// Parameters returns the trained tensors in the order in which they were made.
func (p *Program) Parameters() []*Value { return p.kind(plan.Parameter) }

func (p *Program) kind(k plan.Kind) []*Value {
	var list []*Value
	for _, v := range p.values {
		if v.Kind == k {
			list = append(list, v)
		}
	}
	return list
}

// stream is the number under which the random bits of something called name are drawn.
func stream(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}

var errNotScalar = errors.New("only a scalar can be differentiated")
