package sgap

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// Model is a preset carried through package run.
type Model struct{ preset *preset }

// work is a job of a preset in progress.
type work struct {
	planner
	choice
	ctx   context.Context
	tune  *tuning // settings to try; nil when there is nothing to tune (any more)
	pool  *kernel.Pool
	spill *memory.Spill
	steps *localSteps // of the features smoothed last
}

// prepare reads the input, to train on or for a model to be applied to, and works out what is to be done.
func (m Model) prepare(ctx context.Context, job *run.Job, model *config) (*work, error) {
	w, err := m.open(ctx, job, model)
	if err == nil && model == nil && job.Int("tune") > 0 && !job.Tuned() {
		if w.tune, err = w.newTuning(job.Int("tune"), m.preset.tuned); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	return w, err
}

// open reads the input.
func (m Model) open(ctx context.Context, job *run.Job, model *config) (w *work, err error) {
	w = &work{ctx: ctx, planner: planner{job: job, preset: m.preset}}
	if w.baseline, err = memory.Baseline(); err != nil {
		return nil, err
	}
	if err := errors.Join(m.preset.check(job.Values), m.preset.takes(job), w.announce(model != nil)); err != nil {
		return nil, err
	}
	if w.data, err = load(job, model, true); err != nil {
		return nil, err
	}
	w.choice = w.choiceOf(job.Values)
	if err := w.design.checkSubsets(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	if model == nil && inductive(job) {
		err := w.checkInductive()
		if err == nil {
			err = w.data.induce()
		}
		if err != nil {
			return nil, errors.Join(err, w.close())
		}
		job.Notef("training sees the %d nodes that train and the %d edges among them; validation and test see the whole graph", w.data.learning.Nodes, w.data.learning.Edges())
	}
	return w, nil
}

// announce begins the stage of the import, where a run directory is there to record it.
func (w *work) announce(applied bool) error {
	if w.job.Dir == nil {
		return nil
	}
	p, err := importPlan(w.job, w.baseline, applied)
	if err != nil {
		return err
	}
	if p.Peak() > w.job.Memory {
		return nil // the job will be refused, with the budget that all of it needs
	}
	if err := w.job.SetPlan(p); err != nil {
		return err
	}
	w.job.Stage(stageImport, "", 0)
	return nil
}

// plan is the plan of what is left to do. While settings are still to be tried, it holds for all of them.
func (w *work) plan() (*plan.Job, error) {
	choices := []choice{w.choice}
	if w.tune != nil {
		choices, _ = kinds(w.tune.final())
	}
	return w.planner.plan(choices, w.tune)
}

// close gives all memory back.
func (w *work) close() error {
	err := w.forget()
	if w.data != nil {
		err = errors.Join(err, w.data.Close())
	}
	if w.spill != nil {
		err = errors.Join(err, w.spill.Close())
	}
	w.pool.Close()
	return err
}

// Train implements run.Model.
func (m Model) Train(ctx context.Context, job *run.Job) (err error) {
	w, err := m.prepare(ctx, job, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	w.pool = kernel.NewPool(job.Threads)
	if err := w.setPlan(); err != nil {
		return err
	}
	if w.tune != nil {
		if err := w.tune.run(); err != nil {
			return err
		}
		w.tune = nil
		w.choice = w.choiceOf(job.Values)
		w.pool.Close() // with the working memory of all candidates
		w.pool = kernel.NewPool(job.Threads)
		if err := w.setPlan(); err != nil {
			return err
		}
	}
	store, err := w.hops()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return w.trainAll(store)
}

// setPlan plans what is left to do and begins to follow the plan.
func (w *work) setPlan() error {
	p, err := w.plan()
	if err != nil {
		return err
	}
	return w.job.SetPlan(p)
}

// disk is the space for what does not fit in memory: --disk, or the run directory.
func (w *work) disk() (*memory.Spill, error) {
	if w.spill != nil {
		return w.spill, nil
	}
	place := w.job.Disk
	if place.Dir == "" {
		place.Dir = filepath.Join(w.job.Dir.Path, "spill")
	}
	var err error
	w.spill, err = memory.OpenSpill(place)
	return w.spill, err
}

// shelfDisk is the space for rows that train and validate, where they are on disk; else nil.
func (w *work) shelfDisk(s *sizes) (*memory.Spill, error) {
	if !s.shelved {
		return nil, nil
	}
	return w.disk()
}

// propagate makes what a design reads of the features as the plan says, by propagation or local smoothing, until the job is
// interrupted.
func (w *work) propagate(d *Design, p *graph.Propagation, nodes []int32) (*store, error) {
	if d.Subsets > 0 {
		return w.propagateSubsets(d, p, nodes, w.compute)
	}
	var h *graph.Hops
	var err error
	if d.Local.acts() {
		h, err = w.smoothFeatures(d, nodes, p.Progress)
	} else {
		h, err = w.compute(p)
	}
	if err != nil {
		return nil, err
	}
	s, err := newStore(h, nodes, w.data.Nodes)
	if s != nil {
		s.combined = p.Combine != nil
	}
	return s, err
}

// compute carries a propagation out as the plan says, until the job is interrupted.
func (w *work) compute(p *graph.Propagation) (*graph.Hops, error) {
	return w.within(&p.Progress, func(ctx context.Context, spill *memory.Spill) (*graph.Hops, error) {
		return p.Run(ctx, w.chosen.propagate, w.pool, spill)
	})
}

// within runs what reports progress, with the disk where the plan has one, until the job is interrupted.
func (w *work) within(progress *func(done, total int), make func(context.Context, *memory.Spill) (*graph.Hops, error)) (*graph.Hops, error) {
	var spill *memory.Spill
	if w.chosen.propagate.Spill || w.data.Features.Read != nil {
		var err error
		if spill, err = w.disk(); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancelCause(w.ctx)
	defer cancel(nil)
	advance := *progress
	*progress = func(done, total int) {
		if advance != nil {
			advance(done, total)
		}
		if err := w.job.Interrupted(); err != nil {
			cancel(err)
		}
	}
	h, err := make(ctx, spill)
	if err != nil {
		if context.Cause(ctx) == run.ErrInterrupted {
			return nil, run.ErrInterrupted
		}
		return nil, err
	}
	return h, nil
}

// hops propagates the features of all nodes that the splits name, or of all where there are none. The adjacency matrix is
// gone afterwards, but where messages pass along it.
func (w *work) hops() (*store, error) {
	if err := w.normalize(&w.design); err != nil {
		return nil, err
	}
	nodes := w.data.nodesFor(&w.design)
	p := w.propagation(w.design, nodes)
	p.Progress = func(done, _ int) { w.job.Advance(done) }
	w.job.Stage(stagePropagate, "blocks", 0)
	s, err := w.propagate(&w.design, p, nodes)
	if err != nil {
		return nil, err
	}
	if n := ranks(w.job); n > 1 {
		w.job.Notef("propagation over %d ranks: %s of rows of hops went from rank to rank", n, memory.FormatSize(s.exchanged()))
	}
	s.learner = w.newLearner(&w.design, w.design.FirstHop())
	if w.design.passes() {
		err = w.connect(s, &w.design)
	} else {
		err = w.forget()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// trainAll trains every trial.
func (w *work) trainAll(s *store) (err error) {
	d := w.data
	sizes := d.sizesOf(w.choice, d.splits, w.chosen, w.job.Threads)
	spill, err := w.shelfDisk(&sizes)
	if err != nil {
		return err
	}
	shop, err := newWorkshop(d, w.choice, sizes, true, w.pool, spill)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shop.close()) }()
	for trial, err := range w.job.Trials() {
		if err != nil {
			return err
		}
		if err := w.trial(trial, shop, s); err != nil {
			return err
		}
	}
	if l := w.steps; l != nil && w.design.Local.acts() {
		w.job.AddSection(l.section("features"))
		w.job.Notef("%s", l.summary("features"))
	}
	if err := addTestSections(w.job, d); err != nil {
		return err
	}
	search, err := tuningSection(w.job)
	if search != nil {
		w.job.AddSection(*search)
	}
	return err
}

// goOn begins a trial, or goes back to its newest checkpoint.
func (w *work) goOn(trial *run.Trial, shop *workshop, s *store, split graph.Split) (err error) {
	c, err := trial.Restore()
	if err != nil {
		return err
	}
	if c != nil {
		defer func() { err = errors.Join(err, c.Close()) }()
	}
	if err := w.enter(s, shop, split, c); err != nil {
		return err
	}
	if err := shop.open(s, split); err != nil {
		return err
	}
	shop.begin(trial.Seed)
	if c == nil {
		return nil
	}
	return shop.resume(c)
}

// runStage trains to the end of the stage, and takes the weights of its best epoch.
func (w *workshop) runStage(trial *run.Trial) error {
	for !w.finished() {
		loss, val, err := w.runEpoch()
		if err != nil {
			return err
		}
		epoch := w.stages.Epochs + w.trainer.epoch
		err = trial.Log(epoch, run.Metric{Name: "loss", Value: loss},
			run.Metric{Name: "val_loss", Value: val.MeanLoss()}, run.Metric{Name: "val_accuracy", Value: val.Accuracy()})
		if err != nil {
			return err
		}
		if err := trial.EndStep(epoch, w.snapshot); err != nil {
			return err
		}
	}
	w.restoreBest()
	return nil
}

// trial trains one seed.
func (w *work) trial(trial *run.Trial, shop *workshop, s *store) error {
	split := w.data.splits[trial.Seed-w.job.Seed]
	w.job.Stage(stageTrain, "epochs", w.training.Epochs*max(w.training.Reliable.Stages, 1))
	if err := w.goOn(trial, shop, s, split); err != nil {
		return err
	}
	for more := true; more; {
		if err := shop.runStage(trial); err != nil {
			return err
		}
		var err error
		if more, err = w.nextStage(s, shop, split); err != nil {
			return err
		}
	}
	return w.judge(trial, shop, s, split)
}

// judge ends a trial: with the weights of the best epoch, its predictions propagated where the design says so, the test nodes are
// looked at.
func (w *work) judge(trial *run.Trial, shop *workshop, s *store, split graph.Split) error {
	accuracy := shop.best.Accuracy
	var test *Score
	var steps *localSteps
	if w.design.Post.acts() {
		var q *graph.Hops
		var err error
		q, steps, err = w.smooth(shop.trainer, shop.testRows, s)
		if err != nil {
			return err
		}
		hops, rows := w.design.Post.Hops, shop.trainer.Sizes.Eval
		val, wrong := w.data.scoreResult(q, hops, split.Val, rows)
		if wrong == nil {
			test, wrong = w.data.scoreResult(q, hops, split.Test, rows)
		}
		if err := errors.Join(wrong, q.Close()); err != nil {
			return err
		}
		accuracy = val.Accuracy()
	}
	o := run.Outcome{Score: accuracy, Model: run.Trained{
		Config:  configOf(w, s),
		Tensors: append(run.SessionTensors(shop.session, run.Weights), w.data.labelTensors(&w.design.Labels, split.Train, shop.teaching)...),
	}}
	if len(split.Test) > 0 {
		plain, err := shop.test(s, split)
		if err != nil {
			return err
		}
		if test == nil {
			test = plain
		}
		o.Metrics = append(o.Metrics, run.Metric{Name: "test_accuracy", Value: test.Accuracy()}, run.Metric{Name: "test_macro_f1", Value: test.MacroF1()})
		if err := keepTest(trial, test, shop.attended, steps); err != nil {
			return err
		}
	}
	o.Metrics = append(o.Metrics,
		run.Metric{Name: "val_accuracy", Value: accuracy}, run.Metric{Name: "val_loss", Value: shop.best.Loss},
		run.Metric{Name: "best_epoch", Value: float64(shop.best.Epoch)})
	o.Metrics = append(o.Metrics, shop.stages.metrics()...)
	return trial.Finish(o)
}
