package sgap

import (
	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/program"
)

// Attention is how the weights of the hops are learned. With scores s_ik of node i and hop k the weights are
// w_i = softmax(s_i0 … s_iK) and the message is Σ_k w_ik z_ik, where z_k is hop k after dropout on the input:
//
//	gate          s_k = σ(a·z_k + b)
//	self-guided   s_k = σ(a·[r | z_k] + b), r the hidden layer of an MLP on [z_0 | … | z_K] that learns the classes as well
//	jk            s_k = σ(a·[r | z_k] + b), r what an MLP makes of [z_0 | … | z_K]
//	recursive     s_k = σ(a·[h_k | z_k] + b), h_0 = z_0 and h_k = Σ_{j<k} softmax(s_0 … s_{k−1})_j z_j
//
// (GMLP, arXiv 2104.09880; GAMLP, KDD 2022.) σ is the sigmoid, so a weight is at least 1/(1 + eK) and at most e/(e + K). A
// score is linear before it, so that h_k needs no matrix: a·h_k is the same sum over a·z_j. Parameters are
// attention.score.weight and attention.score.bias, and where there is one attention.context.weight, the part of a that is
// multiplied by r or h_k.
type Attention struct {
	Dropout float64 // of the weights, which are not scaled back to a sum of 1
	Layers  int     // linear layers of the network that makes r, for jk
}

// attend appends the attention and returns the message as Logits, with the weights, and the guide's logits where it has some.
func (d *Design) attend(p *program.Program, hops []nn.Matrix, classes int, training bool) Outputs {
	z := make([]*program.Value, len(hops))
	for k, x := range hops {
		z[k] = x.Dense
		if training {
			z[k] = p.Dropout(z[k], d.Head.InputDropout)
		}
	}
	var out Outputs
	var scores *program.Value
	if d.Messages == Recursive {
		scores = d.recursiveScores(p, z, training)
	} else {
		var reference *program.Value
		if d.Messages != Gate {
			reference, out.Guide = d.reference(p, z, classes, training)
		}
		scores = p.Concat(d.scores(p, z, reference)...)
	}
	out.Hops = p.Softmax(scores)
	out.Logits = p.Combine(d.dropWeights(p, out.Hops, training), z...)
	return out
}

// reference is r, (rows, hidden), and the logits of its branch where that learns the classes.
func (d *Design) reference(p *program.Program, z []*program.Value, classes int, training bool) (r, guide *program.Value) {
	defer p.Scope("guide")()
	net := nn.MLP{
		Hidden: d.Head.Hidden, Out: d.Head.Hidden, Layers: 1, Activation: d.Head.Activation, Dropout: d.Head.Dropout,
		BatchNorm: d.Head.BatchNorm, NoBias: d.Head.NoBias, BF16: d.Head.BF16, Init: d.Head.Init,
	}
	if d.Messages == JK {
		net.Layers = d.Attention.Layers
	}
	r = nn.Activate(p, "out", net.Apply(p, "net", p.Concat(z...), training), d.Head.Activation)
	if training {
		r = p.Dropout(r, d.Head.Dropout)
	}
	if d.Messages == SelfGuided {
		guide = nn.Linear{Out: classes, NoBias: d.Head.NoBias, BF16: d.Head.BF16, Init: d.Head.Init}.Apply(p, "classes", r)
	}
	return r, guide
}

// scores are s_k, each (rows, 1), for a reference that all hops share (nil: none).
func (d *Design) scores(p *program.Program, z []*program.Value, reference *program.Value) []*program.Value {
	width := 0
	if reference != nil {
		width = reference.Dim(-1).Size
	}
	a := newScorer(p, z[0].Dim(-1).Size, width)
	var context *program.Value
	if reference != nil {
		context = p.Linear(reference, a.context, nil, false)
	}
	list := make([]*program.Value, len(z))
	for k := range z {
		list[k] = a.score(p, p.Linear(z[k], a.weight, a.bias, false), context)
	}
	return list
}

// recursiveScores are the scores of the recursive attention, (rows, K+1).
func (d *Design) recursiveScores(p *program.Program, z []*program.Value, training bool) *program.Value {
	width := z[0].Dim(-1).Size
	a := newScorer(p, width, width)
	context := make([]*program.Value, len(z)) // a·z_k with the part of a that history is multiplied by
	var list []*program.Value
	for k := range z {
		context[k] = p.Linear(z[k], a.context, nil, false)
		history := context[0]
		if k > 0 {
			w := p.Softmax(p.Concat(list...))
			history = p.Combine(d.dropWeights(p, w, training), context[:k]...)
		}
		list = append(list, a.score(p, p.Linear(z[k], a.weight, a.bias, false), history))
	}
	return p.Concat(list...)
}

// dropWeights is dropout on weights of hops.
func (d *Design) dropWeights(p *program.Program, w *program.Value, training bool) *program.Value {
	if !training {
		return w
	}
	return p.Dropout(w, d.Attention.Dropout)
}

// scorer is the linear layer of a score, its weights in two parts.
type scorer struct{ weight, context, bias *program.Value }

// newScorer makes the parameters for a hop and a context of the given widths (0: no context), as one layer would have them.
func newScorer(p *program.Program, hop, context int) (s scorer) {
	defer p.Scope("attention")()
	init := nn.FanIn(hop + context)
	if context > 0 {
		s.context = p.Parameter("context.weight", init, 1, context)
	}
	s.weight, s.bias = p.Parameter("score.weight", init, 1, hop), p.Parameter("score.bias", init, 1)
	return s
}

// score is σ of the sum of both parts.
func (s *scorer) score(p *program.Program, hop, context *program.Value) *program.Value {
	if context != nil {
		hop = p.Add(hop, context)
	}
	return p.Activate(hop, kernel.Sigmoid)
}
