package kernel

import "math"

func bf16FromF32Elements(dst []uint16, x []float32) {
	for i, v := range x {
		dst[i] = bf16FromF32(v)
	}
}

func f32FromBF16Elements(dst []float32, x []uint16) {
	for i, v := range x {
		dst[i] = f32FromBF16(v)
	}
}

func f16FromF32Elements(dst []uint16, x []float32) {
	for i, v := range x {
		dst[i] = f16FromF32(v)
	}
}

func f32FromF16Elements(dst []float32, x []uint16) {
	for i, v := range x {
		dst[i] = f32FromF16(v)
	}
}

// bf16FromF32 rounds to bfloat16.
func bf16FromF32(x float32) uint16 {
	b := math.Float32bits(x)
	if x != x {
		return uint16(b>>16) | 0x40
	}
	// Half of the last place kept, less one where that place is even, so that a tie is carried only into an odd one.
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// f32FromBF16 widens a bfloat16.
func f32FromBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// f16FromF32 rounds to binary16: a sign, five bits of exponent with the bias 15, ten of mantissa.
func f16FromF32(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000: // NaN
		return sign | 0x7e00 | uint16(b>>13&0x3ff)
	case b >= 0x47800000: // 2¹⁶ and above
		return sign | 0x7c00
	case b >= 0x38800000: // 2⁻¹⁴ and above: normal; a carry out of the mantissa is right, up to infinity
		b -= (127 - 15) << 23
		return sign | uint16((b+0xfff+b>>13&1)>>13)
	}
	// Subnormal: a multiple of 2⁻²⁴. Adding ½ rounds x to one, and leaves it in the last bits of the sum.
	return sign | uint16(math.Float32bits(math.Float32frombits(b)+0.5)-math.Float32bits(0.5))
}

// f32FromF16 widens a binary16.
func f32FromF16(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent, mantissa := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0: // a multiple of 2⁻²⁴
		return math.Float32frombits(sign | math.Float32bits(float32(mantissa)/(1<<24)))
	case 0x1f:
		if mantissa != 0 {
			mantissa |= 0x200
		}
		return math.Float32frombits(sign | 0x7f800000 | mantissa<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | mantissa<<13)
}
