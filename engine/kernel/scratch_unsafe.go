package kernel

import "unsafe"

// line is the length of a cache line in float32 elements.
const line = 16

// alignedFloats returns n floats on the Go heap that begin on a cache line.
func alignedFloats(n int) []float32 {
	s := make([]float32, n+line-1)
	// The heap does not move what it holds, so the distance to the next line stays what it is.
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(s)))%64) / 4
	return s[skip : skip+n : skip+n]
}
