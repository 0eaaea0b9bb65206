package memory

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// AtomicFile replaces a file whole or not at all: it is written under a temporary name in the same directory, and takes
// the place of path in Commit. Close without Commit leaves what was there before. A crash may leave the temporary file,
// whose name is the final one between "." and ".PID-N.tmp".
type AtomicFile struct {
	path   string
	file   *File
	buffer []byte // what was written but not yet sent, beginning at off
	off    int64  // a multiple of BlockSize until Commit
	err    error  // the first that happened; Commit will not go on after it
}

// CreateAtomic begins the replacement of the file at path.
func CreateAtomic(path string) (*AtomicFile, error) {
	dir, base := filepath.Split(path)
	for i := 0; ; i++ {
		temporary := fmt.Sprintf("%s.%s.%d-%d.tmp", dir, base, os.Getpid(), i)
		f, err := os.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, os.ErrExist) {
			continue // of another writer in this process, or left by a crashed one of the same number
		}
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", path, err)
		}
		file, err := Wrap(f)
		if err != nil {
			os.Remove(temporary)
			return nil, fmt.Errorf("write %s: %w", path, err)
		}
		return &AtomicFile{path: path, file: file, buffer: make([]byte, 0, bounceBytes)}, nil
	}
}

// Write appends p.
func (f *AtomicFile) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) && f.err == nil {
		n := min(len(p)-written, cap(f.buffer)-len(f.buffer))
		f.buffer = append(f.buffer, p[written:written+n]...)
		written += n
		if len(f.buffer) == cap(f.buffer) {
			f.flush()
		}
	}
	return written, f.err
}

func (f *AtomicFile) flush() {
	n, err := f.file.WriteAt(f.buffer, f.off)
	f.off += int64(n)
	f.buffer = f.buffer[:0]
	f.err = errors.Join(f.err, err)
}

// Commit makes what was written the contents of the file at path, safe against a crash of the machine from when it
// returns nil. After an error the old contents stand.
func (f *AtomicFile) Commit() error {
	if f.file == nil {
		return fmt.Errorf("write %s: already closed", f.path)
	}
	if f.err == nil {
		f.flush()
	}
	if f.err == nil {
		f.err = f.file.Sync()
	}
	temporary := f.file.Name()
	f.err = errors.Join(f.err, f.file.Close())
	f.file = nil
	if f.err == nil {
		f.err = os.Rename(temporary, f.path)
	}
	if f.err != nil {
		os.Remove(temporary)
		return fmt.Errorf("write %s: %w", f.path, f.err)
	}
	if err := syncDir(filepath.Dir(f.path)); err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	return nil
}

// Close drops what was written unless Commit has been called; it may then be called again, so that it can be deferred.
func (f *AtomicFile) Close() error {
	if f.file == nil {
		return nil
	}
	temporary := f.file.Name()
	err := errors.Join(f.file.Close(), os.Remove(temporary))
	f.file = nil
	return err
}

// WriteAtomic replaces the file at path by data, whole or not at all.
func WriteAtomic(path string, data []byte) error {
	f, err := CreateAtomic(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return f.Commit()
}

// syncDir makes the names in a directory safe against a crash of the machine.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
