package main

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/run"
)

var planCommand = command{
	name:   "plan",
	help:   "Show the plan of a job and run nothing.",
	detail: "seraph plan train MODEL … takes the flags of seraph train MODEL.",
	build: func() (any, func(string) verb) {
		target, find := perModel(func(m run.Model, f planFlags, settings map[string]string) verb { return &planTrain{f, m, settings} })()
		return nested("train", "The plan of a training.", target), find
	},
}

type planFlags struct {
	outputFlags `embed:""`
	setFlag     `embed:""`
	Program     bool `help:"Print the compiled programs, too."`
}

type planTrain struct {
	planFlags
	model    run.Model
	settings map[string]string
}

func (p *planTrain) run(a *app) error {
	job, err := run.New(p.model, run.Options{Sources: p.sources(p.settings), PlanOnly: true, Progress: p.progress(a), Version: version})
	if err != nil {
		return err
	}
	defer job.Close()
	planned, err := p.model.Plan(context.Background(), job)
	if err != nil {
		return err
	}
	planned.Budget = job.Memory
	var text strings.Builder
	if err := planned.WriteTable(&text); err != nil {
		return err
	}
	return p.print(a, struct {
		Event string          `json:"event"`
		Plan  json.RawMessage `json:"plan"`
	}{"plan", compact(planned)}, strings.TrimRight(text.String(), "\n"))
}

func compact(p *plan.Job) json.RawMessage {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // plain numbers and strings
	}
	return text
}
