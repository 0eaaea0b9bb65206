package memory

import (
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// Align is the alignment in bytes of rows and tensors in an arena: a cache line, and what tile loads need to run at full
// speed. Offsets that a plan gives are multiples of it; an arena itself begins on a page.
const Align = 64

// hugePage is the size of a transparent huge page, and also the smallest arena for which they are asked: below, the
// kernel could not use one anyway.
const hugePage = 2 << 20

var pageSize = int64(os.Getpagesize())

// Arena is a region of memory outside the Go heap, zero at first. It becomes resident page by page when touched and never
// exceeds Size: huge pages back only whole aligned ranges inside it. Slices of it are valid until Close, which only the
// owner calls. Making slices is safe from several goroutines; Release and Close need that nobody uses what they take away.
type Arena struct {
	mem    []byte // Size bytes, beginning on a page
	mapped []byte // what was mapped: mem, and guards around it when checking
}

// NewArena reserves an arena of at least the given number of bytes, rounded up to whole pages.
func NewArena(bytes int64) (*Arena, error) {
	if bytes < 0 || bytes > math.MaxInt64-2*hugePage || int64(int(bytes)) != bytes {
		return nil, fmt.Errorf("reserve an arena: %d bytes is not a size", bytes)
	}
	size := roundUp(bytes, pageSize)
	if size == 0 {
		return &Arena{}, nil
	}
	mapped, err := unix.Mmap(-1, 0, int(size+2*guard), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("reserve an arena of %s: %w; the machine or a limit (ulimit -v) has less left, give a smaller --memory", FormatSize(size), err)
	}
	a := &Arena{mem: mapped[guard : guard+size : guard+size], mapped: mapped}
	if err := a.protectGuards(); err != nil {
		unix.Munmap(mapped)
		return nil, fmt.Errorf("guard an arena of %s: %w", FormatSize(size), err)
	}
	if size >= hugePage {
		adviseHuge(a.mem)
	}
	arenaBytes.Add(size)
	return a, nil
}

// Size is the number of bytes of the arena: what it adds to resident memory when all of it has been touched.
func (a *Arena) Size() int64 { return int64(len(a.mem)) }

// Bytes returns the n bytes at offset off.
func (a *Arena) Bytes(off int64, n int) []byte { return view[byte](a, off, n) }

// Uint16s returns n 16-bit values (bfloat16, float16) beginning at byte off, a multiple of 2.
func (a *Arena) Uint16s(off int64, n int) []uint16 { return view[uint16](a, off, n) }

// Int32s returns n 32-bit integers beginning at byte off, a multiple of 4.
func (a *Arena) Int32s(off int64, n int) []int32 { return view[int32](a, off, n) }

// Int64s returns n 64-bit integers beginning at byte off, a multiple of 8.
func (a *Arena) Int64s(off int64, n int) []int64 { return view[int64](a, off, n) }

// Uint64s returns n unsigned 64-bit integers beginning at byte off, a multiple of 8.
func (a *Arena) Uint64s(off int64, n int) []uint64 { return view[uint64](a, off, n) }

// Float32s returns n float32 values beginning at byte off, a multiple of 4.
func (a *Arena) Float32s(off int64, n int) []float32 { return view[float32](a, off, n) }

// Float64s returns n float64 values beginning at byte off, a multiple of 8.
func (a *Arena) Float64s(off int64, n int) []float64 { return view[float64](a, off, n) }

// Release gives the memory of n bytes at off back to the system: every whole page among them stops being resident. The
// contents are undefined afterwards. The range can be used again through a new slice; with the tag seraphcheck, touching
// it through an old one before that is a fault.
func (a *Arena) Release(off, n int64) error {
	a.check(off, n, 1)
	if n == 0 {
		return nil
	}
	first, last := roundUp(off, pageSize), (off+n)/pageSize*pageSize
	if err := a.close(off, n, first, last); err != nil {
		return fmt.Errorf("release %d bytes at %d of an arena: %w", n, off, err)
	}
	if first >= last {
		return nil
	}
	if err := unix.Madvise(a.mem[first:last], unix.MADV_DONTNEED); err != nil {
		return fmt.Errorf("release %d bytes at %d of an arena: %w", n, off, err)
	}
	return nil
}

// Close unmaps the arena. Slices of it must not be used any more; with the tag seraphcheck touching one is a fault.
// Closing twice is allowed.
func (a *Arena) Close() error {
	mapped := a.mapped
	if mapped == nil {
		return nil
	}
	arenaBytes.Add(-a.Size())
	a.mem, a.mapped = nil, nil
	if err := discard(mapped); err != nil {
		return fmt.Errorf("unmap an arena of %s: %w", FormatSize(int64(len(mapped))), err)
	}
	return nil
}

// check panics when n bytes at off do not lie in the arena or off is not a multiple of the element size: a wrong address
// in a plan is a bug, and going on would corrupt other tensors.
func (a *Arena) check(off, n, size int64) {
	if off < 0 || n < 0 || off > a.Size() || n > a.Size()-off || off%size != 0 {
		panic(fmt.Sprintf("memory: %d bytes at offset %d, elements of %d, in an arena of %d bytes", n, off, size, a.Size()))
	}
}
