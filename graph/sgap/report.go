package sgap

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/run"
)

// testName is the file in the folder of a seed that keeps what the report shows of its test: the report may be written after the
// run was interrupted and resumed.
const testName = "test.json"

// testRecord is test.json.
type testRecord struct {
	Version   int     `json:"version"`
	Confusion [][]int `json:"confusion"` // [true class][predicted class]

	Attended *attended   `json:"attended,omitempty"` // of models that weigh hops
	Steps    *localSteps `json:"steps,omitempty"`    // of models that smooth predictions
}

// keepTest writes the score of a seed on the test nodes, safe against a crash before the seed counts as finished.
func keepTest(trial *run.Trial, test *Score, a *attended, steps *localSteps) error {
	text, err := json.Marshal(testRecord{1, test.Confusion, a, steps})
	if err != nil {
		return err
	}
	return memory.WriteAtomic(filepath.Join(trial.Dir, testName), append(text, '\n'))
}

// keptTest reads it back; nil where there were no test nodes.
func keptTest(trial *run.Trial, classes int) (*testRecord, error) {
	path := filepath.Join(trial.Dir, testName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var r testRecord
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return nil, format.CorruptAt(path, -1, "test results", "", "").WithCause(err)
	}
	if len(r.Confusion) != classes || slices.ContainsFunc(r.Confusion, func(row []int) bool { return len(row) != classes }) {
		return nil, format.CorruptAt(path, -1, "confusion", "another size", fmt.Sprintf("%d × %d", classes, classes))
	}
	if r.Attended != nil && !r.Attended.valid() {
		return nil, format.CorruptAt(path, -1, "weights of hops", "bins of different lengths", "")
	}
	if r.Steps != nil && !r.Steps.valid() {
		return nil, format.CorruptAt(path, -1, "local smoothing iterations", "no counts", "")
	}
	return &r, nil
}

// addTestSections adds what the seed with the best validation accuracy did on the test nodes to the report, where there were any.
func addTestSections(job *run.Job, d *dataset) error {
	kept, err := keptTest(job.Best(), d.Classes)
	if kept == nil {
		return err
	}
	job.AddSection(testSection(kept.Confusion, d))
	if a := kept.Attended; a != nil {
		job.AddSection(a.section())
		job.Notef("%s", a.summary())
	}
	if l := kept.Steps; l != nil {
		job.AddSection(l.section("predictions"))
		job.Notef("%s", l.summary("predictions"))
	}
	return nil
}

// testSection shows results by class.
func testSection(counts [][]int, d *dataset) run.Section {
	classes := run.Table{Caption: "Per class, on the test nodes", Head: []string{"class", "nodes", "precision", "recall", "F1"}}
	confusion := run.HeatMap{Caption: "Confusion: true class (rows) against predicted class (columns), share of the row"}
	for c, row := range counts {
		nodes, predicted := 0, 0
		for k, n := range row {
			nodes += n
			predicted += counts[k][c]
		}
		precision, recall := share(row[c], predicted), share(row[c], nodes)
		f1 := share(2*row[c], predicted+nodes)
		classes.Rows = append(classes.Rows, []string{
			d.className(c), fmt.Sprint(nodes), fmt.Sprintf("%.3f", precision), fmt.Sprintf("%.3f", recall), fmt.Sprintf("%.3f", f1),
		})
		shares := make([]float64, len(row))
		for k, n := range row {
			shares[k] = share(n, nodes)
		}
		confusion.Rows = append(confusion.Rows, d.className(c))
		confusion.Columns = append(confusion.Columns, d.className(c))
		confusion.Values = append(confusion.Values, shares)
	}
	return run.Section{
		Title:   "Test results by class",
		Text:    fmt.Sprintf("Of the seed with the best validation accuracy; split %s.", d.rule),
		Figures: []run.Figure{classes, confusion},
	}
}

func share(part, whole int) float64 { return float64(part) / float64(max(whole, 1)) }
