package run

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format"
)

// Searcher is a search for designs or settings: it trains models to compare them on validation, and keeps none.
type Searcher interface {
	Spec() Spec

	// Search runs the job: it calls job.SetPlan before the work, and job.Stage at the beginning of each stage of the plan.
	// What it tried it keeps in a file of the run directory, from which a resumed search goes on. It returns what
	// Job.Interrupted returns when it was interrupted.
	Search(ctx context.Context, job *Job) (*Found, error)
}

// Found is what a search came to: the content of the result event, and of result.json. Seconds and below are filled in by
// [Job.Search].
type Found struct {
	Search   string             `json:"search"`
	Data     string             `json:"data"`
	Metrics  map[string]float64 `json:"metrics"` // of the whole search
	Findings []Finding          `json:"found"`   // in the order to print
	Record   string             `json:"record"`  // the file that keeps all that was tried

	RecordHash string   `json:"record_sha256"`
	Seconds    float64  `json:"seconds"`
	PlanPeak   int64    `json:"plan_peak_bytes"`
	PeakRSS    int64    `json:"peak_rss_bytes"`
	Degraded   []string `json:"degraded,omitempty"`
}

// Finding is one thing that a search found.
type Finding struct {
	Settings string             `json:"settings"` // in words of the search
	Metrics  map[string]float64 `json:"metrics"`
	Command  string             `json:"command"` // that trains it
}

// Search runs the job of a [Searcher] to its result and report. On ErrInterrupted it can be resumed. A search that is
// finished already gives the result that it has.
func (j *Job) Search(ctx context.Context) (*Found, error) {
	found := &Found{}
	if done, err := j.finished(found); err != nil {
		return nil, err
	} else if done {
		return found, nil
	}
	s, ok := j.task.(Searcher)
	if !ok {
		return nil, fmt.Errorf("%s is not a search", j.Config.Model)
	}
	err := j.work(func() (err error) {
		found, err = s.Search(ctx, j)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := j.checkPlanned(); err != nil {
		return nil, err
	}
	if found.RecordHash, err = hashFile(j.Dir.File(found.Record)); err != nil {
		return nil, err
	}
	found.Seconds, found.PlanPeak, found.PeakRSS, found.Degraded = j.plan.Actual, j.plan.Peak(), j.plan.ActualPeak, j.degraded()
	html, err := j.searchPage(found, time.Now()).html()
	if err != nil {
		return nil, err
	}
	if err := memory.WriteAtomic(j.Dir.File(reportName), html); err != nil {
		return nil, err
	}
	if err := writeJSON(j.Dir.File(resultName), found); err != nil { // last: it says that the job is done
		return nil, err
	}
	j.Progress.Infof("%s", planSummary(j.plan))
	return found, nil
}

// searchPage is the report of a search.
func (j *Job) searchPage(found *Found, finished time.Time) *page {
	var tiles []tile
	for _, name := range slices.Sorted(maps.Keys(found.Metrics)) {
		tiles = append(tiles, tile{Name: words(name), Value: formatMetric(name, found.Metrics[name])})
	}
	p := j.page(found.Data, append(tiles, j.costTiles(found.Seconds, found.PeakRSS)...), finished)
	p.addSections(j.sections)
	return p
}

// checkFound verifies the result of a search: that the record of what it tried is the one that it was made of.
func checkFound(dir string) error {
	path := filepath.Join(dir, resultName)
	text, err := readSmall(path, maxSmall)
	if err != nil {
		return err
	}
	var found Found
	if err := json.Unmarshal(text, &found); err != nil {
		return format.CorruptAt(path, -1, "result", "", "").WithCause(err)
	}
	if found.Record == "" || !filepath.IsLocal(found.Record) {
		return format.CorruptAt(path, -1, "record", fmt.Sprintf("%q", found.Record), "a file of the search")
	}
	hash, err := hashFile(filepath.Join(dir, found.Record))
	if err != nil {
		return err
	}
	if hash != found.RecordHash {
		return format.CorruptAt(path, -1, "record_sha256", found.RecordHash, hash)
	}
	return nil
}

// searchPrefix begins the names of searches, which no model has.
const searchPrefix = "search-"

// isSearch says whether a run directory, by the name in its config.toml, holds a search.
func isSearch(name string) bool { return strings.HasPrefix(name, searchPrefix) }

// SearchName is the name that the search of a name has in specs, run directories and seraph.toml.
func SearchName(name string) string { return searchPrefix + name }

// TrainCommand writes the command line that trains a model on the data of the job with the settings, and those that the
// user gave to the job as far as the model has them and they are not of this machine.
func (j *Job) TrainCommand(of Spec, settings map[string]string) string {
	texts := maps.Clone(settings)
	all := of.All()
	for i := range j.Values {
		v := &j.Values[i]
		_, chosen := texts[v.Key]
		if !chosen && v.Scope != OfMachine && v.Origin != FromDefault && find(all, v.Key) != nil {
			texts[v.Key] = v.Text
		}
	}
	parts := []string{"seraph", of.command()}
	for i := range all {
		text, ok := texts[all[i].Key]
		switch {
		case !ok:
		case all[i].Type == Bool:
			parts = append(parts, "--"+all[i].Key+"="+text)
		default:
			parts = append(parts, "--"+all[i].Key, quote(text))
		}
	}
	return strings.Join(parts, " ")
}

// costTiles are time and memory.
func (j *Job) costTiles(seconds float64, peak int64) []tile {
	list := []tile{{Name: "time", Value: plan.FormatSeconds(seconds)}}
	if peak > 0 {
		list = append(list, tile{Name: "peak memory, of " + memory.FormatSize(j.Memory), Value: memory.FormatSize(peak)})
	}
	return list
}
