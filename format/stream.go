package format

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// Stream reads a file from its start to its end: as it is, or inflated where its name ends in ".gz".
type Stream struct {
	Path string
	Size int64 // of the file, compressed or not

	file *Source
	read int64 // of the file so far
	out  int64 // yielded so far
	most int64 // that may be yielded
	gzip *gzip.Reader
}

// OpenStream opens a file; close it after use.
func OpenStream(path string) (*Stream, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	s, err := NewStream(file)
	if err != nil {
		file.Close()
	}
	return s, err
}

// NewStream is OpenStream for a source that is open already; Close closes it. A compressed file yields at most 256 MiB
// plus 100 times its size: text and numbers shrink to a third or a tenth, bombs to a thousandth.
func NewStream(file *Source) (*Stream, error) {
	s := &Stream{Path: file.Path, Size: file.Size, file: file, most: file.Size}
	if !strings.HasSuffix(file.Path, ".gz") {
		return s, nil
	}
	s.most = 256<<20 + 100*file.Size
	var err error
	if s.gzip, err = gzip.NewReader(fileReader{s}); err != nil {
		return nil, s.gzipError(err)
	}
	return s, nil
}

// fileReader reads the bytes of the file in order.
type fileReader struct{ s *Stream }

func (r fileReader) Read(dst []byte) (int, error) {
	n := min(int64(len(dst)), r.s.Size-r.s.read)
	if n == 0 {
		return 0, io.EOF
	}
	err := r.s.file.ReadFull(dst[:n], r.s.read, "content")
	if err != nil {
		return 0, err
	}
	r.s.read += n
	return int(n), nil
}

// Read implements io.Reader. Its errors other than io.EOF name the file.
func (s *Stream) Read(dst []byte) (int, error) {
	if s.gzip == nil {
		return fileReader{s}.Read(dst)
	}
	n, err := s.gzip.Read(dst)
	s.out += int64(n)
	if s.out > s.most {
		return 0, CorruptAt(s.Path, -1, "inflated size", fmt.Sprintf("more than %d bytes", s.most), fmt.Sprintf("at most that for a file of %d", s.Size)).
			WithHint("this looks like a bomb; if it is not, unpack it first (gunzip)")
	}
	if err != nil && err != io.EOF {
		return n, s.gzipError(err)
	}
	return n, err
}

// gzipError names the place of an error of the gzip reader.
func (s *Stream) gzipError(err error) error {
	var corrupt *CorruptError
	var system *fs.PathError
	if errors.As(err, &corrupt) || errors.As(err, &system) {
		return ReadError(s.Path, s.read, "content", err)
	}
	if errors.Is(err, io.EOF) { // an early end; io.EOF itself would read as a proper one
		err = io.ErrUnexpectedEOF
	}
	return CorruptAt(s.Path, s.read, "gzip stream", "", "").WithCause(err).
		WithHint("the file is damaged, cut short, or not a gzip file in spite of its name; fetch it again")
}

// Close closes the file.
func (s *Stream) Close() error { return s.file.Close() }
