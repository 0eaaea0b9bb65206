package kernel

// vectorsOf is how many whole vectors of a level n elements have, and how many elements these are.
func vectorsOf(level Level, n int) (vectors, elements int) {
	lanes := 16
	switch level {
	case Generic:
		return 0, 0
	case AVX2:
		lanes = 8
	}
	return n / lanes, n / lanes * lanes
}

// bf16FromF32Row rounds a row to bfloat16 with the kernels of a level; both have the same length.
func bf16FromF32Row(level Level, dst []uint16, x []float32) {
	vectors, n := vectorsOf(level, len(x))
	switch {
	case vectors == 0:
	case level == AVX2:
		bf16FromF32AVX2(&dst[0], &x[0], vectors)
	default:
		bf16FromF32AVX512(&dst[0], &x[0], vectors)
	}
	bf16FromF32Elements(dst[n:], x[n:])
}

// f32FromBF16Row widens a row of bfloat16 with the kernels of a level; both have the same length.
func f32FromBF16Row(level Level, dst []float32, x []uint16) {
	vectors, n := vectorsOf(level, len(x))
	switch {
	case vectors == 0:
	case level == AVX2:
		f32FromBF16AVX2(&dst[0], &x[0], vectors)
	default:
		f32FromBF16AVX512(&dst[0], &x[0], vectors)
	}
	f32FromBF16Elements(dst[n:], x[n:])
}

// f16FromF32Row rounds a row to binary16 with the kernels of a level; both have the same length.
func f16FromF32Row(level Level, dst []uint16, x []float32) {
	vectors, n := vectorsOf(level, len(x))
	switch {
	case vectors == 0:
	case level == AVX2:
		f16FromF32AVX2(&dst[0], &x[0], vectors)
	default:
		f16FromF32AVX512(&dst[0], &x[0], vectors)
	}
	f16FromF32Elements(dst[n:], x[n:])
}

// f32FromF16Row widens a row of binary16 with the kernels of a level; both have the same length.
func f32FromF16Row(level Level, dst []float32, x []uint16) {
	vectors, n := vectorsOf(level, len(x))
	switch {
	case vectors == 0:
	case level == AVX2:
		f32FromF16AVX2(&dst[0], &x[0], vectors)
	default:
		f32FromF16AVX512(&dst[0], &x[0], vectors)
	}
	f32FromF16Elements(dst[n:], x[n:])
}

//go:noescape
func bf16FromF32AVX2(dst *uint16, x *float32, vectors int)

//go:noescape
func bf16FromF32AVX512(dst *uint16, x *float32, vectors int)

//go:noescape
func f32FromBF16AVX2(dst *float32, x *uint16, vectors int)

//go:noescape
func f32FromBF16AVX512(dst *float32, x *uint16, vectors int)

//go:noescape
func f16FromF32AVX2(dst *uint16, x *float32, vectors int)

//go:noescape
func f16FromF32AVX512(dst *uint16, x *float32, vectors int)

//go:noescape
func f32FromF16AVX2(dst *float32, x *uint16, vectors int)

//go:noescape
func f32FromF16AVX512(dst *float32, x *uint16, vectors int)
