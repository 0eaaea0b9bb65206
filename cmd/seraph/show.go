package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/run"
)

var showCommand = command{
	name: "show", usage: "PATH", help: "Look into any file that Seraph writes or reads.",
	detail: "PATH may be a run, a checkpoint, a trained model, or data in any format that --data takes: the format is recognised by what is there." +
		" As little is read as will do; seraph check reads everything.",
	exits: []int{exitCorrupt}, flags: typeOf[show], verb: verbOf[show],
}

type show struct {
	outputFlags `embed:""`
	Path        string `arg:"" name:"PATH" help:"What to look into."`
}

func (s *show) run(a *app) error {
	d, err := inspect(s.Path)
	if err != nil {
		return err
	}
	return s.print(a, d, descriptionText(&d))
}

// inspect describes what a path holds: something that a run wrote, or data.
func inspect(path string) (format.Description, error) {
	if kind, ok := run.Recognise(path); ok {
		return kind.Describe(path)
	}
	return detect.Describe(path)
}

// descriptionText writes a description for people.
func descriptionText(d *format.Description) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s (%s)\n", d.Path, d.Title, d.Format)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, f := range d.Fields {
		fmt.Fprintf(t, "  %s\t%s\n", f.Name, f.Value)
	}
	t.Flush()
	if len(d.Rows) > 0 {
		b.WriteByte('\n')
		fmt.Fprintf(t, "  %s\n", strings.Join(d.Columns, "\t"))
		for _, row := range d.Rows {
			fmt.Fprintf(t, "  %s\n", strings.Join(row, "\t"))
		}
		t.Flush()
	}
	for _, note := range d.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	return trimLines(b.String())
}

// trimLines takes blanks off the ends of lines, which tabwriter leaves where the last cell is empty.
func trimLines(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
