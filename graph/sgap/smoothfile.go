package sgap

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"strings"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/format/table"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// SmoothJob is node-dependent local smoothing of the predictions in a file, made by any model: NDLS-L on its own (Zhang et
// al., NeurIPS 2021).
type SmoothJob struct {
	Predictions string // a table with the columns id and p_CLASS, a row for every node of the graph: what seraph predict writes
	Graph       string // the graph, of any format
	Out         string // where to, as seraph predict writes it; "-" is stdout
	Component   graph.Component
	Local       Local
	Memory      int64 // bytes
	Threads     int
}

// SmoothResult is what smoothing has done. Accuracies are those of the public split before and after, where the graph has one.
type SmoothResult struct {
	Nodes      int         `json:"nodes"`
	Classes    int         `json:"classes"`
	MeanSteps  float64     `json:"mean_steps"`
	Never      int         `json:"never_near"` // nodes that took all steps
	Validation *[2]float64 `json:"val_accuracy,omitempty"`
	Test       *[2]float64 `json:"test_accuracy,omitempty"`
	Peak       int64       `json:"planned_peak_bytes"`
	Summary    string      `json:"-"` // of the steps, by degree
}

// Run smooths. The bits of the result do not depend on threads. A budget that is too small is a *plan.TooSmallError.
func (j *SmoothJob) Run(ctx context.Context) (r *SmoothResult, err error) {
	d, read, err := j.read()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	t, err := detect.OpenTable(j.Predictions, table.Options{})
	if err != nil {
		return nil, err
	}
	if err := d.classesOf(t); err != nil {
		return nil, err
	}
	r = &SmoothResult{Nodes: d.Nodes, Classes: d.Classes}
	if r.Peak, err = j.peak(d, read); err != nil {
		return nil, err
	}
	sm, err := newSmoother(d, d.inMemory(), nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sm.close()) }()
	if err := d.readPredictions(t, sm.graph.Features.Dense); err != nil {
		return nil, err
	}
	a, err := d.Normalize(localNorm)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	pool := kernel.NewPool(j.Threads)
	defer pool.Close()
	q, err := sm.run(ctx, &Post{Norm: localNorm, Local: j.Local}, a, pool)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	r.MeanSteps, r.Never, r.Summary = sm.steps.mean(), sm.steps.Never, sm.steps.summary("predictions")
	r.score(d, sm.graph.Features.Dense, q.Matrix(0))
	return r, j.write(d, q.Matrix(0))
}

// read reads the graph, and says what reading took at most.
func (j *SmoothJob) read() (*dataset, int64, error) {
	kind, err := detect.Recognise(j.Graph)
	if err != nil {
		return nil, 0, err
	}
	if kind.Class != detect.Graph {
		return nil, 0, run.Usagef("%s is a %s, expected a graph", j.Graph, kind.Title)
	}
	read, err := detect.ImportBytes(j.Graph)
	if err != nil {
		return nil, 0, err
	}
	if read > max(j.Memory, largestProbe) {
		return nil, 0, &plan.TooSmallError{Budget: j.Memory, Smallest: read, Stage: stageImport}
	}
	raw, err := detect.ReadGraph(j.Graph, detect.Options{})
	if err != nil {
		return nil, 0, err
	}
	if j.Component == "auto" {
		j.Component = graph.DefaultComponent(raw.Format)
	}
	d := &dataset{graphBytes: graph.BuildBytes(raw, j.Component)}
	if d.Graph, err = graph.New(raw, j.Component); err != nil {
		return nil, 0, err
	}
	raw = nil
	debug.FreeOSMemory() // what the reader left
	return d, read, nil
}

// probability begins the names of columns of probabilities.
const probability = "p_"

// classesOf makes the classes those that a table of predictions has, in its order. Where they are not those of the graph, its
// labels are forgotten.
func (d *dataset) classesOf(t *table.File) error {
	var names []string
	for i := range t.Columns {
		if name, ok := strings.CutPrefix(t.Columns[i].Name, probability); ok {
			names = append(names, name)
		}
	}
	if _, ok := t.Column("id"); !ok || len(names) == 0 {
		return run.Usagef("%s has no predictions: expected the columns id and %sCLASS, as seraph predict writes them", t.Path, probability)
	}
	same := d.Labels != nil && d.Classes == len(names)
	for c := 0; same && c < len(names); c++ {
		same = d.className(c) == names[c]
	}
	if !same {
		d.Labels = nil
	}
	d.Classes, d.ClassNames = len(names), names
	return nil
}

// readPredictions reads the rows of all nodes.
func (d *dataset) readPredictions(t *table.File, p []float32) error {
	node := make(map[int64]int, d.Nodes)
	for u := range d.Nodes {
		node[d.ID(u)] = u
	}
	for block, err := range t.Blocks(1 << 12) {
		if err != nil {
			return err
		}
		id, _ := block.Column("id")
		if id.Kind != table.Int || id.Missing > 0 {
			return run.Usagef("%s: column id holds something else than whole numbers", t.Path)
		}
		for i, original := range id.Ints {
			u, ok := node[original]
			if !ok {
				return run.Usagef("%s: the graph has no node %d, or it has two rows", t.Path, original)
			}
			delete(node, original)
			if err := d.takeRow(t, block, i, p[u*d.Classes:(u+1)*d.Classes]); err != nil {
				return err
			}
		}
	}
	for original := range node {
		return run.Usagef("%s: %d of the %d nodes have no row, node %d is one", t.Path, len(node), d.Nodes, original)
	}
	return nil
}

// takeRow reads the probabilities of a row.
func (d *dataset) takeRow(t *table.File, block *table.Table, i int, row []float32) error {
	for c := range row {
		column, _ := block.Column(probability + d.ClassNames[c])
		x := math.NaN()
		switch column.Kind {
		case table.Float32:
			x = float64(column.Float32s[i])
		case table.Float64:
			x = column.Float64s[i]
		case table.Int:
			if !column.IsMissing(i) {
				x = float64(column.Ints[i])
			}
		}
		if !(x >= 0 && x <= 1) {
			return run.Usagef("%s: column %s has something else than a probability", t.Path, column.Name)
		}
		row[c] = float32(x)
	}
	return nil
}

// peak is what the job takes at most.
func (j *SmoothJob) peak(d *dataset, read int64) (int64, error) {
	baseline, err := memory.Baseline()
	if err != nil {
		return 0, err
	}
	smooth := plan.Stage{Name: "smooth", Items: []plan.Item{
		{Name: "graph", Bytes: d.graphBytes, Where: plan.Resident},
		{Name: "nodes by their ids", Bytes: 48 * int64(d.Nodes), Where: plan.Resident},
	}}
	post := Post{Norm: localNorm, Local: j.Local}
	post.plan(d, &smooth, 1, j.Threads, d.inMemory(), 0)
	p := &plan.Job{Budget: j.Memory, Baseline: baseline, Stages: []plan.Stage{importStage(read, d.graphBytes), smooth}}
	if p.Peak() > j.Memory {
		return 0, &plan.TooSmallError{Budget: j.Memory, Smallest: p.Peak(), Stage: smooth.Name}
	}
	return p.Peak(), nil
}

// score compares the accuracies on the public split.
func (r *SmoothResult) score(d *dataset, before, after []float32) {
	if d.Labels == nil || d.Public == nil {
		return
	}
	accuracies := func(nodes []int32) *[2]float64 {
		if len(nodes) == 0 {
			return nil
		}
		return &[2]float64{d.scoreRows(before, nodes).Accuracy(), d.scoreRows(after, nodes).Accuracy()}
	}
	r.Validation, r.Test = accuracies(d.Public.Val), accuracies(d.Public.Test)
}

// write writes the result, whose rows become logarithms.
func (j *SmoothJob) write(d *dataset, q []float32) error {
	const rows = 1 << 12
	return writeTable(j.Out, func(write func(*table.Table) error) error {
		for lo := 0; lo < d.Nodes; lo += rows {
			block := q[lo*d.Classes : min(lo+rows, d.Nodes)*d.Classes]
			for i := 0; i < len(block); i += d.Classes {
				logarithms(block[i : i+d.Classes])
			}
			if err := write(d.predictions(lo, block)); err != nil {
				return fmt.Errorf("write %s: %w", j.Out, err)
			}
		}
		return nil
	})
}
