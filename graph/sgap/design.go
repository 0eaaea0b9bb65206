package sgap

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/graph"
)

// Design is one scalable graph model.
type Design struct {
	Norm     graph.Norm    // graph aggregator: which Â
	Hops     int           // K: 0 is a model that does not see the graph
	Scaling  graph.Scaling // of the features
	Messages Messages      // message aggregator
	Head     nn.MLP        // the transformation; Out is set to the number of classes
}

// Messages says how the hops of a node become the input of the transformation.
type Messages string

// The message aggregators.
const (
	Last   Messages = "last"   // H_K alone: SGC
	Concat Messages = "concat" // every hop through a linear layer of its own, side by side, then the activation: SIGN
)

// FirstHop is the first of the hops that the design reads; the last is Hops.
func (d *Design) FirstHop() int {
	if d.Messages == Concat {
		return 0
	}
	return d.Hops
}

// Reads is the number of hops that the design reads.
func (d *Design) Reads() int { return d.Hops - d.FirstHop() + 1 }

// Forward appends the model: logits (rows, classes) from the hops that the design reads, each (rows, features).
func (d *Design) Forward(p *program.Program, hops []nn.Matrix, classes int, training bool) *program.Value {
	head := d.Head
	head.Out = classes
	if d.Messages == Concat {
		head.InputDropout = head.Dropout
		return head.Apply(p, "head", d.concat(p, hops, training), training)
	}
	return head.ApplyMatrix(p, "head", hops[0], training)
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
