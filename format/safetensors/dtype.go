package safetensors

import "math/bits"

// DType is an element type, by its name in the file.
type DType string

// The element types of the format.
const (
	Bool       DType = "BOOL"
	U8         DType = "U8"
	I8         DType = "I8"
	U16        DType = "U16"
	I16        DType = "I16"
	U32        DType = "U32"
	I32        DType = "I32"
	U64        DType = "U64"
	I64        DType = "I64"
	F8E5M2     DType = "F8_E5M2"
	F8E4M3     DType = "F8_E4M3"
	F8E8M0     DType = "F8_E8M0"
	F8E4M3FNUZ DType = "F8_E4M3FNUZ"
	F8E5M2FNUZ DType = "F8_E5M2FNUZ"
	F4         DType = "F4"
	F6E2M3     DType = "F6_E2M3"
	F6E3M2     DType = "F6_E3M2"
	F16        DType = "F16"
	BF16       DType = "BF16"
	F32        DType = "F32"
	F64        DType = "F64"
	C64        DType = "C64" // two float32
)

// dtypes are all types and their sizes in bits, in the order in which the reference implementation ranks them.
var dtypes = []struct {
	name DType
	bits int
}{
	{Bool, 8}, {F4, 4}, {F6E2M3, 6}, {F6E3M2, 6}, {U8, 8}, {I8, 8}, {F8E5M2, 8}, {F8E4M3, 8}, {F8E8M0, 8}, {F8E4M3FNUZ, 8}, {F8E5M2FNUZ, 8},
	{I16, 16}, {U16, 16}, {F16, 16}, {BF16, 16}, {I32, 32}, {U32, 32}, {F32, 32}, {C64, 64}, {F64, 64}, {I64, 64}, {U64, 64},
}

// rank returns the place of t in dtypes, -1 for a type that does not exist.
func (t DType) rank() int {
	for i := range dtypes {
		if dtypes[i].name == t {
			return i
		}
	}
	return -1
}

// Bits returns the size of an element in bits, 0 for a type that does not exist.
func (t DType) Bits() int {
	if i := t.rank(); i >= 0 {
		return dtypes[i].bits
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
