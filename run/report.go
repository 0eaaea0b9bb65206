package run

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"path/filepath"
	"strings"
	"time"

	"github.com/seraph-ml/seraph/engine/memory"
)

// The report is one file: style, script and uPlot (Leon Sorokin, MIT licence, assets/uplot) are written into it.
var (
	//go:embed assets/report.html
	reportPage string
	//go:embed assets/report.css
	reportCSS string
	//go:embed assets/report.js
	reportJS string
	//go:embed assets/uplot/uPlot.iife.min.js
	uplotJS string
	//go:embed assets/uplot/uPlot.min.css
	uplotCSS string
)

const reportName = "report.html"

// page is what the report shows.
type page struct {
	Title, Subtitle   string
	Tiles             []tile
	Notes             []Note
	Seeds             *table
	SeedsText         string
	Curves            []*chart
	Sections          []section
	Plan              planView
	Settings          *table
	Environment       *table
	Command           string
	Version, Finished string
	Charts            []*chart // all of the page, in the order of their Place

	CSS, UPlotCSS template.CSS
	JS, UPlotJS   template.JS
}

// tile is a figure in large type.
type tile struct{ Name, Value, Spread string }

// section is a Section with its figures drawn.
type section struct {
	Title      string
	Paragraphs []string
	Figures    []drawing
}

// writeReport writes report.html and README.md.
func (j *Job) writeReport(r *Result) error {
	finished := time.Now()
	html, err := j.report(r, finished)
	if err != nil {
		return err
	}
	if err := memory.WriteAtomic(j.Dir.File(reportName), html); err != nil {
		return err
	}
	return memory.WriteAtomic(j.Dir.File(cardName), []byte(j.card(r, finished)))
}

func (j *Job) report(r *Result, finished time.Time) ([]byte, error) {
	p := j.page(r.Data, j.tiles(r), finished)
	if j.Seeds > 1 {
		best := j.Best()
		p.Seeds = j.seedsTable(best)
		p.SeedsText = fmt.Sprintf("Each seed was trained alone; model/ is that of seed %d, the best on validation. ± is the standard deviation of the sample.", best.Seed)
	}
	curves, err := j.curves()
	if err != nil {
		return nil, err
	}
	for _, c := range curves {
		p.Curves = append(p.Curves, p.place(c))
	}
	p.addSections(j.sections)
	return p.html()
}

// page is what the reports of all tasks show.
func (j *Job) page(data string, tiles []tile, finished time.Time) *page {
	spec := j.task.Spec()
	p := newPage(j.environment, j.plan, finished)
	p.Title = fmt.Sprintf("%s on %s", cmp.Or(spec.Verb, spec.Name), filepath.Base(data))
	p.Subtitle = fmt.Sprintf("%s. %s", spec.Title, spec.Paper)
	p.Tiles, p.Notes, p.Settings, p.Command = tiles, degradedFirst(j.notes), settingsTable(j.Values), j.command()
	return p
}

// addSections draws what the task adds.
func (p *page) addSections(sections []Section) {
	for _, s := range sections {
		drawn := section{Title: s.Title}
		for text := range strings.SplitSeq(s.Text, "\n\n") {
			if text = strings.TrimSpace(text); text != "" {
				drawn.Paragraphs = append(drawn.Paragraphs, text)
			}
		}
		for _, f := range s.Figures {
			d := f.draw()
			if d.Chart != nil {
				p.place(d.Chart)
			}
			drawn.Figures = append(drawn.Figures, d)
		}
		p.Sections = append(p.Sections, drawn)
	}
}

// html writes the page.
func (p *page) html() ([]byte, error) {
	t, err := template.New("report").Parse(reportPage)
	if err != nil {
		return nil, fmt.Errorf("write the report: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, p); err != nil {
		return nil, fmt.Errorf("write the report: %w", err)
	}
	return out.Bytes(), nil
}

// place gives a chart its number on the page.
func (p *page) place(c *chart) *chart {
	c.Place = len(p.Charts)
	p.Charts = append(p.Charts, c)
	return c
}

// tiles are the metrics, then time and memory.
func (j *Job) tiles(r *Result) []tile {
	var list []tile
	for _, m := range j.summary() {
		t := tile{Name: words(m.Name), Value: formatMetric(m.Name, m.Mean)}
		if j.Seeds > 1 {
			t.Spread = formatMetric(m.Name, m.Std)
		}
		list = append(list, t)
	}
	return append(list, j.costTiles(r.Seconds, r.PeakRSS)...)
}

// words turns the name of a metric into words.
func words(name string) string { return strings.ReplaceAll(name, "_", " ") }

// isShare reports whether a metric is a share of one, which people read in percent.
func isShare(name string) bool {
	return strings.Contains(name, "accuracy") || strings.Contains(name, "f1")
}

// formatMetric writes shares in percent, the rest with five digits.
func formatMetric(name string, x float64) string {
	if isShare(name) {
		return fmt.Sprintf("%.2f %%", 100*x)
	}
	return fmt.Sprintf("%.5g", x)
}

func degradedFirst(notes []Note) []Note {
	var first, then []Note
	for _, n := range notes {
		if n.Degraded {
			first = append(first, n)
		} else {
			then = append(then, n)
		}
	}
	return append(first, then...)
}

func (j *Job) seedsTable(best *Trial) *table {
	t := &table{Head: []cell{{Text: "seed", Class: number}}}
	names := j.summary()
	for _, m := range names {
		t.Head = append(t.Head, cell{Text: words(m.Name), Class: number})
	}
	for _, trial := range j.trials {
		r := row{Best: trial == best, Cells: []cell{{Text: fmt.Sprint(trial.Seed), Class: number}}}
		for _, name := range names {
			c := cell{Class: number}
			if x, ok := trial.done.metric(name.Name); ok {
				c.Text = formatMetric(name.Name, x)
			}
			r.Cells = append(r.Cells, c)
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}

func settingsTable(values Values) *table {
	t := &table{Head: []cell{{Text: "setting"}, {Text: "value"}, {Text: "from"}, {Text: "what it is"}}}
	for i := range values {
		v := &values[i]
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: v.Key}, {Text: v.Text, Class: "long"}, {Text: v.comment(), Class: "from"}, {Text: v.Doc, Class: soft}}})
	}
	return t
}

func (e Environment) table() *table {
	t := &table{}
	add := func(name, value string) {
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: name, Class: soft}, {Text: value}}})
	}
	add("processor", e.Processor)
	add("kernels", e.Level)
	add("cores", fmt.Sprint(e.Cores))
	add("memory", memory.FormatSize(e.Memory))
	if e.Cgroup > 0 {
		add("memory of the control group", memory.FormatSize(e.Cgroup))
	}
	add("system", e.System)
	add("Go", e.Go)
	add("Seraph", e.Seraph)
	return t
}
