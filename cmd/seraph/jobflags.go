package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"

	"github.com/seraph-ml/seraph/run"
)

// outputFlags say what is printed.
type outputFlags struct {
	JSON     bool   `name:"json" env:"SERAPH_JSON" help:"Print results as JSON lines."`
	Quiet    bool   `env:"SERAPH_QUIET" help:"Show warnings and errors alone on stderr."`
	LogLevel string `name:"log-level" env:"SERAPH_LOG_LEVEL" enum:"debug,info,warn,error" default:"info" help:"Least of the messages shown on stderr: debug, info, warn, error."`
}

// progress is where progress goes.
func (o outputFlags) progress(a *app) *run.Progress {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.LogLevel)); err != nil {
		panic(err) // kong allows no other
	}
	return run.NewProgress(a.stderr, o.Quiet, level)
}

// print writes a result: as a JSON line, or as text.
func (o outputFlags) print(a *app, result any, text string) error {
	if !o.JSON {
		_, err := fmt.Fprintln(a.stdout, text)
		return err
	}
	return json.NewEncoder(a.stdout).Encode(result)
}

// setFlag is --set.
type setFlag struct {
	Set []string `placeholder:"KEY=VALUE" sep:"none" help:"Set any setting of the model; may be repeated."`
}

// sources are where the settings of a job come from.
func (s setFlag) sources(flags map[string]string) run.Sources {
	return run.Sources{Flags: flags, Set: s.Set, Environ: os.LookupEnv, File: "seraph.toml"}
}
