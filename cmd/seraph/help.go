package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

// helpOptions are how help is laid out.
var helpOptions = kong.HelpOptions{
	Compact: true, FlagsLast: true, NoExpandSubcommands: true, WrapUpperBound: 110,
}

// overviewEnd closes the list of verbs.
const overviewEnd = `
  -h, --help     Show this list; after a verb its flags, after train MODEL the model's settings.
      --version  Print the version and exit.

Every flag has an environment twin (--log-level is SERAPH_LOG_LEVEL), and settings may stand in a
seraph.toml in the working directory: flag > environment > seraph.toml > default. SERAPH_CPU caps
the processor features that are used. Sizes: GiB = 2^30, GB = 10^9. Results go to stdout, as JSON
lines with --json; all else goes to stderr.`

// printHelp is kong's help, with a calm list of verbs in front.
func printHelp(all []command) kong.HelpPrinter {
	return func(o kong.HelpOptions, ctx *kong.Context) error {
		if node := ctx.Selected(); node != nil {
			fmt.Fprintf(ctx.Stdout, "Usage: %s %s\n", node.FullPath(), strings.TrimSpace(find(all, node).usage+" [flags]"))
			o.NoAppSummary = true
			return kong.DefaultHelpPrinter(o, ctx)
		}
		fmt.Fprintf(ctx.Stdout, "Usage: seraph VERB …\n\n%s\n\n", ctx.Model.Help)
		t := tabwriter.NewWriter(ctx.Stdout, 0, 0, 3, ' ', 0)
		for _, c := range all {
			fmt.Fprintf(t, "  %s\t%s\n", strings.TrimSpace(c.name+" "+c.usage), c.help)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		_, err := fmt.Fprintln(ctx.Stdout, overviewEnd)
		return err
	}
}

// longHelp is what the help of a command says below its line.
func (c *command) longHelp() string {
	var b strings.Builder
	if c.detail != "" {
		b.WriteString(c.detail + "\n\n")
	}
	b.WriteString("EXIT STATUS:\n\n")
	for _, code := range append([]int{exitDone, exitFailed, exitUsage}, c.exits...) {
		fmt.Fprintf(&b, "    %d  %s\n", code, exitMeaning[code])
	}
	return b.String()
}
