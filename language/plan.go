package language

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/run"
)

// The stages of a training.
const (
	stageImport = "import"
	stageTrain  = "train"
)

// recomputeFrom is the size of what the backward pass keeps above which activations are made again instead: what does not
// stay in the cache costs as much to fetch as to make, and memory is saved for nothing.
const recomputeFrom = 256 << 20

// plan compiles the programs and plans the job: everything resident, activations and norms kept or made again.
func (t *training) plan() (*plan.Job, error) {
	var failed error
	job, err := plan.Choose(t.job.Memory, func(i int) (*plan.Job, bool) {
		if i > 1 || failed != nil {
			return nil, false
		}
		recompute := i == 1
		failed = t.compile(recompute)
		if failed == nil && !recompute && t.step.program.Shared() > recomputeFrom {
			recompute = true
			failed = t.compile(recompute)
		}
		if failed != nil {
			return nil, false
		}
		return t.describe(recompute), true
	})
	if failed != nil {
		return nil, run.Usagef("%w", failed) // the sizes that were asked for cannot be
	}
	return job, err
}

// compile builds the programs. An evaluation takes as many windows as a step has sequences, and so never more memory.
func (t *training) compile(recompute bool) error {
	o := program.Options{Workers: t.job.Threads, Recompute: recompute}
	var err error
	if t.step, err = t.shape.compileStep(t.recipe, o); err != nil {
		return err
	}
	if t.full, err = t.shape.compileScoring(t.recipe.batch, t.shape.Block, o); err != nil {
		return err
	}
	t.rest = nil
	if n := (t.corpus.Characters - t.corpus.Cut() - 1) % t.shape.Block; n > 0 {
		if t.rest, err = t.shape.compileScoring(1, n, o); err != nil {
			return err
		}
	}
	t.sample, err = t.shape.compileSampling(o)
	return err
}

func (t *training) programs() []*program.Compiled {
	list := []*program.Compiled{t.step.program, t.full.program, t.sample.program}
	if t.rest != nil {
		list = append(list, t.rest.program)
	}
	return list
}

// describe is the plan of the job with the programs as compiled.
func (t *training) describe(recompute bool) *plan.Job {
	persistent, shared, scratch := program.Sizes(t.programs()...)
	note := fmt.Sprintf("lower bound %s", memory.FormatSize(t.step.program.Allocation.LowerBound-t.step.program.Persistent()))
	if recompute {
		note += ", activations and norms made again"
	}
	text := plan.Item{Name: "characters", Bytes: t.corpus.Bytes(), Where: plan.Resident}
	train := plan.Stage{Name: stageTrain, Items: []plan.Item{
		text,
		{Name: "parameters and optimizer state", Bytes: persistent, Where: plan.Resident, Note: fmt.Sprintf("%d parameters", t.step.parameters)},
		{Name: "activations and gradients", Bytes: shared, Where: plan.Resident, Note: note},
		{Name: "working memory of kernels", Bytes: scratch, Where: plan.Resident},
	}}
	seeds, steps := float64(t.job.Seeds), float64(t.steps)
	addCost(&train, seeds*steps, t.step.program.Cost)
	windows := float64(t.corpus.Characters-t.corpus.Cut()) / float64(t.shape.Block)
	addCost(&train, seeds*(steps/float64(t.every)+1)*windows/float64(t.recipe.batch), t.full.program.Cost)
	job := &plan.Job{Baseline: t.baseline, Stages: []plan.Stage{
		{Name: stageImport, Items: []plan.Item{text}, Traffic: 5 * float64(t.corpus.Characters)},
		train,
	}}
	job.Predict(plan.LoadRates(t.job.Threads))
	return job
}

// addCost adds so many runs of a program.
func addCost(s *plan.Stage, runs float64, c program.Cost) {
	s.Flops += runs * c.Flops
	s.FlopsBF16 += runs * c.FlopsBF16
	s.Traffic += runs * c.Traffic
}
