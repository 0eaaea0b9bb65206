package sgap

import (
	"context"
	"errors"
	"fmt"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// The stages of a job.
const (
	stageImport    = "import"
	stageTune      = "tune"
	stagePropagate = "propagate"
	stageTrain     = "train"
)

// largestBlock is the most that the rows of one evaluation take where memory is plenty.
const largestBlock = 64 << 20

// way is how a job is carried out within the budget.
type way struct {
	level      int // 0 is the fastest; higher ones take less memory
	propagate  graph.Way
	blockBytes int64
}

// planner makes the plans of a job.
type planner struct {
	job      *run.Job
	preset   *preset
	baseline int64
	data     *dataset
	chosen   way
	tuned    *plan.Stage // of the search, once it is planned

	adjacency *graph.Adjacency // the last that was asked for
}

// normalized returns the adjacency matrix of a normalisation; it lives until another is asked for.
func (pl *planner) normalized(norm graph.Norm) (*graph.Adjacency, error) {
	if pl.adjacency != nil && pl.adjacency.Norm == norm {
		return pl.adjacency, nil
	}
	if err := pl.forget(); err != nil {
		return nil, err
	}
	var err error
	pl.adjacency, err = pl.data.Normalize(norm)
	return pl.adjacency, err
}

// forget gives the adjacency matrix back.
func (pl *planner) forget() error {
	if pl.adjacency == nil {
		return nil
	}
	a := pl.adjacency
	pl.adjacency = nil
	return a.Close()
}

// importPlan is the plan of reading the input, from its size alone.
func importPlan(job *run.Job, baseline int64) (*plan.Job, error) {
	bytes, err := detect.ImportBytes(job.Data)
	if err != nil {
		return nil, err
	}
	p := &plan.Job{Baseline: baseline, Stages: []plan.Stage{importStage(bytes)}}
	p.Predict(plan.LoadRates(job.Threads))
	return p, nil
}

func importStage(bytes int64) plan.Stage {
	return plan.Stage{
		Name:    stageImport,
		Items:   []plan.Item{{Name: "input, read and cleaned", Bytes: bytes, Where: plan.Resident}},
		Traffic: 20 * float64(bytes), // parsing
	}
}

// plan chooses the fastest way for a design that fits the budget. The stage of tuning is there when candidates are still to be
// tried.
func (pl *planner) plan(design Design, t Training, tune *tuning) (*plan.Job, error) {
	if _, err := pl.normalized(design.Norm); err != nil {
		return nil, err
	}
	var failed error
	ways := make(map[*plan.Job]way)
	job, err := plan.Choose(pl.job.Memory, func(i int) (*plan.Job, bool) {
		w, ok := pl.way(i, design)
		if !ok || failed != nil {
			return nil, false
		}
		var p *plan.Job
		if p, failed = pl.describe(w, design, t, tune); failed != nil {
			return nil, false
		}
		ways[p] = w
		return p, true
	})
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, err
	}
	pl.chosen = ways[job]
	return job, nil
}

// way is way i, from the fastest to the one that takes the least memory.
func (pl *planner) way(i int, design Design) (way, bool) {
	ways := pl.propagation(design, nil).Ways()
	w := way{level: i, propagate: ways[min(i, len(ways)-1)], blockBytes: max(int64(largestBlock)>>i, 1<<20)}
	return w, i < len(ways) || largestBlock>>i > 1<<20
}

// propagation describes the hops of a design, whose adjacency matrix is there, for some nodes (nil: all).
func (pl *planner) propagation(design Design, nodes []int32) *graph.Propagation {
	return &graph.Propagation{
		Graph: pl.data.Graph, Adjacency: pl.adjacency, Scaling: design.Scaling, First: design.FirstHop(), K: design.Hops, Rows: nodes,
	}
}

// describe is the plan of one way.
func (pl *planner) describe(w way, design Design, t Training, tune *tuning) (*plan.Job, error) {
	d := pl.data
	p := &plan.Job{Baseline: pl.baseline, Stages: []plan.Stage{importStage(d.importBytes)}}
	input := []plan.Item{{Name: "graph", Bytes: d.graphBytes, Where: plan.Resident}}
	adjacency := plan.Item{Name: "adjacency matrix", Bytes: design.Norm.Bytes(d.Graph), Where: plan.Resident, Note: fmt.Sprintf("r = %g", design.Norm.R)}
	if tune != nil {
		s, err := tune.stage(pl, w)
		if err != nil {
			return nil, err
		}
		s.Items = append(append(s.Items, input...), adjacency)
		pl.tuned = &s
	}
	if pl.tuned != nil {
		p.Stages = append(p.Stages, *pl.tuned)
	}

	propagation := pl.propagation(design, d.wanted(d.splits, true))
	s := propagation.Stage(w.propagate)
	s.Items = append(append(s.Items, input...), adjacency)
	p.Stages = append(p.Stages, s)

	sizes := d.sizesOf(design, t, d.splits, w.blockBytes, pl.job.Threads)
	ends, err := sizes.compileEnds(&design, t)
	if err != nil {
		return nil, err
	}
	ps := ends[0]
	train := plan.Stage{Name: stageTrain, Items: append(d.workItems(design, ends, sizes, true), propagation.Items(w.propagate)...)}
	train.Items = append(train.Items, input...)
	seeds := float64(pl.job.Seeds)
	epochs := seeds * float64(t.Epochs)
	addCost(&train, epochs*float64(sizes.train)/float64(sizes.Train), ps.Train.Cost)
	addCost(&train, epochs*float64(sizes.val)/float64(sizes.Eval), ps.Eval.Cost)
	addCost(&train, seeds*float64(d.Nodes)/float64(sizes.Eval), ps.Eval.Cost)
	if w.propagate.Spill {
		train.DiskRead = int64(seeds) * 4 * int64(d.Nodes) * int64(d.Features.Cols) * int64(design.Reads())
	}
	p.Stages = append(p.Stages, train)
	p.Predict(plan.LoadRates(pl.job.Threads))
	return p, nil
}

// addCost adds so many runs of a program.
func addCost(s *plan.Stage, runs float64, c program.Cost) {
	s.Flops += runs * c.Flops
	s.FlopsBF16 += runs * c.FlopsBF16
	s.Traffic += runs * c.Traffic
}

// Plan implements run.Model. It reads the input.
func (m Model) Plan(ctx context.Context, job *run.Job) (p *plan.Job, err error) {
	w, err := m.prepare(ctx, job, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	return w.plan()
}
