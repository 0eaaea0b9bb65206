package sgap

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/graph/gnn"
)

// Design is one scalable graph model.
type Design struct {
	Norm      graph.Norm    // graph aggregator: which Â
	Teleport  float64       // α of it: H_k = (1−α) Â H_{k−1} + α X; 0 for powers of Â alone
	Hops      int           // K: 0 is a model that does not see the graph
	Scaling   graph.Scaling // of the features
	Messages  Messages      // message aggregator
	Local     Local         // smoothing of the features, in place of hops
	Subsets   int           // of relations, along each of which features are propagated; 0 where all edges are of one kind
	Weighting Weighting     // of the hops, for Weighted
	Attention Attention     // over the hops, for the aggregators that learn it
	Network   gnn.Network   // in place of the head, for Passing
	Labels    LabelUse      // what it is told of labels beside the loss
	Head      nn.MLP        // the transformation; Out is set to the number of classes
	Post      Post          // propagation of the predictions

	Embeds bool // in place of logits it gives what its last linear layer takes
}

// Messages says how the hops of a node become the input of the transformation.
type Messages string

// The message aggregators.
const (
	Last       Messages = "last"        // H_K alone: SGC
	Max        Messages = "max"         // max_k H_k, element by element
	Joined     Messages = "joined"      // every hop side by side, as they are: PaSca's concatenation
	Concat     Messages = "concat"      // every hop through a linear layer of its own, side by side, then the activation: SIGN
	Weighted   Messages = "weighted"    // Σ_k w_k H_k, the same weights for every node: S2GC, GBP
	Mean       Messages = "mean"        // Σ_k H_k/(K+1): what no attention would leave of those that follow
	Gate       Messages = "gate"        // Σ_k w_ik H_k, weights of the hops alone: GMLP's gating
	SelfGuided Messages = "self-guided" // weights of the hops and a branch that learns the classes from all of them: GMLP
	JK         Messages = "jk"          // weights of the hops and a network's view of all of them: GAMLP(JK)
	Recursive  Messages = "recursive"   // weights of a hop and what was combined of those before: GAMLP(R)
	Smoothing  Messages = "smoothing"   // weights of a hop and what all hops tend to: GAMLP's smoothing attention
	Passing    Messages = "passing"     // none: every layer of a network takes those of its neighbours, of all nodes at once: GCN, GAT
)

// attends says whether the weights of the hops are learned for every node.
func (m Messages) attends() bool {
	switch m {
	case Gate, SelfGuided, JK, Recursive, Smoothing:
		return true
	}
	return false
}

// sums says whether the hops are added up while they are made.
func (m Messages) sums() bool { return m == Weighted || m == Mean }

// FirstHop is the first of the hops that the design reads; the last is Hops.
func (d *Design) FirstHop() int {
	if d.Messages == Concat || d.Messages == Joined || d.Messages == Max || d.Messages.attends() {
		return 0
	}
	return d.Hops
}

// Reads is the number of matrices that the design reads: hops, or one that is made of them, and for Smoothing what the hops
// tend to. With Subsets it is those of hop 0, then those of hop 1, ….
func (d *Design) Reads() int {
	switch d.Messages {
	case Max:
		return 1
	case Smoothing:
		return d.Hops + 2
	}
	return (d.Hops - d.FirstHop() + 1) * max(d.Subsets, 1)
}

// normalises says whether a layer normalises over the rows of a step.
func (d *Design) normalises() bool {
	return d.Head.InitialResidual || d.Head.BatchNorm && (d.Head.Layers > 1 || d.Labels.Layers > 1 || d.Messages == Concat || d.Messages.attends())
}

// takesSparse says whether the first thing that happens to a hop is a product, which sparse rows serve as well.
func (d *Design) takesSparse() bool {
	if d.Subsets > 0 {
		return false
	}
	if d.Messages.attends() {
		return d.Attention.HopLayers > 0 || d.multipliesFirst()
	}
	return d.Messages != Joined
}

// Outputs are what a design computes for rows.
type Outputs struct {
	Logits *program.Value // (rows, classes); of a design that embeds (rows, width)
	Guide  *program.Value // (rows, classes): the logits of the branch that guides; nil but for SelfGuided
	Hops   *program.Value // (rows, K+1): the weights of the hops, each row adding up to 1; nil where none are learned
}

// Forward appends the model to a program: from the matrices that the design reads, hops (rows, features) and then labels
// (rows, classes).
func (d *Design) Forward(p *program.Program, matrices []nn.Matrix, classes int, training bool) Outputs {
	hops := d.Reads()
	out := d.transform(p, d.combineSubsets(p, matrices[:hops]), classes, training)
	out.Logits = d.addLabels(p, out.Logits, matrices[hops:], classes, training)
	return out
}

// transform makes logits of the hops.
func (d *Design) transform(p *program.Program, hops []nn.Matrix, classes int, training bool) Outputs {
	head := d.Head
	head.Out, head.NoLast = classes, d.Embeds
	switch {
	case d.Messages == Concat:
		head.InputDropout = head.Dropout
		return Outputs{Logits: head.Apply(p, "head", d.concat(p, hops, training), training)}
	case d.Messages == Joined:
		parts := make([]*program.Value, len(hops))
		for k, x := range hops {
			parts[k] = x.Dense
		}
		return Outputs{Logits: head.Apply(p, "head", p.Concat(parts...), training)}
	case d.Messages.attends():
		return d.attend(p, hops, head, classes, training)
	}
	return Outputs{Logits: head.ApplyMatrix(p, "head", hops[0], training)}
}

// concat is [H_0 Θ_0 | H_1 Θ_1 | …] through the activation: the first layer of SIGN. Dropout acts on the hops.
func (d *Design) concat(p *program.Program, hops []nn.Matrix, training bool) *program.Value {
	parts := make([]*program.Value, len(hops))
	for i, x := range hops {
		if training && x.Sparse == nil {
			x.Dense = p.Dropout(x.Dense, d.Head.InputDropout)
		}
		layer := nn.Linear{Out: d.Head.Hidden, NoBias: d.Head.NoBias, BF16: d.Head.BF16, Init: d.Head.Init}
		parts[i] = layer.ApplyMatrix(p, fmt.Sprintf("hops.%d", i), x)
	}
	x := p.Concat(parts...)
	if d.Head.BatchNorm {
		x = nn.BatchNorm(p, "hops.norm", x, training)
	}
	return nn.Activate(p, "hops", x, d.Head.Activation)
}
