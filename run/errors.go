package run

import (
	"errors"
	"fmt"
)

// ErrInterrupted says that a job stopped because it was asked to, after writing what it needs to go on: exit code 5.
var ErrInterrupted = errors.New("interrupted; --resume goes on from here")

// UsageError says that the job as asked for makes no sense: exit code 2.
type UsageError struct {
	Message string // what was found, what is expected, what to do
	Err     error  // the cause, or nil
}

// Usagef returns a UsageError; %w names its cause.
func Usagef(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &UsageError{Message: err.Error(), Err: errors.Unwrap(err)}
}

func (e *UsageError) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.Err }
