//go:build linux || darwin

package kernel

import (
	"runtime/debug"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Operands next to a page that nobody may touch: a kernel that reads or writes a byte beyond its slice dies there.

// guardEnd returns n zero elements that end right before such a page. Their address is as aligned as T and n make it.
func guardEnd[T any](t testing.TB, n int) []T {
	pages := guardedPages(t, n*int(unsafe.Sizeof(*new(T))))
	if n == 0 {
		return []T{}
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&pages[len(pages)-n*int(unsafe.Sizeof(*new(T)))])), n)
}

// guardStart returns n zero elements that begin right after such a page.
func guardStart[T any](t testing.TB, n int) []T {
	pages := guardedPages(t, n*int(unsafe.Sizeof(*new(T))))
	if n == 0 {
		return []T{}
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&pages[0])), n)
}

// guardCopies returns copies of x at both kinds of places.
func guardCopies[T any](t testing.TB, x []T) [2][]T {
	c := [2][]T{guardStart[T](t, len(x)), guardEnd[T](t, len(x))}
	copy(c[0], x)
	copy(c[1], x)
	return c
}

// guardedPages maps whole pages of at least size bytes between two that are inaccessible, until the test ends. They hold
// numbers only: the collector does not look into them.
func guardedPages(t testing.TB, size int) []byte {
	t.Helper()
	page := unix.Getpagesize()
	size = (size + page - 1) / page * page
	mapped, err := unix.Mmap(-1, 0, size+2*page, unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(mapped) })
	inside := mapped[page : page+size]
	if size > 0 {
		if err := unix.Mprotect(inside, unix.PROT_READ|unix.PROT_WRITE); err != nil {
			t.Fatal(err)
		}
	}
	return inside
}

func TestGuardPagesAreInaccessible(t *testing.T) {
	end, start := guardEnd[float32](t, 5), guardStart[uint16](t, 5)
	end[4], start[0] = 1, 1
	for name, touch := range map[string]func(){
		"after guardEnd":    func() { *(*float32)(unsafe.Add(unsafe.Pointer(&end[4]), 4)) = 1 },
		"before guardStart": func() { *(*uint16)(unsafe.Add(unsafe.Pointer(&start[0]), -2)) = 1 },
	} {
		if !faults(touch) {
			t.Errorf("the page %s can be written", name)
		}
	}
}

// faults says whether f touches memory that it may not.
func faults(f func()) (faulted bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { faulted = recover() != nil }()
	f()
	return false
}
