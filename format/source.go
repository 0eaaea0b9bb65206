package format

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

// Source is a file of known size that is read by position, within bounds. Reads past the end, and lengths that do not fit
// into the file, come back as a CorruptError. Safe for concurrent reads.
type Source struct {
	Path string // for errors
	Size int64  // bytes

	reader io.ReaderAt
	closer io.Closer
}

// Open opens a regular file for positional reads.
func Open(path string) (*Source, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // to open a pipe without a writer would wait for one
	if err != nil {
		return nil, err // an *fs.PathError: names the file and the operation
	}
	return FromFile(path, f)
}

// ReadFile returns the whole content of a regular file.
func ReadFile(path string) ([]byte, error) {
	s, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Bytes(0, s.Size, "content")
}

// OpenIn opens a file whose name comes from inside another file: the name cannot lead out of root. Errors name path.
func OpenIn(root *os.Root, name, path string) (*Source, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return FromFile(path, f)
}

// FromFile makes a Source of an open regular file and takes ownership of it; path is the name that errors use. A folder, or
// anything else that is no regular file, is a CorruptError.
func FromFile(path string, f *os.File) (*Source, error) {
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if !info.Mode().IsRegular() {
		f.Close()
		return nil, CorruptAt(path, -1, "open", "a "+kind(info.Mode()), "a regular file")
	}
	return &Source{Path: path, Size: info.Size(), reader: f, closer: f}, nil
}

// NewSource makes a Source of any positional reader, for example a member of an archive in memory.
func NewSource(path string, r io.ReaderAt, size int64) *Source {
	return &Source{Path: path, Size: size, reader: r}
}

// Close closes the file, if Open opened one.
func (s *Source) Close() error {
	if s.closer == nil {
		return nil
	}
	return s.closer.Close()
}

// Corrupt returns a CorruptError at an offset of this file.
func (s *Source) Corrupt(offset int64, what, found, expected string) *CorruptError {
	return CorruptAt(s.Path, offset, what, found, expected)
}

// Need fails unless n bytes lie at offset; what names them in the error. Call it before allocating for a length that the
// file itself claims.
func (s *Source) Need(offset, n int64, what string) error {
	if offset < 0 || n < 0 || offset > s.Size || n > s.Size-offset {
		return s.Corrupt(offset, what, fmt.Sprintf("%d bytes wanted, %d left", n, max(0, s.Size-offset)), "a length within the file").
			WithHint("the file is cut short or its lengths are wrong; fetch or write it again")
	}
	return nil
}

// ReadFull fills dst from offset.
func (s *Source) ReadFull(dst []byte, offset int64, what string) error {
	if err := s.Need(offset, int64(len(dst)), what); err != nil {
		return err
	}
	n, err := s.reader.ReadAt(dst, offset)
	if n == len(dst) {
		return nil
	}
	return ReadError(s.Path, offset+int64(n), what, err)
}

// Bytes returns n bytes from offset, allocated only after they are known to be there.
func (s *Source) Bytes(offset, n int64, what string) ([]byte, error) {
	if err := s.Need(offset, n, what); err != nil {
		return nil, err
	}
	dst := make([]byte, n)
	if err := s.ReadFull(dst, offset, what); err != nil {
		return nil, err
	}
	return dst, nil
}

// ReadAt implements io.ReaderAt for libraries that want one; an offset outside the file is a CorruptError.
func (s *Source) ReadAt(dst []byte, offset int64) (int, error) {
	if err := s.Need(offset, 0, "offset"); err != nil {
		return 0, err
	}
	return s.reader.ReadAt(dst, offset)
}

func kind(mode os.FileMode) string {
	switch {
	case mode.IsDir():
		return "folder"
	case mode&os.ModeNamedPipe != 0:
		return "pipe"
	case mode&os.ModeDevice != 0:
		return "device"
	default:
		return "special file"
	}
}
