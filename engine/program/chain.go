package program

import (
	"strings"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// chain is elementwise operations one after another, block by block, so that what passes from one to the next stays in the
// cache. Each takes the result of the one before as one of its operands. It comes from rewriting.
type chain struct{ links []link }

// link is one operation of a chain.
type link struct {
	op      elementwise
	operand [2]int // which operand of the chain; −1 is the result of the link before, −2 none
}

const (
	fromBefore = -1
	noOperand  = -2
)

// chainBlock is the number of elements that go through a chain together: two arrays of it fit in the first-level cache.
const chainBlock = 2048

func (chain) Name() string { return "chain" }

func (o chain) Attributes() string {
	var names []string
	for _, l := range o.links {
		name := l.op.Name()
		if a := attributes(l.op); a != "" {
			name += " " + a
		}
		names = append(names, name)
	}
	return strings.Join(names, " | ")
}

func (chain) Infer(in []tensor.Type) ([]tensor.Type, error) { return sameType(in) }

func (o chain) Cost(in, _ []tensor.Type) Cost {
	var c Cost
	for _, l := range o.links {
		c.Flops += l.op.Cost(in[:1], in[:1]).Flops
	}
	return c
}

func (chain) Traits() Traits { return Traits{RowWise: true, InPlace: []int{0}} }

func (o chain) Kernel() Kernel { return &chainKernel{op: o} }

// chainKernel gives every worker kernels of its own.
type chainKernel struct {
	op      chain
	call    *Call
	workers []chainWorker
}

type chainWorker struct {
	links []elementKernel
	e     elements
	_     [64]byte // workers do not share cache lines
}

func (k *chainKernel) Run(c *Call) error {
	if k.workers == nil {
		k.workers = make([]chainWorker, c.Pool.Workers())
		for i := range k.workers {
			for _, l := range k.op.links {
				k.workers[i].links = append(k.workers[i].links, l.op.elements())
			}
		}
	}
	k.call = c
	n := len(c.Out[0].Float32s())
	c.Pool.For((n+chainBlock-1)/chainBlock, 4, k)
	return nil
}

// Do computes blocks lo to hi. Block for block, what an operand holds is read before the result takes its place.
func (k *chainKernel) Do(worker, lo, hi int) {
	w := &k.workers[worker]
	out := k.call.Out[0].Float32s()
	for b := lo; b < hi; b++ {
		at, end := b*chainBlock, min((b+1)*chainBlock, len(out))
		dst := out[at:end]
		for i, l := range k.op.links {
			w.e.dst, w.e.offset, w.e.key = dst, at, k.call.Key
			for j, operand := range l.operand {
				switch operand {
				case noOperand:
				case fromBefore:
					w.e.in[j] = dst
				default:
					w.e.in[j] = k.call.In[operand].Float32s()[at:end]
				}
			}
			w.links[i](&w.e)
		}
	}
}

func (o chain) Reference(c *ReferenceCall) {
	var before *Array
	for i, l := range o.links {
		call := &ReferenceCall{Key: c.Key, Out: []*Array{{Dims: c.Out[0].Dims, X: make([]float64, len(c.Out[0].X))}}}
		if k, ok := l.op.(interface{ Stream() uint64 }); ok {
			call.Key.Stream = k.Stream()
		}
		for _, operand := range l.operand {
			switch operand {
			case noOperand:
			case fromBefore:
				call.In = append(call.In, before)
			default:
				call.In = append(call.In, c.In[operand])
			}
		}
		l.op.Reference(call)
		before = call.Out[0]
		if i == len(o.links)-1 {
			copy(c.Out[0].X, before.X)
		}
	}
}

var _ kernel.Task = (*chainKernel)(nil)

// fuseChains puts neighbouring elementwise operations into chains, where the first one's result is read by the second alone.
func fuseChains(nodes []*node) []*node {
	count := users(nodes)
	for i := 1; i < len(nodes); i++ {
		before, n := nodes[i-1], nodes[i]
		if before == nil {
			continue
		}
		first, ok := asChain(before)
		second, ok2 := n.op.(elementwise)
		if !ok || !ok2 || count[before.out[0]] != 1 {
			continue
		}
		l := link{op: second, operand: [2]int{noOperand, noOperand}}
		joined := false
		in := append([]*Value(nil), before.in...)
		for j, v := range n.in {
			if v == before.out[0] {
				l.operand[j], joined = fromBefore, true
				continue
			}
			l.operand[j] = len(in)
			in = append(in, v)
		}
		if !joined {
			continue
		}
		links := append(first.links[:len(first.links):len(first.links)], l)
		nodes[i] = &node{op: chain{links}, in: in, out: n.out, path: n.path, backward: n.backward}
		nodes[i-1] = nil
	}
	return compact(nodes)
}

// asChain returns an elementwise operation as a chain of one link, or a chain as it is.
func asChain(n *node) (chain, bool) {
	switch op := n.op.(type) {
	case chain:
		return op, true
	case elementwise:
		first := link{op: op, operand: [2]int{0, noOperand}}
		if len(n.in) == 2 {
			first.operand[1] = 1
		}
		return chain{[]link{first}}, true
	}
	return chain{}, false
}
