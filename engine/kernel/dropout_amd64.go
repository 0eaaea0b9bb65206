package kernel

// row computes dst from x with the kernels of a level; the elements have the indices from offset on. dst may be x.
func (d *dropMask) row(level Level, dst, x []float32, offset uint64) {
	switch {
	case len(x) == 0:
	case level == Generic:
		d.elements(dst, x, offset)
	case level == AVX2:
		dropoutAVX2(d, &dst[0], &x[0], len(x), offset)
	default:
		dropoutAVX512(d, &dst[0], &x[0], len(x), offset)
	}
}

//go:noescape
func dropoutAVX2(mask *dropMask, dst, x *float32, n int, offset uint64)

//go:noescape
func dropoutAVX512(mask *dropMask, dst, x *float32, n int, offset uint64)
