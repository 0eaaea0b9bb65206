package kernel

import "math"

// ELU is Dst = X where X is positive and e^X − 1 elsewhere, rounded from float64: the same bits at every level. Dst may be X.
type ELU struct{ Dst, X []float32 }

// Check says what is wrong with the sizes.
func (k *ELU) Check() error { return checkSizes("elu", length{"Dst", len(k.Dst), len(k.X)}) }

// Run computes it on the pool's workers.
func (k *ELU) Run(p *Pool) { p.For(len(k.X), elementGrain, k) }

// Do computes elements lo to hi.
func (k *ELU) Do(_, lo, hi int) {
	dst := k.Dst[lo:hi]
	for i, x := range k.X[lo:hi] {
		if x <= 0 {
			x = float32(math.Expm1(float64(x)))
		}
		dst[i] = x
	}
}

// ELUGrad is the gradient of Y = ELU(X): DX = DY where Y is positive and DY·(Y + 1) elsewhere. DX may be DY.
type ELUGrad struct{ DX, DY, Y []float32 }

// Check says what is wrong with the sizes.
func (k *ELUGrad) Check() error {
	return checkSizes("elu gradient", length{"DX", len(k.DX), len(k.Y)}, length{"DY", len(k.DY), len(k.Y)})
}

// Run computes it on the pool's workers.
func (k *ELUGrad) Run(p *Pool) { p.For(len(k.Y), elementGrain, k) }

// Do computes elements lo to hi.
func (k *ELUGrad) Do(_, lo, hi int) {
	dx, dy := k.DX[lo:hi], k.DY[lo:hi]
	for i, y := range k.Y[lo:hi] {
		d := dy[i]
		if y <= 0 {
			d *= y + 1
		}
		dx[i] = d
	}
}
