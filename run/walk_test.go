package run_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format/safetensors"
	"github.com/seraph-ml/seraph/run"
)

// walk is the model of these tests: a vector that moves at random, deterministic in seed and step, and so sensitive that a
// step lost or done twice gives other bits.
type walk struct {
	afterStep func(t *run.Trial, step int) // called behind each step, nil for nothing
}

func (walk) Spec() run.Spec {
	return run.Spec{
		Name: "walk", Title: "a random walk", Paper: "Pearson, The problem of the random walk, Nature 1905", Data: "any file",
		Settings: []run.Setting{
			{Key: "steps", Type: run.Int, Default: "20", Min: "1", Max: "100000", Doc: "steps to walk"},
			{Key: "size", Type: run.Int, Default: "64", Min: "1", Doc: "length of the vector", Source: "Pearson 1905"},
			{Key: "lr", Type: run.Float, Default: "0.1", Min: "0", Max: "1", Doc: "how far a step goes"},
			{Key: "centre", Type: run.Bool, Default: "false", Doc: "pull towards the origin"},
			{Key: "start", Type: run.Choice, Choices: []string{"origin", "random"}, Default: "origin", Doc: "where it begins"},
			{Key: "split", Type: run.String, Scope: run.OfData, Doc: "which part", Check: func(s string) error {
				if s != "" && s != "public" {
					return fmt.Errorf("expected public")
				}
				return nil
			}},
			{Key: "pause", Type: run.Int, Default: "0", Scope: run.OfMachine, Doc: "microseconds to wait after a step"},
		},
		Presets: []run.Preset{{Name: "far", Doc: "a long way", Values: map[string]string{"steps": "50", "lr": "0.5"}}},
		Use:     "Tests.", Limits: "It goes nowhere.",
	}
}

func (walk) Plan(ctx context.Context, job *run.Job) (*plan.Job, error) {
	baseline, err := memory.Baseline()
	if err != nil {
		return nil, err
	}
	size := int64(4 * job.Int("size"))
	return plan.Choose(job.Memory, func(i int) (*plan.Job, bool) {
		return &plan.Job{Baseline: baseline, Stages: []plan.Stage{
			{Name: "read", Items: []plan.Item{{Name: "nothing", Bytes: 0, Where: plan.Resident}}, Seconds: 0.01},
			{Name: "train", Items: []plan.Item{{Name: "position", Bytes: size, Where: plan.Resident}}, Seconds: 0.5},
		}}, i == 0
	})
}

func (m walk) Train(ctx context.Context, job *run.Job) error {
	if _, err := os.Stat(job.Data); err != nil {
		return err
	}
	p, err := m.Plan(ctx, job)
	if err != nil {
		return err
	}
	if err := job.SetPlan(p); err != nil {
		return err
	}
	job.Stage("read", "files", 1)
	job.Notef("read %s", "everything")
	for trial, err := range job.Trials() {
		if err != nil {
			return err
		}
		if err := m.trial(job, trial); err != nil {
			return err
		}
	}
	return nil
}

// walkState is the small state of a trial.
type walkState struct{ Best float64 }

func (m walk) trial(job *run.Job, t *run.Trial) error {
	w := make([]float32, job.Int("size"))
	state := walkState{Best: math.Inf(1)}
	done := 0
	c, err := t.Restore()
	if err != nil {
		return err
	}
	if c != nil {
		if err := c.Read("w", w); err != nil {
			return err
		}
		if err := c.State(&state); err != nil {
			return err
		}
		done = c.Step
		c.Close()
	}
	snapshot := func() run.Snapshot {
		return run.Snapshot{Tensors: []safetensors.Input{safetensors.Float32("w", []int{len(w)}, w)}, State: state}
	}
	steps := job.Int("steps")
	job.Stage("train", "steps", steps)
	for step := done + 1; step <= steps; step++ {
		loss := move(w, t.Seed, step, float32(job.Float("lr")))
		state.Best = min(state.Best, loss)
		if err := t.Log(step, run.Metric{Name: "loss", Value: loss}, run.Metric{Name: "val_accuracy", Value: math.Exp(-loss)}); err != nil {
			return err
		}
		if m.afterStep != nil {
			m.afterStep(t, step)
		}
		time.Sleep(time.Duration(job.Int("pause")) * time.Microsecond)
		if err := t.EndStep(step, snapshot); err != nil {
			return err
		}
	}
	return t.Finish(run.Outcome{
		Metrics: []run.Metric{{Name: "best", Value: state.Best}, {Name: "steps", Value: float64(steps)}},
		Score:   -state.Best,
		Model:   run.Trained{Config: map[string]any{"model_type": "walk", "size": len(w)}, Tensors: snapshot().Tensors},
	})
}

// move does one step and returns the distance from 1.
func move(w []float32, seed uint64, step int, lr float32) float64 {
	var sum float64
	for i := range w {
		h := seed*0x9e3779b97f4a7c15 + uint64(step)*0xbf58476d1ce4e5b9 + uint64(i)*0x94d049bb133111eb
		h ^= h >> 31
		h *= 0xd6e8feb86659fd93
		h ^= h >> 32
		w[i] = w[i]*0.99 + lr*(float32(h>>40)/(1<<24)-0.5)
		sum += math.Abs(float64(w[i]) - 1)
	}
	return sum / float64(len(w))
}

func (walk) Predict(ctx context.Context, job *run.Job, out string) error {
	saved, err := job.Dir.OpenModel()
	if err != nil {
		return err
	}
	defer saved.Close()
	w := make([]float32, job.Int("size"))
	if err := saved.Read("w", w); err != nil {
		return err
	}
	return os.WriteFile(out, []byte(fmt.Sprintln(w[0])), 0o666)
}

func (walk) Demo(ctx context.Context, dir string, seed uint64) (string, map[string]string, error) {
	return dir, nil, os.WriteFile(dir+"/data", nil, 0o666)
}

func format32(x float32) string { return fmt.Sprint(x) }
