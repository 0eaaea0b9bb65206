package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/graph/kcore"
	"github.com/seraph-ml/seraph/run"
)

// reportPath is where the report of --stats goes; "" for nowhere.
func (c *kcoreVerb) reportPath() string {
	if !c.Stats || c.Out == "" {
		return ""
	}
	return c.Out + ".html"
}

// writeReport writes the report of --stats.
func (c *kcoreVerb) writeReport(a *app, r *kcoreResult) error {
	if c.reportPath() == "" {
		return nil
	}
	done := *r.plan
	done.Actual, done.ActualPeak = r.total(), r.Peak
	page, err := (&run.Account{
		Title:    "k-core decomposition of " + filepath.Base(c.Paths[0]),
		Subtitle: fmt.Sprintf("Core numbers by the engine %s: %s.", r.Engine, r.Why),
		Tiles: [][2]string{
			{"vertices", fmt.Sprint(r.Vertices)}, {"edges", fmt.Sprint(r.Edges)}, {"degeneracy", fmt.Sprint(r.Degeneracy)},
			{"vertices in the innermost core", fmt.Sprint(r.Innermost)}, {"time", plan.FormatSeconds(r.total())}, {"peak memory", memory.FormatSize(r.Peak)},
		},
		Sections: []run.Section{shellSection(r.Shells), readSection(&r.Result)},
		Plan:     &done, Command: a.args, Version: version,
	}).HTML()
	if err != nil {
		return err
	}
	return memory.WriteAtomic(c.reportPath(), page)
}

// shellSection draws the shells: how large they and the cores are, and what degrees their vertices have.
func shellSection(shells []kcore.Shell) run.Section {
	n := len(shells)
	column := func(of func(s *kcore.Shell) float64) []float64 {
		y := make([]float64, n)
		for i := range shells {
			y[i] = of(&shells[i])
		}
		return y
	}
	vertices := column(func(s *kcore.Shell) float64 { return float64(s.Vertices) })
	coreVertices, coreEdges := make([]float64, n), make([]float64, n)
	below := [2]float64{}
	for i := n - 1; i >= 0; i-- {
		below[0] += vertices[i]
		below[1] += float64(shells[i].Edges)
		coreVertices[i], coreEdges[i] = below[0], below[1]
	}
	of := func(name string, y []float64) run.Series { return run.Series{Name: name, Y: y, Points: true} }
	x := column(func(s *kcore.Shell) float64 { return float64(s.Core) })
	return run.Section{
		Title: "Shells and cores",
		Text: "The k-shell is the vertices of core number k; the k-core is those of core number k or more, with the edges among them. " +
			"A degree is never below the core number of its vertex.",
		Figures: []run.Figure{
			run.Lines{Caption: "shell sizes", XLabel: "core number", X: x, Series: []run.Series{of("vertices", vertices)}, LogY: true},
			run.Lines{Caption: "size of the k-core", XLabel: "k", X: x, Series: []run.Series{{Name: "vertices", Y: coreVertices}, {Name: "edges", Y: coreEdges}}, LogY: true},
			run.Lines{Caption: "degree against core number", XLabel: "core number", X: x, LogY: true, Series: []run.Series{
				of("highest", column(func(s *kcore.Shell) float64 { return float64(s.MaxDegree) })),
				of("mean", column(func(s *kcore.Shell) float64 { return float64(s.Degrees) / float64(s.Vertices) })),
				of("lowest", column(func(s *kcore.Shell) float64 { return float64(s.MinDegree) })),
			}},
		},
	}
}

// readSection says what became of the input.
func readSection(r *kcore.Result) run.Section {
	return run.Section{Title: "Input", Figures: []run.Figure{run.Table{
		Head: []string{"what", "how many"},
		Rows: [][]string{
			{"edges, undirected", fmt.Sprint(r.Edges)}, {"self-loops dropped", fmt.Sprint(r.Loops)},
			{"duplicates dropped, in this direction or the other", fmt.Sprint(r.Duplicates)},
			{"SHA-256 of the lines \"id core\", by ascending id", r.SHA256},
		},
	}}}
}

// shownShells is how many shells the text lists from each end.
const shownShells = 10

// shellText lists the shells, the sparsest and the densest of many.
func shellText(shells []kcore.Shell) string {
	var b strings.Builder
	b.WriteString("core number    vertices       edges  degrees")
	for i, s := range shells {
		if i == shownShells && len(shells) > 2*shownShells {
			fmt.Fprintf(&b, "\n… %d more", len(shells)-2*shownShells)
		}
		if i < shownShells || i >= len(shells)-shownShells {
			fmt.Fprintf(&b, "\n%11d %11d %11d  %d … %d, mean %.1f", s.Core, s.Vertices, s.Edges, s.MinDegree, s.MaxDegree, float64(s.Degrees)/float64(s.Vertices))
		}
	}
	return b.String()
}
