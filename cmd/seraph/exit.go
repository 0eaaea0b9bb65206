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

// exitMeaning is what the help says of them.
var exitMeaning = map[int]string{
	exitDone:        "done",
	exitFailed:      "failed",
	exitUsage:       "the command line or a setting makes no sense",
	exitBudget:      "no plan fits --memory; the message names the smallest budget that does",
	exitCorrupt:     "data is missing, unreadable or corrupt",
	exitInterrupted: "interrupted; --resume goes on",
}

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
