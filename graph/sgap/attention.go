package sgap

import (
	"fmt"
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/program"
)

// Attention is how the weights of the hops are learned. With scores s_ik of node i and hop k the weights are
// w_i = softmax(s_i0 … s_iK) and the message is Σ_k w_ik z_ik, where z_k is hop k after dropout on the input:
//
//	gate          s_k = σ(a·x_k + b)
//	self-guided   s_k = σ(a·[r | x_k] + b), r the hidden layer of an MLP on [x_0 | … | x_K] that learns the classes as well
//	jk            s_k = σ(a·[r | x_k] + b), r what an MLP makes of [x_0 | … | x_K]
//	recursive     s_k = σ(a·[h_k | x_k] + b), h_0 = x_0 and h_k = Σ_{j<k} softmax(s_0 … s_{k−1})_j x_j
//	smoothing     s_k = σ(a·[x_∞ | x_k] + b), x_∞ of the state Â^∞ X that hops tend to (graph.Propagation.Limit)
//
// (GMLP, arXiv 2104.09880; GAMLP, KDD 2022.) Where σ is the sigmoid a weight is at least 1/(1 + eK) and at most e/(e + K). A
// score is linear before it, so that h_k needs no matrix: a·h_k is the same sum over a·x_j. Parameters are
// attention.score.weight and attention.score.bias, and where there is one attention.context.weight, the part of a that is
// multiplied by r, h_k or x_∞.
//
// With HopLayers z_k is what a network of that many linear layers, one for each hop, makes of it; and with Residual the message
// is act(Σ_k w_ik z_ik + z_i0 V), z_0 before its network: GAMLP as its authors build it for large graphs.
type Attention struct {
	On         AttentionInput
	Dropout    float64 // of the weights, which are not scaled back to a sum of 1
	Layers     int     // linear layers of the network that makes r, for jk
	HopLayers  int
	Residual   bool
	Activation ScoreActivation
}

// ScoreActivation names σ. The zero value is the sigmoid.
type ScoreActivation string

// The nonlinearities of scores.
const (
	ScoreSigmoid ScoreActivation = "sigmoid"
	ScoreReLU    ScoreActivation = "relu"
	ScoreLeaky   ScoreActivation = "leaky-relu" // with the slope 0.2
)

// apply appends σ.
func (a ScoreActivation) apply(p *program.Program, x *program.Value) *program.Value {
	switch a {
	case ScoreReLU:
		return p.Activate(x, kernel.ReLU)
	case ScoreLeaky:
		return p.LeakyReLU(x, 0.2)
	}
	return p.Activate(x, kernel.Sigmoid)
}

// AttentionInput says what x_k is: what scores and r are made of.
type AttentionInput string

// What scores are made of. Rows of features that are scaled to a norm of 1 have entries of 1/√features, so that a·z_k hardly
// differs from hop to hop or from node to node, least of all after a decay of a whose gradients are as small: on features
// weights stay nearly equal. A row of OnHidden has entries of about 1 whatever the scale of the features, which is what a
// linear layer is initialised for, and a is not decayed.
const (
	OnFeatures AttentionInput = "features" // x_k = z_k, as the papers have it
	OnHidden   AttentionInput = "hidden"   // x_k = g ⊙ z_k W/rms(z_k W), W the transformation's first layer (with HopLayers the identity), g (attention.norm.weight) learned
)

// attentionScope is where the parameters of scores stand.
const attentionScope = "attention"

// attend appends the attention and the transformation of the message, with the weights, and the guide's logits where it has some.
func (d *Design) attend(p *program.Program, hops []nn.Matrix, head nn.MLP, classes int, training bool) Outputs {
	in := slices.Clone(hops)
	for k := range in {
		if training && in[k].Sparse == nil {
			in[k].Dense = p.Dropout(in[k].Dense, d.Head.InputDropout)
		}
	}
	head.InputDropout = 0
	z := d.hopNetworks(p, in, training)
	x := z
	var bias *program.Value
	if d.Attention.On == OnHidden && d.Attention.HopLayers == 0 {
		var weight *program.Value
		weight, bias = head.FirstParameters(p, "head", z[0].Width(p))
		x = make([]nn.Matrix, len(z))
		for k := range z {
			x[k].Dense = z[k].Linear(p, weight, nil, head.BF16)
		}
	}
	a := newScores(d, p, x, training)
	out := a.weigh(classes)
	weights := a.dropWeights(out.Hops)
	if !d.multipliesFirst() || head.NoLast && head.Layers == 1 {
		message := d.addOwn(p, p.Combine(weights, dense(z[:d.Hops+1])...), in[0], training)
		out.Logits = head.Apply(p, "head", message, training)
		return out
	}
	out.Logits = p.Combine(weights, dense(x[:d.Hops+1])...)
	if bias != nil {
		out.Logits = p.AddRow(out.Logits, bias)
	}
	out.Logits = head.Follow(p, "head", out.Logits, training)
	return out
}

// multipliesFirst says whether the first layer of the transformation acts on every hop before they are added up, as a linear one
// may: (Σ_k w_k z_k) W = Σ_k w_k (z_k W). OnHidden needs z_k W anyway: what follows is narrow, and hops may come compressed.
func (d *Design) multipliesFirst() bool {
	return d.Attention.On == OnHidden && d.Attention.HopLayers == 0 && !d.Attention.Residual && !d.Head.InitialResidual
}

// hopNetworks are z_k: the hops as they are, or what a network of its own makes of each.
func (d *Design) hopNetworks(p *program.Program, hops []nn.Matrix, training bool) []nn.Matrix {
	if d.Attention.HopLayers == 0 {
		return hops
	}
	net := d.Head
	net.Out, net.Layers, net.InputDropout, net.InitialResidual, net.Init = net.Hidden, d.Attention.HopLayers, 0, false, nn.XavierReLU
	z := make([]nn.Matrix, len(hops))
	for k, x := range hops {
		z[k].Dense = net.ApplyMatrix(p, fmt.Sprintf("hops.%d", k), x, training)
	}
	return z
}

// addOwn adds a linear layer of the node's own features to a message, and takes it through activation and dropout, where the
// design has Residual. As in the authors' programs that layer has a bias but for JK.
func (d *Design) addOwn(p *program.Program, message *program.Value, own nn.Matrix, training bool) *program.Value {
	if !d.Attention.Residual {
		return message
	}
	layer := nn.Linear{Out: message.Dim(-1).Size, NoBias: d.Messages == JK, BF16: d.Head.BF16}
	message = nn.Activate(p, "", p.Add(message, layer.ApplyMatrix(p, "residual", own)), d.Head.Activation)
	if training {
		message = p.Dropout(message, d.Head.Dropout)
	}
	return message
}

// dense are the values of matrices that are not sparse.
func dense(list []nn.Matrix) []*program.Value {
	values := make([]*program.Value, len(list))
	for i, x := range list {
		values[i] = x.Dense
	}
	return values
}

// scores is the making of scores in a program.
type scores struct {
	*Design
	p        *program.Program
	training bool
	x        []*program.Value
	width    int // of x_k
}

// newScores makes x_k of the parts of the message.
func newScores(d *Design, p *program.Program, parts []nn.Matrix, training bool) *scores {
	a := &scores{Design: d, p: p, training: training, x: dense(parts), width: parts[0].Width(p)}
	if d.Attention.On == OnFeatures {
		return a
	}
	defer p.Scope(attentionScope)()
	gain := p.Parameter("norm.weight", nn.Ones, a.width)
	for k, x := range a.x {
		a.x[k] = p.RMSNorm(x, gain, 1e-12) // small features make small x
	}
	return a
}

// weigh returns the weights of the hops, (rows, K+1), and the guide's logits.
func (a *scores) weigh(classes int) (out Outputs) {
	var reference *program.Value
	switch a.Messages {
	case SelfGuided, JK:
		reference, out.Guide = a.reference(classes)
	case Smoothing:
		reference, a.x = a.x[len(a.x)-1], a.x[:len(a.x)-1]
	}
	out.Hops = a.p.Softmax(a.scores(reference))
	return out
}

// reference is r, (rows, hidden), and the logits of its branch where that learns the classes.
func (a *scores) reference(classes int) (r, guide *program.Value) {
	p, d := a.p, a.Design
	r = nn.Activate(p, "", a.referenceNetwork(), d.Head.Activation)
	if a.training {
		r = p.Dropout(r, d.Head.Dropout)
	}
	if d.Messages == SelfGuided {
		layer := nn.Linear{Out: classes, NoBias: d.Head.NoBias, BF16: d.Head.BF16, Init: d.Head.Init}
		guide = layer.Apply(p, "guide.classes", r)
	}
	return r, guide
}

// referenceNetwork is what the network that views all hops makes of them, (rows, hidden).
func (a *scores) referenceNetwork() *program.Value {
	p, d := a.p, a.Design
	defer p.Scope("guide")()
	net := nn.MLP{
		Hidden: d.Head.Hidden, Out: d.Head.Hidden, Layers: 1, Activation: d.Head.Activation, Dropout: d.Head.Dropout, BatchNorm: d.Head.BatchNorm,
		InitialResidual: d.Head.InitialResidual, NoBias: d.Head.NoBias, BF16: d.Head.BF16, Init: d.Head.Init,
	}
	if d.Messages == JK {
		net.Layers = d.Attention.Layers
	}
	if net.InitialResidual && len(a.x) == 1 { // as wide as its first layer, which adds it
		return net.Apply(p, "net", a.x[0], a.training)
	}
	return net.Follow(p, "net", a.view(net), a.training)
}

// view is the first layer of a network on [x_0 | … | x_K]: a sum of products hop by hop, in the order of the hops, the bias
// added to the first.
func (a *scores) view(net nn.MLP) (sum *program.Value) {
	p := a.p
	defer p.Scope("net.0")()
	init, zero := net.Init, nn.Zeros
	switch {
	case init != nil:
	case net.InitialResidual:
		init, net.NoBias = nn.FanOut(net.Width()), true
	default:
		init = nn.FanIn(len(a.x) * a.width) // it is one layer
		zero = init
	}
	for k, x := range a.x {
		weight := p.Parameter(fmt.Sprintf("hops.%d.weight", k), init, net.Width(), a.width)
		if k > 0 {
			sum = p.Add(sum, p.Linear(x, weight, nil, net.BF16))
			continue
		}
		var bias *program.Value
		if !net.NoBias {
			bias = p.Parameter("bias", zero, net.Width())
		}
		sum = p.Linear(x, weight, bias, net.BF16)
	}
	return sum
}

// scores are s_k, (rows, K+1), for a reference that all hops share; nil where there is none.
func (a *scores) scores(reference *program.Value) *program.Value {
	p := a.p
	context := 0
	switch {
	case a.Messages == Recursive:
		context = a.width
	case reference != nil:
		context = reference.Dim(-1).Size
	}
	s := newScorer(p, a.width, context)
	var shared *program.Value
	if reference != nil {
		shared = p.Linear(reference, s.context, nil, false)
	}
	var list, past []*program.Value // scores, and what history may hold: a·x_j with the part of a for it
	for _, x := range a.x {
		if a.Messages == Recursive {
			past = append(past, p.Linear(x, s.context, nil, false))
			shared = a.history(list, past)
		}
		score := p.Linear(x, s.weight, s.bias, false)
		if shared != nil {
			score = p.Add(score, shared)
		}
		list = append(list, a.Attention.Activation.apply(p, score))
	}
	return p.Concat(list...)
}

// history is a·h_k, (rows, 1), from the scores before k and a·x_j up to k.
func (a *scores) history(before, past []*program.Value) *program.Value {
	if len(before) == 0 {
		return past[0]
	}
	w := a.p.Softmax(a.p.Concat(before...))
	return a.p.Combine(a.dropWeights(w), past[:len(before)]...)
}

// dropWeights is dropout on weights of hops.
func (a *scores) dropWeights(w *program.Value) *program.Value {
	if !a.training {
		return w
	}
	return a.p.Dropout(w, a.Attention.Dropout)
}

// scorer is the linear layer of a score, its weights in two parts.
type scorer struct{ weight, context, bias *program.Value }

// newScorer makes the parameters for a hop and a context of the given widths (0: no context), as one layer would have them.
func newScorer(p *program.Program, hop, context int) (s scorer) {
	defer p.Scope(attentionScope)()
	init := nn.FanIn(hop + context)
	if context > 0 {
		s.context = p.Parameter("context.weight", init, 1, context)
	}
	s.weight, s.bias = p.Parameter("score.weight", init, 1, hop), p.Parameter("score.bias", init, 1)
	return s
}
