package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/run"
)

func trainCommand() command {
	exits := []int{exitBudget, exitCorrupt, exitInterrupted}
	return command{
		name: "train", usage: "MODEL --data PATH", help: "Fit a model to data.",
		detail: "Plans the job, trains it inside --memory and leaves a run directory: settings, plan, metrics, checkpoints, the model, report.html.\n\n" +
			"Ctrl-C once finishes the step, writes a checkpoint and exits with 5; --resume goes on, bit for bit. Twice stops at once.",
		exits: exits,
		below: perModel(exits, func(m run.Model, f trainFlags, settings map[string]string) verb { return &train{f, m, settings} }),
	}
}

type trainFlags struct {
	outputFlags    `embed:""`
	setFlag        `embed:""`
	Out            string `placeholder:"DIR" help:"The run directory. Default: runs/MODEL-DATA-YYYYMMDD-HHMMSS."`
	Resume         bool   `help:"Go on with the run in --out."`
	AllowOtherBits bool   `name:"allow-other-bits" help:"Resume although this processor gives other bits than the run has so far (bfloat16)."`
}

type train struct {
	trainFlags
	model    run.Model
	settings map[string]string
}

func (t *train) run(a *app) error {
	progress := t.progress(a)
	interrupt, stop := run.Interrupts(progress, func() { os.Exit(exitInterrupted) })
	defer stop()
	result, dir, err := fit(t.model, run.Options{
		Sources: t.sources(t.settings), Out: t.Out, Resume: t.Resume, AllowOtherBits: t.AllowOtherBits,
		Interrupt: interrupt, Progress: progress, Command: append([]string{"seraph"}, a.args...), Version: version,
	})
	if err != nil {
		return err
	}
	return t.printResult(a, result, dir)
}

// fit trains a model and returns what it came to and the run directory.
func fit(m run.Model, o run.Options) (*run.Result, *run.Dir, error) {
	job, err := run.New(m, o)
	if err != nil {
		return nil, nil, err
	}
	defer job.Close()
	result, err := job.Train(context.Background())
	return result, job.Dir, err
}

// printResult writes the result of a training: under --json the result event, the last line on stdout.
func (o outputFlags) printResult(a *app, r *run.Result, dir *run.Dir) error {
	return o.print(a, event{"result", r}, describe(r)+"\nreport: "+filepath.Join(dir.Path, "report.html"))
}

// event is a JSON line on stdout.
type event struct {
	Event string `json:"event"`
	*run.Result
}

// describe writes a result for people: "sgc on ind.cora, 10 seeds: test_accuracy 0.8120 ± 0.0031, …".
func describe(r *run.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s", r.Model, r.Data)
	if r.Seeds > 1 {
		fmt.Fprintf(&b, ", %d seeds", r.Seeds)
	}
	sep := ": "
	for _, name := range slices.SortedFunc(maps.Keys(r.Metrics), byImportance) {
		if strings.HasSuffix(name, "_std") {
			continue
		}
		fmt.Fprintf(&b, "%s%s %.5g", sep, name, r.Metrics[name])
		if r.Seeds > 1 {
			fmt.Fprintf(&b, " ± %.2g", r.Metrics[name+"_std"])
		}
		sep = ", "
	}
	return b.String()
}

// byImportance puts metrics of the test set first, those of the validation set next, and others last.
func byImportance(a, b string) int {
	rank := func(name string) int {
		for i, prefix := range []string{"test_", "val_"} {
			if strings.HasPrefix(name, prefix) {
				return i
			}
		}
		return 2
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
}
