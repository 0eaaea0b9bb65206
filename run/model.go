package run

import (
	"cmp"
	"context"
	"fmt"

	"github.com/seraph-ml/seraph/engine/plan"
)

// Spec describes a model to people and to the command line. It is fixed data: Spec.Check holds for every model.
type Spec struct {
	Name     string    `json:"name"`               // as typed: "sgc"
	Title    string    `json:"title"`              // one line
	Paper    string    `json:"paper"`              // authors, title, venue, year
	Data     string    `json:"data"`               // what --data takes, one line
	Task     string    `json:"task,omitempty"`     // the kind of task as the Hugging Face hub names it, for the model card: "graph-ml", "text-generation"
	Settings []Setting `json:"settings"`           // beside those of Common; one with the key of a common one takes its place
	Sampling []Setting `json:"sampling,omitempty"` // settings of a Request, for a Generator
	Presets  []Preset  `json:"presets,omitempty"`
	Verb     string    `json:"-"`                // of the command line that the spec is for, with what it is given: "search pasca"; "" for train and the name
	Use      string    `json:"use,omitempty"`    // intended use, a sentence or two for the model card
	Limits   string    `json:"limits,omitempty"` // what it should not be trusted with, for the model card
}

// Preset is a named set of settings of a model.
type Preset struct {
	Name   string            `json:"name"`
	Doc    string            `json:"doc"`
	Values map[string]string `json:"values"`
}

// command is the verb with what it is given.
func (s *Spec) command() string { return cmp.Or(s.Verb, "train "+s.Name) }

// Task is what a job carries out: a [Model] or a [Searcher].
type Task interface{ Spec() Spec }

// Model is one kind of model that can be planned, trained and applied. Implementations hold no state: everything about a
// job is in the Job. User and file mistakes are errors: a *UsageError, a *format.CorruptError, a *plan.TooSmallError.
type Model interface {
	Spec() Spec

	// Plan returns the plan of the training job without running it. It may read the input, or, where that is large, its
	// size and a sampled prefix.
	Plan(ctx context.Context, job *Job) (*plan.Job, error)

	// Train runs the job: it calls job.SetPlan before the work, job.Stage at the beginning of each stage of the plan, and
	// trains every trial that job.Trials yields. It returns what Trial.EndStep and Job.Interrupted return, in particular
	// ErrInterrupted. Results, report and model card are made from what the trials were given.
	Train(ctx context.Context, job *Job) error

	// Predict applies the trained model in job.Dir to job.Data and writes predictions to out (a path; "-" is stdout).
	Predict(ctx context.Context, job *Job, out string) error

	// Demo makes a small data set in dir, from the seed, and returns its path and the settings for a first run.
	Demo(ctx context.Context, dir string, seed uint64) (data string, set map[string]string, err error)
}

// Generator is a model that can be sampled from.
type Generator interface {
	// Generate samples from the trained model in job.Dir and writes to request.Out.
	Generate(ctx context.Context, job *Job, request *Request) error
}

// Embedder is a model that has a representation of each row.
type Embedder interface {
	// Embed applies the trained model in job.Dir to job.Data and writes what its last linear layer takes of each row, in the order
	// of Predict, to out: float32, as .npy (rows, width) or as .parquet with the columns id, e_0, e_1, ….
	Embed(ctx context.Context, job *Job, out string) error
}

// PredictPlanner is a model that can plan a prediction.
type PredictPlanner interface {
	// PlanPredict returns the plan of applying the trained model in job.Dir to job.Data, without doing it.
	PlanPredict(ctx context.Context, job *Job) (*plan.Job, error)
}

// Programmed is a model that computes with compiled programs.
type Programmed interface {
	// Programs returns the programs that the training job would run within its budget. Their String is what
	// seraph plan --program prints.
	Programs(ctx context.Context, job *Job) ([]fmt.Stringer, error)
}
