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
	o.Workers = threads
	if budget == "" {
		o.Memory, err = memory.DefaultBudget()
	} else if o.Memory, err = memory.ParseSize(budget); err != nil {
		return o, run.Usagef("--memory: %w", err)
	}
	if err != nil {
		return o, err
	}
	baseline, err := memory.Baseline()
	if err != nil {
		return o, err
	}
	if o.Memory -= baseline; o.Memory < edges.Least {
		return o, fmt.Errorf("--memory %s: %w", budget, &plan.TooSmallError{Budget: o.Memory + baseline, Smallest: baseline + edges.Least, Stage: "sort edges"})
	}
	place := memory.Disk{Dir: filepath.Dir(out)}
	if disk != "" {
		if place, err = memory.ParseDisk(disk); err != nil {
			return o, run.Usagef("%w", err)
		}
	}
	o.Spill, err = memory.OpenSpill(place)
	return o, err
}
