package kernel

// preluRow computes a row of PReLU with the kernels of a level; slope has one element or as many as x.
func preluRow(level Level, dst, x, slope []float32) {
	n, one := len(x), len(slope) == 1
	switch {
	case n == 0:
	case level == Generic:
		preluElements(dst, x, slope)
	case level == AVX2 && one:
		preluOneAVX2(&dst[0], &x[0], n, slope[0])
	case level == AVX2:
		preluAVX2(&dst[0], &x[0], &slope[0], n)
	case one:
		preluOneAVX512(&dst[0], &x[0], n, slope[0])
	default:
		preluAVX512(&dst[0], &x[0], &slope[0], n)
	}
}

// preluGradRow computes a row of the derivative of PReLU with the kernels of a level, and adds to acc what the row gives to
// the derivatives of the slopes.
func preluGradRow(level Level, dx, acc, dy, x, slope []float32) {
	n, one := len(x), len(slope) == 1
	switch {
	case n == 0:
	case level == Generic:
		preluGradElements(dx, acc, dy, x, slope)
	case level == AVX2 && one:
		preluGradOneAVX2(&dx[0], &acc[0], &dy[0], &x[0], n, slope[0])
	case level == AVX2:
		preluGradAVX2(&dx[0], &acc[0], &dy[0], &x[0], &slope[0], n)
	case one:
		preluGradOneAVX512(&dx[0], &acc[0], &dy[0], &x[0], n, slope[0])
	default:
		preluGradAVX512(&dx[0], &acc[0], &dy[0], &x[0], &slope[0], n)
	}
}

//go:noescape
func preluAVX2(dst, x, slope *float32, n int)

//go:noescape
func preluAVX512(dst, x, slope *float32, n int)

//go:noescape
func preluOneAVX2(dst, x *float32, n int, slope float32)

//go:noescape
func preluOneAVX512(dst, x *float32, n int, slope float32)

//go:noescape
func preluGradAVX2(dx, acc, dy, x, slope *float32, n int)

//go:noescape
func preluGradAVX512(dx, acc, dy, x, slope *float32, n int)

//go:noescape
func preluGradOneAVX2(dx, acc, dy, x *float32, n int, slope float32)

//go:noescape
func preluGradOneAVX512(dx, acc, dy, x *float32, n int, slope float32)
