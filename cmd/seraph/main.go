// Command seraph trains, analyses and serves models inside the memory it is given. Every verb has a file of its own; the
// models that it knows are listed in registry.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// version is what --version prints; a release sets it with -ldflags "-X main.version=…".
var version = "dev"

func main() { os.Exit(seraph(os.Args[1:], os.Stdout, os.Stderr)) }

// app is what verbs work with.
type app struct {
	stdout, stderr io.Writer
	args           []string // the command line
}

// verb is a command once it is parsed.
type verb interface {
	run(a *app) error
}

// seraph runs a command line and returns its exit code.
func seraph(args []string, stdout, stderr io.Writer) (code int) {
	defer func() {
		if v := recover(); v != nil {
			fmt.Fprintf(stderr, "seraph: internal error: %v\n\n%s\nThis is a bug in seraph %s. Please report it with the lines above and the command line.\n", v, debug.Stack(), version)
			code = exitFailed
		}
	}()
	a := &app{stdout: stdout, stderr: stderr, args: args}
	v, err := a.parse(args)
	var stop stopped
	if errors.As(err, &stop) {
		return int(stop)
	}
	if err == nil {
		err = v.run(a)
	}
	if err == nil {
		return exitDone
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted; nothing was left behind")
	}
	fmt.Fprintf(stderr, "seraph: %v\n", err)
	return exitCode(err)
}
