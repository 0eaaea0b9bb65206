package main

import (
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/run"
)

var checkCommand = command{
	name: "check", usage: "PATH", help: "Verify any file that Seraph writes or reads.",
	detail: "PATH is what seraph show takes. Everything is read: of a run, settings, plan, metrics and every checkpoint and model against its SHA-256;" +
		" of data, every value. What is wrong is named with its place.",
	exits: []int{exitCorrupt}, flags: typeOf[check](), verb: verbOf[check],
}

type check struct {
	outputFlags `embed:""`
	Path        string `arg:"" name:"PATH" help:"What to verify."`
}

func (c *check) run(a *app) error {
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
