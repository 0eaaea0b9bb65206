package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/format/table"
	"github.com/seraph-ml/seraph/run"
)

var predictCommand = command{
	name: "predict", usage: "RUN --data PATH", help: "Apply a trained model to data.",
	detail: "Writes original ids, class names and probabilities: CSV, or Parquet where --out ends in .parquet; with --json an object a row.\n\n" +
		"With --embeddings it writes in their place what the last linear layer takes of each row, in the same order, as float32: to .npy (rows, width), or to .parquet with the columns id, e_0, e_1, ….",
	exits: []int{exitBudget, exitCorrupt}, flags: typeOf[predict], verb: verbOf[predict],
}

type predict struct {
	outputFlags  `embed:""`
	setFlag      `embed:""`
	appliedFlags `embed:""`
	Run          string `arg:"" name:"RUN" help:"The run directory."`
	Out          string `default:"-" placeholder:"FILE" help:"Where to; - is stdout. Default: -."`
	Embeddings   string `placeholder:"FILE" help:"Write embeddings there, .npy or .parquet, in place of predictions."`
}

func (p *predict) run(a *app) error {
	progress := p.progress(a)
	interrupt, stop := run.Interrupts(progress, func() { os.Exit(exitFailed) })
	defer stop()
	m, job, err := p.open(p.Run, p.setFlag, run.Options{Interrupt: interrupt, Progress: progress})
	if err != nil {
		return err
	}
	defer job.Close()
	if job.Data == "" {
		return run.Usagef("--data is missing: what to apply the model to")
	}
	for _, out := range []string{p.Out, p.Embeddings} {
		if out == "" || out == "-" {
			continue
		}
		if err := checkOut(out, []string{job.Data}); err != nil {
			return err
		}
	}
	ctx := context.Background()
	if p.Embeddings != "" {
		return p.embed(ctx, a, m, job)
	}
	if p.Out == "-" && p.JSON {
		return p.printRows(ctx, a, m, job)
	}
	if err := m.Predict(ctx, job, p.Out); err != nil || p.Out == "-" {
		return err
	}
	return p.printWritten(a, job, "predictions", p.Out)
}

// printWritten says what was written where.
func (p *predict) printWritten(a *app, job *run.Job, what, out string) error {
	return p.print(a, struct {
		Event string `json:"event"`
		Run   string `json:"run"`
		Data  string `json:"data"`
		What  string `json:"what"`
		Out   string `json:"out"`
	}{"predict", p.Run, job.Data, what, out}, what+": "+out)
}

// embed writes embeddings.
func (p *predict) embed(ctx context.Context, a *app, m run.Model, job *run.Job) error {
	of, ok := m.(run.Embedder)
	switch {
	case p.Out != "-":
		return run.Usagef("--out and --embeddings exclude each other: embeddings are written in place of predictions")
	case !ok:
		return run.Usagef("--embeddings: %s is a run of %s, which has none", p.Run, m.Spec().Name)
	}
	if err := of.Embed(ctx, job, p.Embeddings); err != nil {
		return err
	}
	return p.printWritten(a, job, "embeddings", p.Embeddings)
}

// printRows prints predictions as JSON lines, an object a row. They pass through a temporary file, which knows numbers from
// texts that look like some.
func (p *predict) printRows(ctx context.Context, a *app, m run.Model, job *run.Job) error {
	dir, err := os.MkdirTemp("", "seraph-predict-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "predictions.parquet")
	if err := m.Predict(ctx, job, path); err != nil {
		return err
	}
	f, err := detect.OpenTable(path, table.Options{})
	if err != nil {
		return err
	}
	w := bufio.NewWriter(a.stdout)
	for block, err := range f.Blocks(1 << 12) {
		if err != nil {
			return err
		}
		for i := range block.Rows {
			if err := writeRow(w, block, i); err != nil {
				return err
			}
		}
	}
	return w.Flush()
}

// writeRow writes row i of a table as a JSON line; what is missing is null.
func writeRow(w *bufio.Writer, t *table.Table, i int) error {
	sep := byte('{')
	for c := range t.Columns {
		column := &t.Columns[c]
		name, err := json.Marshal(column.Name)
		if err != nil {
			return err
		}
		value := column.AppendValue(nil, i)
		switch {
		case column.IsMissing(i):
			value = []byte("null")
		case column.Kind == table.Text:
			if value, err = json.Marshal(string(value)); err != nil {
				return err
			}
		}
		w.WriteByte(sep)
		w.Write(name)
		w.WriteByte(':')
		w.Write(value)
		sep = ','
	}
	_, err := w.WriteString("}\n") // and the errors of all writes before it
	return err
}

// open opens a trained run to apply its model.
func (f *appliedFlags) open(dir string, set setFlag, o run.Options) (run.Model, *run.Job, error) {
	m, err := modelOf(dir)
	if err != nil {
		return nil, nil, err
	}
	o.Sources, o.Version = set.sources(f.settings()), version
	job, err := run.Open(m, dir, o)
	return m, job, err
}
