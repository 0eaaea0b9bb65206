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

func searchCommand() command {
	exits := []int{exitBudget, exitCorrupt, exitInterrupted}
	return command{
		name: "search", usage: "pasca --data PATH | MODEL --data PATH --space FILE", help: "Search designs or settings, on validation only.",
		detail: "seraph search pasca tries designs of PaSca's space and finds those that no other beats in accuracy on validation and cost alike. seraph search MODEL tries" +
			" settings of one model and finds those that do best on validation over all seeds. Test nodes choose nothing.\n\n" +
			"The run directory holds settings, plan, all that was tried, and report.html with the commands that train what was found.\n\n" +
			"Ctrl-C once stops and exits with 5; --resume goes on, to the same result. Twice stops at once.",
		exits: exits,
		below: perTask(searches(), exits, func(s run.Searcher, f searchFlags, settings map[string]string) verb {
			return &searchVerb{f, s, settings}
		}),
	}
}

type searchFlags struct {
	outputFlags `embed:""`
	setFlag     `embed:""`
	Out         string `placeholder:"DIR" help:"The run directory. Default: runs/search-NAME-DATA-YYYYMMDD-HHMMSS."`
	Resume      bool   `help:"Go on with the search in --out."`
}

type searchVerb struct {
	searchFlags
	search   run.Searcher
	settings map[string]string
}

func (s *searchVerb) run(a *app) error {
	progress := s.progress(a)
	interrupt, stop := run.Interrupts(progress, func() { os.Exit(exitInterrupted) })
	defer stop()
	job, err := run.New(s.search, run.Options{
		Sources: s.sources(s.settings), Out: s.Out, Resume: s.Resume,
		Interrupt: interrupt, Progress: progress, Command: append([]string{"seraph"}, a.args...), Version: version,
	})
	if err != nil {
		return err
	}
	defer job.Close()
	found, err := job.Search(context.Background())
	if err != nil {
		return err
	}
	result := struct {
		Event string `json:"event"`
		*run.Found
	}{"result", found}
	return s.print(a, result, describeFound(found)+"\nreport: "+filepath.Join(job.Dir.Path, "report.html"))
}

// describeFound writes what a search found for people: the metrics, then a line a finding.
func describeFound(f *run.Found) string {
	var b strings.Builder
	fmt.Fprintf(&b, "search %s on %s: %s", f.Search, f.Data, metricsText(f.Metrics))
	for _, one := range f.Findings {
		fmt.Fprintf(&b, "\n%s: %s", one.Settings, metricsText(one.Metrics))
	}
	return b.String()
}

// metricsText writes "val_accuracy 0.8120, cost 5.6e+08".
func metricsText(metrics map[string]float64) string {
	var parts []string
	for _, name := range slices.SortedFunc(maps.Keys(metrics), byImportance) {
		parts = append(parts, fmt.Sprintf("%s %.5g", name, metrics[name]))
	}
	return strings.Join(parts, ", ")
}
