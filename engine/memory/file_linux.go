package memory

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openDirect opens the same file past the page cache, or returns nil where the file system does not take that. Going by
// the descriptor finds the file even when its name is gone or now means another one.
func openDirect(f *os.File) *os.File {
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err != nil {
		return nil
	}
	flags = flags&unix.O_ACCMODE | unix.O_DIRECT | unix.O_CLOEXEC
	fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), flags, 0)
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), f.Name())
}

// prepareCached turns off reading ahead, which would fill the page cache with what nobody asked for.
func prepareCached(f *os.File) error {
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_RANDOM); err != nil {
		return fmt.Errorf("open %s: turn off reading ahead: %w", f.Name(), err)
	}
	return nil
}

// dropRead drops a range that was read from the page cache, best effort: a page in use elsewhere stays.
func dropRead(f *os.File, off, n int64) {
	if n > 0 {
		_ = unix.Fadvise(int(f.Fd()), off/BlockSize*BlockSize, roundUp(off+n, BlockSize)-off/BlockSize*BlockSize, unix.FADV_DONTNEED)
	}
}

// dropWritten sends a range to the disk, waits for it, since dirty pages cannot be dropped, and drops it.
func dropWritten(f *os.File, off, n int64) error {
	if n == 0 {
		return nil
	}
	const all = unix.SYNC_FILE_RANGE_WAIT_BEFORE | unix.SYNC_FILE_RANGE_WRITE | unix.SYNC_FILE_RANGE_WAIT_AFTER
	err := unix.SyncFileRange(int(f.Fd()), off, n, all)
	if err == unix.ENOSYS || err == unix.EINVAL || err == unix.ESPIPE {
		err = unix.Fdatasync(int(f.Fd()))
	}
	if err != nil {
		return fmt.Errorf("write %s to the disk: %w", f.Name(), err)
	}
	dropRead(f, off, n)
	return nil
}
