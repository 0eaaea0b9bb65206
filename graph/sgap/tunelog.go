package sgap

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// tuneLogName is the file of a run directory that an interrupted tuning goes on from; tune.json takes its place.
const tuneLogName = "tune.jsonl"

// trainedLine is one training of a candidate: a line of the log.
type trainedLine struct {
	Settings   map[string]string `json:"settings"`
	MeanOfHops bool              `json:"mean_of_hops,omitempty"` // in place of learned weights
	Seed       int               `json:"seed"`                   // 0 for the first of the job
	Accuracy   float64           `json:"val_accuracy"`
	Loss       float64           `json:"val_loss"`
	Gain       []float64         `json:"gain,omitempty"` // of each way to smooth
}

// key is what a line is of: a candidate, as itself or as the mean of hops, and a seed.
func (l *trainedLine) key() string { return fmt.Sprint(l.MeanOfHops, l.Seed, describe(l.Settings)) }

// goOn opens the log, and sets the trainings that are in it aside.
func (t *tuning) goOn() error {
	file, lines, err := openLines(t.work.job.Dir.File(tuneLogName), "a training of a candidate", func() (l trainedLine) { return l },
		func(l *trainedLine) bool { return l.Settings != nil && l.Seed >= 0 })
	if err != nil {
		return err
	}
	t.log, t.before = file, map[string]trainedLine{}
	for n, l := range lines {
		if err := t.setAside(l); err != nil {
			return errors.Join(file.corrupt(n, err), file.close())
		}
	}
	if len(lines) > 0 {
		t.work.job.Progress.Infof("tuning goes on after %d trainings", len(lines))
	}
	return nil
}

// setAside keeps a training until its round comes.
func (t *tuning) setAside(l trainedLine) error {
	of := slices.IndexFunc(t.candidates, func(c candidate) bool { return maps.Equal(c.Settings, l.Settings) })
	earlier := l
	earlier.Seed--
	switch _, there := t.before[earlier.key()]; {
	case of < 0:
		return fmt.Errorf("no candidate has the settings %s", describe(l.Settings))
	case l.Seed > 0 && !there:
		return fmt.Errorf("seed %d, and none before it", l.Seed)
	case len(l.Gain) != len(t.candidates[of].Smoothed):
		return fmt.Errorf("%d ways to smooth predictions, expected %d", len(l.Gain), len(t.candidates[of].Smoothed))
	}
	t.before[l.key()] = l
	return nil
}

// take takes over the trainings of entrants that were set aside, up to so many seeds, and says whether these are all.
func (t *tuning) take(members []entrant, seeds int) bool {
	all := true
	for _, e := range members {
		for len(e.Accuracy) < seeds {
			l, there := t.before[e.line(len(e.Accuracy)).key()]
			if !there {
				all = false
				break
			}
			e.Accuracy, e.Loss = append(e.Accuracy, l.Accuracy), append(e.Loss, l.Loss)
			for k, gain := range l.Gain {
				way := &e.candidate.Smoothed[k]
				way.Gain = append(way.Gain, gain)
			}
		}
	}
	return all
}

// line is what names the training of an entrant on a seed.
func (e entrant) line(seed int) *trainedLine {
	return &trainedLine{Settings: e.candidate.Settings, MeanOfHops: e.trials == e.candidate.MeanOfHops, Seed: seed}
}

// record writes the last training of an entrant.
func (t *tuning) record(e entrant) error {
	last := len(e.Accuracy) - 1
	l := e.line(last)
	l.Accuracy, l.Loss = e.Accuracy[last], e.Loss[last]
	for _, way := range e.candidate.Smoothed {
		l.Gain = append(l.Gain, way.Gain[last])
	}
	return t.log.add(l)
}
