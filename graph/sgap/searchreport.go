package sgap

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/seraph-ml/seraph/graph/search"
	"github.com/seraph-ml/seraph/run"
)

// front are the numbers of the trials that no other dominates, by the first objective.
func (s *designSearch) front() []int {
	var points [][]float64
	var trials []int
	for i := range s.trials {
		if v := s.trials[i].values(s.objectives); v != nil {
			points, trials = append(points, v), append(trials, i)
		}
	}
	var list []int
	for _, i := range search.Front(points) {
		list = append(list, trials[i])
	}
	return list
}

// result is what the search came to; it adds the sections of the report.
func (s *designSearch) result() *run.Found {
	failed := 0
	for i := range s.trials {
		if s.trials[i].Failed != "" {
			failed++
		}
	}
	best := s.bestAccuracy()
	found := &run.Found{
		Search: pascaModel, Data: s.job.Config.String("data"), Record: journalName,
		Metrics: map[string]float64{best.Name: best.Value, "evaluations": float64(len(s.trials)), "failed": float64(failed), "hypervolume": s.hypervolume(len(s.trials))},
	}
	slices.SortStableFunc(s.finals, func(a, b tried) int { return cmp.Compare(b.Accuracy, a.Accuracy) })
	for i := range s.finals {
		found.Findings = append(found.Findings, s.finding(&s.finals[i], s.job.Seeds))
	}
	for _, i := range s.front() {
		found.Findings = append(found.Findings, s.finding(&s.trials[i], 1))
	}
	if len(s.finals) > 0 {
		s.job.AddSection(s.finalSection())
	}
	s.job.AddSection(s.frontSection())
	s.job.AddSection(s.progressSection())
	s.job.AddSection(commandSection(found))
	return found
}

// finding is a design that was trained on so many seeds, with the command that does it again.
func (s *designSearch) finding(e *tried, seeds int) run.Finding {
	f := run.Finding{Settings: e.design.String(), Metrics: map[string]float64{"val_accuracy": e.Accuracy, "cost": e.Cost, "memory": e.Memory}}
	if len(s.data.splits[0].Test) > 0 {
		f.Metrics["test_accuracy"] = e.Test
	}
	if s.timed() {
		f.Metrics["seconds"] = e.Seconds
	}
	texts := settingsOf(e.design)
	texts["tune"] = "0"
	if s.job.Seeds > 1 {
		texts["seeds"] = fmt.Sprint(seeds)
		f.Metrics["seeds"] = float64(seeds)
	}
	f.Command = s.job.TrainCommand(Model{pascaPreset()}.Spec(), texts)
	return f
}

// finalSection shows the finalists, the best first.
func (s *designSearch) finalSection() run.Section {
	table := run.Table{Head: []string{"design", "validation accuracy", "cost", "test accuracy"}}
	for _, e := range s.finals {
		table.Rows = append(table.Rows, []string{e.design.String(), fmt.Sprintf("%.4f", e.Accuracy), fmt.Sprintf("%.4g", e.Cost), fmt.Sprintf("%.4f", e.Test)})
	}
	return run.Section{
		Title:   "Finalists",
		Text:    fmt.Sprintf("The designs of the lowest validation error on the first seed, trained on %d: means over all of them, the best on validation first. That is the design to take where accuracy alone matters; one seed alone rates a design to a point or two.", s.job.Seeds),
		Figures: []run.Figure{table},
	}
}

// frontSection shows the Pareto front among all designs that were tried.
func (s *designSearch) frontSection() run.Section {
	table := run.Table{Caption: "Designs that no other design dominates, by validation error", Head: []string{"design"}}
	for _, o := range s.objectives {
		table.Head = append(table.Head, o.name)
	}
	table.Head = append(table.Head, "test accuracy")
	for _, i := range s.front() {
		e := &s.trials[i]
		row := []string{e.design.String()}
		for _, o := range s.objectives {
			row = append(row, fmt.Sprintf("%.4g", o.show(e)))
		}
		table.Rows = append(table.Rows, append(row, fmt.Sprintf("%.4f", e.Test)))
	}
	section := run.Section{
		Title: "Pareto front",
		Text:  "Each design was trained as the settings say, and its epoch chosen on validation. The error is that on the validation nodes after the predictions were propagated; among so many designs the lowest is partly luck. Test accuracy is there to be read: nothing was chosen by it.",
	}
	for _, o := range s.objectives[1:] {
		section.Figures = append(section.Figures, s.scatter(s.objectives[0], o))
	}
	section.Figures = append(section.Figures, table)
	return section
}

// scatter draws all designs over one objective, and the lowest of the first objective so far as a line.
func (s *designSearch) scatter(y, x objective) run.Lines {
	var order []int
	for i := range s.trials {
		if s.trials[i].Failed == "" {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return slices.Compare([]float64{x.of(&s.trials[a]), y.of(&s.trials[a])}, []float64{x.of(&s.trials[b]), y.of(&s.trials[b])})
	})
	chart := run.Lines{Caption: y.name + " over " + x.name, XLabel: x.name + ", " + x.unit, YLabel: y.name, LogX: true}
	all, front := run.Series{Name: "designs", Points: true}, run.Series{Name: "front"}
	lowest := math.Inf(1)
	for _, i := range order {
		e := &s.trials[i]
		v := y.show(e)
		lowest = min(lowest, v)
		chart.X, all.Y, front.Y = append(chart.X, x.show(e)), append(all.Y, v), append(front.Y, lowest)
	}
	chart.Series = []run.Series{all, front}
	return chart
}

// progressSection shows how the search came along.
func (s *designSearch) progressSection() run.Section {
	volume, best := run.Series{Name: "hypervolume"}, run.Series{Name: "best validation accuracy"}
	curve := run.Lines{Caption: "Hypervolume over designs tried", XLabel: "designs"}
	highest := 0.0
	for n := range s.trials {
		highest = max(highest, s.trials[n].Accuracy)
		curve.X = append(curve.X, float64(n+1))
		volume.Y, best.Y = append(volume.Y, s.hypervolume(n+1)), append(best.Y, highest)
	}
	accuracy := curve
	accuracy.Caption = "Best validation accuracy over designs tried"
	curve.Series, accuracy.Series = []run.Series{volume}, []run.Series{best}
	box := ""
	for _, o := range s.objectives {
		box += fmt.Sprintf(" %s %.4g … %.4g;", o.name, o.low, o.high)
	}
	return run.Section{
		Title:   "Progress",
		Text:    "The hypervolume is the part of the box that the designs so far dominate; costs, times and bytes count by their logarithm to base 10. The box:" + box[:len(box)-1] + ".",
		Figures: []run.Figure{curve, accuracy},
	}
}

// commandSection lists how to train what was found.
func commandSection(found *run.Found) run.Section {
	table := run.Table{Head: []string{"validation accuracy", "command"}}
	for _, f := range found.Findings {
		table.Rows = append(table.Rows, []string{fmt.Sprintf("%.4f", f.Metrics["val_accuracy"]), f.Command})
	}
	return run.Section{
		Title:   "To train what was found",
		Text:    "Each command gives the weights that the search had. With --seeds 10 it trains more of them, without --tune 0 it searches for rates and scaling first.",
		Figures: []run.Figure{table},
	}
}
