package memory

import "unsafe"

// view returns n elements beginning at byte off of the arena.
func view[T byte | uint16 | int32 | int64 | uint64 | float32 | float64](a *Arena, off int64, n int) []T {
	var zero T
	size := int64(unsafe.Sizeof(zero))
	if n < 0 || int64(n) > a.Size()/size {
		n = -1 // reported by check; the product below cannot overflow
	}
	a.check(off, int64(n)*size, size)
	if n == 0 {
		return []T{}
	}
	a.open(off, int64(n)*size)
	// Sound: the memory is not managed by Go, T holds no pointers, and check has confirmed range and alignment (the base
	// lies on a page).
	return unsafe.Slice((*T)(unsafe.Pointer(&a.mem[off])), n)
}

// misalignment returns how many bytes p begins past a multiple of unit, a power of two.
func misalignment(p []byte, unit int64) int64 {
	return int64(uintptr(unsafe.Pointer(unsafe.SliceData(p)))) & (unit - 1)
}
