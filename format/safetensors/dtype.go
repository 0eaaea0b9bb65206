package safetensors

import "math/bits"

// DType is an element type, by its name in the file.
type DType string

// The element types of the format.
const (
	Bool   DType = "BOOL"
	U8     DType = "U8"
	I8     DType = "I8"
	U16    DType = "U16"
	I16    DType = "I16"
	U32    DType = "U32"
	I32    DType = "I32"
	U64    DType = "U64"
	I64    DType = "I64"
	F8E5M2 DType = "F8_E5M2"
	F8E4M3 DType = "F8_E4M3"
	F8E8M0 DType = "F8_E8M0"
	F4     DType = "F4"
	F6E2M3 DType = "F6_E2M3"
	F6E3M2 DType = "F6_E3M2"
	F16    DType = "F16"
	BF16   DType = "BF16"
	F32    DType = "F32"
	F64    DType = "F64"
	C64    DType = "C64" // two float32
)

// Bits returns the size of an element in bits, 0 for a type that does not exist.
func (t DType) Bits() int {
	switch t {
	case F4:
		return 4
	case F6E2M3, F6E3M2:
		return 6
	case Bool, U8, I8, F8E5M2, F8E4M3, F8E8M0:
		return 8
	case U16, I16, F16, BF16:
		return 16
	case U32, I32, F32:
		return 32
	case U64, I64, F64, C64:
		return 64
	}
	return 0
}

// size returns the bytes of a tensor; ok is false where they overflow or are no whole number.
func size(t DType, shape []int) (n int64, ok bool) {
	total := uint64(t.Bits())
	zero := false
	for _, d := range shape {
		if d < 0 {
			return 0, false
		}
		if d == 0 {
			zero = true
			continue // but the other sizes must not overflow either
		}
		hi, lo := bits.Mul64(total, uint64(d))
		if hi != 0 || lo > 1<<63-1 {
			return 0, false
		}
		total = lo
	}
	if zero {
		return 0, true
	}
	return int64(total / 8), total%8 == 0
}
