package run_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/run"
)

// scripted is a walk that trains as its function says.
type scripted struct {
	walk
	train func(job *run.Job) error
}

func (s scripted) Train(ctx context.Context, job *run.Job) error { return s.train(job) }

// planned sets the plan of a walk.
func planned(t *testing.T, job *run.Job) error {
	t.Helper()
	p, err := walk{}.Plan(t.Context(), job)
	if err != nil {
		return err
	}
	return job.SetPlan(p)
}

func TestMistakesOfAModelAreErrors(t *testing.T) {
	finish := func(job *run.Job, loss float64) error {
		for trial, err := range job.Trials() {
			if err != nil {
				return err
			}
			if err := trial.Finish(run.Outcome{Metrics: []run.Metric{{Name: "loss", Value: loss}}}); err != nil {
				return err
			}
		}
		return nil
	}
	for want, train := range map[string]func(job *run.Job) error{
		"worked without a plan":                             func(job *run.Job) error { return finish(job, 1) },
		"left seed 0 untrained":                             func(job *run.Job) error { return planned(t, job) },
		"stage that is not in it: fly":                      func(job *run.Job) error { job.Stage("fly", "", 0); return errors.Join(planned(t, job), finish(job, 1)) },
		"seed 0 diverged: loss is NaN":                      func(job *run.Job) error { return errors.Join(planned(t, job), finish(job, math.NaN())) },
		"tune size: not a setting that a search may choose": func(job *run.Job) error { return job.Tune(map[string]string{"size": "3"}) },
		"tune lr=7: expected a number, 0 … 1":               func(job *run.Job) error { return job.Tune(map[string]string{"lr": "7"}) },
	} {
		_, err := run.Train(t.Context(), scripted{train: train}, options(t, "size=64"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected %q", err, want)
		}
	}
}

func TestPlanMadeAgainAfterTheImportKeepsTheFirst(t *testing.T) {
	o := options(t)
	o.Flags["memory"] = "512MiB"
	_, err := run.Train(t.Context(), scripted{train: func(job *run.Job) error {
		if err := planned(t, job); err != nil {
			return err
		}
		return job.SetPlan(&plan.Job{Stages: []plan.Stage{{Name: "train", Items: []plan.Item{{Name: "w", Bytes: 1 << 30, Where: plan.Resident}}}}})
	}}, o)
	var small *plan.TooSmallError
	if !errors.As(err, &small) || small.Smallest != 1<<30 || small.Budget != 512<<20 {
		t.Fatalf("error %v, expected a refusal", err)
	}
	// Refused after the import, of which nothing was kept: no run stays. One with more memory begins anew.
	if _, err := os.Stat(o.Out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there", o.Out)
	}
	o.Resume = true
	o.Flags["memory"] = "2GiB"
	train(t, scripted{train: func(job *run.Job) error {
		if err := planned(t, job); err != nil {
			return err
		}
		job.Stage("read", "", 0)
		return walk{}.Train(t.Context(), job)
	}}, o)
	for name, stages := range map[string]int{"plan.json": 2, "plan-import.json": 2} {
		text, err := os.ReadFile(filepath.Join(o.Out, name))
		if err != nil {
			t.Fatal(err)
		}
		p, err := plan.ParseJob(text)
		if err != nil || len(p.Stages) != stages || p.Budget != 2<<30 {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
		if name == "plan.json" && (p.Stages[1].Actual <= 0 || p.Actual <= 0 || p.ActualPeak <= 0) {
			t.Errorf("%s has no actual figures: %s", name, text)
		}
	}
}

func TestTunedSettingsStandInTheRun(t *testing.T) {
	o := options(t, "steps=30")
	interrupt := make(chan struct{})
	close(interrupt)
	o.Interrupt = interrupt
	searches := 0
	m := scripted{train: func(job *run.Job) error {
		if !job.Tuned() {
			searches++
			if err := job.Tune(map[string]string{"lr": "0.75"}); err != nil {
				return err
			}
		}
		if job.Float("lr") != 0.75 {
			t.Errorf("lr=%v", job.Float("lr"))
		}
		job.Degraded("half the settings were tried", "--tune 100")
		job.Degraded("half the settings were tried", "--tune 100")
		return walk{}.Train(t.Context(), job)
	}}
	if _, err := run.Train(t.Context(), m, o); !errors.Is(err, run.ErrInterrupted) {
		t.Fatal(err)
	}
	o.Interrupt, o.Resume = nil, true
	r := train(t, m, o)
	if searches != 1 {
		t.Errorf("searched %d times", searches)
	}
	if want := []string{"half the settings were tried; to undo: --tune 100"}; !slices.Equal(r.Degraded, want) {
		t.Errorf("degraded %q", r.Degraded)
	}
	text, err := os.ReadFile(filepath.Join(o.Out, "config.toml"))
	if err != nil || !strings.Contains(string(text), "# tuned, on validation") {
		t.Errorf("%s\n%v", text, err)
	}
	fixed := options(t, "steps=30", "lr=0.75")
	if got := train(t, walk{}, fixed); got.WeightsHash != r.WeightsHash {
		t.Error("the tuned lr and the same lr given train other weights")
	}
}

func TestResultIsWhatResultJSONSays(t *testing.T) {
	o := options(t)
	want := train(t, walk{}, o)
	text, err := os.ReadFile(filepath.Join(o.Out, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"model", "data", "seeds", "metrics", "seconds", "seconds_preprocess", "seconds_train", "plan_peak_bytes", "peak_rss_bytes", "weights_sha256"} {
		if got[key] == nil {
			t.Errorf("no %s in %s", key, text)
		}
	}
	if want.Training <= 0 || want.Seconds < want.Training+want.Preprocess || want.PlanPeak <= 0 || want.PeakRSS <= 0 {
		t.Errorf("%+v", want)
	}
}

func TestOddTextsSurviveConfig(t *testing.T) {
	for _, text := range []string{`quote " and # sign`, "line\nbreak", `back\slash`, "ünï", "'", "x = 1 # default", "\x7f"} {
		dir := t.TempDir()
		data := filepath.Join(dir, "data")
		if err := os.WriteFile(data, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		interrupt := make(chan struct{})
		close(interrupt)
		o := run.Options{Sources: run.Sources{Flags: map[string]string{"data": data, "note": text}}, Out: filepath.Join(dir, "out"), Interrupt: interrupt}
		if _, err := run.Train(t.Context(), noted{}, o); !errors.Is(err, run.ErrInterrupted) {
			t.Fatal(err)
		}
		o.Resume, o.Sources = true, run.Sources{}
		job, err := run.New(noted{}, o)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if v := job.Lookup("note"); v.Text != text || v.Origin != run.FromFlag {
			t.Errorf("%q came back as %q, from %s", text, v.Text, v.Origin)
		}
		job.Close()
	}
}

// noted is a walk with a setting for any text.
type noted struct{ walk }

func (noted) Spec() run.Spec {
	s := walk{}.Spec()
	s.Settings = append(s.Settings, run.Setting{Key: "note", Type: run.String, Doc: "any text"})
	return s
}
