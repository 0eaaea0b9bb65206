package memory

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// BlockSize is the alignment in bytes of offset, length and address with which a transfer passes between a [File] and
// memory without a copy.
const BlockSize = 4096

// cachedPiece is the most that passes through the page cache before it is dropped from there.
const cachedPiece = 4 << 20

// File reads and writes at positions without leaving the data in the page cache: past it (O_DIRECT) where the file system
// takes that, otherwise each range is dropped from it after use. Any position and length will do; pieces that are not
// aligned to BlockSize cost a copy, and unaligned ends of a write one small write more, so transfers should be large or
// aligned. Methods may be called from several goroutines; writes to the same bytes need an order.
type File struct {
	cached  *os.File // through the page cache, for the unaligned ends of writes and as fall-back
	direct  *os.File // past the page cache, nil when the file system does not take it
	refused atomic.Bool
	limit   int64 // writes must end here
	traffic *Traffic
	closed  func() error
}

// Traffic counts bytes read and written by files, as their callers asked for them.
type Traffic struct {
	Read, Written atomic.Int64
}

// Open opens a regular file for reading.
func Open(path string) (*File, error) { return open(path, os.O_RDONLY) }

// Create makes an empty file, or empties an existing one, for writing and reading.
func Create(path string) (*File, error) { return open(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC) }

func open(path string, flags int) (*File, error) {
	// Looked at first, since opening a pipe would wait for its other end.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open %s: expected a regular file, found %s", path, kindOf(info.Mode()))
	}
	f, err := os.OpenFile(path, flags, 0o666)
	if err != nil {
		return nil, err
	}
	return Wrap(f)
}

// Wrap makes a File of an open regular file (one opened through [os.Root], say), which it owns from then on, and closes
// should it fail.
func Wrap(f *os.File) (*File, error) {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("open %s: expected a regular file, found %s", f.Name(), kindOf(info.Mode()))
	}
	if err == nil {
		err = prepareCached(f)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &File{cached: f, direct: openDirect(f), limit: math.MaxInt64, traffic: &Traffic{}}, nil
}

func kindOf(mode os.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&os.ModeNamedPipe != 0:
		return "a pipe"
	}
	return "a device or socket"
}

// Name is the path that the file was opened with.
func (f *File) Name() string { return f.cached.Name() }

// Direct reports whether transfers pass by the page cache, rather than through it with each range dropped afterwards.
func (f *File) Direct() bool { return f.direct != nil && !f.refused.Load() }

// Traffic returns the counters of this file. Files of one [Spill] share theirs.
func (f *File) Traffic() *Traffic { return f.traffic }

// Size returns the length of the file in bytes.
func (f *File) Size() (int64, error) {
	info, err := f.cached.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// ReadAt reads len(p) bytes at off, as [io.ReaderAt] says: fewer only with an error, io.EOF at the end of the file.
func (f *File) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("read %s: negative offset %d", f.Name(), off)
	}
	for n < len(p) && err == nil {
		var done int
		if f.Direct() {
			done, err = f.readDirect(p[n:], off+int64(n))
			if errors.Is(err, unix.EINVAL) { // taken when opening, refused now: some file systems do
				f.refused.Store(true)
				err = nil
				continue
			}
		} else {
			piece := p[n:min(len(p), n+cachedPiece)]
			done, err = f.cached.ReadAt(piece, off+int64(n))
			dropRead(f.cached, off+int64(n), int64(done))
		}
		n += done
		if done == 0 && err == nil {
			err = io.EOF
		}
	}
	f.traffic.Read.Add(int64(n))
	if n == len(p) && err == io.EOF {
		err = nil
	}
	return n, err
}

// readDirect reads a piece of p: what is aligned as it is, else one bounce buffer's worth. Zero bytes mean the end.
func (f *File) readDirect(p []byte, off int64) (int, error) {
	if off%BlockSize == 0 && len(p) >= BlockSize && misalignment(p, BlockSize) == 0 {
		return transfer(unix.Pread, f.direct, p[:len(p)/BlockSize*BlockSize], off)
	}
	b, err := takeBounce()
	if err != nil {
		return 0, err
	}
	defer giveBounce(b)
	skip := off % BlockSize
	want := min(roundUp(skip+int64(len(p)), BlockSize), bounceBytes)
	n, err := transfer(unix.Pread, f.direct, b[:want], off-skip)
	if int64(n) <= skip {
		return 0, err
	}
	return copy(p, b[skip:n]), err
}

// transfer is one pread or pwrite. The methods of os.File would go on after a short one from where it ended, which need
// not be aligned.
func transfer(call func(int, []byte, int64) (int, error), f *os.File, p []byte, off int64) (int, error) {
	for {
		n, err := call(int(f.Fd()), p, off)
		runtime.KeepAlive(f)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, &os.PathError{Op: fmt.Sprintf("transfer %d bytes at %d of", len(p), off), Path: f.Name(), Err: err}
		default:
			return n, nil
		}
	}
}

// WriteAt writes p at off, as [io.WriterAt] says. The data is on its way to the disk when WriteAt returns, but certain to
// survive a crash only after Sync.
func (f *File) WriteAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("write %s: negative offset %d", f.Name(), off)
	}
	if int64(len(p)) > f.limit-off {
		return 0, fmt.Errorf("write %s: %d bytes at %d end beyond the %d bytes that were set aside", f.Name(), len(p), off, f.limit)
	}
	for n < len(p) && err == nil {
		var done int
		at := off + int64(n)
		rest := p[n:]
		edge := int((BlockSize - at%BlockSize) % BlockSize) // to the next block, 0 when at one
		switch {
		case !f.Direct():
			done, err = f.writeCached(rest[:min(len(rest), cachedPiece)], at)
		case edge > 0 || len(rest) < BlockSize:
			if edge == 0 {
				edge = len(rest)
			}
			done, err = f.writeCached(rest[:min(edge, len(rest))], at)
		default:
			done, err = f.writeDirect(rest[:len(rest)/BlockSize*BlockSize], at)
			if errors.Is(err, unix.EINVAL) {
				f.refused.Store(true)
				err = nil
			}
		}
		n += done
	}
	f.traffic.Written.Add(int64(n))
	if errors.Is(err, unix.ENOSPC) {
		err = fmt.Errorf("%w; free some space or choose another disk", err)
	}
	return n, err
}

// writeDirect writes whole blocks at a block: as they are when their address is aligned, else one bounce buffer's worth.
func (f *File) writeDirect(p []byte, off int64) (int, error) {
	if misalignment(p, BlockSize) == 0 {
		return transfer(unix.Pwrite, f.direct, p, off)
	}
	b, err := takeBounce()
	if err != nil {
		return 0, err
	}
	defer giveBounce(b)
	return transfer(unix.Pwrite, f.direct, b[:copy(b, p)], off)
}

// writeCached writes through the page cache and drops what it left there.
func (f *File) writeCached(p []byte, off int64) (int, error) {
	n, err := f.cached.WriteAt(p, off)
	if err == nil {
		err = dropWritten(f.cached, off, int64(n))
	}
	return n, err
}

// Sync returns when everything written so far would survive a crash of the machine.
func (f *File) Sync() error { return f.cached.Sync() }

// Close closes the file. A file of a [Spill] is gone then.
func (f *File) Close() error {
	err := f.cached.Close()
	if f.direct != nil {
		err = errors.Join(err, f.direct.Close())
	}
	if f.closed != nil {
		err = errors.Join(err, f.closed())
	}
	return err
}
