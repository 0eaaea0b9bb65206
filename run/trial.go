package run

import (
	"iter"

	"github.com/seraph-ml/seraph/format/safetensors"
)

// Trial is the training of one seed within a job: its metrics, its checkpoints, its trained model.
type Trial struct {
	Seed uint64
	Dir  string // its folder: the run directory, or seeds/S in it

	job *Job
}

// Snapshot is what a training needs to go on as if it had not been interrupted.
type Snapshot struct {
	Tensors []safetensors.Input // read while the checkpoint is written, tensor by tensor
	State   any                 // small things as JSON: counters, the best metric so far
}

// Outcome is what a trial came to.
type Outcome struct {
	Metrics []Metric // in the order to print; the first is the one that matters most
	Score   float64  // validation metric by which the best seed is chosen: higher is better (a loss with its sign turned)
	Trained
}

// Trained is a trained model as it stands in model/: config.json, model.safetensors, and files beside them.
type Trained struct {
	Config  any // written as config.json
	Tensors []safetensors.Input
	Files   map[string][]byte // others, by name: tokenizer.json
}

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
//			// … checkpoint.Read("weight", weight) for every tensor, checkpoint.State(&state) …
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
func (j *Job) Trials() iter.Seq2[*Trial, error] { return nil }

// Restore opens the newest complete checkpoint and cuts the metrics off behind its step; nil when there is none. Damaged
// checkpoints are reported and the one before is taken. The caller closes it.
func (t *Trial) Restore() (*Checkpoint, error) { return nil, nil }

// Log records the metrics of a step (or epoch), counted from 1, and shows them.
func (t *Trial) Log(step int, metrics ...Metric) error { return nil }

// EndStep ends a step. When a checkpoint is due, or the job is interrupted, it writes what snapshot returns; then, if
// interrupted, it returns ErrInterrupted. Otherwise snapshot is not called and nothing is allocated.
func (t *Trial) EndStep(step int, snapshot func() Snapshot) error { return nil }

// Finish records what the trial came to and writes the trained model.
func (t *Trial) Finish(o Outcome) error { return nil }

// Checkpoint is a complete checkpoint, verified and open for reading.
type Checkpoint struct {
	Step int
}

// Read fills dst with the float32 tensor of that name; its length must be that of the tensor.
func (c *Checkpoint) Read(name string, dst []float32) error { return nil }

// State decodes the small state into v, as json.Unmarshal does.
func (c *Checkpoint) State(v any) error { return nil }

// Close closes the files.
func (c *Checkpoint) Close() error { return nil }
