package program

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Compiled is a program that has been rewritten, ordered and planned. It owns no memory and may be started many times.
type Compiled struct {
	Name       string
	Graph      plan.Graph      // the program as the planner sees it
	Allocation plan.Allocation // the address of every tensor
	Cost       Cost            // of one run at the upper bounds
	Scratch    int64           // bytes that kernels borrow from the pool

	program *Program
	nodes   []*node
	values  []*Value       // what the graph's tensors are
	index   map[*Value]int // and back
	workers int
}

// Options say how a program is compiled.
type Options struct {
	Workers   int  // of the pool that it will run on
	Recompute bool // make activations and norms again in the backward pass instead of keeping them: less memory, same bits

	asBuilt bool // rewrite nothing and share no storage: what tests hold everything else against
}

// Compile rewrites, orders and plans a program. It does not change p.
func Compile(p *Program, o Options) (*Compiled, error) {
	if p.err != nil {
		return nil, p.err
	}
	c := &Compiled{Name: p.Name, program: p, workers: max(o.Workers, 1)}
	if o.asBuilt {
		c.nodes = p.nodes
		c.describe()
		for i := range c.Graph.Tensors {
			c.Graph.Tensors[i].Keep = true
		}
	} else {
		c.nodes = rewrite(p, o)
		c.describe()
		c.shareStorage()
	}
	var err error
	if c.Allocation, err = c.Graph.Allocate(memory.Align); err != nil {
		return nil, fmt.Errorf("plan program %s: %w", p.Name, err)
	}
	return c, nil
}

// Persistent is the bytes of the tensors that live across runs.
func (c *Compiled) Persistent() int64 { return c.Allocation.Persistent }

// Shared is the bytes that everything else shares; programs of one session share them too.
func (c *Compiled) Shared() int64 { return c.Allocation.Arena - c.Allocation.Persistent }

// describe fills the graph and what is derived from it.
func (c *Compiled) describe() {
	c.index = map[*Value]int{}
	for i, n := range c.nodes {
		op := plan.Op{Name: n.title()}
		for _, v := range n.in {
			t := c.tensor(v)
			op.In = append(op.In, t)
			use := &c.Graph.Tensors[t]
			if k := len(use.Uses); k == 0 || use.Uses[k-1] != i {
				use.Uses = append(use.Uses, i)
			}
			if n.backward && use.Kind == plan.Transient && use.Producer >= 0 && !c.nodes[use.Producer].backward {
				use.Kind = plan.Skeletal
			}
		}
		rowWise := traits(n.op).RowWise
		for _, v := range n.out {
			t := c.tensor(v)
			op.Out = append(op.Out, t)
			c.Graph.Tensors[t].Producer = i
			c.Graph.Tensors[t].RowWise = rowWise
		}
		in, out := typesOf(n.in), typesOf(n.out)
		work := cost(n.op, in, out)
		op.Flops, op.Traffic = work.Flops, work.Traffic
		c.Cost.Flops += work.Flops
		c.Cost.FlopsBF16 += work.FlopsBF16
		c.Cost.Traffic += work.Traffic
		c.Scratch = max(c.Scratch, scratch(n.op, in, out, c.program.sizes, c.workers))
		c.Graph.Ops = append(c.Graph.Ops, op)
	}
	for _, v := range c.program.values {
		// What is declared has storage even where nothing reads it.
		if v.producer == nil {
			c.tensor(v)
		}
	}
}

// tensor is the index of a value in the graph.
func (c *Compiled) tensor(v *Value) int {
	if i, ok := c.index[v]; ok {
		return i
	}
	t := plan.Tensor{Name: v.Name, Kind: v.Kind, Bytes: v.Type.Bytes(), Producer: -1, Alias: -1, Keep: v.output}
	if v.external {
		t.Bytes = 0
	}
	c.index[v] = len(c.values)
	c.values = append(c.values, v)
	c.Graph.Tensors = append(c.Graph.Tensors, t)
	return len(c.values) - 1
}

// shareStorage lets a result take the storage of an operand that nothing needs any more, where its operation allows it. An
// operation that reads an operand twice needs it in the other place: x·w + x.
func (c *Compiled) shareStorage() {
	g := &c.Graph
	root := make([]int, len(g.Tensors))
	last := make([]int, len(g.Tensors)) // of a root: the last operation that needs any of what shares its storage
	keep := make([]bool, len(g.Tensors))
	for i := range g.Tensors {
		root[i] = i
		last[i] = max(g.Tensors[i].Producer, -1)
		if n := len(g.Tensors[i].Uses); n > 0 {
			last[i] = g.Tensors[i].Uses[n-1]
		}
		keep[i] = g.Tensors[i].Keep || g.Tensors[i].Kind.Persistent() || c.values[i].external
	}
	for i, n := range c.nodes {
		for k, operand := range traits(n.op).InPlace {
			if operand < 0 || k >= len(n.out) {
				continue
			}
			out, in := g.Ops[i].Out[k], g.Ops[i].In[operand]
			r := root[in]
			if keep[r] || last[r] > i || count(g.Ops[i].In, in) > 1 || g.Tensors[out].Bytes > g.Tensors[r].Bytes {
				continue
			}
			g.Tensors[out].Alias = in
			root[out] = r
			last[r] = max(last[r], last[out])
			keep[r] = keep[r] || keep[out]
		}
	}
}

func count(list []int, x int) int {
	n := 0
	for _, y := range list {
		if y == x {
			n++
		}
	}
	return n
}

func typesOf(values []*Value) []tensor.Type {
	types := make([]tensor.Type, len(values))
	for i, v := range values {
		types[i] = v.Type
	}
	return types
}

// title is what plans call the operation: its first result, or the tensor that it updates.
func (n *node) title() string {
	switch {
	case len(n.out) > 0:
		return n.out[0].Name
	case len(n.in) > 0:
		return n.op.Name() + " of " + n.in[0].Name
	}
	return n.op.Name()
}
