package language

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/program"
)

// recomputeFrom is the size of what the backward pass keeps above which activations are made again instead: what does not
// stay in the cache costs as much to fetch as to make, and memory is saved for nothing.
const recomputeFrom = 256 << 20

// plan compiles the programs and plans the job: everything resident, activations and norms kept or made again.
func (t *training) plan() (*plan.Job, error) {
	baseline, err := memory.Baseline()
	if err != nil {
		return nil, err
	}
	job, err := plan.Choose(t.job.Memory, func(i int) (*plan.Job, bool) {
		if i > 1 || err != nil {
			return nil, false
		}
		if err = t.compile(program.Options{Workers: t.job.Threads, Recompute: i == 1}); err != nil {
			return nil, false
		}
		if i == 0 && t.step.program.Shared() > recomputeFrom {
			err = t.compile(program.Options{Workers: t.job.Threads, Recompute: true})
			i = 1
		}
		return t.describe(baseline, i == 1), err == nil
	})
	if err != nil {
		return nil, err
	}
	return job, err
}

// describe is the plan of the job with the programs as compiled.
func (t *training) describe(baseline int64, recomputed bool) *plan.Job {
	persistent, shared, scratch := program.Sizes(t.programs()...)
	note := fmt.Sprintf("lower bound %s", memory.FormatSize(t.step.program.Allocation.LowerBound-t.step.program.Persistent()))
	if recomputed {
		note += ", activations and norms made again"
	}
	text := 4 * int64(cap(t.corpus.Train)+len(t.corpus.Val))
	steps := float64(t.steps)
	if t.offsets != nil {
		steps = float64(min(t.steps, len(t.offsets)))
	}
	c := t.step.program.Cost
	evaluations := float64((t.steps + t.every - 1) / t.every)
	windows := float64(len(t.corpus.Val)) / float64(t.shape.Block*t.windows) * evaluations
	e := t.full.program.Cost
	trials := float64(t.job.Seeds)
	job := &plan.Job{Baseline: baseline, Stages: []plan.Stage{{
		Name: "train",
		Items: []plan.Item{
			{Name: "characters", Bytes: text, Where: plan.Resident},
			{Name: "parameters and optimizer state", Bytes: persistent, Where: plan.Resident},
			{Name: "activations and gradients", Bytes: shared, Where: plan.Resident, Note: note},
			{Name: "working memory of kernels", Bytes: scratch, Where: plan.Resident},
		},
		Flops:     trials * (steps*c.Flops + windows*e.Flops),
		FlopsBF16: trials * (steps*c.FlopsBF16 + windows*e.FlopsBF16),
		Traffic:   trials * (steps*c.Traffic + windows*e.Traffic),
	}}}
	job.Predict(plan.LoadRates(t.job.Threads))
	return job
}
