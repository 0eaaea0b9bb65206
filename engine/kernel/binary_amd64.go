package kernel

// binaryRow computes dst = a op b with the kernels of a level; all have the same length.
func binaryRow(level Level, op BinaryOp, dst, a, b []float32) {
	switch {
	case len(dst) == 0:
	case level == Generic:
		binaryElements(op, dst, a, b)
	case level == AVX2:
		binaryAVX2(int(op), &dst[0], &a[0], &b[0], len(dst))
	default:
		binaryAVX512(int(op), &dst[0], &a[0], &b[0], len(dst))
	}
}

// axpbyRow computes dst = alpha·a + beta·b with the kernels of a level; all have the same length.
func axpbyRow(level Level, dst, a, b []float32, alpha, beta float32) {
	switch {
	case len(dst) == 0:
	case level == Generic:
		axpbyElements(dst, a, b, alpha, beta)
	case level == AVX2:
		axpbyAVX2(&dst[0], &a[0], &b[0], len(dst), alpha, beta)
	default:
		axpbyAVX512(&dst[0], &a[0], &b[0], len(dst), alpha, beta)
	}
}

// scaleRow computes dst = alpha·x with the kernels of a level; both have the same length.
func scaleRow(level Level, dst, x []float32, alpha float32) {
	switch {
	case len(dst) == 0:
	case level == Generic:
		scaleElements(dst, x, alpha)
	case level == AVX2:
		scaleAVX2(&dst[0], &x[0], len(dst), alpha)
	default:
		scaleAVX512(&dst[0], &x[0], len(dst), alpha)
	}
}

//go:noescape
func binaryAVX2(kernel int, dst, a, b *float32, n int)

//go:noescape
func binaryAVX512(kernel int, dst, a, b *float32, n int)

//go:noescape
func axpbyAVX2(dst, a, b *float32, n int, alpha, beta float32)

//go:noescape
func axpbyAVX512(dst, a, b *float32, n int, alpha, beta float32)

//go:noescape
func scaleAVX2(dst, x *float32, n int, alpha float32)

//go:noescape
func scaleAVX512(dst, x *float32, n int, alpha float32)
