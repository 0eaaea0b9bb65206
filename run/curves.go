package run

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
)

// drawnPoints is how many points of a curve are drawn at most; longer ones are drawn as means over equal numbers of steps.
const drawnPoints = 1000

// curves are the charts of all metrics over their steps: with one seed a chart a kind of metric (all losses in one), with
// several a chart a metric, each seed faintly and their mean.
func (j *Job) curves() ([]*chart, error) {
	perSeed := make([][]*curve, len(j.trials))
	for i, t := range j.trials {
		var err error
		if perSeed[i], err = readMetrics(filepath.Join(t.Dir, metricsName)); err != nil {
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
		x, y, every := thin(c)
		into := kinds[kind]
		if into == nil {
			into = &chart{Caption: kind, XLabel: "step", X: x, Remark: meansOf(every)}
			kinds[kind] = into
			charts = append(charts, into)
		}
		into.merge(chartLine{Name: words(c.name), Y: y}, x)
	}
	for _, c := range charts {
		c.tabulate()
	}
	return charts, nil
}

func meansOf(every int) string {
	if every <= 1 {
		return ""
	}
	return fmt.Sprintf("means of %d steps", every)
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

// thin returns at most drawnPoints points: means over every steps, at the last of them.
func thin(c *curve) (x, y []float64, every int) {
	every = (len(c.steps) + drawnPoints - 1) / drawnPoints
	if every <= 1 {
		return c.steps, c.value, 1
	}
	for i := 0; i < len(c.steps); i += every {
		end := min(i+every, len(c.steps))
		var sum float64
		for _, v := range c.value[i:end] {
			sum += v
		}
		x = append(x, c.steps[end-1])
		y = append(y, sum/float64(end-i))
	}
	return x, y, every
}

func seedCharts(trials []*Trial, perSeed [][]*curve) []*chart {
	var charts []*chart
	places := map[string]*chart{}
	for i, curves := range perSeed {
		for _, c := range curves {
			x, y, every := thin(c)
			into := places[c.name]
			if into == nil {
				into = &chart{Caption: words(c.name), XLabel: "step", X: x, Remark: meansOf(every)}
				places[c.name] = into
				charts = append(charts, into)
			}
			into.merge(chartLine{Name: fmt.Sprintf("seed %d", trials[i].Seed), Faint: true, Y: y}, x)
		}
	}
	for _, c := range charts {
		c.Series = append(c.Series, c.mean())
		c.tabulate()
	}
	return charts
}

// mean is the mean of all lines at the points that they all have.
func (c *chart) mean() chartLine {
	line := chartLine{Name: "mean", Y: make([]float64, len(c.X))}
	for i := range c.X {
		for _, s := range c.Series {
			line.Y[i] += s.Y[i]
		}
		line.Y[i] /= float64(len(c.Series))
	}
	return line
}
