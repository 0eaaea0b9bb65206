package main

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/graph/sgap"
	"github.com/seraph-ml/seraph/run"
)

var smoothCommand = command{
	name: "smooth", usage: "PREDICTIONS --data GRAPH", help: "Smooth predictions of any model along the edges of a graph.",
	detail: "Node-dependent local smoothing (NDLS-L: Zhang et al., NeurIPS 2021). PREDICTIONS is a table, CSV or Parquet, with the columns id and p_CLASS and a row for every" +
		" node, as seraph predict writes it. Every node's probabilities become a mean over as many steps of a random walk as it takes to be within --epsilon of the stationary state.\n\n" +
		"Nothing is learned. Where the graph has labels and a split, the accuracies before and after are printed; choose by those on validation.",
	exits: []int{exitBudget, exitCorrupt}, flags: typeOf[smoothVerb], verb: verbOf[smoothVerb],
}

type smoothVerb struct {
	outputFlags  `embed:""`
	Predictions  string             `arg:"" name:"PREDICTIONS" help:"The predictions."`
	Data         string             `required:"" placeholder:"PATH" help:"The graph."`
	Out          string             `default:"-" placeholder:"FILE" help:"Where to: CSV, or Parquet where it ends in .parquet; - is stdout. Default: -."`
	Epsilon      float64            `default:"0.05" placeholder:"FLOAT" help:"How near to the stationary state is near enough. Default: 0.05."`
	Kmax         int                `default:"20" placeholder:"INT" help:"Steps that are looked at; 1 leaves predictions as they are. Default: 20."`
	Distance     graph.Distance     `enum:"features,influence" default:"features" placeholder:"WHICH" help:"What is to be near: probabilities (features), or the influence of all nodes. Default: features."`
	Stationarity graph.Stationarity `enum:"global,component" default:"global" placeholder:"WHICH" help:"Stationary state over all nodes (global), or the component of a node. Default: global."`
	Averaging    graph.Averaging    `enum:"released,formula" default:"released" placeholder:"WHICH" help:"Mean over the steps before a node is near (released), or that one included (formula). Default: released."`
	Restart      float64            `default:"0.15" placeholder:"FLOAT" help:"Share of what was not smoothed; the formula has 0. Default: 0.15."`
	Component    graph.Component    `enum:"auto,all,largest" default:"auto" placeholder:"WHICH" help:"The nodes that are kept: all, or the largest component (auto: for the sets of Shchur et al.). Default: auto."`
	Memory       string             `placeholder:"SIZE" help:"The most memory that the job may hold. Default: 80 % of the available memory."`
	Threads      int                `placeholder:"N" help:"Threads to compute with. Default: all processors."`
}

func (s *smoothVerb) run(a *app) error {
	if s.Threads == 0 {
		s.Threads = memory.CPUs()
	}
	if s.Threads < 1 || !(s.Epsilon > 0) || s.Kmax < 1 || !(s.Restart >= 0 && s.Restart <= 1) {
		return run.Usagef("expected --threads and --kmax of 1 or more, --epsilon above 0, --restart 0 … 1")
	}
	budget, err := memory.DefaultBudget()
	if s.Memory != "" {
		if budget, err = memory.ParseSize(s.Memory); err != nil {
			return run.Usagef("--memory: %w", err)
		}
	}
	if err != nil {
		return err
	}
	if s.Out != "-" {
		if err := checkOut(s.Out, []string{s.Predictions, s.Data}); err != nil {
			return err
		}
	}
	ctx, stop := interrupted()
	defer stop()
	job := sgap.SmoothJob{
		Predictions: s.Predictions, Graph: s.Data, Out: s.Out, Component: s.Component, Memory: budget, Threads: s.Threads,
		Local: sgap.Local{Epsilon: s.Epsilon, Kmax: s.Kmax, Distance: s.Distance, Stationarity: s.Stationarity, Averaging: s.Averaging, Restart: s.Restart},
	}
	r, err := job.Run(ctx)
	if err != nil {
		return err
	}
	text := r.Summary
	for _, of := range []struct {
		name string
		x    *[2]float64
	}{{"validation", r.Validation}, {"test", r.Test}} {
		if of.x != nil {
			text += fmt.Sprintf("\n%s accuracy %.4f, before %.4f", of.name, of.x[1], of.x[0])
		}
	}
	if s.Out == "-" {
		s.progress(a).Infof("%s", text)
		return nil
	}
	return s.print(a, struct {
		Event string `json:"event"`
		Out   string `json:"out"`
		*sgap.SmoothResult
	}{"smooth", s.Out, r}, text+"\npredictions: "+s.Out)
}
