package format

import (
	"encoding/binary"
	"unsafe"
)

// Number is an element type that files hold and machines compute with.
type Number interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Bytes returns the memory of s as bytes, without copying, so that arrays are read and written in one piece. All formats
// below this package store little-endian numbers; LittleEndian says whether the machine does too.
func Bytes[T Number](s []T) []byte {
	// Safe: a number has no pointers and no padding, bytes need no alignment, and the result keeps the same memory alive.
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(*new(T))))
}

// LittleEndian is true on every platform that Seraph supports; where it is not, Bytes must not be used for file content.
var LittleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1
