package sgap

import (
	"context"
	"errors"
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/run"
)

// SettingsSearch is the search for settings that a training with --tune begins with, as a job of its own: over the space of a
// file, or over that of the preset, by successive halving over the seeds of the job. It trains nothing else, and does not look
// at test nodes.
type SettingsSearch struct{ preset *preset }

var _ run.Searcher = SettingsSearch{}

// spaceKey is the setting that names the file of the space.
const spaceKey = "space"

// Spec implements run.Searcher: the settings are those of the model, and the space.
func (s SettingsSearch) Spec() run.Spec {
	spec := Model(s).Spec()
	spec.Settings = append([]run.Setting{{Key: spaceKey, Type: run.String, Doc: "TOML file with a list of values a setting; none: the space that train --tune searches"}}, spec.Settings...)
	spec.Name, spec.Verb, spec.Title = run.SearchName(s.preset.name), "search "+s.preset.name, "search settings of "+s.preset.name+" on validation"
	return spec
}

// Searches are the searches over designs and settings.
func Searches() []run.Searcher {
	list := []run.Searcher{PaScaSearch{}}
	for _, m := range Models() {
		if p := m.(Model).preset; p.name != pascaModel { // its search is that for designs
			list = append(list, SettingsSearch{p})
		}
	}
	return list
}

// Search implements run.Searcher. A search that was interrupted goes on after the trainings that were over.
func (s SettingsSearch) Search(ctx context.Context, job *run.Job) (found *run.Found, err error) {
	w, err := Model(s).open(ctx, job, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	axes, err := s.axes(job)
	if err != nil {
		return nil, err
	}
	if w.tune, err = w.newTuning(job.Int("tune"), axes); err != nil {
		return nil, err
	}
	if w.tune == nil {
		return nil, run.Usagef("there is nothing to search: leave away a setting of the space, give --tune 1 or more")
	}
	w.searching = true
	if err := w.setPlan(); err != nil {
		return nil, err
	}
	w.pool = kernel.NewPool(job.Threads)
	if !job.Tuned() { // else the search was over when the job was interrupted
		if err := w.tune.run(); err != nil {
			return nil, err
		}
	} else {
		job.Stage(stageTune, "", 0)
	}
	return s.found(job)
}

// axes are the space.
func (s SettingsSearch) axes(job *run.Job) ([]axis, error) {
	path := job.String(spaceKey)
	if path == "" {
		return s.preset.tuned, nil
	}
	list, err := run.ReadSpace(job.Path(path), Model(s).Spec())
	if err != nil {
		return nil, err
	}
	var axes []axis
	for _, a := range list {
		axes = append(axes, axis{a.Key, a.Values})
	}
	return axes, nil
}

// found is what the record of the search says, the best first.
func (s SettingsSearch) found(job *run.Job) (*run.Found, error) {
	r, err := readTuning(job)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, format.CorruptAt(job.Dir.File(tuneName), -1, "record of the search", "none", "one")
	}
	best := r.Candidates[r.Chosen]
	found := &run.Found{
		Search: s.preset.name, Data: job.Config.String("data"), Record: tuneName,
		Metrics: map[string]float64{"best_val_accuracy": best.score(), "settings": float64(len(r.Candidates))},
	}
	for _, i := range r.ranked() {
		c := &r.Candidates[i]
		if len(c.Accuracy) == 0 {
			continue // the mean of hops, which stood in for it, was not good enough
		}
		texts := map[string]string{"tune": "0"}
		for key, text := range c.settings() {
			texts[key] = text
		}
		found.Findings = append(found.Findings, run.Finding{
			Settings: describe(c.settings()),
			Metrics:  map[string]float64{"seeds": float64(len(c.Accuracy)), "val_accuracy": c.score(), "val_loss": mean(c.Loss)},
			Command:  job.TrainCommand(Model(s).Spec(), texts),
		})
	}
	section, err := tuningSection(job)
	if err != nil {
		return nil, err
	}
	section.Text += fmt.Sprintf("\n\nTo train with the best: %s", found.Findings[0].Command)
	job.AddSection(*section)
	return found, nil
}
