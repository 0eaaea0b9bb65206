package main

import (
	"fmt"
	"path/filepath"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/graph/edges"
	"github.com/seraph-ml/seraph/run"
)

// sortingOptions are those of sorting edges on the way to an output: within the budget that the flags give, or the default
// one, less what the process takes otherwise, and with the disk of the flags, or the one that the output lies on. The spill
// space is to be closed.
func sortingOptions(budget, disk, out string, threads int) (o edges.Options, err error) {
	bytes, baseline, err := sortingBudget(budget)
	if err != nil {
		return o, err
	}
	o.Workers, o.Memory = threads, bytes-baseline
	if o.Memory < edges.Least {
		return o, fmt.Errorf("--memory %s: %w", budget, &plan.TooSmallError{Budget: bytes, Smallest: baseline + edges.Least, Stage: "sort edges"})
	}
	o.Spill, err = sortingSpill(disk, out)
	return o, err
}

// sortingBudget is the budget of the flag, or the default one, and what the process takes of it otherwise.
func sortingBudget(text string) (budget, baseline int64, err error) {
	if text == "" {
		budget, err = memory.DefaultBudget()
	} else if budget, err = memory.ParseSize(text); err != nil {
		err = run.Usagef("--memory: %w", err)
	}
	if err == nil {
		baseline, err = memory.Baseline()
	}
	return budget, baseline, err
}

// sortingSpill is the disk of the flag, or the one that the output lies on.
func sortingSpill(disk, out string) (*memory.Spill, error) {
	place := memory.Disk{Dir: filepath.Dir(out)}
	if disk != "" {
		var err error
		if place, err = memory.ParseDisk(disk); err != nil {
			return nil, run.Usagef("%w", err)
		}
	}
	return memory.OpenSpill(place)
}
