package run

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"

	"github.com/klauspost/cpuid/v2"
	"golang.org/x/sys/unix"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
)

const environmentName = "environment.json"

// Environment is the machine that a run was made on, as far as it may matter to who repeats it.
type Environment struct {
	Processor string `json:"processor"`
	Level     string `json:"level"` // of the kernels: "avx512bf16"; fixes the bits of bfloat16 products
	Cores     int    `json:"cores"` // that the process may use
	Memory    int64  `json:"memory_bytes"`
	Cgroup    int64  `json:"cgroup_bytes,omitempty"` // limit of the control groups
	System    string `json:"system"`                 // "linux/amd64, Linux 6.8.0"
	Go        string `json:"go"`
	Seraph    string `json:"seraph"`

	// Continued are the levels that the run was continued with, against the rule, see Options.AllowOtherBits.
	Continued []string `json:"continued,omitempty"`
}

// ThisEnvironment describes the machine the process runs on.
func ThisEnvironment(version string) Environment {
	e := Environment{
		Processor: cmp.Or(cpuid.CPU.BrandName, "unknown"),
		Level:     kernel.ActiveLevel().String(),
		Cores:     runtime.NumCPU(),
		System:    runtime.GOOS + "/" + runtime.GOARCH,
		Go:        runtime.Version(),
		Seraph:    cmp.Or(version, "unknown"),
	}
	if m, err := memory.Limits(); err == nil {
		e.Cores, e.Memory, e.Cgroup = m.Threads(), m.Total, m.Cgroup
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err == nil {
		e.System += fmt.Sprintf(", %s %s", unix.ByteSliceToString(name.Sysname[:]), unix.ByteSliceToString(name.Release[:]))
	}
	return e
}

// sameBits reports whether products in a precision have the same bits on two machines: bfloat16 bits hold within a level,
// float32 bits are the same on all levels but the portable one.
func sameBits(precision, a, b string) bool {
	portable := kernel.Generic.String()
	return a == b || precision != "bf16" && a != portable && b != portable
}

// checkBits refuses to go on with a run whose bits this machine cannot continue; where that is allowed, it is recorded.
func (j *Job) checkBits(allow bool) error {
	e := &j.environment
	last, now := e.Level, kernel.ActiveLevel().String()
	if n := len(e.Continued); n > 0 {
		last = e.Continued[n-1]
	}
	if !sameBits(j.Precision, last, now) {
		if !allow {
			return Usagef("the run in %s was computed with %s kernels in %s, this machine has %s, and would continue with other bits; SERAPH_CPU=%s where the processor has it, or --allow-other-bits",
				j.Dir.Path, last, j.Precision, now, last)
		}
		e.Continued = append(e.Continued, now)
		if err := e.write(j.Dir); err != nil {
			return err
		}
	}
	if len(e.Continued) > 0 {
		j.Degraded(fmt.Sprintf("begun with %s kernels and continued with %s, whose bits differ", e.Level, strings.Join(e.Continued, ", ")), "train it anew on one machine")
	}
	return nil
}

func readEnvironment(dir *Dir) (Environment, error) {
	var e Environment
	path := dir.File(environmentName)
	text, err := readSmall(path, maxSmall)
	if err != nil {
		return e, fmt.Errorf("read the run: %w", err)
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return e, format.CorruptAt(path, -1, "environment", "", "").WithCause(err)
	}
	return e, nil
}

func (e Environment) write(dir *Dir) error { return writeJSON(dir.File(environmentName), e) }

// writeJSON writes v for people and programs, atomically.
func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return memory.WriteAtomic(path, append(text, '\n'))
}
