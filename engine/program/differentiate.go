package program

import (
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Derivative is what an operation's gradient is built from.
type Derivative struct {
	P       *Program
	In, Out []*Value
	OutGrad []*Value // gradient of the loss by each result, nil where the loss does not depend on it
	InGrad  []*Value // to be set
	wants   []bool
}

// Wants says whether the gradient by operand i is needed.
func (d *Derivative) Wants(i int) bool { return d.wants[i] }

// Differentiate appends the backward pass of a scalar loss and returns its gradient by each of the given values: reverse
// mode, in the reverse order of the forward operations, so that gradients that meet are added in a fixed order. A value
// that the loss does not depend on is a mistake.
func (p *Program) Differentiate(loss *Value, by ...*Value) []*Value {
	grads := make([]*Value, len(by))
	if p.err == nil && (len(loss.Type.Shape) != 0 || loss.Type.DType != tensor.Float32) {
		p.Fail("%s of type %s: %w", loss.Name, loss.Type, errNotScalar)
	}
	if p.err != nil {
		for i := range grads {
			grads[i] = &Value{program: p, id: -1, Name: "?"}
		}
		return grads
	}
	defer func(scope []string) { p.scope, p.backward = scope, false }(p.scope)
	p.backward = true

	leads := make(map[*Value]bool, len(by)) // does the value depend on one of by?
	for _, v := range by {
		leads[v] = true
	}
	forward := len(p.nodes)
	for _, n := range p.nodes {
		for _, v := range n.in {
			if leads[v] {
				for _, out := range n.out {
					leads[out] = true
				}
				break
			}
		}
	}
	grad := map[*Value]*Value{loss: p.apply1(fill{value: 1, t: loss.Type})}
	for i := forward - 1; i >= 0 && p.err == nil; i-- {
		n := p.nodes[i]
		d := &Derivative{P: p, In: n.in, Out: n.out, InGrad: make([]*Value, len(n.in)), wants: make([]bool, len(n.in))}
		needed := false
		for _, out := range n.out {
			g := grad[out]
			d.OutGrad = append(d.OutGrad, g)
			needed = needed || g != nil
		}
		wanted := false
		for k, v := range n.in {
			d.wants[k] = leads[v] && v.Type.DType == tensor.Float32
			wanted = wanted || d.wants[k]
		}
		if !needed || !wanted {
			continue
		}
		p.scope = []string{"grad"}
		if n.path != "" {
			p.scope = append(p.scope, n.path)
		}
		op, ok := n.op.(Differentiable)
		if !ok {
			p.Fail("%s has no gradient", n.op.Name())
			break
		}
		op.Gradient(d)
		for k, v := range n.in {
			g := d.InGrad[k]
			switch {
			case g == nil || !d.wants[k] || p.err != nil:
			case !g.Type.Equal(v.Type):
				p.Fail("the gradient by %s is %s, expected %s", v.Name, g.Type, v.Type)
			case grad[v] == nil:
				grad[v] = g
			default:
				grad[v] = p.Add(grad[v], g)
			}
		}
	}
	for i, v := range by {
		switch g := grad[v]; {
		case p.err != nil:
			grads[i] = &Value{program: p, id: -1, Name: "?"}
		case g == nil:
			p.Fail("the loss does not depend on %s", v.Name)
			grads[i] = &Value{program: p, id: -1, Name: "?"}
		default:
			if v.Kind == plan.Parameter && g.producer != nil && g.Kind == plan.Transient {
				g.Kind = plan.Gradient
				p.scope = []string{"grad"}
				g.Named(v.Name)
			}
			grads[i] = g
		}
	}
	return grads
}
