package run

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"
)

// drawnPoints is how many points of a curve are drawn at least, where it has them, and half of what are drawn at most: longer
// ones are drawn as means over equal numbers of steps.
const drawnPoints = 500

// curve is one metric over its steps, each point the mean of every steps and at the last of them.
type curve struct {
	name  string
	every int
	steps []float64
	sums  []float64
	last  int // steps in the last point
}

// add appends a step. When there are too many points, each two become one.
func (c *curve) add(step, value float64) {
	if n := len(c.steps); n > 0 && c.last < c.every {
		c.steps[n-1] = step
		c.sums[n-1] += value
		c.last++
		return
	}
	if n := len(c.steps); n == 2*drawnPoints {
		for i := range drawnPoints {
			c.steps[i] = c.steps[2*i+1]
			c.sums[i] = c.sums[2*i] + c.sums[2*i+1]
		}
		c.steps, c.sums = c.steps[:drawnPoints], c.sums[:drawnPoints]
		c.every *= 2
	}
	c.steps = append(c.steps, step)
	c.sums = append(c.sums, value)
	c.last = 1
}

// values are the means.
func (c *curve) values() []float64 {
	values := make([]float64, len(c.sums))
	for i, sum := range c.sums {
		values[i] = sum / float64(c.every)
	}
	if n := len(values); n > 0 {
		values[n-1] = c.sums[n-1] / float64(c.last)
	}
	return values
}

// readCurves reads a metrics.jsonl as one curve a metric, in the order of first appearance. A missing file has none; the
// reading ends where a line cannot be read.
func readCurves(path string) ([]*curve, error) {
	var curves []*curve
	place := map[string]*curve{}
	err := eachLine(path, func(line []byte) bool {
		var step float64
		first := true
		return parseMetrics(line, func(name []byte, x float64) {
			if first {
				step, first = x, false
				return
			}
			c := place[string(name)]
			if c == nil {
				c = &curve{name: string(name), every: 1}
				place[c.name] = c
				curves = append(curves, c)
			}
			c.add(step, x)
		})
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	return curves, nil
}

// curves are the charts of all metrics over their steps: with one seed a chart a kind of metric (all losses in one), with
// several a chart a metric, each seed faintly and their mean.
func (j *Job) curves() ([]*chart, error) {
	perSeed := make([][]*curve, len(j.trials))
	for i, t := range j.trials {
		var err error
		if perSeed[i], err = readCurves(filepath.Join(t.Dir, metricsName)); err != nil {
			return nil, err
		}
	}
	if len(perSeed) > 1 {
		return seedCharts(j.trials, perSeed), nil
	}
	var charts []*chart
	kinds := map[string]*chart{}
	for _, c := range perSeed[0] {
		kind := c.name[strings.LastIndexByte(c.name, '_')+1:]
		into := kinds[kind]
		if into == nil {
			into = &chart{Caption: kind, XLabel: "step", X: c.steps, Remark: c.remark()}
			kinds[kind] = into
			charts = append(charts, into)
		}
		into.merge(chartLine{Name: words(c.name), Y: c.values()}, c.steps)
	}
	for _, c := range charts {
		if len(c.Series) == 1 {
			c.Caption = c.Series[0].Name
		}
		c.tabulate()
	}
	return charts, nil
}

func (c *curve) remark() string {
	if c.every == 1 {
		return ""
	}
	return fmt.Sprintf("means of %d steps", c.every)
}

// merge adds a line whose points may lie at other steps than those of the chart.
func (c *chart) merge(line chartLine, x []float64) {
	if slices.Equal(c.X, x) {
		c.Series = append(c.Series, line)
		return
	}
	all := slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(c.X), x...))))
	spread := func(from, values []float64) []float64 {
		out := make([]float64, len(all))
		for i, at := range all {
			out[i] = math.NaN()
			if k, ok := slices.BinarySearch(from, at); ok {
				out[i] = values[k]
			}
		}
		return out
	}
	for i := range c.Series {
		c.Series[i].Y = spread(c.X, c.Series[i].Y)
	}
	line.Y = spread(x, line.Y)
	c.X, c.Series = all, append(c.Series, line)
}

// drawnSeeds is how many seeds are drawn beside their mean.
const drawnSeeds = 32

func seedCharts(trials []*Trial, perSeed [][]*curve) []*chart {
	var charts []*chart
	places := map[string]*chart{}
	for i, curves := range perSeed {
		for _, c := range curves {
			into := places[c.name]
			if into == nil {
				into = &chart{Caption: words(c.name), XLabel: "step", X: c.steps, Remark: c.remark()}
				places[c.name] = into
				charts = append(charts, into)
			}
			into.merge(chartLine{Name: fmt.Sprintf("seed %d", trials[i].Seed), Faint: true, Y: c.values()}, c.steps)
		}
	}
	for _, c := range charts {
		all := c.Series
		c.Series = c.envelope()
		c.tabulate()
		if len(all) > drawnSeeds {
			c.Remark = strings.TrimPrefix(fmt.Sprintf("%s, %d of %d seeds are drawn", c.Remark, drawnSeeds, len(all)), ", ")
		}
		c.Series = append(all[:min(len(all), drawnSeeds)], c.Series[0])
	}
	return charts
}

// envelope is mean, lowest and highest of all lines at the points that they all have.
func (c *chart) envelope() []chartLine {
	n := len(c.X)
	mean, low, high := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range c.X {
		low[i], high[i] = math.Inf(1), math.Inf(-1)
		for _, s := range c.Series {
			mean[i] += s.Y[i] / float64(len(c.Series))
			low[i], high[i] = min(low[i], s.Y[i]), max(high[i], s.Y[i])
		}
	}
	return []chartLine{{Name: "mean", Y: mean}, {Name: "lowest", Y: low}, {Name: "highest", Y: high}}
}
