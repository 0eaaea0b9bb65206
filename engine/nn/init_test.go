package nn_test

import (
	"math"
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/program"
)

func TestInitializersHaveTheirDistributions(t *testing.T) {
	const out, in = 300, 200
	for _, c := range []struct {
		name     string
		init     program.Initializer
		dims     []int
		bound    float64 // of a uniform distribution, 0 for a normal one
		variance float64
	}{
		{"XavierUniform", nn.XavierUniform, []int{out, in}, math.Sqrt(6.0 / 500), 2.0 / 500},
		{"XavierNormal", nn.XavierNormal, []int{out, in}, 0, 2.0 / 500},
		{"KaimingUniform", nn.KaimingUniform, []int{out, in}, math.Sqrt(6.0 / 200), 2.0 / 200},
		{"KaimingNormal", nn.KaimingNormal, []int{out, in}, 0, 2.0 / 200},
		{"XavierUniform of a convolution", nn.XavierUniform, []int{30, 20, 10, 10}, math.Sqrt(6.0 / 5000), 2.0 / 5000},
		{"KaimingNormal of a convolution", nn.KaimingNormal, []int{30, 20, 10, 10}, 0, 2.0 / 2000},
		{"KaimingUniform of a vector", nn.KaimingUniform, []int{60_000}, 0.01, 1e-4 / 3},
		{"FanIn", nn.FanIn(16), []int{out, in}, 0.25, 1.0 / 48},
		{"Normal", nn.Normal(0.02), []int{out, in}, 0, 4e-4},
	} {
		x := make([]float32, 60_000)
		c.init(x, c.dims, kernel.Key{Seed: 3, Stream: 4})
		var sum, squares, largest float64
		for _, v := range x {
			sum += float64(v)
			squares += float64(v) * float64(v)
			largest = max(largest, math.Abs(float64(v)))
		}
		n := float64(len(x))
		// Five standard errors of the mean; the variance of 60,000 numbers is known to half a percent.
		if mean := sum / n; math.Abs(mean) > 5*math.Sqrt(c.variance/n) {
			t.Errorf("%s: mean %.2g", c.name, mean)
		}
		if variance := squares / n; math.Abs(variance/c.variance-1) > 0.03 {
			t.Errorf("%s: variance %.4g, expected %.4g", c.name, variance, c.variance)
		}
		if c.bound > 0 && (largest > c.bound*(1+1e-6) || largest < 0.999*c.bound) {
			t.Errorf("%s: largest %.6g, expected nearly %.6g", c.name, largest, c.bound)
		}
		if c.bound == 0 && (largest < 3.5*math.Sqrt(c.variance) || largest > 7*math.Sqrt(c.variance)) {
			t.Errorf("%s: largest %.3g of a normal distribution of variance %.3g", c.name, largest, c.variance)
		}
	}
	var scalar [1]float32
	if nn.XavierUniform(scalar[:], nil, kernel.Key{}); math.Abs(float64(scalar[0])) > math.Sqrt(3) {
		t.Errorf("a scalar begins at %v", scalar[0])
	}
	if nn.Ones(scalar[:], nil, kernel.Key{}); scalar[0] != 1 {
		t.Errorf("ones are %v", scalar[0])
	}
	if nn.Zeros(scalar[:], nil, kernel.Key{}); scalar[0] != 0 {
		t.Errorf("zeros are %v", scalar[0])
	}
}

// TestInitialValuesDependOnSeedAndNameAlone says that a parameter begins alike whatever stands beside it.
func TestInitialValuesDependOnSeedAndNameAlone(t *testing.T) {
	begin := func(seed uint64, names ...string) map[string][]float32 {
		p := program.New("p")
		for _, name := range names {
			p.Output(p.Sum(p.Parameter(name, nn.XavierUniform, 5, 7)))
		}
		s := startProgram(t, p)
		s.Initialize(seed)
		values := map[string][]float32{}
		for _, x := range s.Persistent() {
			values[x.Name] = slices.Clone(x.Tensor.Float32s())
		}
		return values
	}
	ab, ba, other := begin(1, "a", "b"), begin(1, "c", "b", "a"), begin(2, "a")
	if !slices.Equal(ab["a"], ba["a"]) || !slices.Equal(ab["b"], ba["b"]) {
		t.Error("values depend on what else there is")
	}
	if slices.Equal(ab["a"], ab["b"]) || slices.Equal(ab["a"], other["a"]) {
		t.Error("two names, or two seeds, give the same values")
	}
}
