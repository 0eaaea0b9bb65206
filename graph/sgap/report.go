package sgap

import (
	"fmt"

	"github.com/seraph-ml/seraph/run"
)

// report collects what the report of a run shows beside the curves.
type report struct {
	data   *dataset
	scores []*Score // on the test nodes, one a seed trained in this process
	val    []float64
}

func newReport(d *dataset) *report { return &report{data: d} }

// add adds the sections.
func (r *report) add(job *run.Job) {
	if len(r.scores) == 0 {
		return
	}
	best := 0
	for i, v := range r.val {
		if v > r.val[best] {
			best = i
		}
	}
	s := r.scores[best]
	classes := run.Table{Caption: "Per class, on the test nodes", Head: []string{"class", "nodes", "precision", "recall", "F1"}}
	confusion := run.HeatMap{Caption: "Confusion: true class (rows) against predicted class (columns), share of the row"}
	for c, row := range s.Confusion {
		nodes, predicted := 0, 0
		for k, n := range row {
			nodes += n
			predicted += s.Confusion[k][c]
		}
		precision, recall := share(row[c], predicted), share(row[c], nodes)
		f1 := share(2*row[c], predicted+nodes)
		classes.Rows = append(classes.Rows, []string{
			r.data.className(c), fmt.Sprint(nodes), fmt.Sprintf("%.3f", precision), fmt.Sprintf("%.3f", recall), fmt.Sprintf("%.3f", f1),
		})
		shares := make([]float64, len(row))
		for k, n := range row {
			shares[k] = share(n, nodes)
		}
		confusion.Rows = append(confusion.Rows, r.data.className(c))
		confusion.Columns = append(confusion.Columns, r.data.className(c))
		confusion.Values = append(confusion.Values, shares)
	}
	job.AddSection(run.Section{
		Title:   "Test results by class",
		Text:    fmt.Sprintf("Of %s; split %s.", r.which(job), r.data.rule),
		Figures: []run.Figure{classes, confusion},
	})
}

// which says which seed the sections are about.
func (r *report) which(job *run.Job) string {
	if len(r.scores) < job.Seeds {
		return "the seed with the best validation accuracy of those trained since the run was resumed"
	}
	return "the seed with the best validation accuracy"
}

func share(part, whole int) float64 { return float64(part) / float64(max(whole, 1)) }
