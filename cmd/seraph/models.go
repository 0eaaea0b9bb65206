package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/seraph-ml/seraph/run"
)

var modelsCommand = command{
	name: "models", usage: "[MODEL]", help: "Show what can be trained, on which data, from which paper.",
	detail: "With a model's name: its settings with allowed values, default and source, and its presets.",
	flags:  typeOf[modelsVerb], verb: verbOf[modelsVerb],
}

type modelsVerb struct {
	outputFlags `embed:""`
	Model       string `arg:"" name:"MODEL" optional:"" help:"Show this model's settings."`
}

func (v *modelsVerb) run(a *app) error {
	if v.Model != "" {
		m, err := modelNamed(v.Model)
		if err != nil {
			return err
		}
		s := m.Spec()
		s.Settings = s.All()
		return v.print(a, s, settingsText(&s))
	}
	var specs []run.Spec
	for _, m := range models() {
		specs = append(specs, m.Spec())
	}
	return v.print(a, specs, modelsText(specs))
}

// modelsText lists the models by the data that they take.
func modelsText(specs []run.Spec) string {
	var b strings.Builder
	width := 0
	var kinds []string // in the order of the models
	for _, s := range specs {
		width = max(width, len(s.Name))
		if !slices.Contains(kinds, s.Data) {
			kinds = append(kinds, s.Data)
		}
	}
	for _, data := range kinds {
		fmt.Fprintf(&b, "on %s:\n", data)
		for _, s := range specs {
			if s.Data == data {
				fmt.Fprintf(&b, "  %-*s  %s\n  %*s  %s\n", width, s.Name, s.Title, width, "", s.Paper)
			}
		}
		b.WriteByte('\n')
	}
	b.WriteString("seraph models MODEL shows the settings of one.")
	return b.String()
}

// settingsText writes everything about a model.
func settingsText(s *run.Spec) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\npaper: %s\ndata:  %s\n", s.Name, s.Title, s.Paper, s.Data)
	for _, list := range []struct {
		title    string
		settings []run.Setting
	}{{"settings", s.Settings}, {"sampling settings", s.Sampling}} {
		if len(list.settings) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s:\n", list.title)
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, x := range list.settings {
			doc := x.Doc
			if x.Source != "" {
				doc += " (" + x.Source + ")"
			}
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", x.Key, defaultText(&x), x.Allowed(), doc)
		}
		t.Flush()
	}
	for i, p := range s.Presets {
		if i == 0 {
			b.WriteString("\npresets:\n")
		}
		fmt.Fprintf(&b, "  %s: %s\n", p.Name, p.Doc)
	}
	return strings.TrimRight(b.String(), "\n")
}

// defaultText writes a default so that it can be told from none.
func defaultText(s *run.Setting) string {
	switch {
	case s.Default == "":
		return "-"
	case s.Type == run.String:
		return fmt.Sprintf("%q", s.Default)
	}
	return s.Default
}
