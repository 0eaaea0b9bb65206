package main

import (
	"context"
	"io"
	"os"
	"strings"

	"github.com/seraph-ml/seraph/run"
)

var generateCommand = command{
	name: "generate", usage: "RUN", help: "Sample from a trained model.",
	detail: "What can be set depends on the model: seraph models MODEL shows its sampling settings, for --sample.",
	exits:  []int{exitBudget, exitCorrupt}, flags: typeOf[generate], verb: verbOf[generate],
}

type generate struct {
	outputFlags  `embed:""`
	setFlag      `embed:""`
	appliedFlags `embed:""`
	Run          string   `arg:"" name:"RUN" help:"The run directory."`
	Prompt       *string  `placeholder:"TEXT" setting:"" help:"The text to continue."`
	Length       *string  `placeholder:"N" setting:"" help:"How much to generate."`
	Temperature  *string  `placeholder:"T" setting:"" help:"Divisor of the logits; 0 takes the most likely."`
	Sample       []string `placeholder:"KEY=VALUE" sep:"none" help:"Set any sampling setting; may be repeated."`
}

func (g *generate) run(a *app) error {
	progress := g.progress(a)
	interrupt, stop := run.Interrupts(progress, func() { os.Exit(exitFailed) })
	defer stop()
	m, job, err := g.open(g.Run, g.setFlag, run.Options{Interrupt: interrupt, Progress: progress})
	if err != nil {
		return err
	}
	defer job.Close()
	sampler, ok := m.(run.Generator)
	if !ok {
		return run.Usagef("%s is a run of %s, which cannot be sampled from; use seraph predict", g.Run, m.Spec().Name)
	}
	flags := givenOf(map[string]*string{"prompt": g.Prompt, "length": g.Length, "temperature": g.Temperature})
	var sample strings.Builder
	var out io.Writer = &sample
	if !g.JSON {
		out = a.stdout // as it comes
	}
	request, err := run.NewRequest(m.Spec(), run.Sources{Flags: flags, Set: g.Sample, Environ: os.LookupEnv}, out)
	if err != nil {
		return err
	}
	if err := sampler.Generate(context.Background(), job, request); err != nil || !g.JSON {
		return err
	}
	return g.print(a, struct {
		Event string `json:"event"`
		Run   string `json:"run"`
		Text  string `json:"text"` // the prompt and what follows it
	}{"sample", g.Run, sample.String()}, "")
}
