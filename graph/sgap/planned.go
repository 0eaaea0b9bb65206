package sgap

import (
	"context"
	"errors"
	"fmt"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/run"
)

// Programs implements run.Programmed: the training step and the evaluation, for the settings as they are
// (before any are tuned) and dense rows (those with few entries are taken compressed).
func (m Model) Programs(ctx context.Context, job *run.Job) (list []fmt.Stringer, err error) {
	w, err := m.prepare(ctx, job, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if _, err := w.plan(); err != nil {
		return nil, err
	}
	sizes := w.data.sizesOf(w.choice, w.data.splits, w.chosen, job.Threads)
	ps, err := w.design.Compile(w.training, sizes.Sizes, nil)
	if err != nil {
		return nil, err
	}
	for _, p := range ps.All() {
		list = append(list, p)
	}
	return list, nil
}

// PlanPredict implements run.PredictPlanner. It reads the input.
func (m Model) PlanPredict(ctx context.Context, job *run.Job) (p *plan.Job, err error) {
	a, err := m.prepareApplied(ctx, job)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	return a.plan()
}
