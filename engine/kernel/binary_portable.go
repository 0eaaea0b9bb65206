package kernel

// binaryRow computes dst = a op b with the kernels of a level; all have the same length.
func binaryRow(_ Level, op BinaryOp, dst, a, b []float32) {
	switch op {
	case Add:
		for i, v := range a {
			dst[i] = v + b[i]
		}
	case Sub:
		for i, v := range a {
			dst[i] = v - b[i]
		}
	case Mul:
		for i, v := range a {
			dst[i] = v * b[i]
		}
	}
}

// axpbyRow computes dst = alpha·a + beta·b with the kernels of a level; all have the same length.
func axpbyRow(_ Level, dst, a, b []float32, alpha, beta float32) {
	for i, v := range a {
		dst[i] = float32(alpha*v) + float32(beta*b[i])
	}
}

// scaleRow computes dst = alpha·x with the kernels of a level; both have the same length.
func scaleRow(_ Level, dst, x []float32, alpha float32) {
	for i, v := range x {
		dst[i] = alpha * v
	}
}
