package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
)

const (
	planName       = "plan.json"
	planImportName = "plan-import.json"
)

// stageTrain is the name of the stage whose time is the training's; those before it prepare.
const stageTrain = "train"

// SetPlan records and prints the plan that the job will follow and holds the Go heap to what the plan leaves of the
// budget. A job that is planned again after its import calls it again: the first plan is kept as plan-import.json. Further
// plans, as after a search, take the place of the second.
func (j *Job) SetPlan(p *plan.Job) error {
	if p.Peak() > j.Memory {
		return &plan.TooSmallError{Budget: j.Memory, Smallest: p.Peak(), Stage: "the plan"}
	}
	p.Budget = j.Memory
	switch j.plans {
	case 0:
		if err := j.earlierPlan(); err != nil {
			return err
		}
	case 1:
		if err := j.writePlan(planImportName); err != nil {
			return err
		}
	}
	if j.plan != nil {
		carryOver(p, j.plan)
	}
	j.plan = p
	j.plans++
	if err := j.writePlan(planName); err != nil {
		return err
	}
	code, err := memory.CodeBytes()
	if err != nil {
		return err
	}
	if j.heapLimit == 0 {
		j.heapLimit = debug.SetMemoryLimit(-1)
	}
	if _, err := memory.LimitGoHeap(j.Memory, p.Peak()-p.Baseline, code); err != nil {
		return err
	}
	if j.plans > 2 {
		j.Progress.Infof("planned again: peak %s of %s, %s", memory.FormatSize(p.Peak()), memory.FormatSize(p.Budget), plan.FormatSeconds(p.Seconds()))
		return nil
	}
	var text strings.Builder
	if err := p.WriteTable(&text); err != nil {
		return err
	}
	j.Progress.Infof("%s", strings.TrimRight(text.String(), "\n"))
	return nil
}

// carryOver notes in a new plan what stages took under the earlier one.
func carryOver(p, earlier *plan.Job) {
	for i := range p.Stages {
		for _, old := range earlier.Stages {
			if s := &p.Stages[i]; s.Name == old.Name {
				s.Actual += old.Actual
				s.ActualPeak = max(s.ActualPeak, old.ActualPeak)
			}
		}
	}
}

func (j *Job) writePlan(name string) error {
	if j.Dir.lock == nil { // a trained model is applied: the plan of its training stands
		return nil
	}
	text, err := j.plan.JSON()
	if err != nil {
		return err
	}
	return memory.WriteAtomic(j.Dir.File(name), text)
}

// earlierPlan reads what a resumed run took before it was interrupted, so that its times add up.
func (j *Job) earlierPlan() error {
	if !j.resumed {
		return nil
	}
	text, err := os.ReadFile(j.Dir.File(planName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	earlier, err := plan.ParseJob(text)
	if err != nil {
		return fmt.Errorf("%s: %w", j.Dir.File(planName), err)
	}
	j.earlier = earlier
	return nil
}

// Stage begins a stage of the plan, by its name; the stage before ends, and what it took stands beside what was predicted. A
// stage that begins several times (once a trial) adds up. Total is how many units it has, 0 when that is unknown. The
// time of the stage "train" is the training's in the result.
func (j *Job) Stage(name, unit string, total int) {
	j.endStage()
	j.stage, j.stageBegan = name, time.Now()
	label := name
	if name == stageTrain {
		if j.current != nil && j.Seeds > 1 {
			label = fmt.Sprintf("%s seed %d of %d", name, j.current.Seed-j.Seed+1, j.Seeds)
		}
	}
	j.Progress.Begin(label, unit, total)
}

// Advance says how many units of the stage are done. Trial.EndStep does it for the trial's steps.
func (j *Job) Advance(done int) { j.Progress.Advance(done) }

// Show shows figures beside the stage, until others are.
func (j *Job) Show(figures ...Metric) { j.Progress.show(figures) }

// endStage records what the stage took.
func (j *Job) endStage() {
	if j.stage == "" {
		return
	}
	seconds := time.Since(j.stageBegan).Seconds()
	name := j.stage
	j.stage = ""
	if s := j.planned(name); s != nil {
		s.Actual += seconds
		peak, _ := memory.PeakRSS() // 0 where it cannot be measured
		s.ActualPeak = max(s.ActualPeak, peak)
		return
	}
	j.unplanned = name
}

// planned finds a stage in the plan.
func (j *Job) planned(name string) *plan.Stage {
	if j.plan == nil {
		return nil
	}
	for i := range j.plan.Stages {
		if s := &j.plan.Stages[i]; s.Name == name {
			return s
		}
	}
	return nil
}

// endPlan records what the job took, this time and before it was resumed, and gives the Go heap free again.
func (j *Job) endPlan() error {
	j.endStage()
	if j.heapLimit != 0 {
		debug.SetMemoryLimit(j.heapLimit)
		j.heapLimit = 0
	}
	if j.plan == nil {
		return nil
	}
	j.plan.Actual = time.Since(j.started).Seconds()
	j.plan.ActualPeak, _ = memory.PeakRSS() // 0 where it cannot be measured
	if j.earlier != nil {
		j.plan.Actual += j.earlier.Actual
		j.plan.ActualPeak = max(j.plan.ActualPeak, j.earlier.ActualPeak)
		carryOver(j.plan, j.earlier)
	}
	return j.writePlan(planName)
}

// Interrupted returns ErrInterrupted when the job is to stop: to be asked between the blocks of stages that keep no checkpoint.
func (j *Job) Interrupted() error {
	select {
	case <-j.Interrupt:
		return ErrInterrupted
	default:
		return nil
	}
}

// planSummary sets predicted beside actual.
func planSummary(p *plan.Job) string {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\tpredicted peak\tactual\tpredicted time\tactual\t\n")
	row := func(name string, peak, actualPeak int64, seconds, actual float64) {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t\n", name, memory.FormatSize(peak), memory.FormatSize(actualPeak), plan.FormatSeconds(seconds), plan.FormatSeconds(actual))
	}
	for i := range p.Stages {
		s := &p.Stages[i]
		row(s.Name, p.Baseline+s.Peak(), s.ActualPeak, s.Seconds, s.Actual)
	}
	row("all", p.Peak(), p.ActualPeak, p.Seconds(), p.Actual)
	t.Flush()
	return strings.TrimRight(b.String(), "\n")
}
