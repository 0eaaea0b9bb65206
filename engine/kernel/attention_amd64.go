package kernel

// scoreArgs is the argument block of the softmax of a tile; the offsets stand in gen/attention.go.
type scoreArgs struct {
	s                *float32 // rows of attentionTile
	rows             int
	visible, step    int // keys that the first row sees, and how many more each row that follows
	scale            float32
	drop             *float32 // factors in rows of attentionTile, or nil
	top, sum, shrink *float32 // of the rows
}

// gradArgs is the argument block of its gradient.
type gradArgs struct {
	s             *float32
	rows          int
	visible, step int
	scale         float32
	drop          *float32
	lse, shift    *float32 // of the rows
	dp            *float32 // as s
}

//go:noescape
func attentionSoftmaxAVX2(args *scoreArgs)

//go:noescape
func attentionSoftmaxAVX512(args *scoreArgs)

//go:noescape
func attentionFinishAVX2(top, sum *float32, rows int)

//go:noescape
func attentionFinishAVX512(top, sum *float32, rows int)

//go:noescape
func attentionGradAVX2(args *gradArgs)

//go:noescape
func attentionGradAVX512(args *gradArgs)

//go:noescape
func attentionScaleAVX2(dst, src, factor *float32, rows, cols, ldDst, ldSrc int)

//go:noescape
func attentionScaleAVX512(dst, src, factor *float32, rows, cols, ldDst, ldSrc int)

//go:noescape
func attentionDotsAVX2(dst, x, y *float32, rows, cols, ldX, ldY int, factor float32)

//go:noescape
func attentionDotsAVX512(dst, x, y *float32, rows, cols, ldX, ldY int, factor float32)

//go:noescape
func attentionTriangleAVX2(out, chain, p, v *float32, rows, vectors, ld int)

//go:noescape
func attentionTriangleAVX512(out, chain, p, v *float32, rows, vectors, ld int)

//go:noescape
func attentionTriangleBF16(out, chain, p, v *float32, rows, vectors, ld int)

// attentionKernels returns the kernels that attention uses at a level. Those of AMX read A in rows alone, so bfloat16 has
// the kernels of AVX512BF16 there, too.
func attentionKernels(level Level, bf16 bool) *kernelSet {
	return kernelsOf(min(level, AVX512BF16), bf16)
}

func (s *kernelSet) softmax(args *scoreArgs) {
	if s.lanes == 16 {
		attentionSoftmaxAVX512(args)
	} else {
		attentionSoftmaxAVX2(args)
	}
}

// finishSoftmax turns maxima into LSE and sums into their reciprocals; vectors are read and written whole.
func (s *kernelSet) finishSoftmax(top, sum []float32) {
	if s.lanes == 16 {
		attentionFinishAVX512(&top[0], &sum[0], len(top))
	} else {
		attentionFinishAVX2(&top[0], &sum[0], len(top))
	}
}

func (s *kernelSet) softmaxGrad(args *gradArgs) {
	if s.lanes == 16 {
		attentionGradAVX512(args)
	} else {
		attentionGradAVX2(args)
	}
}

// scaleRows is dst[r] = factor[r]·src[r], for as many rows as there are factors.
func (s *kernelSet) scaleRows(dst []float32, ldDst int, src []float32, ldSrc int, factor []float32, cols int) {
	if s.lanes == 16 {
		attentionScaleAVX512(&dst[0], &src[0], &factor[0], len(factor), cols, 4*ldDst, 4*ldSrc)
	} else {
		attentionScaleAVX2(&dst[0], &src[0], &factor[0], len(factor), cols, 4*ldDst, 4*ldSrc)
	}
}

// rowDots is dst[r] = factor·Σ x[r]·y[r] over cols columns.
func (s *kernelSet) rowDots(dst, x []float32, ldX int, y []float32, ldY int, cols int, factor float32) {
	if s.lanes == 16 {
		attentionDotsAVX512(&dst[0], &x[0], &y[0], len(dst), cols, 4*ldX, 4*ldY, factor)
	} else {
		attentionDotsAVX2(&dst[0], &x[0], &y[0], len(dst), cols, 4*ldX, 4*ldY, factor)
	}
}

// triangle adds to out what chain holds and the keys that not all rows see; see gen/attention_rows.go.
func (s *kernelSet) triangle(out, chain, p, v []float32, rows, vectors, ld int) {
	switch {
	case s.perSlot == 2:
		attentionTriangleBF16(&out[0], &chain[0], &p[0], &v[0], rows, vectors, 4*ld)
	case s.lanes == 16:
		attentionTriangleAVX512(&out[0], &chain[0], &p[0], &v[0], rows, vectors, 4*ld)
	default:
		attentionTriangleAVX2(&out[0], &chain[0], &p[0], &v[0], rows, vectors, 4*ld)
	}
}
