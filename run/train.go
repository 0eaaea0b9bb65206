package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/seraph-ml/seraph/format"
)

const resultName = "result.json"

// Train makes the job and runs it.
func Train(ctx context.Context, m Model, o Options) (*Result, error) {
	job, err := New(m, o)
	if err != nil {
		return nil, err
	}
	defer job.Close()
	return job.Train(ctx)
}

// Train runs the job to its result, report and model card. On ErrInterrupted the run can be resumed. A run that is
// finished already gives the result that it has.
func (j *Job) Train(ctx context.Context) (*Result, error) {
	r := &Result{}
	if done, err := j.finished(r); err != nil {
		return nil, err
	} else if done {
		return r, nil
	}
	m, ok := j.task.(Model)
	if !ok {
		return nil, fmt.Errorf("%s is not a model to be trained", j.Config.Model)
	}
	if err := j.work(func() error { return m.Train(ctx, j) }); err != nil {
		return nil, err
	}
	return j.finish()
}

// work does the work of the task, shows its progress and ends its plan.
func (j *Job) work(do func() error) error {
	end := j.Progress.Start(j.Memory)
	err := do()
	end()
	if planErr := j.endPlan(); err == nil {
		err = planErr
	}
	if err != nil && !errors.Is(err, ErrInterrupted) {
		err = errors.Join(err, j.discard())
	}
	return err
}

// Close gives the run directory back.
func (j *Job) Close() error {
	if j.Dir == nil {
		return nil
	}
	return j.Dir.Close()
}

// finished reads the result that the run has, and says whether it has one.
func (j *Job) finished(r any) (bool, error) {
	path := j.Dir.File(resultName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the result: %w", err)
	}
	if err := json.Unmarshal(text, r); err != nil {
		return false, format.CorruptAt(path, -1, "result", "", "").WithCause(err).WithHint("remove the file, and --resume makes it anew")
	}
	j.Progress.Infof("the run in %s is finished", j.Dir.Path)
	return true, nil
}

// discard takes a run directory away in which nothing happened: the job was refused, or its input turned out to be damaged,
// before it left more than its description and plans.
func (j *Job) discard() error {
	if j.resumed || !j.Dir.made {
		return nil
	}
	own := []string{lockName, configName, environmentName, planName, planImportName}
	entries, err := os.ReadDir(j.Dir.Path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !slices.Contains(own, e.Name()) {
			return nil
		}
	}
	return os.RemoveAll(j.Dir.Path)
}

// finish makes result, model, report and model card of the trials.
func (j *Job) finish() (*Result, error) {
	if err := j.checkPlanned(); err != nil {
		return nil, err
	}
	for _, t := range j.trials {
		if t.done == nil {
			return nil, fmt.Errorf("%s left seed %d untrained, and returned no error", j.Config.Model, t.Seed)
		}
	}
	if err := j.keepBest(); err != nil {
		return nil, err
	}
	r := j.result()
	if err := j.writeReport(r); err != nil {
		return nil, err
	}
	if err := writeJSON(j.Dir.File(resultName), r); err != nil { // last: it says that the job is done
		return nil, err
	}
	j.Progress.Infof("%s", planSummary(j.plan))
	return r, nil
}

// checkPlanned says what the task did without a plan: a mistake of the task.
func (j *Job) checkPlanned() error {
	if j.plan == nil {
		return fmt.Errorf("%s worked without a plan", j.Config.Model)
	}
	if j.unplanned != "" {
		return fmt.Errorf("%s has a plan and began a stage that is not in it: %s", j.Config.Model, j.unplanned)
	}
	return nil
}

// Best is the trial with the best score on validation, of equal ones the lowest seed, once all are finished.
func (j *Job) Best() *Trial {
	best := j.trials[0]
	for _, t := range j.trials[1:] {
		if t.done.Score > best.done.Score {
			best = t
		}
	}
	return best
}

// keepBest makes model/ the model of the best seed, safe against a crash of the machine, and with several seeds writes what
// each came to into metrics.jsonl.
func (j *Job) keepBest() error {
	best := j.Best()
	final := j.Dir.File(modelFolder)
	if err := os.MkdirAll(final, 0o777); err != nil {
		return fmt.Errorf("keep the best model: %w", err)
	}
	for _, seal := range best.done.Files {
		from := filepath.Join(best.Dir, modelFolder, seal.Name)
		var err error
		if j.Seeds > 1 {
			err = copyFile(filepath.Join(final, seal.Name), from)
		} else {
			err = syncFile(from)
		}
		if err != nil {
			return fmt.Errorf("keep the best model: %w", err)
		}
	}
	if j.Seeds == 1 {
		return format.SyncFolder(final)
	}
	log, err := openMetrics(j.Dir.File(metricsName), 0)
	if err != nil {
		return err
	}
	for _, t := range j.trials {
		err = errors.Join(err, log.add("seed", int64(t.Seed), t.done.Metrics))
	}
	return errors.Join(err, log.Close())
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func copyFile(to, from string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return format.WriteFile(to, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
}

// result sums the trials up.
func (j *Job) result() *Result {
	r := &Result{
		Model: j.Config.Model, Data: j.Config.String("data"), Seeds: j.Seeds,
		Metrics: map[string]float64{},
		Seconds: j.plan.Actual, PlanPeak: j.plan.Peak(), PeakRSS: j.plan.ActualPeak,
	}
	for i := range j.plan.Stages {
		s := &j.plan.Stages[i]
		if s.Name == stageTrain {
			r.Training = s.Actual
			break
		}
		r.Preprocess += s.Actual
	}
	for _, m := range j.summary() {
		r.Metrics[m.Name] = m.Mean
		if j.Seeds > 1 {
			r.Metrics[m.Name+"_std"] = m.Std
		}
	}
	var trials []*trialRecord
	for _, t := range j.trials {
		trials = append(trials, t.done)
	}
	r.WeightsHash, r.Degraded = weightsHash(trials), j.degraded()
	return r
}

// weightsHash is the hash of the weights of a trial, and that of the hashes of several, in the order of their seeds.
func weightsHash(trials []*trialRecord) string {
	if len(trials) == 1 {
		return trials[0].Files[0].SHA256
	}
	all := sha256.New()
	for _, t := range trials {
		io.WriteString(all, t.Files[0].SHA256)
	}
	return hex.EncodeToString(all.Sum(nil))
}

// summary is a metric over the seeds.
type summary struct {
	Name string
	Mean float64
	Std  float64 // of the sample (divided by seeds − 1); 0 for one seed
}

// summary is the metrics of all trials, in the order that the model gave.
func (j *Job) summary() []summary {
	var list []summary
	for _, m := range j.trials[0].done.Metrics {
		s := summary{Name: m.Name}
		var values []float64
		for _, t := range j.trials {
			if x, ok := t.done.metric(m.Name); ok {
				values = append(values, x)
				s.Mean += x
			}
		}
		s.Mean /= float64(len(values))
		if len(values) > 1 {
			var squares float64
			for _, x := range values {
				squares += (x - s.Mean) * (x - s.Mean)
			}
			s.Std = math.Sqrt(squares / float64(len(values)-1))
		}
		list = append(list, s)
	}
	return list
}
