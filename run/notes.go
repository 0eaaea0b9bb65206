package run

import (
	"fmt"
	"path/filepath"
	"slices"
)

// Note is something that people should know about a run. It is printed when it happens and stands in result and report.
type Note struct {
	Text     string `json:"text"`
	Degraded bool   `json:"degraded,omitempty"` // something was cut, rounded, sampled or reduced; the text says how to undo it
}

// Notef tells people something about the run: printed, and recorded in the report.
func (j *Job) Notef(format string, args ...any) {
	j.note(Note{Text: fmt.Sprintf(format, args...)})
}

// Degraded tells that something was cut, rounded, sampled or reduced, and how to undo it: printed, and recorded in result and report.
func (j *Job) Degraded(what, undo string) {
	j.note(Note{Text: what + "; to undo: " + undo, Degraded: true})
}

func (j *Job) note(n Note) {
	if slices.Contains(j.notes, n) {
		return
	}
	j.notes = append(j.notes, n)
	if n.Degraded {
		j.Progress.Warnf("%s", n.Text)
	} else {
		j.Progress.Infof("%s", n.Text)
	}
}

// AddSection adds a section to the report. A resumed job must add it again: call it near the end of Model.Train.
func (j *Job) AddSection(s Section) { j.sections = append(j.sections, s) }

// Path is a path of the run's settings as seen from here: a resumed run may have been started in another folder.
func (j *Job) Path(path string) string {
	if path == "" || j.base == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(j.base, path)
}

// Tuned reports whether the settings were tuned already: before the run was interrupted.
func (j *Job) Tuned() bool {
	return slices.ContainsFunc(j.Values, func(v Value) bool { return v.Origin == FromTuning })
}

// Tune sets what a search on validation found, and records it in config.toml with its origin. Settings that the user gave
// (Given) must not be among them.
func (j *Job) Tune(values map[string]string) error {
	tuned, err := j.With(values)
	if err != nil {
		return err
	}
	j.Values = tuned
	if j.Dir == nil {
		return nil
	}
	return j.Config.write(j.Dir.File(configName), j.provenance)
}

// degraded are the texts of what was cut, rounded, sampled or reduced.
func (j *Job) degraded() []string {
	var texts []string
	for _, n := range j.notes {
		if n.Degraded {
			texts = append(texts, n.Text)
		}
	}
	return texts
}
