package sgap

import (
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/table"
	"github.com/seraph-ml/seraph/run"
)

// columns says how the columns of a table become features: numbers standardised to mean 0 and deviation 1 over all rows, a
// missing one being the mean; then every category of a text column as 0 or 1. It stays with the model, so that another
// table is read the same way.
type columns struct {
	table.Layout
	Mean      []float64 `json:"mean"` // of the numeric columns
	Deviation []float64 `json:"deviation"`
}

// newColumns takes all columns of a table, whose target has been opened as a category.
func newColumns(f *table.File, target string) (*columns, error) {
	layout, err := table.NewLayout(f, target)
	if err != nil {
		return nil, err
	}
	return &columns{Layout: *layout}, nil
}

// texts are the columns to be opened as categories, whatever a table holds there.
func (c *columns) texts() []string {
	names := []string{c.Target}
	for i := range c.Categorical {
		names = append(names, c.Categorical[i].Name)
	}
	return names
}

// width is the number of features.
func (c *columns) width() int {
	n := len(c.Numeric)
	for i := range c.Categorical {
		n += len(c.Categorical[i].Values)
	}
	return n
}

// check says what contradicts itself in columns that were kept with a model; "" for nothing.
func (c *columns) check() string {
	if n := len(c.Numeric); len(c.Mean) != n || len(c.Deviation) != n {
		return fmt.Sprintf("%d means and %d deviations of %d columns", len(c.Mean), len(c.Deviation), n)
	}
	return ""
}

// fits refuses features that take more than most bytes, and says which column makes them many.
func (c *columns) fits(rows int, most int64) error {
	bytes := 4 * int64(rows) * int64(c.width())
	if bytes <= most {
		return nil
	}
	var widest table.Category
	for _, column := range c.Categorical {
		if len(column.Values) > len(widest.Values) {
			widest = column
		}
	}
	return run.Usagef("as features the table takes %s, a column for every category; column %q has %d. Leave out what is no feature, or give --memory",
		memory.FormatSize(bytes), widest.Name, len(widest.Values))
}

// measure sets means and deviations.
func (c *columns) measure(s *table.Samples) {
	n := len(c.Numeric)
	c.Mean, c.Deviation = make([]float64, n), make([]float64, n)
	for j := range n {
		var sum, squares, count float64
		each := func(f func(x float64)) {
			for i := j; i < len(s.Numeric); i += n {
				if x := float64(s.Numeric[i]); x == x {
					f(x)
				}
			}
		}
		each(func(x float64) { sum += x; count++ })
		c.Mean[j] = sum / max(count, 1)
		each(func(x float64) { squares += (x - c.Mean[j]) * (x - c.Mean[j]) })
		c.Deviation[j] = math.Sqrt(squares / max(count, 1))
	}
}

// features makes the rows of a table: Rows × width.
func (c *columns) features(s *table.Samples) []float32 {
	width, n := c.width(), len(c.Numeric)
	x := make([]float32, s.Rows*width)
	for i := range s.Rows {
		row := x[i*width : (i+1)*width]
		for j, v := range s.Numeric[i*n : (i+1)*n] {
			if v == v && c.Deviation[j] > 0 {
				row[j] = float32((float64(v) - c.Mean[j]) / c.Deviation[j])
			}
		}
		at := n
		for j := range c.Categorical {
			if code := s.Codes[i*len(c.Categorical)+j]; code >= 0 {
				row[at+int(code)] = 1
			}
			at += len(c.Categorical[j].Values)
		}
	}
	return x
}

// graph makes a table a graph without edges; it takes so many bytes besides the table.
func (c *columns) graph(f *table.File, s *table.Samples) (g *format.Graph, bytes int64) {
	g = &format.Graph{
		Name: f.Name, Format: f.Format, Nodes: s.Rows, Labels: s.Labels, Classes: len(c.Classes), ClassNames: c.Classes, Notes: f.Notes,
		Features: format.Features{Cols: c.width(), Dense: c.features(s)},
	}
	return g, 4 * int64(len(g.Features.Dense)+len(s.Numeric)+len(s.Codes)+len(s.Labels))
}
