package sgap

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/optim"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Training is how a design is trained.
type Training struct {
	Epochs      int
	LR          float64
	WeightDecay float64 // L2, added to the gradient of every parameter
	Batch       int     // rows of a step; 0 for all at once
	Patience    int     // epochs without a better one after which training stops; 0 for never
	Optimizer   string  // a name of optim.Named
}

// Programs are a design compiled for the sizes of a data set: one step of training, and evaluation of a block of rows. They
// own no memory.
type Programs struct {
	Train, Eval *program.Compiled

	trainHops, evalHops   []*program.Value
	trainLabels           *program.Value
	loss, lr              *program.Value
	evalLabels            *program.Value
	evalLosses, evalLogit *program.Value
	evalRows, trainRows   int
}

// Compile builds both programs: train steps of up to trainRows rows and evaluation of up to evalRows.
func (d *Design) Compile(t Training, features, classes, trainRows, evalRows, threads int) (*Programs, error) {
	rule, err := optim.Named(t.Optimizer)
	if err != nil {
		return nil, err
	}
	ps := &Programs{trainRows: trainRows, evalRows: evalRows}

	p := program.New("train")
	rows := p.Size("rows", trainRows)
	ps.trainHops = d.inputs(p, rows, features)
	ps.trainLabels = p.Input("labels", tensor.I32(rows))
	logits := d.Forward(p, ps.trainHops, classes, true)
	ps.loss, _ = p.CrossEntropy(logits, ps.trainLabels)
	p.Output(ps.loss)
	ps.lr = optim.Minimize(p, ps.loss, rule, 0, optim.Group{Params: p.Parameters(), WeightDecay: t.WeightDecay}).LR
	if ps.Train, err = program.Compile(p, program.Options{Workers: threads}); err != nil {
		return nil, err
	}

	p = program.New("evaluate")
	rows = p.Size("rows", evalRows)
	ps.evalHops = d.inputs(p, rows, features)
	ps.evalLabels = p.Input("labels", tensor.I32(rows))
	ps.evalLogit = p.Output(d.Forward(p, ps.evalHops, classes, false))
	_, ps.evalLosses = p.CrossEntropy(ps.evalLogit, ps.evalLabels)
	p.Output(ps.evalLosses)
	ps.Eval, err = program.Compile(p, program.Options{Workers: threads})
	return ps, err
}

// inputs are the hops that the design reads, in memory of the caller.
func (d *Design) inputs(p *program.Program, rows tensor.Dim, features int) []*program.Value {
	hops := make([]*program.Value, d.Reads())
	for i := range hops {
		hops[i] = p.External(fmt.Sprintf("hop.%d", d.FirstHop()+i), tensor.F32(rows, tensor.Fixed(features)))
	}
	return hops
}

// Rows is a block of rows of the hops that a design reads: Hops[k] is (Count, features).
type Rows struct {
	Count  int
	Hops   [][]float32
	Labels []int32
}

// Slice returns rows lo ≤ i < hi.
func (r *Rows) Slice(lo, hi int, into *Rows) {
	into.Count = hi - lo
	into.Labels = r.Labels[lo:hi]
	into.Hops = into.Hops[:0]
	for _, h := range r.Hops {
		features := len(h) / r.Count
		into.Hops = append(into.Hops, h[lo*features:hi*features])
	}
}

// trainer is programs with memory: a model being trained or applied.
type trainer struct {
	*Programs
	session     *program.Session
	train, eval *program.Execution
	epoch       int // done
	step        uint64
	block       Rows
}

func newTrainer(ps *Programs, pool *kernel.Pool) (*trainer, error) {
	s, err := program.Start(pool, ps.Train, ps.Eval)
	if err != nil {
		return nil, err
	}
	return &trainer{Programs: ps, session: s, train: s.Execution(ps.Train), eval: s.Execution(ps.Eval)}, nil
}

func (t *trainer) close() error { return t.session.Close() }

// reset begins a training from the seed.
func (t *trainer) reset(seed uint64) {
	t.session.Initialize(seed)
	t.epoch, t.step = 0, 0
}

// fit makes one step on the rows and returns its loss.
func (t *trainer) fit(rows *Rows, lr float64) (float64, error) {
	if err := bind(t.train, "rows", t.trainHops, t.trainLabels, rows); err != nil {
		return 0, err
	}
	t.step++
	t.session.Step = t.step
	t.train.Tensor(t.lr).Float32s()[0] = float32(lr)
	if err := t.train.Run(); err != nil {
		return 0, err
	}
	return float64(t.train.Tensor(t.loss).Float32s()[0]), nil
}

// bind makes rows the input of an execution.
func bind(e *program.Execution, size string, hops []*program.Value, labels *program.Value, rows *Rows) error {
	if err := e.SetSize(size, rows.Count); err != nil {
		return err
	}
	for i, v := range hops {
		e.Tensor(v).Bind(rows.Hops[i])
	}
	copy(e.Tensor(labels).Int32s(), rows.Labels)
	return nil
}

// apply evaluates rows, at most as many as planned for, and returns logits (rows, classes) and the loss of each row.
func (t *trainer) apply(rows *Rows) (logits, losses []float32, err error) {
	if err := bind(t.eval, "rows", t.evalHops, t.evalLabels, rows); err != nil {
		return nil, nil, err
	}
	if err := t.eval.Run(); err != nil {
		return nil, nil, err
	}
	return t.eval.Tensor(t.evalLogit).Float32s(), t.eval.Tensor(t.evalLosses).Float32s(), nil
}

// score evaluates rows block by block.
func (t *trainer) score(rows *Rows, classes int) (*Score, error) {
	s := NewScore(classes)
	return s, t.addScore(s, rows)
}

func (t *trainer) addScore(s *Score, rows *Rows) error {
	for lo := 0; lo < rows.Count; lo += t.evalRows {
		rows.Slice(lo, min(lo+t.evalRows, rows.Count), &t.block)
		logits, losses, err := t.apply(&t.block)
		if err != nil {
			return err
		}
		s.Add(logits, losses, t.block.Labels)
	}
	return nil
}
