package run

import (
	"io"
	"log/slog"
	"time"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
)

// Job is one job with everything that it was given. A model reads its settings from it (job.Int("hops")), tells it what it
// plans, does and degrades, and trains its trials.
type Job struct {
	*Config // every setting, with typed access; the fields below are the common ones

	Data      string      // path of the input
	Memory    int64       // budget in bytes: no plan may have a higher peak
	Disk      memory.Disk // where what does not fit may go
	Threads   int
	Seed      uint64 // of the first trial; trial i has Seed+i
	Seeds     int    // number of trials
	Precision string // "f32" or "bf16"

	Dir       *Dir            // the run directory; nil while only planning
	Interrupt <-chan struct{} // closed when the job is to stop at the next step; nil for never
	Progress  *Progress       // where progress and messages go; nil for nowhere

	model    Model
	started  time.Time
	plan     *plan.Job
	notes    []Note
	sections []Section
	trials   []*Trial
}

// Options are what a job is made from, beside its model.
type Options struct {
	Sources
	Out            string          // the run directory; "" for runs/MODEL-DATA-YYYYMMDD-HHMMSS
	PlanOnly       bool            // no run directory: the job will only be planned
	Resume         bool            // go on with the run in Out
	AllowOtherBits bool            // resume although this machine computes other bits than the run has so far
	Interrupt      <-chan struct{} // see Job
	Progress       *Progress       // see Job
	Command        []string        // the command line, for the model card
	Version        string          // of seraph
}

// Request is what to sample, from the settings in Spec.Sampling: request.String("prompt").
type Request struct {
	Values
	Out io.Writer
}

// Note is something that people should know about a run. It is printed when it happens and stands in result and report.
type Note struct {
	Text     string `json:"text"`
	Degraded bool   `json:"degraded,omitempty"` // something was cut, rounded, sampled or reduced; the text says how to undo it
}

// Metric is a number with a name: "val_loss", "test_accuracy".
type Metric struct {
	Name  string
	Value float64
}

// Result is what a training came to: the content of the result event, and of result.json.
type Result struct {
	Model       string             `json:"model"`
	Data        string             `json:"data"`
	Seeds       int                `json:"seeds"`
	Metrics     map[string]float64 `json:"metrics"`            // the mean over the seeds and, where there are several, NAME_std
	Seconds     float64            `json:"seconds"`            // the whole job
	Preprocess  float64            `json:"seconds_preprocess"` // its stages but the one named "train"
	Training    float64            `json:"seconds_train"`      // the stage named "train"
	PlanPeak    int64              `json:"plan_peak_bytes"`
	PeakRSS     int64              `json:"peak_rss_bytes"`
	WeightsHash string             `json:"weights_sha256"` // of the trained parameters of all seeds, in order
	Degraded    []string           `json:"degraded,omitempty"`
}

// Progress shows on stderr how a job comes along, and carries its messages. A nil *Progress shows nothing.
type Progress struct{ log *slog.Logger }
