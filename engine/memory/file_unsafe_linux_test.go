package memory

import (
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What a File has written or read must not be found in the page cache afterwards, and reading it must move bytes from the
// disk.
func TestFilesLeaveNothingInThePageCache(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := (Disk{Dir: dir}).Room(); err != nil {
				t.Skip(err)
			}
			f := mustCreate(t, filepath.Join(dir, "f"), way)
			if name == "direct" && !f.Direct() {
				t.Skip("the file system of the temporary directory does not take O_DIRECT")
			}
			const size = 12<<20 + 4096
			arena := newArena(t, size)
			p := arena.Bytes(0, size)
			fill(p, 1)
			if _, err := f.WriteAt(p[:size-100], 50); err != nil {
				t.Fatal(err)
			}
			if n := cachedPages(t, f); n > 2 {
				t.Errorf("%d pages stay in the page cache after writing", n)
			}
			if err := f.Sync(); err != nil {
				t.Fatal(err)
			}
			before, err := IOCounters()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.ReadAt(p[:size-100], 50); err != nil {
				t.Fatal(err)
			}
			after, err := IOCounters()
			if err != nil {
				t.Fatal(err)
			}
			if n := cachedPages(t, f); n > 2 {
				t.Errorf("%d pages stay in the page cache after reading", n)
			}
			if got := after.DiskRead - before.DiskRead; got < size-2*BlockSize || got > size+size/8 {
				t.Errorf("reading %d bytes moved %d from the disk", size-100, got)
			}
			if got := after.Read - before.Read; got < size-100 {
				t.Errorf("reading %d bytes counts as %d", size-100, got)
			}
		})
	}
}

// cachedPages counts the pages of a file in the page cache.
func cachedPages(t *testing.T, f *File) int {
	t.Helper()
	size, err := f.Size()
	if err != nil {
		t.Fatal(err)
	}
	mem, err := unix.Mmap(int(f.cached.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(mem)
	in := make([]byte, roundUp(size, pageSize)/pageSize)
	if _, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&mem[0])), uintptr(len(mem)), uintptr(unsafe.Pointer(&in[0]))); errno != 0 {
		t.Fatal(errno)
	}
	n := 0
	for _, b := range in {
		n += int(b & 1)
	}
	return n
}
