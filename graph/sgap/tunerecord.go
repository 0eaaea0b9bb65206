package sgap

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/run"
)

// record is tune.json: all candidates, the winner first.
type record struct {
	Version    int         `json:"version"`
	Chosen     int         `json:"chosen"`
	Candidates []candidate `json:"candidates"`
}

func (t *tuning) write(chosen []int) error {
	text, err := json.MarshalIndent(record{1, chosen[0], t.candidates}, "", "  ")
	if err != nil {
		return err
	}
	return memory.WriteAtomic(t.work.job.Dir.File(tuneName), append(text, '\n'))
}

// readTuning reads what a search wrote; nil when there was none.
func readTuning(job *run.Job) (*record, error) {
	path := job.Dir.File(tuneName)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	r := &record{}
	if err == nil {
		err = json.Unmarshal(text, r)
	}
	if err == nil && (r.Chosen < 0 || r.Chosen >= len(r.Candidates)) {
		err = fmt.Errorf("candidate %d of %d was chosen", r.Chosen, len(r.Candidates))
	}
	if err != nil {
		return nil, format.CorruptAt(path, -1, "record of the search", "", "").WithCause(err)
	}
	return r, nil
}

// ranked are the candidates (indices), those of the last round first, the best of each round first.
func (r *record) ranked() []int {
	order := make([]int, len(r.Candidates))
	for i := range order {
		order[i] = i
	}
	t := &tuning{candidates: r.Candidates}
	t.rank(order)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(r.Candidates[b].Accuracy), len(r.Candidates[a].Accuracy)) })
	return order
}

// tuningSection is the search as a section of the report, from what it wrote; nil when there was none.
func tuningSection(job *run.Job) (*run.Section, error) {
	r, err := readTuning(job)
	if r == nil {
		return nil, err
	}
	table := run.Table{Caption: "Settings tried, the best first", Head: []string{"settings", "seeds", "validation accuracy", "validation loss"}}
	text := "Every candidate was trained on the first seed, where the run has several the best third on three, of those the best third on ten; the best on validation was taken. The accuracy is the best mean of ten epochs in a row. Test nodes were not looked at."
	standsIn := r.Candidates[r.Chosen].MeanOfHops != nil
	if standsIn {
		table.Head = append(table.Head, "mean of hops")
		text = "Before, every candidate was trained with the mean of its hops in place of learned weights, and the best sixth (at least eight) went on. Of these: " + text
	}
	for _, i := range r.ranked() {
		c := &r.Candidates[i]
		row := []string{describe(c.settings()), fmt.Sprint(len(c.Accuracy)), "", ""}
		if len(c.Accuracy) > 0 {
			row[2], row[3] = fmt.Sprintf("%.4f", c.score()), fmt.Sprintf("%.4f", mean(c.Loss))
		}
		if standsIn {
			row = append(row, fmt.Sprintf("%.4f", mean(c.MeanOfHops.Accuracy)))
		}
		table.Rows = append(table.Rows, row)
	}
	return &run.Section{Title: "Tuning", Text: text, Figures: []run.Figure{table}}, nil
}

// describe writes settings in the order of their names: "hops=2 lr=0.2".
func describe(settings map[string]string) string {
	text := ""
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		if text != "" {
			text += " "
		}
		text += key + "=" + settings[key]
	}
	return text
}
