package main

import (
	"context"
	"os/signal"

	"golang.org/x/sys/unix"
)

// interrupted is a context that ends with the first SIGINT or SIGTERM; a second one stops the process at once. Stop ends the
// listening. Jobs that can be resumed use run.Interrupts instead.
func interrupted() (ctx context.Context, stop func()) {
	ctx, stop = signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
