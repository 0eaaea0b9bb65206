package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// difference is the derivative of f at x by central differences of fourth order.
func difference(f func(x []float64) float64, x []float64) []float64 {
	const h = 1e-3
	g := make([]float64, len(x))
	for i, v := range x {
		at := func(d float64) float64 {
			x[i] = v + d
			return f(x)
		}
		g[i] = (8*(at(h)-at(-h)) - (at(2*h) - at(-2*h))) / (12 * h)
		x[i] = v
	}
	return g
}

func weighted(dy, y []float64) (sum float64) {
	for i, v := range y {
		sum += dy[i] * v
	}
	return sum
}

// The formulas of the backward kernels, in float64, against differences of the forward formulas.
func TestGradientFormulasAreTheDerivatives(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const rows, cols, eps = 5, 7, 1e-2
	x, dy, gain, bias := normal64(r, rows*cols), normal64(r, rows*cols), normal64(r, cols), normal64(r, cols)
	labels := []int32{3, -1, 0, 6, 3}
	lnDX, lnDGain, lnDBias := refLayerNormGrad(dy, x, gain, cols, eps, true)
	rmsDX, rmsDGain, _ := refLayerNormGrad(dy, x, gain, cols, eps, false)
	bnDX, bnDGain, bnDBias := refBatchNormGrad(dy, x, gain, cols, eps)
	layerNorm := func(x, gain, bias []float64, centred bool) float64 {
		y, _, _ := refLayerNorm(x, gain, bias, cols, eps, centred)
		return weighted(dy, y)
	}
	batchNorm := func(x, gain, bias []float64) float64 {
		y, _, _ := refBatchNorm(x, gain, bias, cols, eps)
		return weighted(dy, y)
	}
	weights, parts := normal64(r, rows*3), [][]float64{normal64(r, rows*cols), normal64(r, rows*cols), normal64(r, rows*cols)}
	for _, c := range []struct {
		name string
		got  []float64
		f    func(x []float64) float64
		x    []float64
	}{
		{"softmax", refSoftmaxGrad(dy, refSoftmax(x, cols), cols), func(x []float64) float64 { return weighted(dy, refSoftmax(x, cols)) }, x},
		{"log-softmax", refLogSoftmaxGrad(dy, refLogSoftmax(x, cols), cols), func(x []float64) float64 { return weighted(dy, refLogSoftmax(x, cols)) }, x},
		{"cross-entropy", refCrossEntropyGrad(x, labels, 0.3, cols), func(x []float64) float64 {
			loss, _ := refCrossEntropy(x, labels, cols)
			return weighted([]float64{0.3, 0.3, 0.3, 0.3, 0.3}, loss)
		}, x},
		{"layer-norm, DX", lnDX, func(x []float64) float64 { return layerNorm(x, gain, bias, true) }, x},
		{"layer-norm, DGain", lnDGain, func(g []float64) float64 { return layerNorm(x, g, bias, true) }, gain},
		{"layer-norm, DBias", lnDBias, func(b []float64) float64 { return layerNorm(x, gain, b, true) }, bias},
		{"RMS-norm, DX", rmsDX, func(x []float64) float64 { return layerNorm(x, gain, nil, false) }, x},
		{"RMS-norm, DGain", rmsDGain, func(g []float64) float64 { return layerNorm(x, g, nil, false) }, gain},
		{"weighted sum, DWeights", refCombineGrad(dy, parts, rows, cols), func(w []float64) float64 { return weighted(dy, refCombine(w, parts, cols)) }, weights},
		{"batch-norm, DX", bnDX, func(x []float64) float64 { return batchNorm(x, gain, bias) }, x},
		{"batch-norm, DGain", bnDGain, func(g []float64) float64 { return batchNorm(x, g, bias) }, gain},
		{"batch-norm, DBias", bnDBias, func(b []float64) float64 { return batchNorm(x, gain, b) }, bias},
	} {
		for i, want := range difference(c.f, c.x) {
			if math.Abs(c.got[i]-want) > 1e-9*(1+math.Abs(want)) {
				t.Errorf("%s: element %d is %v, differences give %v", c.name, i, c.got[i], want)
			}
		}
	}
}

func normal64(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	return x
}
