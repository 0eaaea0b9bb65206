package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/run"
)

var trainCommand = command{
	name: "train",
	help: "Fit a model to data.",
	detail: "Plans the job, trains it inside --memory and leaves a run directory: settings, plan, metrics, checkpoints, the model, report.html." +
		" Ctrl-C once finishes the step, writes a checkpoint and exits with 5; --resume goes on, bit for bit.",
	build: perModel(func(m run.Model, f trainFlags, settings map[string]string) verb { return &train{f, m, settings} }),
}

type trainFlags struct {
	outputFlags    `embed:""`
	setFlag        `embed:""`
	Out            string `placeholder:"DIR" env:"SERAPH_OUT" help:"The run directory. Default: runs/MODEL-DATA-YYYYMMDD-HHMMSS."`
	Resume         bool   `env:"SERAPH_RESUME" help:"Go on with the run in --out."`
	AllowOtherBits bool   `name:"allow-other-bits" env:"SERAPH_ALLOW_OTHER_BITS" help:"Resume although this processor gives other bits than the run has so far (bfloat16)."`
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
	job, err := run.New(t.model, run.Options{
		Sources: t.sources(t.settings), Out: t.Out, Resume: t.Resume, AllowOtherBits: t.AllowOtherBits,
		Interrupt: interrupt, Progress: progress, Command: append([]string{"seraph"}, a.args...), Version: version,
	})
	if err != nil {
		return err
	}
	defer job.Close()
	result, err := job.Train(context.Background())
	if err != nil {
		return err
	}
	return t.print(a, event{"result", result}, describe(result)+"\nreport: "+filepath.Join(job.Dir.Path, "report.html"))
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
	for _, name := range slices.Sorted(maps.Keys(r.Metrics)) {
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
