package run

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// drawing is a figure as the report's page takes it: one of the fields is set.
type drawing struct {
	Table *table
	Chart *chart
	Bars  *bars
	Heat  *heat
}

type table struct {
	Caption string
	Head    []cell
	Rows    []row
}

type row struct {
	Best  bool // in bold
	Cells []cell
}

type cell struct {
	Text  string
	Class string // how report.css sets it
}

const (
	number = "n" // to the right
	soft   = "soft"
)

// chart is a line chart: its JSON is what report.js draws, its numbers stand below for who has no scripts.
type chart struct {
	Place   int    `json:"-"` // on the page, from 0
	Caption string `json:"-"`
	Remark  string `json:"-"`
	Numbers *table `json:"-"`

	XLabel string      `json:"xlabel"`
	X      numbers     `json:"x"`
	Log    bool        `json:"log"`
	LogX   bool        `json:"logx,omitempty"`
	Series []chartLine `json:"series"`
}

type chartLine struct {
	Name  string  `json:"name"`
	Faint bool    `json:"faint"` // one of many, behind their mean
	Dots  bool    `json:"dots,omitempty"`
	Y     numbers `json:"y"`
}

// numbers are written with seven digits, which no eye tells from all, and NaN and infinities as null.
type numbers []float64

func (n numbers) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	for i, x := range n {
		if i > 0 {
			b = append(b, ',')
		}
		if math.IsNaN(x) || math.IsInf(x, 0) {
			b = append(b, "null"...)
			continue
		}
		b = strconv.AppendFloat(b, x, 'g', 7, 64)
	}
	return append(b, ']'), nil
}

var _ json.Marshaler = numbers{}

// bars is a histogram.
type bars struct {
	Caption, Label, From, To string
	Bars                     []bar
	Numbers                  *table
}

type bar struct {
	Percent float64 // of the highest
	Text    string
}

type heat struct {
	Caption string
	Columns []string
	Rows    []heatRow
}

type heatRow struct {
	Name  string
	Cells []bar
}

func (t Table) draw() drawing {
	d := &table{Caption: t.Caption}
	class := make([]string, len(t.Head))
	for k, head := range t.Head {
		if t.numeric(k) {
			class[k] = number
		}
		d.Head = append(d.Head, cell{head, class[k]})
	}
	for _, texts := range t.Rows {
		var r row
		for k, text := range texts[:min(len(texts), len(class))] {
			r.Cells = append(r.Cells, cell{text, class[k]})
		}
		d.Rows = append(d.Rows, r)
	}
	return drawing{Table: d}
}

// numeric reports whether a column holds nothing but numbers.
func (t Table) numeric(column int) bool {
	found := false
	for _, r := range t.Rows {
		if column >= len(r) || r[column] == "" {
			continue
		}
		if _, err := strconv.ParseFloat(r[column], 64); err != nil {
			return false
		}
		found = true
	}
	return found
}

func (l Lines) draw() drawing {
	c := &chart{Caption: l.Caption, XLabel: l.XLabel, X: l.X, Log: l.LogY, LogX: l.LogX}
	if l.YLabel != "" {
		c.Remark = l.YLabel
	}
	for _, s := range l.Series {
		c.Series = append(c.Series, chartLine{Name: s.Name, Dots: s.Points, Y: s.Y})
	}
	c.tabulate()
	return drawing{Chart: c}
}

// tabulatedRows is how many points of a chart stand in the table below it.
const tabulatedRows = 24

// tabulate makes the table of a chart: evenly spaced points, the last one among them.
func (c *chart) tabulate() {
	c.Numbers = &table{Head: []cell{{Text: c.XLabel, Class: number}}}
	for _, s := range c.Series {
		c.Numbers.Head = append(c.Numbers.Head, cell{Text: s.Name, Class: number})
	}
	n := len(c.X)
	rows := min(n, tabulatedRows)
	for i := range rows {
		at := n - 1
		if rows > 1 {
			at = i * (n - 1) / (rows - 1)
		}
		r := row{Cells: []cell{{Text: fmt.Sprintf("%g", c.X[at]), Class: number}}}
		for _, s := range c.Series {
			text := ""
			if at < len(s.Y) && !math.IsNaN(s.Y[at]) {
				text = fmt.Sprintf("%.5g", s.Y[at])
			}
			r.Cells = append(r.Cells, cell{Text: text, Class: number})
		}
		c.Numbers.Rows = append(c.Numbers.Rows, r)
	}
}

func (h Histogram) draw() drawing {
	highest := 1
	for _, n := range h.Counts {
		highest = max(highest, n)
	}
	b := &bars{Caption: h.Caption, Label: h.XLabel, Numbers: &table{Head: []cell{{Text: "from", Class: number}, {Text: "to", Class: number}, {Text: "count", Class: number}}}}
	for i, n := range h.Counts[:min(len(h.Counts), max(len(h.Edges)-1, 0))] {
		from, to := fmt.Sprintf("%.4g", h.Edges[i]), fmt.Sprintf("%.4g", h.Edges[i+1])
		b.Bars = append(b.Bars, bar{100 * float64(n) / float64(highest), fmt.Sprintf("%s … %s: %d", from, to, n)})
		b.Numbers.Rows = append(b.Numbers.Rows, row{Cells: []cell{{Text: from, Class: number}, {Text: to, Class: number}, {Text: fmt.Sprint(n), Class: number}}})
		if i == 0 {
			b.From = from
		}
		b.To = to
	}
	return drawing{Bars: b}
}

func (m HeatMap) draw() drawing {
	low, high := math.Inf(1), math.Inf(-1)
	for _, r := range m.Values {
		for _, x := range r {
			if !math.IsNaN(x) {
				low, high = min(low, x), max(high, x)
			}
		}
	}
	h := &heat{Caption: m.Caption, Columns: m.Columns}
	for i, r := range m.Values {
		line := heatRow{}
		if i < len(m.Rows) {
			line.Name = m.Rows[i]
		}
		for _, x := range r {
			c := bar{Text: fmt.Sprintf("%.3g", x)}
			if high > low && !math.IsNaN(x) {
				c.Percent = math.Round(80 * (x - low) / (high - low)) // text stays legible at 80 % of the colour
			}
			line.Cells = append(line.Cells, c)
		}
		h.Rows = append(h.Rows, line)
	}
	return drawing{Heat: h}
}
