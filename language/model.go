package language

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/run"
)

// Plan implements run.Model.
func (Model) Plan(_ context.Context, job *run.Job) (*plan.Job, error) {
	t, err := prepare(job)
	if err != nil {
		return nil, err
	}
	return t.plan()
}

// Train implements run.Model.
func (Model) Train(_ context.Context, job *run.Job) (err error) {
	t, err := prepare(job)
	if err != nil {
		return err
	}
	p, err := t.plan()
	if err != nil {
		return err
	}
	if err := job.SetPlan(p); err != nil {
		return err
	}
	job.Stage(stageImport, "", 0)
	if err := t.corpus.Load(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.corpus.Close()) }()
	pool := kernel.NewPool(job.Threads)
	defer pool.Close()
	if t.session, err = program.Start(pool, t.programs()...); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.session.Close()) }()
	for trial, err := range job.Trials() {
		if err != nil {
			return err
		}
		if err := t.trial(trial); err != nil {
			return err
		}
	}
	t.report()
	return nil
}

// prepare reads what the job is given, but for the text itself, which is only measured.
func prepare(job *run.Job) (*training, error) {
	corpus, err := Survey(job.Data)
	if err != nil {
		return nil, err
	}
	if train, val, block := corpus.Cut(), corpus.Characters-corpus.Cut(), job.Int("block"); train <= block || val < 2 {
		return nil, run.Usagef("%s has %d characters to train on and %d to validate, block=%d needs at least %d and 2", job.Data, train, val, block, block+1)
	}
	job.Notef("%s: text of %d characters, %d different ones; %d train, %d validate", job.Data, corpus.Characters, len(corpus.Alphabet), corpus.Cut(), corpus.Characters-corpus.Cut())
	t := &training{job: job, corpus: corpus}
	if t.setup, err = setupOf(job, len(corpus.Alphabet)); err != nil {
		return nil, err
	}
	t.steps = t.schedule.Steps
	if path := job.String("batches"); path != "" {
		if err := t.readBatches(job.Path(path)); err != nil {
			return nil, err
		}
		t.steps = min(t.steps, len(t.offsets))
	}
	t.baseline, err = memory.Baseline()
	return t, err
}

// Predict implements run.Model: a language model is sampled instead.
func (Model) Predict(context.Context, *run.Job, string) error {
	return run.Usagef("lm continues texts: use seraph generate RUN")
}

// Demo implements run.Model: grammar text from the seed.
func (Model) Demo(_ context.Context, dir string, seed uint64) (data string, set map[string]string, err error) {
	data = filepath.Join(dir, "grammar.txt")
	return data, map[string]string{"layers": "2", "width": "64", "block": "32", "steps": "300"}, os.WriteFile(data, grammar(seed), 0o644)
}
