package main

import (
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/graph/kcore"
	"github.com/seraph-ml/seraph/run"
)

var checkCommand = command{
	name: "check", usage: "PATH", help: "Verify any file that Seraph writes or reads.",
	detail: "PATH is what seraph show takes. Everything is read: of a run, settings, plan, metrics and every checkpoint and model against its SHA-256;" +
		" of data, every value. What is wrong is named with its place.\n\n" +
		"With --graph PATH holds core numbers, as seraph kcore writes them, which are proved right or wrong from the edges alone: by the degeneracy" +
		" order in --order where it is given. A graph larger than --memory needs --disk.",
	exits: []int{exitBudget, exitCorrupt}, flags: typeOf[check], verb: verbOf[check],
}

type check struct {
	outputFlags `embed:""`
	Path        string    `arg:"" name:"PATH" help:"What to verify."`
	Graph       []string  `placeholder:"EDGES" help:"The graph that PATH has the core numbers of; several lists of edges, separated by commas, are one graph."`
	Order       string    `placeholder:"FILE" help:"With --graph: a degeneracy order, an id a line."`
	Vertices    int64     `placeholder:"N" help:"With --graph: the vertices are 0 … N-1."`
	IDs         kcore.IDs `name:"ids" enum:"auto,int,string" default:"auto" placeholder:"KIND" help:"With --graph: what the ids are, as for seraph kcore: auto, int, string. Default: auto."`
	Memory      string    `placeholder:"SIZE" help:"With --graph: the most memory that the job may hold. Default: 80 % of the available memory."`
	Disk        string    `placeholder:"DIR:SIZE" help:"With --graph: where a graph that is larger than memory may lie, and how many bytes."`
	Threads     int       `placeholder:"N" help:"With --graph: threads to compute with. Default: all processors."`
}

func (c *check) run(a *app) error {
	if len(c.Graph) > 0 {
		return c.checkCores(a)
	}
	if c.Order != "" || c.Vertices != 0 {
		return run.Usagef("--order and --vertices go with --graph EDGES")
	}
	kind, err := verify(c.Path)
	if err != nil {
		return err
	}
	return c.print(a, struct {
		Event  string `json:"event"`
		Path   string `json:"path"`
		Format string `json:"format"`
		OK     bool   `json:"ok"`
	}{"check", c.Path, kind, true}, c.Path+": "+kind+", no fault found")
}

// verify checks what a path holds and returns the name of its format.
func verify(path string) (string, error) {
	if kind, ok := run.Recognise(path); ok {
		return kind.Name, kind.Check(path)
	}
	kind, err := detect.Recognise(path)
	if err != nil {
		return "", err
	}
	return kind.Name, detect.Check(path)
}
