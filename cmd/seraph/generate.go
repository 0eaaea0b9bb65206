package main

import (
	"context"
	"os"

	"github.com/seraph-ml/seraph/run"
)

var generateCommand = simple("generate", "Sample from a trained model.",
	"What can be set depends on the model: seraph models MODEL shows its sampling settings, for --sample.",
	func() verb { return &generate{} })

type generate struct {
	outputFlags  `embed:""`
	setFlag      `embed:""`
	appliedFlags `embed:""`
	Run          string   `arg:"" help:"The run directory."`
	Prompt       *string  `placeholder:"TEXT" help:"The text to continue."`
	Length       *string  `placeholder:"N" help:"How much to generate."`
	Temperature  *string  `placeholder:"T" help:"Divisor of the logits; 0 takes the most likely."`
	Sample       []string `placeholder:"KEY=VALUE" sep:"none" help:"Set any sampling setting; may be repeated."`
}

func (g *generate) run(a *app) error {
	m, err := modelOf(g.Run)
	if err != nil {
		return err
	}
	sampler, ok := m.(run.Generator)
	if !ok {
		return run.Usagef("%s is a %s, which cannot be sampled from; use seraph predict", g.Run, m.Spec().Name)
	}
	progress := g.progress(a)
	interrupt, stop := run.Interrupts(progress, func() { os.Exit(exitInterrupted) })
	defer stop()
	job, err := run.Open(m, g.Run, run.Options{Sources: g.sources(g.settings()), Interrupt: interrupt, Progress: progress, Version: version})
	if err != nil {
		return err
	}
	defer job.Close()
	flags := map[string]string{}
	for key, text := range map[string]*string{"prompt": g.Prompt, "length": g.Length, "temperature": g.Temperature} {
		if text != nil {
			flags[key] = *text
		}
	}
	request, err := run.NewRequest(m.Spec(), run.Sources{Flags: flags, Set: g.Sample, Environ: os.LookupEnv}, a.stdout)
	if err != nil {
		return err
	}
	return sampler.Generate(context.Background(), job, request)
}
