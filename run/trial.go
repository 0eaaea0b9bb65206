package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/seraph-ml/seraph/format"
)

// Trial is the training of one seed within a job: its metrics, its checkpoints, its trained model.
type Trial struct {
	Seed uint64
	Dir  string // its folder: the run directory, or seeds/S in it

	job     *Job
	metrics *metricsLog
	last    time.Time     // when the last checkpoint was written, or the trial begun
	cost    time.Duration // of writing it
	done    *trialRecord  // once finished
}

// Outcome is what a trial came to.
type Outcome struct {
	Metrics []Metric // in the order to print; the first is the one that matters most
	Score   float64  // validation metric by which the best seed is chosen: higher is better (a loss with its sign turned)
	Model   Trained
}

// trialRecord is trial.json: the outcome of a finished trial, and what its files must be. A trial whose files are others is
// trained again.
type trialRecord struct {
	Version int        `json:"version"`
	Seed    uint64     `json:"seed"`
	Score   float64    `json:"score"`
	Metrics []Metric   `json:"metrics"`
	Files   []fileSeal `json:"files"` // of the model, the weights first
}

const (
	trialName    = "trial.json"
	trialVersion = 1
)

// Trials yields the trials of the job that are not finished, in the order of their seeds. A model trains each like this:
//
//	for trial, err := range job.Trials() {
//		if err != nil {
//			return err
//		}
//		done := 0
//		if checkpoint, err := trial.Restore(); err != nil {
//			return err
//		} else if checkpoint != nil {
//			// … checkpoint.Read("weight", weight) for every tensor, checkpoint.State(&state), checkpoint.Close() …
//			done = checkpoint.Step
//		}
//		job.Stage("train", "steps", steps)
//		for step := done + 1; step <= steps; step++ {
//			// … one step …
//			if err := trial.Log(step, run.Metric{Name: "loss", Value: loss}); err != nil {
//				return err
//			}
//			if err := trial.EndStep(step, snapshot); err != nil {
//				return err // ErrInterrupted among others
//			}
//		}
//		if err := trial.Finish(outcome); err != nil {
//			return err
//		}
//	}
func (j *Job) Trials() iter.Seq2[*Trial, error] {
	return func(yield func(*Trial, error) bool) {
		for _, t := range j.trials {
			if t.done != nil {
				continue
			}
			if err := j.Interrupted(); err != nil {
				yield(nil, err)
				return
			}
			if err := os.MkdirAll(t.Dir, 0o777); err != nil {
				yield(nil, fmt.Errorf("make the folder of seed %d: %w", t.Seed, err))
				return
			}
			j.current = t
			t.last = time.Now()
			goOn := yield(t, nil)
			if err := t.close(); err != nil && goOn {
				goOn = yield(nil, err)
			}
			if !goOn {
				return
			}
		}
	}
}

// openTrials finds out which trials are finished. Only models have any.
func (j *Job) openTrials() error {
	if _, ok := j.task.(Model); !ok {
		return nil
	}
	for i := range j.Seeds {
		t := &Trial{Seed: j.Seed + uint64(i), Dir: j.Dir.Path, job: j}
		if j.Seeds > 1 {
			t.Dir = j.Dir.File(fmt.Sprintf("seeds/%d", t.Seed))
		}
		done, err := readTrial(t.Dir)
		var corrupt *format.CorruptError
		if errors.As(err, &corrupt) {
			j.Progress.Warnf("seed %d is trained again: %v", t.Seed, err)
		} else if err != nil {
			return err
		}
		t.done = done
		j.trials = append(j.trials, t)
	}
	return nil
}

// readTrial reads and verifies the outcome of a trial; nil when it is not finished.
func readTrial(dir string) (*trialRecord, error) {
	path := filepath.Join(dir, trialName)
	text, err := readSmall(path, maxSmall)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := &trialRecord{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, format.CorruptAt(path, -1, "outcome", "", "").WithCause(err)
	}
	if r.Version != trialVersion || len(r.Files) == 0 {
		return nil, format.CorruptAt(path, -1, "version and files", fmt.Sprintf("%d, %d", r.Version, len(r.Files)), fmt.Sprintf("%d, at least one", trialVersion))
	}
	for _, seal := range r.Files {
		if err := seal.verify(filepath.Join(dir, modelFolder)); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// metric finds a metric of the outcome.
func (r *trialRecord) metric(name string) (float64, bool) {
	for _, m := range r.Metrics {
		if m.Name == name {
			return m.Value, true
		}
	}
	return 0, false
}

// Restore opens the newest complete checkpoint and cuts the metrics off behind its step; nil when there is none. Damaged
// checkpoints are reported and the one before is taken. The caller closes it.
func (t *Trial) Restore() (*Checkpoint, error) {
	c, err := newestCheckpoint(t.checkpoints(), func(err error) {
		t.job.Progress.Warnf("a checkpoint of seed %d is damaged, the one before it is taken: %v", t.Seed, err)
	})
	if err != nil {
		return nil, err
	}
	step := 0
	if c != nil {
		step = c.Step
		t.job.Progress.Infof("seed %d goes on after step %d", t.Seed, step)
	}
	return c, t.openMetrics(step)
}

func (t *Trial) checkpoints() string { return filepath.Join(t.Dir, "checkpoints") }

// openMetrics begins metrics.jsonl behind the lines up to step.
func (t *Trial) openMetrics(step int) (err error) {
	if t.metrics != nil {
		return fmt.Errorf("seed %d: restored or logged before", t.Seed)
	}
	if t.metrics, err = openMetrics(filepath.Join(t.Dir, metricsName), step); err != nil {
		return err
	}
	t.metrics.events, err = openEvents(t.Dir, step)
	return err
}

// Log records the metrics of a step (or epoch), counted from 1, and shows them.
func (t *Trial) Log(step int, metrics ...Metric) error {
	if t.metrics == nil {
		if err := t.openMetrics(0); err != nil {
			return err
		}
	}
	t.job.Progress.show(metrics)
	return t.metrics.add("step", int64(step), metrics)
}

// EndStep ends a step. When a checkpoint is due, or the job is interrupted, it writes what snapshot returns; then, if
// interrupted, it returns ErrInterrupted. Otherwise snapshot is not called and nothing is allocated.
func (t *Trial) EndStep(step int, snapshot func() Snapshot) error {
	t.job.Advance(step)
	interrupted := t.job.Interrupted()
	if interrupted == nil && !t.due(step) {
		return nil
	}
	began := time.Now()
	if t.metrics != nil {
		if err := t.metrics.sync(); err != nil {
			return err
		}
	}
	if err := writeCheckpoint(t.checkpoints(), step, snapshot()); err != nil {
		return err
	}
	t.last = time.Now()
	t.cost = t.last.Sub(began)
	return interrupted
}

// due reports whether it is time for a checkpoint. Where nobody said how often, one a minute is written, or fewer where
// they would take more than a twentieth of the time.
func (t *Trial) due(step int) bool {
	if every := t.job.CheckpointEvery; every > 0 {
		return step%every == 0
	}
	return time.Since(t.last) >= max(time.Minute, 20*t.cost)
}

// Finish records what the trial came to and writes the trained model.
func (t *Trial) Finish(o Outcome) error {
	for _, m := range append([]Metric{{"score", o.Score}}, o.Metrics...) {
		if math.IsNaN(m.Value) || math.IsInf(m.Value, 0) {
			return fmt.Errorf("seed %d diverged: %s is %v; try a smaller lr", t.Seed, m.Name, m.Value)
		}
	}
	files, err := o.Model.write(filepath.Join(t.Dir, modelFolder))
	if err != nil {
		return err
	}
	r := &trialRecord{Version: trialVersion, Seed: t.Seed, Score: o.Score, Metrics: o.Metrics, Files: files}
	if err := t.close(); err != nil {
		return err
	}
	if err := t.record(r); err != nil {
		return err
	}
	t.done = r
	t.job.Progress.Infof("seed %d: %s", t.Seed, formatMetrics(o.Metrics))
	return nil
}

// record writes trial.json whole or not at all; the machine may still lose it, and the trial is trained again then.
func (t *Trial) record(r *trialRecord) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("record seed %d: %w", t.Seed, err)
	}
	path := filepath.Join(t.Dir, trialName)
	if err := os.WriteFile(path+".tmp", append(text, '\n'), 0o666); err != nil {
		return fmt.Errorf("record seed %d: %w", t.Seed, err)
	}
	return os.Rename(path+".tmp", path)
}

func (t *Trial) close() error {
	if t.metrics == nil {
		return nil
	}
	err := t.metrics.Close()
	t.metrics = nil
	return err
}
