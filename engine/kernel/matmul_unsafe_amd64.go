package kernel

import "unsafe"

// slotPointer is the address of pairs of bfloat16 as micro-kernels take it.
func slotPointer(h []uint16) *float32 { return (*float32)(unsafe.Pointer(unsafe.SliceData(h))) }
