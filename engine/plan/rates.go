package plan

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/klauspost/cpuid/v2"

	"github.com/seraph-ml/seraph/engine/memory"
)

// Rates is how fast a machine computes and moves bytes with a number of threads: what predicted times rest on.
type Rates struct {
	Threads   int     `json:"threads"`
	F32       float64 `json:"f32"`        // floating-point operations a second in float32 products
	BF16      float64 `json:"bf16"`       // the same in bfloat16 products
	Memory    float64 `json:"memory"`     // bytes a second between processor and memory
	DiskRead  float64 `json:"disk_read"`  // bytes a second read past the page cache, in large pieces
	DiskWrite float64 `json:"disk_write"` // bytes a second written past the page cache
	Measured  bool    `json:"measured"`   // false for the defaults
}

// DefaultRates are what a slow machine of today does: predicted times are then rather too long.
func DefaultRates(threads int) Rates {
	n := float64(max(threads, 1))
	return Rates{
		Threads: max(threads, 1), F32: 10e9 * n, BF16: 10e9 * n, Memory: 4e9 * min(n, 4), DiskRead: 200e6, DiskWrite: 100e6,
	}
}

// ratesFile is the cache: what was measured on each machine, one entry per number of threads.
type ratesFile struct {
	Version  int                `json:"version"`
	Machines map[string][]Rates `json:"machines"`
}

const ratesVersion = 1

// maxRatesFile is far more than a cache of some machines takes.
const maxRatesFile = 1 << 20

// machine names what the rates depend on, so that a home directory can be shared between machines.
func machine() string {
	level := os.Getenv("SERAPH_CPU")
	return fmt.Sprintf("%s %s %d %s", cmp.Or(cpuid.CPU.BrandName, "unknown processor"), runtime.GOARCH, runtime.NumCPU(), cmp.Or(level, "all features"))
}

func ratesPath() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache of measured rates: %w", err)
	}
	return filepath.Join(dir, "seraph", "rates.json"), nil
}

// LoadRates returns the rates of this machine with a number of threads, as measured by seraph doctor: the entry for that
// number, or between two entries on the line between them. Without a measurement, or where it cannot be read, they are
// DefaultRates; the plan says which.
func LoadRates(threads int) Rates {
	path, err := ratesPath()
	if err != nil {
		return DefaultRates(threads)
	}
	file, err := readRates(path)
	if err != nil {
		return DefaultRates(threads)
	}
	return ratesFor(file.Machines[machine()], threads)
}

// SaveRates keeps what was measured on this machine, in place of earlier measurements of it.
func SaveRates(measured ...Rates) error {
	path, err := ratesPath()
	if err != nil {
		return err
	}
	for _, r := range measured {
		if !r.sound() {
			return fmt.Errorf("save measured rates: %+v has a rate that is not positive", r)
		}
	}
	file, err := readRates(path)
	if err != nil { // missing, damaged or of another version: begin anew
		file = ratesFile{Machines: map[string][]Rates{}}
	}
	file.Version = ratesVersion
	file.Machines[machine()] = measured
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return fmt.Errorf("save measured rates: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return fmt.Errorf("save measured rates: %w", err)
	}
	return memory.WriteAtomic(path, append(text, '\n'))
}

func readRates(path string) (ratesFile, error) {
	var file ratesFile
	info, err := os.Stat(path)
	if err != nil {
		return file, err
	}
	if info.Size() > maxRatesFile {
		return file, fmt.Errorf("read %s: %d bytes, expected at most %d", path, info.Size(), maxRatesFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return file, err
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return file, fmt.Errorf("read %s: %w", path, err)
	}
	if file.Version != ratesVersion || file.Machines == nil {
		return file, errors.New("read " + path + ": unknown version")
	}
	return file, nil
}

func (r *Rates) sound() bool {
	return r.Threads > 0 && r.F32 > 0 && r.BF16 > 0 && r.Memory > 0 && r.DiskRead > 0 && r.DiskWrite > 0
}

// ratesFor finds the rates for a number of threads among measured ones.
func ratesFor(measured []Rates, threads int) Rates {
	var list []Rates
	for _, r := range measured {
		if r.sound() {
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		return DefaultRates(threads)
	}
	slices.SortFunc(list, func(a, b Rates) int { return cmp.Compare(a.Threads, b.Threads) })
	above := slices.IndexFunc(list, func(r Rates) bool { return r.Threads >= threads })
	var r Rates
	switch {
	case above < 0:
		r = list[len(list)-1]
	case above == 0:
		r = list[0]
	default:
		low, high := list[above-1], list[above]
		part := float64(threads-low.Threads) / float64(high.Threads-low.Threads)
		r = high
		r.F32 = low.F32 + part*(high.F32-low.F32)
		r.BF16 = low.BF16 + part*(high.BF16-low.BF16)
		r.Memory = low.Memory + part*(high.Memory-low.Memory)
	}
	r.Threads, r.Measured = threads, true
	return r
}

// Predict sets the seconds that the stage should take: computing and moving memory overlap, so the longer of the two, and
// the disk is taken not to overlap with either.
func (s *Stage) Predict(r Rates) {
	if !r.sound() {
		r = DefaultRates(r.Threads)
	}
	computing := (s.Flops-s.FlopsBF16)/r.F32 + s.FlopsBF16/r.BF16
	s.Seconds = max(computing, s.Traffic/r.Memory) + float64(s.DiskRead)/r.DiskRead + float64(s.DiskWrite)/r.DiskWrite
}

// Predict predicts every stage and notes what the predictions rest on.
func (j *Job) Predict(r Rates) {
	for i := range j.Stages {
		j.Stages[i].Predict(r)
	}
	j.Measured = r.Measured && r.sound()
}
