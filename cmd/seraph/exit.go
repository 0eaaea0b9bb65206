package main

import (
	"errors"
	"io/fs"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/run"
)

// The exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitBudget      = 3
	exitCorrupt     = 4
	exitInterrupted = 5
)

// exitStatus ends the help of every verb.
const exitStatus = `

EXIT STATUS: 0 done; 1 failed; 2 usage; 3 the memory budget is too small; 4 data missing, unreadable or corrupt; 5 interrupted, and can be resumed.`

// usage makes a mistake in the command line a usage error.
func usage(err error) error { return run.Usagef("%w (seraph --help shows what there is)", err) }

// exitCode is the exit code of an error.
func exitCode(err error) int {
	var (
		small   *plan.TooSmallError
		corrupt *format.CorruptError
		misused *run.UsageError
		path    *fs.PathError
	)
	switch {
	case errors.Is(err, run.ErrInterrupted):
		return exitInterrupted
	case errors.As(err, &small):
		return exitBudget
	case errors.As(err, &corrupt):
		return exitCorrupt
	case errors.As(err, &misused):
		return exitUsage
	case errors.As(err, &path) && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)):
		return exitCorrupt
	}
	return exitFailed
}
