package plan

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/memory"
)

// Where says what a job does with a piece of its data.
type Where string

// The places.
const (
	Resident   Where = "resident"   // in memory for the whole stage
	Streamed   Where = "streamed"   // on disk, passing through a buffer of the stated bytes
	Recomputed Where = "recomputed" // not kept: made again when needed
)

// Item is one thing that a stage holds in memory.
type Item struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	Where Where  `json:"where"`
	Note  string `json:"note,omitempty"` // "2 of 4 hops, blocks of 512 columns"
}

// Stage is one part of a job; stages follow each other, and what one holds is gone before the next begins.
type Stage struct {
	Name       string  `json:"name"`
	Items      []Item  `json:"items"`
	DiskRead   int64   `json:"disk_read"`  // bytes read from disk
	DiskWrite  int64   `json:"disk_write"` // bytes written to disk
	Flops      float64 `json:"flops"`
	FlopsBF16  float64 `json:"flops_bf16,omitempty"`  // those of Flops that are done in bfloat16 products
	Traffic    float64 `json:"traffic"`               // bytes moved between processor and memory
	Seconds    float64 `json:"seconds"`               // predicted
	ActualPeak int64   `json:"actual_peak,omitempty"` // VmHWM at its end, the baseline included
	Actual     float64 `json:"actual_seconds,omitempty"`
}

// Peak is the memory that the stage holds.
func (s *Stage) Peak() int64 {
	var sum int64
	for _, it := range s.Items {
		sum += it.Bytes
	}
	return sum
}

// Job is the plan of a whole job.
type Job struct {
	Version    int     `json:"version"`
	Budget     int64   `json:"budget"`   // bytes of memory allowed
	Baseline   int64   `json:"baseline"` // code, Go heap, stacks: counted in every stage
	Stages     []Stage `json:"stages"`
	Measured   bool    `json:"measured"`              // predicted times rest on rates measured on this machine, not on defaults
	ActualPeak int64   `json:"actual_peak,omitempty"` // VmHWM after the job
	Actual     float64 `json:"actual_seconds,omitempty"`
}

// Peak is the predicted peak resident memory of the job.
func (j *Job) Peak() int64 {
	var peak int64
	for i := range j.Stages {
		peak = max(peak, j.Stages[i].Peak())
	}
	return j.Baseline + peak
}

// Seconds is the predicted duration of the job.
func (j *Job) Seconds() float64 {
	var sum float64
	for i := range j.Stages {
		sum += j.Stages[i].Seconds
	}
	return sum
}

// TooSmallError is returned when no plan fits the budget. The command line turns it into exit code 3.
type TooSmallError struct {
	Budget   int64  // bytes allowed
	Smallest int64  // the smallest budget that works
	Stage    string // the stage that does not fit
}

func (e *TooSmallError) Error() string {
	return fmt.Sprintf("the job does not fit: %s needs %s, the budget is %s; give --memory %s or more",
		e.Stage, memory.FormatSize(e.Smallest), memory.FormatSize(e.Budget), memory.FormatSize(e.Smallest))
}
