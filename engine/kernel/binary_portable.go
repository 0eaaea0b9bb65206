package kernel

// binaryElements is the portable binaryRow.
func binaryElements(op BinaryOp, dst, a, b []float32) {
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

// axpbyElements is the portable axpbyRow.
func axpbyElements(dst, a, b []float32, alpha, beta float32) {
	for i, v := range a {
		dst[i] = float32(alpha*v) + float32(beta*b[i])
	}
}

// scaleElements is the portable scaleRow.
func scaleElements(dst, x []float32, alpha float32) {
	for i, v := range x {
		dst[i] = alpha * v
	}
}
