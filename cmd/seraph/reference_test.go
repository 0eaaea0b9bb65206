package main

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/alecthomas/kong"
	diff "github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/run"
)

var update = flag.Bool("update", false, "write docs/cli.md instead of comparing it")

const referencePath = "../../docs/cli.md"

func TestReferenceIsWhatTheHelpSays(t *testing.T) {
	t.Setenv("COLUMNS", "110")
	want := reference(t)
	if *update {
		if err := os.WriteFile(referencePath, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referencePath)
	if err != nil {
		t.Fatal(err)
	}
	if d := diff.Diff(want, string(got)); d != "" {
		t.Errorf("docs/cli.md is not current; go test ./cmd/seraph -run Reference -update writes it anew (-help, +file):\n%s", d)
	}
}

// reference is docs/cli.md: the help of every command, and tables of what they share.
func reference(t *testing.T) string {
	var b strings.Builder
	b.WriteString("# The command line\n\n")
	b.WriteString("This page is written by `go test ./cmd/seraph -run Reference -update` from the commands' own help.\n\n")
	fmt.Fprintf(&b, "```\n%s```\n", helpOf(t))
	all := commands()
	for _, c := range all {
		fmt.Fprintf(&b, "\n## seraph %s\n\n```\n%s```\n", c.name, helpOf(t, c.name))
		for i, below := range c.below {
			if c.name == "plan" && below.name == "train" {
				fmt.Fprintf(&b, "\n### seraph plan train MODEL\n\nTakes the flags of `seraph train MODEL` that say what is to be trained, and `--program`.\n")
				continue
			}
			if c.name == "search" && i > 0 { // behind pasca
				if i == 1 {
					fmt.Fprintf(&b, "\n### seraph search MODEL\n\nTakes the flags of `seraph train MODEL` that say what is to be trained, and `--space FILE`.\n")
				}
				continue
			}
			fmt.Fprintf(&b, "\n### seraph %s %s\n\n```\n%s```\n", c.name, below.name, helpOf(t, c.name, below.name))
		}
	}
	b.WriteString("\n## Exit codes\n\n| code | meaning |\n|---:|---|\n")
	for _, code := range slices.Sorted(maps.Keys(exitMeaning)) {
		fmt.Fprintf(&b, "| %d | %s |\n", code, exitMeaning[code])
	}
	b.WriteString("\n## Environment\n\n| variable | what | verbs |\n|---|---|---|\n")
	b.WriteString("| `SERAPH_CPU` | the most of the processor's features to use: generic, avx2, avx512, avx512bf16, amx | all |\n")
	for _, v := range twins() {
		fmt.Fprintf(&b, "| `%s` | `--%s` | %s |\n", v.name, v.flag, strings.Join(v.verbs, ", "))
	}
	return b.String()
}

// helpOf is what a command prints under --help.
func helpOf(t *testing.T, words ...string) string {
	var out, errs bytes.Buffer
	if code := seraph(append(words, "--help"), &out, &errs); code != exitDone || errs.Len() > 0 {
		t.Fatalf("seraph %s --help: exit code %d, %s", strings.Join(words, " "), code, errs.String())
	}
	return out.String()
}

// twin is an environment variable that stands for a flag.
type twin struct {
	name, flag string
	verbs      []string
}

func twins() []twin {
	of := map[string]*twin{}
	parser, _ := (&app{}).parser(nil)
	eachNode(parser.Model.Node, "", func(words string, node *kong.Node) {
		verb, _, _ := strings.Cut(words, " ")
		for _, f := range node.Flags {
			if verb == "" {
				continue
			}
			v := of[f.Name]
			if v == nil {
				v = &twin{name: run.EnvironmentName(f.Name), flag: f.Name}
				of[f.Name] = v
			}
			if !slices.Contains(v.verbs, verb) {
				v.verbs = append(v.verbs, verb)
			}
		}
	})
	var list []twin
	for _, v := range of {
		list = append(list, *v)
	}
	slices.SortFunc(list, func(a, b twin) int { return cmp.Compare(a.name, b.name) })
	return list
}

func TestHelpOfEveryCommandNamesItsExitCodes(t *testing.T) {
	var visit func(words []string, list []command)
	visit = func(words []string, list []command) {
		for _, c := range list {
			here := append(slices.Clone(words), c.name)
			text := strings.Join(strings.Fields(helpOf(t, here...)), " ") // as if it were not wrapped
			if !strings.Contains(text, "EXIT STATUS:") || !strings.Contains(text, c.help) {
				t.Errorf("seraph %s --help:\n%s", strings.Join(here, " "), text)
			}
			if strings.ContainsRune(text, utf8.RuneError) { // what is no UTF-8 reads as one, too
				t.Errorf("seraph %s --help is garbled:\n%s", strings.Join(here, " "), text)
			}
			visit(here, c.below)
		}
	}
	visit(nil, commands())
}

func TestSpecsOfAllModelsAreWellFormed(t *testing.T) {
	for _, m := range models() {
		s := m.Spec()
		if err := s.Check(); err != nil {
			t.Error(err)
		}
	}
}
