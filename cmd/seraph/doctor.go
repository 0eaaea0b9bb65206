package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/measure"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/run"
)

var doctorCommand = command{
	name: "doctor", usage: "[--disk DIR]", help: "Measure what this machine can do.",
	detail: "Processor features and the kernels chosen by them, float32 and bfloat16 products on one and on all cores, memory bandwidth, disk" +
		" bandwidth and latency past the page cache, memory, limits of control groups.\n\n" +
		"It takes a few seconds, best on a quiet machine. What was measured is kept in the user's cache directory, and plans predict their times with it.",
	flags: typeOf[doctor], verb: verbOf[doctor],
}

type doctor struct {
	outputFlags `embed:""`
	Disk        string `placeholder:"DIR" help:"The disk to measure, as for --disk of a job. Default: that of temporary files, or the working directory."`
}

// How long each measurement takes, and how much disk the last one takes.
const (
	measureFor = 300 * time.Millisecond
	diskFor    = 500 * time.Millisecond
	diskBytes  = 64 << 20
)

// health is what doctor finds, as it is printed under --json. Rates are per second.
type health struct {
	Event string `json:"event"`
	run.Environment
	Features  map[string]bool `json:"features"`
	Kernels   perType[string] `json:"kernels"`
	GFLOPS    perType[rate]   `json:"gflops"`                // products
	Bandwidth rate            `json:"memory_bytes_a_second"` // STREAM triad
	Memory    memoryHealth    `json:"memory"`
	CPUs      int             `json:"cpus"`      // that the process may run on
	Quota     float64         `json:"cpu_quota"` // of control groups, in processors; 0: no limit
	Disk      diskHealth      `json:"disk"`
	Saved     bool            `json:"saved"` // plans predict with these figures
}

// perType is something about products of each type.
type perType[T any] struct {
	F32  T `json:"f32"`
	BF16 T `json:"bf16"`
}

// rate is a figure with one thread and with all.
type rate struct {
	One float64 `json:"1"`
	All float64 `json:"all"`
}

type memoryHealth struct {
	Total     int64 `json:"total"`
	Available int64 `json:"available"`
	Cgroup    int64 `json:"cgroup"`         // limit, 0 for none
	Budget    int64 `json:"default_budget"` // --memory where none is given
}

type diskHealth struct {
	Dir string `json:"dir"`
	measure.Disk
	Error string `json:"error,omitempty"` // why it could not be measured
}

func (d *doctor) run(a *app) error {
	if err := kernel.LevelError(); err != nil {
		return run.Usagef("%w", err)
	}
	ctx, stop := interrupted()
	defer stop()
	progress := d.progress(a)
	h, err := examine(ctx, d.Disk, progress)
	if err != nil {
		return err
	}
	if err := plan.SaveRates(h.rates()...); err != nil {
		progress.Warnf("plans cannot use these figures: %v", err)
	} else {
		h.Saved = true
	}
	return d.print(a, h, h.text())
}

// examine measures everything.
func examine(ctx context.Context, disk string, progress *run.Progress) (*health, error) {
	m, err := memory.Limits()
	if err != nil {
		return nil, err
	}
	h := &health{
		Event: "doctor", Environment: run.ThisEnvironment(version), Features: features(), Kernels: kernelsOf(kernel.ActiveLevel()),
		Memory: memoryHealth{m.Total, m.Available, m.Cgroup, m.Budget()}, CPUs: m.CPUs, Quota: m.Quota,
	}
	for _, threads := range []int{1, h.Cores} {
		if threads == 1 && h.GFLOPS.F32.One > 0 { // one core is all there are
			h.GFLOPS.F32.All, h.GFLOPS.BF16.All, h.Bandwidth.All = h.GFLOPS.F32.One, h.GFLOPS.BF16.One, h.Bandwidth.One
			break
		}
		progress.Infof("measuring products and memory, threads: %d", threads)
		f32, bf16, bandwidth, err := compute(ctx, threads, m)
		if err != nil {
			return nil, err
		}
		if threads == 1 {
			h.GFLOPS.F32.One, h.GFLOPS.BF16.One, h.Bandwidth.One = f32/1e9, bf16/1e9, bandwidth
		} else {
			h.GFLOPS.F32.All, h.GFLOPS.BF16.All, h.Bandwidth.All = f32/1e9, bf16/1e9, bandwidth
		}
	}
	progress.Infof("measuring the disk")
	h.Disk, err = examineDisk(ctx, disk)
	return h, err
}

// compute measures products and memory with a number of threads.
func compute(ctx context.Context, threads int, m memory.Machine) (f32, bf16, bandwidth float64, err error) {
	pool := kernel.NewPool(threads)
	defer pool.Close()
	if f32, err = measure.Product(ctx, pool, false, measureFor); err != nil {
		return
	}
	if bf16, err = measure.Product(ctx, pool, true, measureFor); err != nil {
		return
	}
	bandwidth, err = measure.Memory(ctx, pool, max(12<<20, min(192<<20, m.Budget()/4)), measureFor)
	return
}

// examineDisk measures the disk of a folder, or where none is given the first that can be measured.
func examineDisk(ctx context.Context, disk string) (diskHealth, error) {
	dirs := []string{os.TempDir(), "."}
	if disk != "" {
		place, err := memory.ParseDisk(disk)
		if err != nil {
			return diskHealth{}, run.Usagef("--disk: %w", err)
		}
		if _, err := os.Stat(place.Dir); err != nil { // measuring would make it
			return diskHealth{}, run.Usagef("--disk: %w", err)
		}
		dirs = []string{place.Dir}
	}
	var found diskHealth
	for _, dir := range dirs {
		d, err := measure.MeasureDisk(ctx, dir, diskBytes, diskFor)
		if err == nil || ctx.Err() != nil {
			return diskHealth{Dir: dir, Disk: d}, ctx.Err()
		}
		found = diskHealth{Dir: dir, Error: err.Error()}
	}
	if disk != "" {
		return found, errors.New(found.Error)
	}
	return found, nil
}

// rates are the figures as plans use them, with the defaults for a disk that could not be measured.
func (h *health) rates() []plan.Rates {
	of := func(threads int, f32, bf16, bandwidth float64) plan.Rates {
		r := plan.DefaultRates(threads)
		r.F32, r.BF16, r.Memory, r.Measured = 1e9*f32, 1e9*bf16, bandwidth, true
		if h.Disk.Error == "" {
			r.DiskRead, r.DiskWrite = h.Disk.Read, h.Disk.Write
		}
		return r
	}
	list := []plan.Rates{of(1, h.GFLOPS.F32.One, h.GFLOPS.BF16.One, h.Bandwidth.One)}
	if h.Cores > 1 {
		list = append(list, of(h.Cores, h.GFLOPS.F32.All, h.GFLOPS.BF16.All, h.Bandwidth.All))
	}
	return list
}

// text writes it for people.
func (h *health) text() string {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("seraph", "%s, %s, %s", h.Seraph, h.Go, h.System)
	row("processor", "%s", h.Processor)
	var has, lacks []string
	for _, f := range featureNames() {
		if h.Features[f] {
			has = append(has, f)
		} else {
			lacks = append(lacks, f)
		}
	}
	row("features", "%s", orNone(has))
	row("it lacks", "%s", orNone(lacks))
	row("level", "%s of %s (SERAPH_CPU caps it)", h.Level, kernel.HardwareLevel())
	row("products", "float32: %s; bfloat16: %s", h.Kernels.F32, h.Kernels.BF16)
	quota := "no quota"
	if h.Quota > 0 {
		quota = fmt.Sprintf("a quota of %.3g", h.Quota)
	}
	row("threads", "%d of %d processors, %s", h.Cores, h.CPUs, quota)
	limit := "no limit of control groups"
	if h.Memory.Cgroup > 0 {
		limit = "control groups allow " + memory.FormatSize(h.Memory.Cgroup)
	}
	row("memory", "%s, %s available, %s; --memory is %s where none is given", memory.FormatSize(h.Memory.Total), memory.FormatSize(h.Memory.Available), limit, memory.FormatSize(h.Memory.Budget))
	row("disk", "%s", h.Disk.text())
	t.Flush()
	b.WriteByte('\n')
	t = tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "threads\t1\t%d\t\t\n", h.Cores)
	fmt.Fprintf(t, "float32 products\t%.1f\t%.1f\tGFLOP/s\t\n", h.GFLOPS.F32.One, h.GFLOPS.F32.All)
	fmt.Fprintf(t, "bfloat16 products\t%.1f\t%.1f\tGFLOP/s\t\n", h.GFLOPS.BF16.One, h.GFLOPS.BF16.All)
	fmt.Fprintf(t, "memory, triad\t%.1f\t%.1f\tGB/s\t\n", h.Bandwidth.One/1e9, h.Bandwidth.All/1e9)
	t.Flush()
	return trimLines(b.String())
}

func (d *diskHealth) text() string {
	if d.Error != "" {
		return "not measured: " + d.Error
	}
	how := "past the page cache"
	if !d.Direct {
		how = "through the page cache, which this file system insists on"
	}
	return fmt.Sprintf("%s: reads %.0f MB/s, writes %.0f MB/s, %.0f µs for 4 KiB anywhere, %s", d.Dir, d.Read/1e6, d.Write/1e6, 1e6*d.Latency, how)
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, " ")
}
