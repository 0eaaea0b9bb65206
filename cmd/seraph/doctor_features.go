package main

import (
	"strings"

	"github.com/klauspost/cpuid/v2"

	"github.com/seraph-ml/seraph/engine/kernel"
)

// kernelFeatures are the processor features by which kernels are chosen, see kernel.HardwareLevel.
var kernelFeatures = []cpuid.FeatureID{
	cpuid.AVX2, cpuid.FMA3, cpuid.F16C, cpuid.BMI2, cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL, cpuid.AVX512BF16, cpuid.AMXTILE, cpuid.AMXBF16,
}

func featureNames() []string {
	var names []string
	for _, f := range kernelFeatures {
		names = append(names, strings.ToLower(f.String()))
	}
	return names
}

// features says which of them this processor has.
func features() map[string]bool {
	has := map[string]bool{}
	for i, name := range featureNames() {
		has[name] = cpuid.CPU.Has(kernelFeatures[i])
	}
	return has
}

// kernelsOf says what computes products at a level.
func kernelsOf(level kernel.Level) perType[string] {
	k := perType[string]{F32: min(level, kernel.AVX512).String()}
	switch level {
	case kernel.AMX:
		k.BF16 = "amx (TDPBF16PS)"
	case kernel.AVX512BF16:
		k.BF16 = "avx512bf16 (VDPBF16PS)"
	default:
		k.BF16 = k.F32 + ", widened to float32"
	}
	return k
}
