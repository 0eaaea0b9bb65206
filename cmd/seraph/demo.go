package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/seraph-ml/seraph/run"
)

var demoCommand = command{
	name: "demo", usage: "[MODEL]", help: "A complete first run on generated data, in under a minute.",
	detail: "Makes a small data set from the seed, beside the run, and trains on it as seraph train does: plan, progress, result, report.html.\n\n" +
		"Nothing is downloaded. The default model is sgc.",
	exits: []int{exitBudget, exitInterrupted}, flags: typeOf[demo], verb: verbOf[demo],
}

type demo struct {
	outputFlags `embed:""`
	Model       string  `arg:"" name:"MODEL" optional:"" default:"sgc" help:"The model: see seraph models."`
	Out         string  `placeholder:"DIR" help:"The run directory; the data goes to DIR-data. Default: runs/demo-MODEL-YYYYMMDD-HHMMSS."`
	Memory      *string `placeholder:"SIZE" setting:"" help:"The most memory that the job may hold."`
	Threads     *string `placeholder:"N" setting:"" help:"Threads to compute with."`
	Seed        uint64  `placeholder:"N" help:"The seed of data and training. Default: 0."`
}

func (d *demo) run(a *app) error {
	m, err := modelNamed(d.Model)
	if err != nil {
		return err
	}
	if d.Out == "" {
		d.Out = filepath.Join("runs", "demo-"+d.Model+time.Now().Format("-20060102-150405"))
	}
	folder := d.Out + "-data"
	for _, dir := range []string{d.Out, folder} {
		if err := vacant(dir); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	progress := d.progress(a)
	interrupt, stop := run.Interrupts(progress, func() { os.Exit(exitInterrupted) })
	defer stop()
	data, set, err := m.Demo(context.Background(), folder, d.Seed)
	if err != nil {
		return err
	}
	progress.Infof("data: %s, made from seed %d", data, d.Seed)
	flags := givenOf(map[string]*string{"memory": d.Memory, "threads": d.Threads})
	flags["data"], flags["seed"] = data, fmt.Sprint(d.Seed)
	for key, text := range set {
		flags[key] = text
	}
	result, dir, err := fit(m, run.Options{
		Sources: run.Sources{Flags: flags, Environ: os.LookupEnv}, Out: d.Out,
		Interrupt: interrupt, Progress: progress, Command: append([]string{"seraph"}, a.args...), Version: version,
	})
	if err != nil {
		return err
	}
	next := fmt.Sprintf("seraph predict %s --data %s", dir.Path, data)
	if _, ok := m.(run.Generator); ok {
		next = "seraph generate " + dir.Path
	}
	progress.Infof("what next: %s; seraph models shows what else can be trained", next)
	return d.printResult(a, result, dir)
}
