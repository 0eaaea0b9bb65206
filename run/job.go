package run

import (
	"io"
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

	CheckpointEvery int // steps from checkpoint to checkpoint, 0 for about one a minute; Trial.EndStep keeps to it

	Dir       *Dir            // the run directory; nil while only planning
	Interrupt <-chan struct{} // closed when the job is to stop at the next step; nil for never
	Progress  *Progress       // where progress and messages go; nil for nowhere

	task        Task
	started     time.Time
	resumed     bool   // the run existed before
	base        string // where relative paths of the settings count from, "" for here
	provenance  Provenance
	environment Environment
	notes       []Note
	sections    []Section

	trials  []*Trial
	current *Trial // the one that Trials yielded last

	plan       *plan.Job
	plans      int       // how often it was set
	earlier    *plan.Job // of a resumed run: what it took before
	heapLimit  int64     // Go heap limit outside of the job, 0 when it is in force
	stage      string    // the stage that runs, "" for none
	stageBegan time.Time
	unplanned  string // a stage that began but is not in the plan: a mistake of the model
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

// Result is what a training came to: the content of the result event, and of result.json.
type Result struct {
	Model       string             `json:"model"`
	Data        string             `json:"data"`
	Seeds       int                `json:"seeds"`
	Metrics     map[string]float64 `json:"metrics"`            // the mean over the seeds and, where there are several, NAME_std
	Seconds     float64            `json:"seconds"`            // the whole job
	Preprocess  float64            `json:"seconds_preprocess"` // its stages before the one named "train"
	Training    float64            `json:"seconds_train"`      // the stage named "train"
	PlanPeak    int64              `json:"plan_peak_bytes"`
	PeakRSS     int64              `json:"peak_rss_bytes"`
	WeightsHash string             `json:"weights_sha256"` // of the trained parameters of all seeds, in order
	Degraded    []string           `json:"degraded,omitempty"`
}
