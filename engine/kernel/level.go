package kernel

import (
	"fmt"
	"os"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// Level is a set of processor features that kernels are written for. Each level includes the ones below it, except that
// AMX needs no AVX512-BF16 arithmetic to be faster; both count as "bfloat16 in hardware".
type Level int

// The levels, from what every machine has to what few have.
const (
	Generic    Level = iota // portable Go
	AVX2                    // AVX2, FMA, F16C and BMI2, which came together
	AVX512                  // AVX-512 F, BW, DQ, VL
	AVX512BF16              // AVX-512 and VDPBF16PS
	AMX                     // AVX-512, VDPBF16PS and AMX-BF16 tiles
)

var levelNames = [...]string{"generic", "avx2", "avx512", "avx512bf16", "amx"}

// String returns the name that SERAPH_CPU uses.
func (l Level) String() string { return levelNames[l] }

// ParseLevel returns the level called name.
func ParseLevel(name string) (Level, error) {
	for l, s := range levelNames {
		if strings.EqualFold(name, s) {
			return Level(l), nil
		}
	}
	return Generic, fmt.Errorf("processor level %q is unknown (have %s)", name, strings.Join(levelNames[:], ", "))
}

// HardwareLevel returns the highest level that the processor and the operating system offer.
func HardwareLevel() Level {
	cpu := cpuid.CPU
	switch {
	case !cpu.Supports(cpuid.AVX2, cpuid.FMA3, cpuid.F16C, cpuid.BMI2):
		return Generic
	case !cpu.Supports(cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL):
		return AVX2
	case !cpu.Supports(cpuid.AVX512BF16):
		return AVX512
	case !cpu.Supports(cpuid.AMXTILE, cpuid.AMXBF16) || !tilesAllowed():
		return AVX512BF16
	}
	return AMX
}

// ActiveLevel returns the level whose kernels are in use: the hardware's, capped by SERAPH_CPU.
func ActiveLevel() Level { return active }

// active is decided once, before any kernel table is filled: package variables are initialised in order of dependency.
var active, levelErr = startLevel()

// LevelError returns what was wrong with SERAPH_CPU, or nil. The command line reports it as a usage error.
func LevelError() error { return levelErr }

func startLevel() (Level, error) {
	hw := HardwareLevel()
	name := os.Getenv("SERAPH_CPU")
	if name == "" {
		return hw, nil
	}
	want, err := ParseLevel(name)
	if err != nil {
		return hw, fmt.Errorf("SERAPH_CPU: %w", err)
	}
	return min(want, hw), nil
}
