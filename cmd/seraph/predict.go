package main

import (
	"context"
	"os"

	"github.com/seraph-ml/seraph/run"
)

var predictCommand = command{
	name: "predict", usage: "RUN --data PATH", help: "Apply a trained model to data.",
	detail: "Writes original ids, class names and probabilities: CSV, or Parquet where --out ends in .parquet.",
	exits:  []int{exitBudget, exitCorrupt}, flags: typeOf[predict](), verb: verbOf[predict],
}

type predict struct {
	outputFlags  `embed:""`
	setFlag      `embed:""`
	appliedFlags `embed:""`
	Run          string `arg:"" help:"The run directory."`
	Out          string `default:"-" placeholder:"FILE" help:"Where to; - is stdout. Default: -."`
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
	return m.Predict(context.Background(), job, p.Out)
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
