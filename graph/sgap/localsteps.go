package sgap

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// localSteps are the local smoothing iterations of all nodes, by degree (figures of the NDLS paper).
type localSteps struct {
	Never  int       `json:"never"`  // nodes that none of the steps brought near enough
	Counts []int     `json:"counts"` // nodes of each number of steps
	Bins   []moments `json:"bins"`   // nodes of degree 0, 1, 2–3, 4–7, …
}

// countSteps counts the steps of the nodes of a graph.
func countSteps(g *graph.Graph, local *graph.LocalSteps) *localSteps {
	l := &localSteps{Never: local.Never, Counts: make([]int, slices.Max(local.K)+1)}
	for u, k := range local.K {
		l.Counts[k]++
		at := bits.Len(uint(g.Degree(u)))
		for len(l.Bins) <= at {
			l.Bins = append(l.Bins, moments{})
		}
		l.Bins[at].add(float64(k))
	}
	return l
}

// nodes is their number.
func (l *localSteps) nodes() int {
	n := 0
	for _, c := range l.Counts {
		n += c
	}
	return n
}

// quantile is the smallest number of steps that a share q of the nodes do not exceed.
func (l *localSteps) quantile(q float64) int {
	left := int(math.Ceil(q * float64(l.nodes())))
	for k, c := range l.Counts {
		if left -= c; left <= 0 {
			return k
		}
	}
	return len(l.Counts) - 1
}

// mean is that of all nodes.
func (l *localSteps) mean() float64 {
	var all moments
	for _, b := range l.Bins {
		all.N, all.Sum = all.N+b.N, all.Sum+b.Sum
	}
	return all.mean()
}

// valid says whether there is something to show.
func (l *localSteps) valid() bool { return len(l.Counts) > 0 && len(l.Bins) > 0 }

// summary says in a line how far nodes are smoothed.
func (l *localSteps) summary(what string) string {
	text := fmt.Sprintf("local smoothing iterations of %s: mean %.2f, quartiles %d, %d, %d, most %d; %d of %d nodes never come near; by degree",
		what, l.mean(), l.quantile(0.25), l.quantile(0.5), l.quantile(0.75), len(l.Counts)-1, l.Never, l.nodes())
	for i := range l.Bins {
		if b := &l.Bins[i]; b.N > 0 {
			text += fmt.Sprintf(" %s: %.1f", degrees(i), b.mean())
		}
	}
	return text
}

// section is the distribution as a section of the report.
func (l *localSteps) section(what string) run.Section {
	below := run.Lines{Caption: "Share of nodes with at most so many steps", XLabel: "steps", YLabel: "share of nodes"}
	series, sum := run.Series{Name: "nodes"}, 0
	for k, c := range l.Counts {
		sum += c
		below.X, series.Y = append(below.X, float64(k)), append(series.Y, share(sum, l.nodes()))
	}
	below.Series = []run.Series{series}
	table := run.Table{Caption: "Steps by degree", Head: []string{"degree", "nodes", "mean", "standard deviation"}}
	for i := range l.Bins {
		if b := &l.Bins[i]; b.N > 0 {
			table.Rows = append(table.Rows, []string{degrees(i), fmt.Sprintf("%.0f", b.N), fmt.Sprintf("%.2f", b.mean()), fmt.Sprintf("%.2f", b.deviation())})
		}
	}
	return run.Section{
		Title: "Local smoothing iterations of " + what,
		Text: fmt.Sprintf("After how many steps the nodes are near the stationary state: mean %.2f; %d of %d nodes never come near and take the most steps. Hubs are smoothed sooner than nodes at the rim.",
			l.mean(), l.Never, l.nodes()),
		Figures: []run.Figure{below, table},
	}
}
