package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/seraph-ml/seraph/run"
)

var modelsCommand = simple("models", "Show what can be trained.", "With a model's name: its settings with type, range, default and source, its presets and its paper.",
	func() verb { return &modelsVerb{} })

type modelsVerb struct {
	outputFlags `embed:""`
	Model       string `arg:"" optional:"" help:"Show this model's settings."`
}

func (v *modelsVerb) run(a *app) error {
	if v.Model == "" {
		var specs []run.Spec
		var b strings.Builder
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, m := range models() {
			s := m.Spec()
			specs = append(specs, s)
			fmt.Fprintf(t, "%s\t%s\n\t%s\n\tdata: %s\n", s.Name, s.Title, s.Paper, s.Data)
		}
		t.Flush()
		return v.print(a, specs, strings.TrimRight(b.String(), "\n"))
	}
	var names []string
	for _, m := range models() {
		s := m.Spec()
		if s.Name == v.Model {
			return v.print(a, s, settingsText(&s))
		}
		names = append(names, s.Name)
	}
	hint := ""
	if near, ok := run.Nearest(v.Model, names); ok {
		hint = fmt.Sprintf("; did you mean %s?", near)
	}
	return run.Usagef("there is no model %q%s (have %s)", v.Model, hint, strings.Join(names, ", "))
}

// settingsText writes everything about a model.
func settingsText(s *run.Spec) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n%s\ndata: %s\n\n", s.Name, s.Title, s.Paper, s.Data)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "setting\tdefault\tallowed\twhat\tsource\n")
	for _, list := range [][]run.Setting{s.All(), s.Sampling} {
		for _, x := range list {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", x.Key, x.Default, x.Allowed(), x.Doc, x.Source)
		}
	}
	t.Flush()
	for _, p := range s.Presets {
		fmt.Fprintf(&b, "\npreset %s: %s", p.Name, p.Doc)
	}
	return strings.TrimRight(b.String(), "\n")
}
