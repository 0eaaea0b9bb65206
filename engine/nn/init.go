package nn

import (
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/program"
)

// fans are the inputs and outputs that a matrix (out, in) connects; further sizes, those of a convolution's kernel, multiply
// both, as in PyTorch. A vector counts as a square matrix.
func fans(dims []int) (in, out int) {
	switch len(dims) {
	case 0:
		return 1, 1
	case 1:
		return dims[0], dims[0]
	}
	field := 1
	for _, d := range dims[2:] {
		field *= d
	}
	return dims[1] * field, dims[0] * field
}

func uniform(dst []float32, bound float64, key kernel.Key) {
	if bound > 0 {
		(&kernel.Uniform{Dst: dst, Lo: -bound, Hi: bound, Key: key}).Run(nil)
	}
}

// XavierUniform draws from U(−a, a) with a = √(6/(in + out)) (Glorot and Bengio, 2010).
func XavierUniform(dst []float32, dims []int, key kernel.Key) {
	in, out := fans(dims)
	uniform(dst, math.Sqrt(6/float64(in+out)), key)
}

// XavierNormal draws from N(0, 2/(in + out)).
func XavierNormal(dst []float32, dims []int, key kernel.Key) {
	in, out := fans(dims)
	(&kernel.Normal{Dst: dst, Std: math.Sqrt(2 / float64(in+out)), Key: key}).Run(nil)
}

// KaimingUniform draws from U(−a, a) with a = √(6/in), for layers followed by ReLU (He et al., 2015).
func KaimingUniform(dst []float32, dims []int, key kernel.Key) {
	in, _ := fans(dims)
	uniform(dst, math.Sqrt(6/float64(in)), key)
}

// KaimingNormal draws from N(0, 2/in).
func KaimingNormal(dst []float32, dims []int, key kernel.Key) {
	in, _ := fans(dims)
	(&kernel.Normal{Dst: dst, Std: math.Sqrt(2 / float64(in)), Key: key}).Run(nil)
}

// FanIn returns the initializer U(−a, a) with a = 1/√in, which PyTorch gives to weight and bias of a linear layer of in
// inputs.
func FanIn(in int) program.Initializer {
	return func(dst []float32, _ []int, key kernel.Key) { uniform(dst, 1/math.Sqrt(float64(max(in, 1))), key) }
}

// Normal returns the initializer N(0, std²).
func Normal(std float64) program.Initializer {
	return func(dst []float32, _ []int, key kernel.Key) {
		(&kernel.Normal{Dst: dst, Std: std, Key: key}).Run(nil)
	}
}

// Fill returns the initializer that sets every element to x.
func Fill(x float32) program.Initializer {
	return func(dst []float32, _ []int, _ kernel.Key) {
		for i := range dst {
			dst[i] = x
		}
	}
}

// Zeros and Ones are what biases and gains begin with.
var (
	Zeros = Fill(0)
	Ones  = Fill(1)
)

// Uniform returns the initializer U(−bound, bound).
func Uniform(bound float64) program.Initializer {
	return func(dst []float32, _ []int, key kernel.Key) { uniform(dst, bound, key) }
}
