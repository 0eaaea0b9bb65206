// Command seraph trains, analyses and serves models inside the memory it is given. Every verb has a file of its own; the
// models that it knows are listed in registry.go.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/alecthomas/kong"
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
	fmt.Fprintf(stderr, "seraph: %v\n", err)
	return exitCode(err)
}

// stopped is how parsing ends after --help and --version, which kong answers itself.
type stopped int

func (s stopped) Error() string { return fmt.Sprintf("stopped with exit code %d", int(s)) }

// parse finds the verb that a command line asks for.
func (a *app) parse(args []string) (v verb, err error) {
	defer func() {
		if s, ok := recover().(stopped); ok {
			err = s
		} else if r := recover(); r != nil {
			panic(r)
		}
	}()
	verbs := map[string]func(model string) verb{}
	options := []kong.Option{
		kong.Name("seraph"),
		kong.Description("Trains, analyses and serves models inside the memory you give it."),
		kong.Writers(a.stdout, a.stderr),
		kong.Exit(func(code int) { panic(stopped(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 110}),
		kong.Vars{"version": "seraph " + version},
	}
	for _, c := range commands() {
		target, find := c.build()
		verbs[c.name] = find
		options = append(options, kong.DynamicCommand(c.name, c.help+"\n\n"+c.detail+exitStatus, "", target))
	}
	parser, err := kong.New(&struct {
		Version kong.VersionFlag `help:"Print the version and exit."`
	}{}, options...)
	if err != nil {
		panic(err) // a mistake in the commands, found by every test
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		return nil, usage(err)
	}
	name, model := path(ctx)
	return verbs[name](model), nil
}

// path is the verb that was chosen and, below it, the model.
func path(ctx *kong.Context) (name, model string) {
	for _, p := range ctx.Path {
		switch {
		case p.Command == nil:
		case name == "":
			name = p.Command.Name
		default:
			model = p.Command.Name
		}
	}
	return name, model
}
