package format

import "math"

// HalfToFloat32 converts IEEE binary16 to binary32, exactly.
func HalfToFloat32(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exp, frac := uint32(h>>10)&31, uint32(h)&1023
	switch {
	case exp == 31: // infinite or NaN
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case exp != 0:
		return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
	default: // zero or subnormal: frac · 2^-24, which float32 holds exactly
		return math.Float32frombits(sign | math.Float32bits(float32(frac)*0x1p-24))
	}
}
