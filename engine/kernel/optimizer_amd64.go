package kernel

// adamwRow makes a step of AdamW on parameters with the kernels of a level.
func adamwRow(level Level, param, grad, m, v []float32, s *adamScalars) {
	switch {
	case len(param) == 0:
	case level == Generic:
		adamwElements(param, grad, m, v, s)
	case level == AVX2:
		adamwAVX2(&param[0], &grad[0], &m[0], &v[0], len(param), s)
	default:
		adamwAVX512(&param[0], &grad[0], &m[0], &v[0], len(param), s)
	}
}

// sgdRow makes a step without momentum on parameters with the kernels of a level.
func sgdRow(level Level, param, grad []float32, s *sgdScalars) {
	switch {
	case len(param) == 0:
	case level == Generic:
		sgdElements(param, grad, s)
	case level == AVX2:
		sgdAVX2(&param[0], &grad[0], len(param), s)
	default:
		sgdAVX512(&param[0], &grad[0], len(param), s)
	}
}

// momentumRow makes a step with momentum on parameters with the kernels of a level.
func momentumRow(level Level, param, grad, momentum []float32, s *sgdScalars) {
	switch {
	case len(param) == 0:
	case level == Generic:
		momentumElements(param, grad, momentum, s)
	case level == AVX2:
		momentumAVX2(&param[0], &grad[0], &momentum[0], len(param), s)
	default:
		momentumAVX512(&param[0], &grad[0], &momentum[0], len(param), s)
	}
}

// adagradRow makes a step of Adagrad on parameters with the kernels of a level.
func adagradRow(level Level, param, grad, sum []float32, s *adagradScalars) {
	switch {
	case len(param) == 0:
	case level == Generic:
		adagradElements(param, grad, sum, s)
	case level == AVX2:
		adagradAVX2(&param[0], &grad[0], &sum[0], len(param), s)
	default:
		adagradAVX512(&param[0], &grad[0], &sum[0], len(param), s)
	}
}

//go:noescape
func adamwAVX2(param, grad, m, v *float32, n int, s *adamScalars)

//go:noescape
func adamwAVX512(param, grad, m, v *float32, n int, s *adamScalars)

//go:noescape
func sgdAVX2(param, grad *float32, n int, s *sgdScalars)

//go:noescape
func sgdAVX512(param, grad *float32, n int, s *sgdScalars)

//go:noescape
func momentumAVX2(param, grad, momentum *float32, n int, s *sgdScalars)

//go:noescape
func momentumAVX512(param, grad, momentum *float32, n int, s *sgdScalars)

//go:noescape
func adagradAVX2(param, grad, sum *float32, n int, s *adagradScalars)

//go:noescape
func adagradAVX512(param, grad, sum *float32, n int, s *adagradScalars)
