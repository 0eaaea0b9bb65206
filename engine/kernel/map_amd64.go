package kernel

// activateRow computes dst = act(x) with the kernels of a level. dst and x have the same length and may be the same slice.
func activateRow(level Level, act Activation, dst, x []float32) {
	switch {
	case len(x) == 0:
	case level == Generic:
		activateElements(act, dst, x)
	case level == AVX2:
		mapAVX2(int(act), &dst[0], &x[0], len(x))
	default:
		mapAVX512(int(act), &dst[0], &x[0], len(x))
	}
}

// activateGradRow computes dx = dy·act′ with the kernels of a level, where xy is the input or the output of act as
// GradFromOutput says. All have the same length; dx may be the same slice as dy or xy.
func activateGradRow(level Level, act Activation, dx, dy, xy []float32) {
	switch {
	case len(dy) == 0:
	case level == Generic:
		activateGradElements(act, dx, dy, xy)
	case level == AVX2:
		mapGradAVX2(int(act), &dx[0], &dy[0], &xy[0], len(dy))
	default:
		mapGradAVX512(int(act), &dx[0], &dy[0], &xy[0], len(dy))
	}
}

//go:noescape
func mapAVX2(kernel int, dst, x *float32, n int)

//go:noescape
func mapAVX512(kernel int, dst, x *float32, n int)

//go:noescape
func mapGradAVX2(kernel int, dx, dy, xy *float32, n int)

//go:noescape
func mapGradAVX512(kernel int, dx, dy, xy *float32, n int)
