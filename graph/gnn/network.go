package gnn

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/optim"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Network is a stack of message-passing layers of one kind. It is comparable.
type Network struct {
	Kind    Kind
	Layers  int
	Hidden  int     // width of the layers but the last, of a head for GAT
	Dropout float64 // on what every layer takes
	BF16    bool    // products in bfloat16
	NoLast  bool    // the result is what the last layer would take

	Heads            int     // of the layers but the last, side by side; GAT
	OutHeads         int     // of the last layer, whose mean it takes; GAT
	AttentionDropout float64 // on the weights of edges; GAT
}

// Kind names a layer.
type Kind string

// The layers.
const (
	GCN Kind = "gcn" // neighbours by the normalised adjacency matrix, then ReLU
	GAT Kind = "gat" // neighbours by weights learned from both ends of the edge, then ELU
)

// Adjacency is the edges of a graph as an operand: Â with self-loops, whose pattern is symmetric.
type Adjacency struct {
	*program.Edges
	Weights *program.Value // (1, entries): those of Â
}

// NewAdjacency declares the edges of so many nodes, in memory of the caller.
func NewAdjacency(p *program.Program, nodes tensor.Dim, entries int) *Adjacency {
	return &Adjacency{
		Edges:   p.NewEdges("adjacency", nodes, entries),
		Weights: p.External("adjacency.weights", tensor.F32(tensor.Fixed(1), tensor.Fixed(entries))),
	}
}

// Forward appends the network to a program: the logits (nodes, classes) of all nodes with features x (nodes, features). Layer i
// is name i; training says whether dropout is in force.
func (n Network) Forward(p *program.Program, a *Adjacency, x *program.Value, classes int, training bool) *program.Value {
	for i := range n.Layers {
		last := i == n.Layers-1
		if last && n.NoLast {
			break
		}
		if training {
			x = p.Dropout(x, n.Dropout)
		}
		name := fmt.Sprint(i)
		if n.Kind == GAT {
			x = n.attend(p, name, a, x, classes, last, training)
		} else {
			x = n.convolve(p, name, a, x, classes, last)
		}
	}
	return x
}

// Groups are the parameters that the network has in a program, with weight decay where its paper has it: for GCN on the first
// layer alone.
func (n Network) Groups(p *program.Program, weightDecay float64) []optim.Group {
	all := optim.Group{Params: p.Parameters(), WeightDecay: weightDecay}
	if n.Kind == GAT || n.Layers == 1 {
		return []optim.Group{all}
	}
	const first = 2 // weight and bias
	return []optim.Group{{Params: all.Params[:first], WeightDecay: weightDecay}, {Params: all.Params[first:]}}
}

// convolve is a layer of GCN. The rows are made narrow before neighbours are added up.
func (n Network) convolve(p *program.Program, name string, a *Adjacency, x *program.Value, classes int, last bool) *program.Value {
	width := n.Hidden
	if last {
		width = classes
	}
	x = nn.Linear{Out: width, NoBias: true, BF16: n.BF16, Init: nn.XavierUniform}.Apply(p, name, x)
	defer p.Scope(name)()
	x = p.AddRow(p.EdgeAggregate(a.Edges, a.Weights, x), p.Parameter("bias", nn.Zeros, width))
	if last {
		return x
	}
	return p.Activate(x, kernel.ReLU)
}

// attend is a layer of GAT: e_uv = LeakyReLU(a_left·W x_u + a_right·W x_v), α = softmax_v(e), of every head.
func (n Network) attend(p *program.Program, name string, a *Adjacency, x *program.Value, classes int, last, training bool) *program.Value {
	heads, width := n.Heads, n.Hidden
	if last {
		heads, width = n.OutHeads, classes
	}
	x = nn.Linear{Out: heads * width, NoBias: true, BF16: n.BF16, Init: nn.XavierUniform}.Apply(p, name, x)
	defer p.Scope(name)()
	score := func(end string) *program.Value {
		return headDots(p, x, p.Parameter(end, nn.XavierUniform, heads, width))
	}
	const slope = 0.2
	alpha := p.EdgeSoftmax(a.Edges, p.LeakyReLU(p.EdgeScores(a.Edges, score("left"), score("right")), slope))
	if training {
		alpha = p.Dropout(alpha, n.AttentionDropout)
	}
	x = p.EdgeAggregate(a.Edges, alpha, x)
	if !last {
		return p.ELU(p.AddRow(x, p.Parameter("bias", nn.Zeros, heads*width)))
	}
	return p.AddRow(meanOfHeads(p, x, heads), p.Parameter("bias", nn.Zeros, width))
}

// headDots multiplies every head of x (nodes, heads·width) with its row of w (heads, width): (nodes, heads).
func headDots(p *program.Program, x, w *program.Value) *program.Value {
	nodes, heads, width := x.Dim(0), w.Dim(0).Size, w.Dim(1)
	terms := p.MulRow(x, p.Reshape(w, tensor.Fixed(heads*width.Size)))
	ones := p.Fill(1, tensor.Fixed(1), width)
	return p.Reshape(p.Linear(p.Reshape(terms, nodes.Times(heads), width), ones, nil, false), nodes, tensor.Fixed(heads))
}

// meanOfHeads is the mean over the heads of x (nodes, heads·width).
func meanOfHeads(p *program.Program, x *program.Value, heads int) *program.Value {
	if heads == 1 {
		return x
	}
	width := x.Dim(1).Size / heads
	sum := p.Columns(x, 0, width)
	for h := 1; h < heads; h++ {
		sum = p.Add(sum, p.Columns(x, h*width, (h+1)*width))
	}
	return p.Scale(sum, 1/float32(heads))
}
