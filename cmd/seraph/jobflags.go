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
	JSON     bool   `name:"json" help:"Print results as JSON lines."`
	Quiet    bool   `help:"Show warnings and errors alone on stderr."`
	LogLevel string `name:"log-level" enum:"debug,info,warn,error" default:"info" placeholder:"LEVEL" help:"Least of the messages shown on stderr: debug, info, warn, error. Default: info."`
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
	return run.Sources{Flags: flags, Set: s.Set, Environ: os.LookupEnv, File: settingsFile}
}

// appliedFlags are the settings that may differ from those of the training.
type appliedFlags struct {
	Data    *string `placeholder:"PATH" setting:"" help:"The input."`
	Memory  *string `placeholder:"SIZE" setting:"" help:"The most memory that the job may hold."`
	Disk    *string `placeholder:"DIR:SIZE" setting:"" help:"Where what does not fit in memory may go."`
	Threads *string `placeholder:"N" setting:"" help:"Threads to compute with."`
}

// settings are those that were given.
func (f *appliedFlags) settings() map[string]string {
	return givenOf(map[string]*string{"data": f.Data, "memory": f.Memory, "disk": f.Disk, "threads": f.Threads})
}

// givenOf leaves away what was not given.
func givenOf(flags map[string]*string) map[string]string {
	given := map[string]string{}
	for key, text := range flags {
		if text != nil {
			given[key] = *text
		}
	}
	return given
}
