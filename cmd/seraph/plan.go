package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/run"
)

func planCommand() command {
	exits := []int{exitBudget, exitCorrupt}
	return command{
		name: "plan", usage: "train MODEL … | predict RUN … | kcore EDGES …", help: "Show the plan of a job and run nothing.",
		detail: "Takes the flags of seraph train MODEL, of seraph predict RUN and of seraph kcore.",
		exits:  exits,
		below: []command{
			{
				name: "train", usage: "MODEL --data PATH", help: "The plan of a training.", exits: exits,
				below: perModel(exits, func(m run.Model, f planFlags, settings map[string]string) verb { return &planTrain{f, m, settings} }),
			},
			{
				name: "predict", usage: "RUN --data PATH", help: "The plan of a prediction.", exits: exits,
				flags: typeOf[planPredict], verb: verbOf[planPredict],
			},
			{
				name: "kcore", usage: "EDGES…", help: "The plan of a k-core decomposition.", exits: exits,
				flags: typeOf[planKCore], verb: verbOf[planKCore],
			},
		},
	}
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
	ctx := context.Background()
	job, err := run.New(p.model, run.Options{Sources: p.sources(p.settings), PlanOnly: true, Progress: p.progress(a), Version: version})
	if err != nil {
		return err
	}
	defer job.Close()
	planned, err := p.model.Plan(ctx, job)
	if err != nil {
		return err
	}
	var programs []fmt.Stringer
	if p.Program {
		of, ok := p.model.(run.Programmed)
		if !ok {
			return run.Usagef("--program: %s has no compiled programs", p.model.Spec().Name)
		}
		if programs, err = of.Programs(ctx, job); err != nil {
			return err
		}
	}
	return p.printPlan(a, planned, job.Memory, programs)
}

type planPredict struct {
	outputFlags  `embed:""`
	setFlag      `embed:""`
	appliedFlags `embed:""`
	Run          string `arg:"" name:"RUN" help:"The run directory."`
}

func (p *planPredict) run(a *app) error {
	p.Quiet = true // the plan goes to stdout, and nowhere else
	m, job, err := p.open(p.Run, p.setFlag, run.Options{Progress: p.progress(a)})
	if err != nil {
		return err
	}
	defer job.Close()
	of, ok := m.(run.PredictPlanner)
	if !ok {
		return run.Usagef("%s is a %s, which does not predict", p.Run, m.Spec().Name)
	}
	if job.Data == "" {
		return run.Usagef("--data is missing: what to apply the model to")
	}
	planned, err := of.PlanPredict(context.Background(), job)
	if err != nil {
		return err
	}
	return p.printPlan(a, planned, job.Memory, nil)
}

// printPlan writes a plan, which must fit the budget, and programs.
func (o outputFlags) printPlan(a *app, p *plan.Job, budget int64, programs []fmt.Stringer) error {
	if p.Peak() > budget {
		return &plan.TooSmallError{Budget: budget, Smallest: p.Peak(), Stage: "the plan"}
	}
	p.Budget = budget
	var table strings.Builder
	_, jsonErr := p.JSON() // sets the version
	if err := errors.Join(jsonErr, p.WriteTable(&table)); err != nil {
		return err
	}
	result := struct {
		Event    string    `json:"event"`
		Peak     int64     `json:"peak_bytes"`
		Seconds  float64   `json:"seconds"`
		Plan     *plan.Job `json:"plan"`
		Programs []string  `json:"programs,omitempty"`
	}{"plan", p.Peak(), p.Seconds(), p, nil}
	text := table.String()
	for _, program := range programs {
		result.Programs = append(result.Programs, program.String())
		text += "\n" + program.String()
	}
	return o.print(a, result, strings.TrimRight(text, "\n"))
}
