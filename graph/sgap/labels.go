package sgap

import (
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
	"github.com/seraph-ml/seraph/run"
)

// LabelUse says how the classes of the training nodes enter a model beside the loss (GAMLP, arXiv 2108.10097, eq. 8–10). With
// Y the matrix of one row a node, one-hot for the nodes that train and zero for the others, and Â_r the adjacency matrix of
// the design's r without self-loops, an MLP takes Ŷ = Â_r^Hops Y, brought to a root mean square norm of 1, and its output is
// added to the logits. Neither self-loops nor few hops: what comes back to a node of its own label would tell the model
// in training what it is not told of other nodes.
//
// With Residual (the last residual connection, KDD 2022, sec. 4.3) the MLP takes all label hops instead. Y_k = Â_r^k Y, of a root
// mean square norm of 1 each, is mixed with the last,
//
//	Ŷ_k = (1−α_k) Y_k + α_k Y_Hops,  α_k = cos(π(k−1)/(2 Hops)),
//
// so that the nearest, which say most of a node's own label, keep least of themselves, and nodes weigh the Ŷ_k as they do hops of
// features: against a network's view of all of them, recursively, or, where the weights of hops are learned of each alone or not
// at all, each alone.
type LabelUse struct {
	Kind     LabelKind
	Residual bool
	Hops     int     // K', how far labels travel: at least 1
	Layers   int     // linear layers of their MLP; the rest of it is as in the head
	Dropout  float64 // on its input
}

// LabelKind names a use of labels. The zero value uses none.
type LabelKind string

// The uses.
const (
	NoLabels   LabelKind = "none"
	LabelInput LabelKind = "input" // of the training nodes
	// ReliableLabels are those of the training nodes, and what a stage of training before predicts reliably: [Reliable].
	ReliableLabels LabelKind = "rlu"
)

// reads is the number of label matrices that a design takes.
func (l *LabelUse) reads() int {
	if l.Kind == "" || l.Kind == NoLabels {
		return 0
	}
	return l.Hops - l.first() + 1
}

// first is the first label hop that is read; the last is Hops.
func (l *LabelUse) first() int {
	if l.Residual {
		return 1
	}
	return l.Hops
}

// layout is the matrices whose rows a design takes: hops of so many features, and then labels of so many classes.
type layout struct {
	hops, features, labels, classes int

	limit bool // the last of the hops is what they tend to
}

// layout is that of the design for a data set.
func (d *Design) layout(features, classes int) layout {
	return layout{d.Reads(), features, d.Labels.reads(), classes, d.Messages == Smoothing}
}

// matrices is their number.
func (l layout) matrices() int { return l.hops + l.labels }

// width is the number of columns of matrix i.
func (l layout) width(i int) int {
	if i < l.hops {
		return l.features
	}
	return l.classes
}

// widest is the largest of them.
func (l layout) widest() int { return max(l.features, l.width(l.matrices()-1)) }

// labelInputs declares the label matrices that the design reads, in memory of the caller.
func (d *Design) labelInputs(p *program.Program, rows tensor.Dim, classes int) []nn.Matrix {
	list := make([]nn.Matrix, d.Labels.reads())
	for i := range list {
		list[i].Dense = p.External(fmt.Sprintf("label.%d", i), tensor.F32(rows, tensor.Fixed(classes)))
	}
	return list
}

// addLabels adds what the label input says to the logits.
func (d *Design) addLabels(p *program.Program, logits *program.Value, labels []nn.Matrix, classes int, training bool) *program.Value {
	if len(labels) == 0 {
		return logits
	}
	net := d.Head
	net.Out, net.Layers, net.InputDropout, net.InitialResidual = classes, d.Labels.Layers, d.Labels.Dropout, false
	message := labels[0]
	if d.Labels.Residual {
		message.Dense = d.weighLabels(p, mixLast(p, dense(labels)), classes, training)
	}
	if net.NoLast = d.Embeds; d.Embeds {
		return p.Concat(logits, net.ApplyMatrix(p, labelScope, message, training))
	}
	return p.Add(logits, net.ApplyMatrix(p, labelScope, message, training))
}

// labelScope is where the parameters of label input stand.
const labelScope = "labels"

// mixLast is the last residual connection: Ŷ_k of the label hops Y_1 … Y_K', each (rows, classes).
func mixLast(p *program.Program, hops []*program.Value) []*program.Value {
	last := len(hops) - 1
	mixed := make([]*program.Value, len(hops))
	for i, y := range hops {
		alpha := math.Cos(math.Pi * float64(i) / float64(2*len(hops)))
		mixed[i] = p.Add(p.Scale(y, float32(1-alpha)), p.Scale(hops[last], float32(alpha)))
	}
	return mixed
}

// weighLabels is Σ_k w_ik Ŷ_k, (rows, classes), with weights that are learned for every node.
func (d *Design) weighLabels(p *program.Program, hops []*program.Value, classes int, training bool) *program.Value {
	defer p.Scope(labelScope)()
	own := *d
	own.Attention.Dropout, own.Head.InitialResidual = 0, false
	switch d.Messages {
	case SelfGuided, JK:
		own.Messages, own.Attention.Layers = JK, d.Labels.Layers
	case Recursive:
	default:
		own.Messages = Gate
	}
	parts := make([]nn.Matrix, len(hops))
	for k, y := range hops {
		parts[k].Dense = y
	}
	return p.Combine(newScores(&own, p, parts, training).weigh(classes).Hops, hops...)
}

// labelUse are the settings of label use.
func labelUse() []run.Setting {
	return []run.Setting{
		{Key: "labels", Type: run.Choice, Choices: []string{string(NoLabels), string(LabelInput), string(ReliableLabels)}, Default: string(NoLabels), Doc: "what the model is told of the classes of training nodes nearby: nothing, those classes as input, propagated, or with them what an earlier stage of training predicts reliably"},
		{Key: "label-hops", Type: run.Int, Default: "9", Min: "1", Max: "1000", Doc: "how far labels travel; after few hops a node's own label would be part of its input", Source: "arXiv 2108.10097, ogbn-products"},
		{Key: "label-residual", Type: run.Bool, Default: "false", Doc: "take all label hops, each mixed with the last, and weigh them for every node; else the last alone", Source: "Zhang et al., KDD 2022"},
		{Key: "label-layers", Type: run.Int, Default: "2", Min: "1", Max: "100", Doc: "linear layers of the MLP that takes labels"},
		{Key: "label-dropout", Type: run.Float, Default: "0", Min: "0", Max: "0.99", Doc: "rate on the label input"},
		{Key: "stages", Type: run.Int, Default: "4", Min: "1", Max: "100", Doc: "trainings with --labels rlu, each with what the one before predicts reliably; tuning tries the first", Source: "arXiv 2108.10097, ogbn-products"},
		{Key: "threshold", Type: run.Float, Default: "0.85", Min: "0", Max: "1", Doc: "probability above which a prediction is reliable", Source: "arXiv 2108.10097, ogbn-products"},
		{Key: "temperature", Type: run.Float, Default: "1", Min: "1e-6", Max: "1e6", Doc: "what logits are divided by for the probabilities of a stage before", Source: "arXiv 2108.10097, ogbn-products"},
		{Key: "gamma", Type: run.Float, Default: "0.1", Min: "0", Doc: "weight of learning what the stage before predicts of reliable nodes", Source: "arXiv 2108.10097, ogbn-products"},
	}
}

// labelUseOf is the label use that settings describe: none where the model has no such settings.
func labelUseOf(v run.Values) LabelUse {
	if v.Lookup("labels") == nil || v.String("labels") == string(NoLabels) {
		return LabelUse{}
	}
	return LabelUse{
		Kind: LabelKind(v.String("labels")), Residual: v.Bool("label-residual"), Hops: v.Int("label-hops"), Layers: v.Int("label-layers"),
		Dropout: v.Float("label-dropout"),
	}
}

// reliableOf is the training in stages that settings describe, where they ask for it.
func reliableOf(v run.Values) Reliable {
	if labelUseOf(v).Kind != ReliableLabels {
		return Reliable{}
	}
	return Reliable{v.Int("stages"), v.Float("threshold"), v.Float("temperature"), v.Float("gamma")}
}
