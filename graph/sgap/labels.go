package sgap

import (
	"fmt"

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
type LabelUse struct {
	Kind    LabelKind
	Hops    int     // K', how far labels travel: at least 1
	Layers  int     // linear layers of their MLP; the rest of it is as in the head
	Dropout float64 // on its input
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
	return 1
}

// layout is the matrices whose rows a design takes: hops of so many features, and then labels of so many classes.
type layout struct{ hops, features, labels, classes int }

// layout is that of the design for a data set.
func (d *Design) layout(features, classes int) layout {
	return layout{d.Reads(), features, d.Labels.reads(), classes}
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
	net.Out, net.Layers, net.InputDropout = classes, d.Labels.Layers, d.Labels.Dropout
	return p.Add(logits, net.ApplyMatrix(p, "labels", labels[0], training))
}

// labelUse are the settings of label use.
func labelUse() []run.Setting {
	return []run.Setting{
		{Key: "labels", Type: run.Choice, Choices: []string{string(NoLabels), string(LabelInput), string(ReliableLabels)}, Default: string(NoLabels), Doc: "what the model is told of the classes of training nodes nearby: nothing, those classes as input, propagated, or with them what an earlier stage of training predicts reliably"},
		{Key: "label-hops", Type: run.Int, Default: "9", Min: "1", Max: "1000", Doc: "how far labels travel; after few hops a node's own label would be part of its input", Source: "arXiv 2108.10097, ogbn-products"},
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
	return LabelUse{LabelKind(v.String("labels")), v.Int("label-hops"), v.Int("label-layers"), v.Float("label-dropout")}
}

// reliableOf is the training in stages that settings describe, where they ask for it.
func reliableOf(v run.Values) Reliable {
	if labelUseOf(v).Kind != ReliableLabels {
		return Reliable{}
	}
	return Reliable{v.Int("stages"), v.Float("threshold"), v.Float("temperature"), v.Float("gamma")}
}
