//go:build linux

package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapScratch returns n floats outside the Go heap, and the mapping they lie in.
func mapScratch(n int) ([]float32, []byte, error) {
	mapped, err := unix.Mmap(-1, 0, 4*n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, err
	}
	// The mapping begins on a page, and the collector does not look into it: it holds no pointers.
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(mapped))), n), mapped, nil
}

// free gives the memory back.
func (s *scratch) free() {
	if s.mapped != nil {
		unix.Munmap(s.mapped)
	}
	s.mem, s.mapped = nil, nil
}
