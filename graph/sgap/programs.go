package sgap

import (
	"fmt"
	"strings"

	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/optim"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
	"github.com/seraph-ml/seraph/graph/gnn"
)

// Training is how a design is trained.
type Training struct {
	Epochs      int
	LR          float64
	WeightDecay float64 // L2, added to the gradient of every parameter but those of scores on hidden rows
	Batch       int     // rows of a step; 0 for all at once
	Patience    int     // epochs without a better one after which training stops; 0 for never
	Optimizer   string  // a name of optim.Named
	Reliable    Reliable
}

// Sizes are what the programs of a design depend on beside it.
type Sizes struct {
	Features, Classes int
	Train             int // most rows of a step
	Val               int // most rows that validate, of which an evaluation takes a block
	Eval              int // most rows of an evaluation
	Edges             int // entries of the adjacency matrix that message passing takes, else 0
	TrainEdges        int // the same of a step of training
	Threads           int
}

// Programs are a design compiled for the sizes of a data set: a step of training, and evaluation of a block of rows whose
// hops are sparse as those of training, or all dense. They own no memory.
type Programs struct {
	Sizes
	Train, Eval, Dense *program.Compiled

	train       inputs
	loss, lr    *program.Value
	guidance    *program.Value // scalar input: the weight of the guide's loss; nil where there is no guide
	lesson      lesson         // set for training in stages
	eval, dense evaluation
}

// inputs are the rows that a program takes.
type inputs struct {
	hops      []nn.Matrix
	labels    *program.Value
	adjacency *gnn.Adjacency // for message passing, else nil
}

// width is the number of columns of what an evaluation gives.
func (ps *Programs) width() int { return ps.eval.logits.Dim(-1).Size }

// evaluation is the inputs and results of an evaluation.
type evaluation struct {
	inputs
	logits, losses *program.Value
	weights        *program.Value // of the hops; nil where none are learned
}

// All are the different programs.
func (ps *Programs) All() []*program.Compiled {
	if ps.Dense == ps.Eval {
		return []*program.Compiled{ps.Train, ps.Eval}
	}
	return []*program.Compiled{ps.Train, ps.Eval, ps.Dense}
}

// Compile builds the programs. sparse says of each hop that the design reads whether its rows come compressed, those of
// training only where nothing falls out of them; nil for none.
func (d *Design) Compile(t Training, s Sizes, sparse []bool) (*Programs, error) {
	rule, err := optim.Named(t.Optimizer)
	if err != nil {
		return nil, err
	}
	ps := &Programs{Sizes: s}
	p := program.New("train")
	step := s
	step.Edges = s.TrainEdges
	ps.train = d.inputs(p, s.Train, s.Train, step, d.stepSparse(sparse), true)
	out := d.forward(p, &ps.train, s.Classes, true)
	ps.loss, _ = p.CrossEntropy(out.Logits, ps.train.labels)
	if out.Guide != nil {
		guide, _ := p.CrossEntropy(out.Guide, ps.train.labels)
		ps.guidance = p.Input("guidance", tensor.F32())
		ps.loss = p.Add(ps.loss, p.Mul(ps.guidance, guide))
	}
	if d.Labels.Kind == ReliableLabels {
		ps.lesson, ps.loss = t.Reliable.learn(p, out.Logits, ps.loss, s.Classes)
	}
	p.Output(ps.loss)
	ps.lr = optim.Minimize(p, ps.loss, rule, 0, d.groups(p, t.WeightDecay)...).LR
	if ps.Train, err = program.Compile(p, program.Options{Workers: s.Threads}); err != nil {
		return nil, err
	}
	if ps.Eval, ps.eval, err = d.compileEvaluation("evaluate", s, sparse); err != nil {
		return nil, err
	}
	ps.Dense, ps.dense = ps.Eval, ps.eval
	for _, is := range sparse {
		if is {
			ps.Dense, ps.dense, err = d.compileEvaluation("evaluate-dense", s, nil)
			break
		}
	}
	return ps, err
}

// stepSparse says which hops' rows come compressed in a step of training, given those of evaluation: dropout acts on dense ones.
func (d *Design) stepSparse(sparse []bool) []bool {
	if d.Head.InputDropout > 0 {
		return nil
	}
	return sparse
}

// groups are the parameters as they are decayed: those of scores on hidden rows are not, and a network of messages
// that pass has its own.
func (d *Design) groups(p *program.Program, weightDecay float64) []optim.Group {
	if d.passes() {
		return d.Network.Groups(p, weightDecay)
	}
	decayed, scores := optim.Group{WeightDecay: weightDecay}, optim.Group{}
	for _, v := range p.Parameters() {
		if d.Attention.On == OnHidden && strings.HasPrefix(v.Name, attentionScope+".") {
			scores.Params = append(scores.Params, v)
		} else {
			decayed.Params = append(decayed.Params, v)
		}
	}
	return []optim.Group{decayed, scores}
}

func (d *Design) compileEvaluation(name string, s Sizes, sparse []bool) (*program.Compiled, evaluation, error) {
	p := program.New(name)
	e := evaluation{inputs: d.inputs(p, s.Eval, s.Val, s, sparse, false)}
	out := d.forward(p, &e.inputs, s.Classes, false)
	e.logits = p.Output(out.Logits)
	if !d.Embeds {
		if out.Hops != nil {
			e.weights = p.Output(out.Hops)
		}
		_, e.losses = p.CrossEntropy(e.logits, e.labels)
		p.Output(e.losses)
	}
	c, err := program.Compile(p, program.Options{Workers: s.Threads})
	return c, e, err
}

// forward is Forward, or the network of message passing.
func (d *Design) forward(p *program.Program, in *inputs, classes int, training bool) Outputs {
	if d.passes() {
		return d.pass(p, in, classes, training)
	}
	return d.Forward(p, in.hops, classes, training)
}

// inputs declares the matrices that the design reads, in memory of the caller, and labels: most rows, where they are compressed a
// part of so many.
func (d *Design) inputs(p *program.Program, most, of int, s Sizes, sparse []bool, transposed bool) inputs {
	rows := p.Size("rows", most)
	in := inputs{hops: make([]nn.Matrix, d.Reads())}
	for i := range in.hops {
		name := hopName(i)
		if sparse != nil && sparse[i] {
			in.hops[i].Sparse = p.NewSparse(name, rows, tensor.Fixed(s.Features), room(of, s.Features), transposed)
		} else {
			in.hops[i].Dense = p.External(name, tensor.F32(rows, tensor.Fixed(s.Features)))
		}
	}
	in.hops = append(in.hops, d.labelInputs(p, rows, s.Classes)...)
	in.labels = p.Input("labels", tensor.I32(rows))
	if d.passes() {
		in.adjacency = gnn.NewAdjacency(p, rows, s.Edges)
	}
	return in
}

func hopName(i int) string { return fmt.Sprintf("hop.%d", i) }
