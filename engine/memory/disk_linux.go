package memory

import (
	"os"

	"golang.org/x/sys/unix"
)

// inMemory reports whether a file system keeps its files in memory.
func inMemory(fs *unix.Statfs_t) bool {
	return fs.Type == unix.TMPFS_MAGIC || fs.Type == unix.RAMFS_MAGIC
}

// setAside gives a file its length and, where the file system can, its blocks.
func setAside(f *os.File, bytes int64) error {
	if bytes == 0 {
		return nil
	}
	for {
		err := unix.Fallocate(int(f.Fd()), 0, 0, bytes)
		switch err {
		case nil:
			return nil
		case unix.EINTR:
		case unix.EOPNOTSUPP, unix.ENOSYS, unix.EINVAL:
			return f.Truncate(bytes)
		default:
			return err
		}
	}
}
