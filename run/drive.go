package run

import (
	"context"

	"github.com/seraph-ml/seraph/engine/plan"
)

// New makes the job that the options describe: it resolves the settings, then makes and locks the run directory. Close
// the job after use.
func New(m Model, o Options) (*Job, error) { return nil, nil }

// Open makes a job that applies the trained model in a run directory: with its settings, but for those of the data and the
// machine, which come from the sources. Close the job after use.
func Open(m Model, dir string, o Options) (*Job, error) { return nil, nil }

// ModelOf returns the name of the model in a run directory.
func ModelOf(dir string) (string, error) { return "", nil }

// Train makes the job and runs it.
func Train(ctx context.Context, m Model, o Options) (*Result, error) { return nil, nil }

// Train runs the job to its result, report and model card. On ErrInterrupted the run can be resumed. A run that is
// finished already gives the result that it has.
func (j *Job) Train(ctx context.Context) (*Result, error) { return nil, nil }

// Close gives the run directory back.
func (j *Job) Close() error { return nil }

// SetPlan records and prints the plan that the job will follow and holds the Go heap to what the plan leaves of the
// budget. A job that is planned again after its import calls it again: the first plan is kept as plan-import.json.
func (j *Job) SetPlan(p *plan.Job) error { return nil }

// Stage begins a stage of the plan, by its name; the stage before ends, and what it took stands beside what was predicted. A
// stage that begins several times (once a trial) adds up. Total is how many units it has, 0 when that is unknown.
func (j *Job) Stage(name, unit string, total int) {}

// Advance says how many units of the stage are done. Trial.EndStep does it for the trial's steps.
func (j *Job) Advance(done int) {}

// Interrupted returns ErrInterrupted when the job is to stop: to be asked between the blocks of stages that keep no checkpoint.
func (j *Job) Interrupted() error { return nil }

// Notef tells people something about the run: printed, and recorded in the report.
func (j *Job) Notef(format string, args ...any) {}

// Degraded tells that something was cut, rounded, sampled or reduced, and how to undo it: printed, and recorded in result and report.
func (j *Job) Degraded(what, undo string) {}

// AddSection adds a section to the report. A resumed job must add it again: call it near the end of Model.Train.
func (j *Job) AddSection(s Section) {}

// Tuned reports whether the settings were tuned already: before the run was interrupted.
func (j *Job) Tuned() bool { return false }

// Tune sets what a search on validation found, and records it in config.toml with its origin. Settings that the user gave
// (Given) must not be among them.
func (j *Job) Tune(values map[string]string) error { return nil }
