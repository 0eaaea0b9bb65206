package sgap

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
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
}

func configOf(w *work) config {
	return config{ModelType: "seraph-" + w.preset.name, Features: w.data.Features.Cols, Classes: w.data.Classes, ClassNames: w.data.ClassNames}
}

// Predict implements run.Model: every node's original id, class and probabilities, as CSV, or Parquet where out ends in
// .parquet.
func (m Model) Predict(ctx context.Context, job *run.Job, out string) (err error) {
	w, err := m.prepare(ctx, job, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	saved, err := w.openModel()
	if err != nil {
		return err
	}
	defer saved.Close()
	p, err := w.predictionPlan()
	if err != nil {
		return err
	}
	if err := job.SetPlan(p); err != nil {
		return err
	}
	w.pool = kernel.NewPool(job.Threads)
	h, err := w.hops()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return w.writePredictions(h, saved, out)
}

// openModel opens the trained model, which must suit the data. The caller closes it.
func (w *work) openModel() (*run.Saved, error) {
	saved, err := w.job.Dir.OpenModel()
	if err != nil {
		return nil, err
	}
	var c config
	err = saved.Config(&c)
	if err == nil && c.Features != w.data.Features.Cols {
		err = run.Usagef("%s has %d features, the model was trained on %d", w.job.Data, w.data.Features.Cols, c.Features)
	}
	if err != nil {
		saved.Close()
		return nil, err
	}
	w.data.Classes, w.data.ClassNames = c.Classes, c.ClassNames
	return saved, nil
}

// evaluation is the design's program for blocks of rows alone.
func (w *work) evaluation() (*Programs, sizes, error) {
	d := w.data
	s := d.sizesOf(w.design, w.training, []graph.Split{{Train: make([]int32, 1)}}, w.chosen.blockBytes, w.job.Threads)
	ps, err := w.design.Compile(w.training, s.Sizes, nil)
	return ps, s, err
}

// predictionPlan chooses how to predict within the budget.
func (w *work) predictionPlan() (*plan.Job, error) {
	if _, err := w.normalized(w.design.Norm); err != nil {
		return nil, err
	}
	var failed error
	ways := map[*plan.Job]way{}
	p, err := plan.Choose(w.job.Memory, func(i int) (*plan.Job, bool) {
		way, ok := w.way(i, w.design)
		if !ok || failed != nil {
			return nil, false
		}
		w.chosen = way
		ps, s, err := w.evaluation()
		if err != nil {
			failed = err
			return nil, false
		}
		propagation := w.propagation(w.design, nil)
		input := plan.Item{Name: "graph and adjacency matrix", Bytes: w.data.graphBytes + w.design.Norm.Bytes(w.data.Graph), Where: plan.Resident}
		hops := propagation.Stage(way.propagate)
		hops.Items = append(hops.Items, input)
		persistent, shared, scratch := program.Sizes(ps.Eval)
		predict := plan.Stage{Name: "predict", Items: append(propagation.Items(way.propagate), input,
			plan.Item{Name: "model", Bytes: persistent + shared + scratch, Where: plan.Resident},
			plan.Item{Name: "block of rows", Bytes: bufferBytes(s.Eval, w.design.Reads(), w.data.Features.Cols), Where: plan.Resident})}
		addCost(&predict, float64(w.data.Nodes)/float64(s.Eval), ps.Eval.Cost)
		job := &plan.Job{Baseline: w.baseline, Stages: []plan.Stage{importStage(w.data.importBytes), hops, predict}}
		job.Predict(plan.LoadRates(w.job.Threads))
		ways[job] = way
		return job, true
	})
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, err
	}
	w.chosen = ways[p]
	return p, nil
}

// writePredictions applies the model to all rows.
func (w *work) writePredictions(s *store, saved *run.Saved, out string) (err error) {
	d := w.data
	ps, sizes, err := w.evaluation()
	if err != nil {
		return err
	}
	session, err := program.Start(w.pool, ps.Eval)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	if err := run.ReadSession(session, run.Weights, saved.Read); err != nil {
		return err
	}
	block, err := newBuffer(sizes.Eval, w.design.Reads(), d.Features.Cols)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, block.close()) }()
	tr := &trainer{Programs: ps, session: session}
	emit := func(write func(*table.Table) error) error {
		var rows Rows
		none := make([]int32, sizes.Eval)
		for i := range none {
			none[i] = -1
		}
		w.job.Stage("predict", "nodes", d.Nodes)
		for lo := 0; lo < d.Nodes; lo += sizes.Eval {
			hi := min(lo+sizes.Eval, d.Nodes)
			if err := block.read(s, lo, hi, w.design.FirstHop(), &rows); err != nil {
				return err
			}
			rows.Labels = none[:hi-lo]
			logits, _, err := tr.apply(&rows)
			if err != nil {
				return err
			}
			if err := write(d.predictions(lo, logits)); err != nil {
				return err
			}
			w.job.Advance(hi)
		}
		return nil
	}
	return writeTable(out, emit)
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
		ids.Ints[i] = d.IDs[lo+i]
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
		if strings.EqualFold(filepath.Ext(out), ".parquet") {
			return fill(parquet.NewWriter(w))
		}
		return fill(table.NewCSVWriter(w))
	})
}
