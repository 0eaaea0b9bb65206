package main

import (
	"context"
	"os"

	"github.com/seraph-ml/seraph/run"
)

var predictCommand = simple("predict", "Apply a trained model to data.",
	"Writes original ids, class names and probabilities: CSV, or Parquet where --out ends in .parquet.",
	func() verb { return &predict{} })

type predict struct {
	outputFlags  `embed:""`
	setFlag      `embed:""`
	appliedFlags `embed:""`
	Run          string `arg:"" help:"The run directory."`
	Out          string `default:"-" placeholder:"FILE" help:"Where to; - is stdout."`
}

// appliedFlags are the settings that may differ from those of the training.
type appliedFlags struct {
	Data    *string `placeholder:"PATH" env:"SERAPH_DATA" help:"The input."`
	Memory  *string `placeholder:"SIZE" help:"The most memory that the job may hold."`
	Disk    *string `placeholder:"DIR:SIZE" help:"Where what does not fit in memory may go."`
	Threads *string `placeholder:"N" help:"Threads to compute with."`
}

// settings are those that were given.
func (f *appliedFlags) settings() map[string]string {
	given := map[string]string{}
	for key, text := range map[string]*string{"data": f.Data, "memory": f.Memory, "disk": f.Disk, "threads": f.Threads} {
		if text != nil {
			given[key] = *text
		}
	}
	return given
}

func (p *predict) run(a *app) error {
	m, err := modelOf(p.Run)
	if err != nil {
		return err
	}
	progress := p.progress(a)
	interrupt, stop := run.Interrupts(progress, func() { os.Exit(exitInterrupted) })
	defer stop()
	job, err := run.Open(m, p.Run, run.Options{Sources: p.sources(p.settings()), Interrupt: interrupt, Progress: progress, Version: version})
	if err != nil {
		return err
	}
	defer job.Close()
	if job.Data == "" {
		return run.Usagef("--data is missing: what to apply the model to")
	}
	return m.Predict(context.Background(), job, p.Out)
}
