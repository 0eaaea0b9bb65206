package run

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
)

// planView is the plan as stacked bars: for each stage what it holds, the measured peak as a mark, the budget as a line.
type planView struct {
	Text   string
	Stages []stageView
	Key    []keyView
	Budget float64 // place of the line in percent, 0 where it lies far outside
	Table  *table
	Items  *table
}

type stageView struct {
	Name   string
	Parts  []partView
	Actual float64 // place of the mark in percent, 0 for none
}

type partView struct {
	Percent float64
	Colour  int
	Text    string
}

type keyView struct {
	Colour int
	Text   string
}

// colours is how many the style has beside that of the baseline, 0.
const colours = 8

func viewPlan(p *plan.Job) planView {
	largest := p.Peak()
	for i := range p.Stages {
		largest = max(largest, p.Stages[i].ActualPeak)
	}
	// A budget far above what is used would leave the bars too small to read.
	right, budget := largest, p.Budget <= 2*largest
	if budget {
		right = max(right, p.Budget)
	}
	percent := func(n int64) float64 { return 98 * float64(n) / float64(max(right, 1)) }

	v := planView{Text: fmt.Sprintf("Predicted peak %s, measured %s, of a budget of %s. Predicted time %s, measured %s.",
		memory.FormatSize(p.Peak()), memory.FormatSize(p.ActualPeak), memory.FormatSize(p.Budget), plan.FormatSeconds(p.Seconds()), plan.FormatSeconds(p.Actual))}
	if !p.Measured {
		v.Text += " The predicted times are guesses for a slow machine; seraph doctor measures this one."
	}
	if budget {
		v.Budget = percent(p.Budget)
	}
	v.Key = append(v.Key, keyView{0, "code, Go heap, buffers " + memory.FormatSize(p.Baseline)})
	used := 0
	for i := range p.Stages {
		s := &p.Stages[i]
		stage := stageView{Name: s.Name, Actual: percent(s.ActualPeak)}
		stage.Parts = append(stage.Parts, partView{percent(p.Baseline), 0, "baseline " + memory.FormatSize(p.Baseline)})
		for _, item := range s.Items {
			if item.Bytes == 0 {
				continue
			}
			text := fmt.Sprintf("%s: %s %s, %s", s.Name, item.Name, memory.FormatSize(item.Bytes), item.Where)
			if item.Note != "" {
				text += ", " + item.Note
			}
			colour := 1 + used%colours
			used++
			width := percent(item.Bytes)
			stage.Parts = append(stage.Parts, partView{width, colour, text})
			if width >= 1 { // what cannot be seen needs no key
				v.Key = append(v.Key, keyView{colour, text})
			}
		}
		v.Stages = append(v.Stages, stage)
	}
	v.Table, v.Items = planTable(p), itemTable(p)
	return v
}

// itemTable lists what each stage holds.
func itemTable(p *plan.Job) *table {
	t := &table{Head: []cell{{Text: "stage"}, {Text: "holds"}, {Text: "bytes", Class: number}, {Text: "where"}, {}}}
	for i := range p.Stages {
		for _, item := range p.Stages[i].Items {
			t.Rows = append(t.Rows, row{Cells: []cell{
				{Text: p.Stages[i].Name}, {Text: item.Name}, {memory.FormatSize(item.Bytes), number}, {Text: string(item.Where)}, {Text: item.Note, Class: soft}}})
		}
	}
	return t
}

func planTable(p *plan.Job) *table {
	t := &table{Head: []cell{{Text: "stage"}}}
	for _, head := range []string{"predicted peak", "measured", "predicted time", "measured", "from disk", "to disk"} {
		t.Head = append(t.Head, cell{head, number})
	}
	add := func(name string, peak, actualPeak int64, seconds, actual float64, read, written int64) {
		r := row{Cells: []cell{{Text: name}}}
		for _, text := range []string{memory.FormatSize(peak), memory.FormatSize(actualPeak), plan.FormatSeconds(seconds), plan.FormatSeconds(actual), sizeOrNone(read), sizeOrNone(written)} {
			r.Cells = append(r.Cells, cell{Text: text, Class: number})
		}
		t.Rows = append(t.Rows, r)
	}
	var read, written int64
	for i := range p.Stages {
		s := &p.Stages[i]
		add(s.Name, p.Baseline+s.Peak(), s.ActualPeak, s.Seconds, s.Actual, s.DiskRead, s.DiskWrite)
		read += s.DiskRead
		written += s.DiskWrite
	}
	add("all", p.Peak(), p.ActualPeak, p.Seconds(), p.Actual, read, written)
	t.Rows[len(t.Rows)-1].Best = true
	return t
}

func sizeOrNone(n int64) string {
	if n == 0 {
		return "–"
	}
	return memory.FormatSize(n)
}
