//go:build !amd64

package kernel

// The rows of elementwise kernels where every level is the portable one; elementwise kernels of amd64 say what they do.

func activateRow(_ Level, act Activation, dst, x []float32) { activateElements(act, dst, x) }

func activateGradRow(_ Level, act Activation, dx, dy, xy []float32) {
	activateGradElements(act, dx, dy, xy)
}

func binaryRow(_ Level, op BinaryOp, dst, a, b []float32) { binaryElements(op, dst, a, b) }

func axpbyRow(_ Level, dst, a, b []float32, alpha, beta float32) {
	axpbyElements(dst, a, b, alpha, beta)
}

func scaleRow(_ Level, dst, x []float32, alpha float32) { scaleElements(dst, x, alpha) }

func preluRow(_ Level, dst, x, slope []float32) { preluElements(dst, x, slope) }

func preluGradRow(_ Level, dx, acc, dy, x, slope []float32) {
	preluGradElements(dx, acc, dy, x, slope)
}

func adamwRow(_ Level, param, grad, m, v []float32, s *adamScalars) {
	adamwElements(param, grad, m, v, s)
}

func sgdRow(_ Level, param, grad []float32, s *sgdScalars) { sgdElements(param, grad, s) }

func momentumRow(_ Level, param, grad, momentum []float32, s *sgdScalars) {
	momentumElements(param, grad, momentum, s)
}

func adagradRow(_ Level, param, grad, sum []float32, s *adagradScalars) {
	adagradElements(param, grad, sum, s)
}

func (d *dropMask) row(_ Level, dst, x []float32, offset uint64) { d.elements(dst, x, offset) }

func bf16FromF32Row(_ Level, dst []uint16, x []float32) { bf16FromF32Elements(dst, x) }

func f32FromBF16Row(_ Level, dst []float32, x []uint16) { f32FromBF16Elements(dst, x) }

func f16FromF32Row(_ Level, dst []uint16, x []float32) { f16FromF32Elements(dst, x) }

func f32FromF16Row(_ Level, dst []float32, x []uint16) { f32FromF16Elements(dst, x) }
