package main

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/seraph-ml/seraph/run"
)

// settingsFile is where settings and flags may stand, too: in the working directory.
const settingsFile = "seraph.toml"

// stopped is how parsing ends after --help and --version, which kong answers itself.
type stopped int

func (s stopped) Error() string { return fmt.Sprintf("stopped with exit code %d", int(s)) }

// parse finds the verb that a command line asks for.
func (a *app) parse(args []string) (v verb, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case stopped:
			err = r
		default:
			panic(r)
		}
	}()
	switch {
	case len(args) == 0:
		args = []string{"--help"}
	case args[0] == "help": // seraph help train sgc
		args = append(slices.Clone(args[1:]), "--help")
	}
	parser, all := a.parser(args)
	ctx, err := parser.Parse(args)
	if err != nil {
		return nil, misused(err)
	}
	node := ctx.Selected()
	return find(all, node).verb(node.Target), nil
}

// parser builds the parser of a command line; of any, if it is nil.
func (a *app) parser(line []string) (*kong.Kong, []command) {
	all := commands()
	grammar := reflect.New(grammarOf(all, line, reflect.StructField{
		Name: "Version", Type: reflect.TypeFor[kong.VersionFlag](), Tag: tag("help", "Print the version and exit."),
	}))
	parser, err := kong.New(grammar.Interface(),
		kong.Name("seraph"),
		kong.Description("Trains, analyses and serves models inside the memory you give it."),
		kong.Writers(a.stdout, a.stderr),
		kong.Exit(func(code int) { panic(stopped(code)) }),
		kong.Help(printHelp(all)),
		kong.ConfigureHelp(helpOptions),
		kong.ValueFormatter(func(value *kong.Value) string { return value.Help }), // no environment twins: there is a rule
		kong.Resolvers(kong.ResolverFunc(fromFile)),
		kong.Vars{"version": "seraph " + version},
	)
	if err != nil {
		panic(err) // a mistake in the commands, found by every test
	}
	finish(parser.Model.Node, all)
	return parser, all
}

// finish gives every command its detail and every flag its environment twin, but for settings: package run asks for theirs.
func finish(node *kong.Node, all []command) {
	if node.Type != kong.ApplicationNode {
		c := find(all, node)
		node.Detail = c.longHelp()
		for _, f := range node.Flags {
			if !f.Tag.Has(settingTag) {
				f.Tag.Envs = []string{run.EnvironmentName(f.Name)}
			}
		}
	}
	for _, child := range node.Children {
		finish(child, all)
	}
}

// fromFile finds a flag in seraph.toml, unless the environment has it.
func fromFile(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
	if f.Tag.Has(settingTag) || len(f.Tag.Envs) == 0 || !slices.Contains([]string{"out", "json", "quiet", "log-level"}, f.Name) {
		return nil, nil
	}
	if _, ok := os.LookupEnv(f.Tag.Envs[0]); ok {
		return nil, nil
	}
	text, ok, err := run.FileFlag(settingsFile, f.Name)
	if !ok || err != nil {
		return nil, err
	}
	return text, nil
}

// misused makes a usage error of what kong found wrong, and names the help to look into.
func misused(err error) error {
	var parse *kong.ParseError
	where := "seraph"
	if errors.As(err, &parse) {
		if node := parse.Context.Selected(); node != nil {
			where = node.FullPath()
		}
	}
	return run.Usagef("%w; %s --help shows what there is", rephrase(err, where), where)
}

// rephrase says what kong found in the words of the help.
func rephrase(err error, where string) error {
	text := err.Error()
	switch {
	case strings.HasPrefix(text, "unexpected argument ") && where == "seraph":
		return errors.New(strings.Replace(text, "unexpected argument ", "there is no verb ", 1))
	case strings.HasPrefix(text, "unknown flag --"):
		name, _, _ := strings.Cut(strings.TrimPrefix(text, "unknown flag --"), ",")
		if owners := modelsWith(name); owners != "" {
			return fmt.Errorf("%s has no flag --%s, which is one of %s", where, name, owners)
		}
	case strings.HasPrefix(text, "expected one of ") && where != "seraph":
		return fmt.Errorf("%s: %s", strings.TrimPrefix(where, "seraph "), text)
	}
	return err
}
