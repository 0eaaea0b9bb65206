package sgap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/parquet"
	"github.com/seraph-ml/seraph/format/table"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// config is config.json of a trained model: what prediction needs beside the run's settings.
type config struct {
	ModelType  string   `json:"model_type"`
	Features   int      `json:"features"`
	Classes    int      `json:"classes"`
	ClassNames []string `json:"class_names,omitempty"`
	Columns    *columns `json:"columns,omitempty"`   // of the table it was trained on
	Relations  string   `json:"relations,omitempty"` // the subsets that it propagates along

	// Scale is that of the hops it was trained on, with graph.ScaleRMS, and LabelScale that of propagated labels: a prediction takes
	// them, so that it depends on what is around a node and on nothing else in its graph.
	Scale      []float32 `json:"scale,omitempty"`
	LabelScale []float32 `json:"label_scale,omitempty"`
}

func configOf(w *work, s *store) config {
	d := w.data
	c := config{ModelType: "seraph-" + w.preset.name, Features: d.Features.Cols, Classes: d.Classes, ClassNames: d.ClassNames, Columns: d.columns, Relations: d.relationNames()}
	if s != nil {
		c.Scale = s.scale()
		if s.labels != nil {
			c.LabelScale = s.labels.Scale()
		}
	}
	return c
}

// check says what in the config contradicts itself; "" for nothing.
func (c *config) check() string {
	switch {
	case c.Features < 0 || c.Classes < 1:
		return fmt.Sprintf("%d features and %d classes", c.Features, c.Classes)
	case c.ClassNames != nil && len(c.ClassNames) != c.Classes:
		return fmt.Sprintf("%d names of %d classes", len(c.ClassNames), c.Classes)
	}
	for _, factor := range append(slices.Clone(c.Scale), c.LabelScale...) {
		if !(factor > 0) {
			return fmt.Sprintf("a scale of %g", factor)
		}
	}
	if c.Columns != nil {
		return c.Columns.check()
	}
	return ""
}

// applied is a trained model and the data that it is applied to.
type applied struct {
	*work
	config *config
	saved  *run.Saved
	out    string // where what it gives is written; "" where it is only planned
}

// openModel opens the trained model of a job.
func openModel(job *run.Job) (c *config, saved *run.Saved, err error) {
	if saved, err = job.Dir.OpenModel(); err != nil {
		return nil, nil, err
	}
	c = &config{}
	if err := saved.Config(c); err != nil {
		return nil, nil, errors.Join(err, saved.Close())
	}
	if wrong := c.check(); wrong != "" {
		err := format.CorruptAt(job.Dir.File("model/config.json"), -1, "configuration", wrong, "what goes together")
		return nil, nil, errors.Join(err, saved.Close())
	}
	return c, saved, nil
}

// prepareApplied opens the trained model of the job and reads the input.
func (m Model) prepareApplied(ctx context.Context, job *run.Job) (*applied, error) {
	c, saved, err := openModel(job)
	if err != nil {
		return nil, err
	}
	w, err := m.prepare(ctx, job, c)
	if err != nil {
		return nil, errors.Join(err, saved.Close())
	}
	return &applied{work: w, config: c, saved: saved}, nil
}

func (a *applied) close() error { return errors.Join(a.saved.Close(), a.work.close()) }

// Predict implements run.Model: every node's original id, class and probabilities, as CSV, or Parquet where out ends in
// .parquet.
func (m Model) Predict(ctx context.Context, job *run.Job, out string) error {
	return m.apply(ctx, job, out, func(*Design) {}, func(a *applied, s *store) error { return a.writePredictions(s, out) })
}

// apply applies the model, whose design is altered before, to the input: write is given what the design reads of all nodes,
// and writes to out.
func (m Model) apply(ctx context.Context, job *run.Job, out string, alter func(*Design), write func(a *applied, s *store) error) (err error) {
	a, err := m.prepareApplied(ctx, job)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	alter(&a.design)
	a.out = out
	defer func() {
		if errors.Is(err, run.ErrInterrupted) {
			err = errors.New("interrupted") // nothing to go on from
		}
	}()
	p, err := a.plan()
	if err != nil {
		return err
	}
	if err := job.SetPlan(p); err != nil {
		return err
	}
	a.pool = kernel.NewPool(job.Threads)
	h, err := a.hops()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	if err := a.recallLabels(h); err != nil {
		return err
	}
	if err := a.recallScale(h); err != nil {
		return err
	}
	return write(a, h)
}

// recallScale makes the scale of the training that of the hops and of propagated labels.
func (a *applied) recallScale(s *store) error {
	err := s.rescale(a.config.Scale)
	if err == nil && s.labels != nil {
		err = s.labels.Rescale(a.config.LabelScale)
	}
	if err != nil {
		return format.CorruptAt(a.job.Dir.File("model/config.json"), -1, "scale", "", "").WithCause(err)
	}
	return nil
}

// evaluation is the design's program for blocks of rows alone.
func (a *applied) evaluation(w way) (*Programs, sizes, error) {
	s := a.data.sizesOf(a.choice, []graph.Split{{Train: make([]int32, 1)}}, w, a.job.Threads)
	ps := &Programs{Sizes: s.Sizes}
	var err error
	ps.Eval, ps.eval, err = a.design.compileEvaluation("evaluate", s.Sizes, nil)
	ps.Dense, ps.dense = ps.Eval, ps.eval
	return ps, s, err
}

// plan chooses how to predict within the budget.
func (a *applied) plan() (*plan.Job, error) {
	return a.choose(&a.design, func(w way) (*plan.Job, error) {
		d := a.data
		ps, s, err := a.evaluation(w)
		if err != nil {
			return nil, err
		}
		propagation := a.propagation(a.design, nil)
		input := plan.Item{Name: "graph", Bytes: d.graphBytes, Where: plan.Resident}
		hops := a.hopStage(&a.design, propagation, w)
		hops.Items = append(append(hops.Items, input), a.adjacencyItems()...)
		persistent, shared, scratch := program.Sizes(ps.Eval)
		predict := plan.Stage{Name: "predict", Items: append(a.hopItems(&a.design, propagation, w), input,
			plan.Item{Name: "model", Bytes: persistent + shared + scratch, Where: plan.Resident},
			plan.Item{Name: "block of rows", Bytes: bufferBytes(s.Eval, a.design.layout(d.Features.Cols, d.Classes), false), Where: plan.Resident})}
		predict.Items = append(predict.Items, a.outputItems(s.Eval, ps.width())...)
		addCost(&predict, float64(d.Nodes)/float64(s.Eval), ps.Eval.Cost)
		predict.DiskRead += a.hopReads(&a.design, propagation, w)(d.Nodes)
		addStage(&predict, a.recallStage(w), 1)
		a.design.Post.plan(d, &predict, 1, a.job.Threads, d.predictionWay(w.propagate), s.Eval)
		if a.design.passes() {
			predict.Items = append(append(predict.Items, a.adjacencyItems()...), passingItems(d, s)...)
		}
		return &plan.Job{Baseline: a.baseline, Stages: []plan.Stage{importStage(d.importBytes, d.graphBytes), hops, predict}}, nil
	})
}

// outputItems are what writing rows of so many numbers holds, in a plan: a block as a table, and of Parquet what is compressed of a
// group of rows, in slices that grow.
func (a *applied) outputItems(block, width int) []plan.Item {
	if !isParquet(a.out) {
		return nil
	}
	row := 16 + 4*int64(width)
	bytes := 2*int64(block)*row + 2*min(int64(a.data.Nodes)*row, parquet.GroupBytes+int64(block)*row)
	return []plan.Item{{Name: "rows on their way to " + a.out, Bytes: bytes, Where: plan.Resident}}
}

// writePredictions writes those of all nodes.
func (a *applied) writePredictions(s *store, out string) error {
	return writeTable(out, func(write func(*table.Table) error) error {
		return a.compute(s, func(lo, _ int, logits []float32) error { return write(a.data.predictions(lo, logits)) })
	})
}

// compute starts the model and hands yield what it gives for the nodes from lo on, block by block: rows of logits, or of
// embeddings, of that width.
func (a *applied) compute(s *store, yield func(lo, width int, rows []float32) error) (err error) {
	d := a.data
	ps, sizes, err := a.evaluation(a.chosen)
	if err != nil {
		return err
	}
	session, err := program.Start(a.pool, ps.Eval)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	if err := run.ReadSession(session, run.Weights, a.saved.Read); err != nil {
		return err
	}
	block, err := newBuffer(sizes.Eval, a.design.layout(d.Features.Cols, d.Classes), false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, block.close()) }()
	tr := &trainer{Programs: ps, session: session, edges: s.edges}
	a.job.Stage("predict", "nodes", d.Nodes)
	return a.logits(tr, block, s, func(lo int, rows []float32) error {
		if err := yield(lo, ps.width(), rows); err != nil {
			return err
		}
		a.job.Advance(min(lo+sizes.Eval, d.Nodes))
		return a.job.Interrupted()
	})
}

// logits hands yield those of the nodes from lo on, block by block; where predictions are propagated, the logarithms of the
// result.
func (a *applied) logits(tr *trainer, block *buffer, s *store, yield func(lo int, logits []float32) error) (err error) {
	if !a.design.Post.acts() {
		return tr.applyAll(s, block, &a.design, yield)
	}
	h, _, err := a.smooth(tr, block, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	classes := a.data.Classes
	read := make([]float32, tr.Sizes.Eval*classes)
	for lo := 0; lo < a.data.Nodes; lo += tr.Sizes.Eval {
		hi := min(lo+tr.Sizes.Eval, a.data.Nodes)
		rows := read[:(hi-lo)*classes]
		if err := h.ReadRows(lo, hi, a.design.Post.Hops, rows); err != nil {
			return err
		}
		for i := 0; i < len(rows); i += classes {
			logarithms(rows[i : i+classes])
		}
		if err := yield(lo, rows); err != nil {
			return err
		}
	}
	return nil
}

// predictions is the table of a block of nodes: id, class, probability of each class.
func (d *dataset) predictions(lo int, logits []float32) *table.Table {
	n := len(logits) / d.Classes
	ids := table.Column{Name: "id", Kind: table.Int, Ints: make([]int64, n)}
	class := table.Column{Name: "class", Kind: table.Text, Codes: make([]int32, n)}
	probabilities := make([]table.Column, d.Classes)
	for c := range probabilities {
		class.Values = append(class.Values, d.className(c))
		probabilities[c] = table.Column{Name: "p_" + d.className(c), Kind: table.Float32, Float32s: make([]float32, n)}
	}
	for i := range n {
		ids.Ints[i] = d.ID(lo + i)
		row := logits[i*d.Classes : (i+1)*d.Classes]
		best := argmax(row)
		class.Codes[i] = int32(best)
		var sum float64
		for _, x := range row {
			sum += math.Exp(float64(x - row[best]))
		}
		for c, x := range row {
			probabilities[c].Float32s[i] = float32(math.Exp(float64(x-row[best])) / sum)
		}
	}
	return &table.Table{Rows: n, Columns: append([]table.Column{ids, class}, probabilities...)}
}

// tableWriter is a writer of tables: CSV or Parquet.
type tableWriter interface {
	Write(t *table.Table) error
	Close() error
}

// isParquet says whether a file is written as Parquet, by its name.
func isParquet(path string) bool { return strings.EqualFold(filepath.Ext(path), ".parquet") }

// writeTable writes what emit yields to a path, atomically, as Parquet where it ends in .parquet and else as CSV; or as CSV to
// stdout for "-".
func writeTable(out string, emit func(write func(*table.Table) error) error) error {
	fill := func(w tableWriter) error {
		if err := emit(w.Write); err != nil {
			return err
		}
		return w.Close()
	}
	if out == "-" {
		return fill(table.NewCSVWriter(os.Stdout))
	}
	return format.WriteFile(out, func(w io.Writer) error {
		if isParquet(out) {
			return fill(parquet.NewWriter(w))
		}
		return fill(table.NewCSVWriter(w))
	})
}
