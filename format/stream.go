package format

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Stream reads a file from its start to its end: as it is, or inflated where its name ends in ".gz" or ".zst".
type Stream struct {
	Path string
	Size int64 // of the file, compressed or not

	file     *Source
	read     int64     // of the file so far
	out      int64     // yielded so far
	most     int64     // that may be yielded
	inflater io.Reader // nil: as it is
	zstd     *zstd.Decoder
}

// Uncompressed is the name that a file would have if it were not compressed: without ".gz" or ".zst".
func Uncompressed(path string) string {
	return strings.TrimSuffix(strings.TrimSuffix(path, ".gz"), ".zst")
}

// zstdWindow is how far back a compressed file may refer: what zstd uses up to level 19. The decoder holds about twice as much.
const zstdWindow = 8 << 20

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
	if Uncompressed(file.Path) == file.Path {
		return s, nil
	}
	s.most = 256<<20 + 100*file.Size
	var err error
	if strings.HasSuffix(file.Path, ".gz") {
		s.inflater, err = gzip.NewReader(fileReader{s})
	} else {
		s.zstd, err = zstd.NewReader(fileReader{s}, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
		s.inflater = s.zstd
	}
	if err != nil {
		return nil, s.inflateError(err)
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
	if s.inflater == nil {
		return fileReader{s}.Read(dst)
	}
	n, err := s.inflater.Read(dst)
	s.out += int64(n)
	if s.out > s.most {
		return 0, CorruptAt(s.Path, -1, "inflated size", fmt.Sprintf("more than %d bytes", s.most), fmt.Sprintf("at most that for a file of %d", s.Size)).
			WithHint("this looks like a bomb; if it is not, unpack it first (gunzip, unzstd)")
	}
	if err != nil && err != io.EOF {
		return n, s.inflateError(err)
	}
	return n, err
}

// inflateError names the place of an error of what inflates.
func (s *Stream) inflateError(err error) error {
	var corrupt *CorruptError
	var system *fs.PathError
	if errors.As(err, &corrupt) || errors.As(err, &system) {
		return ReadError(s.Path, s.read, "content", err)
	}
	if errors.Is(err, io.EOF) { // an early end; io.EOF itself would read as a proper one
		err = io.ErrUnexpectedEOF
	}
	if errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return CorruptAt(s.Path, s.read, "zstd stream", "a window of more than 8 MiB", "what zstd uses up to level 19").WithHint("unpack it first (unzstd --long=31)")
	}
	what := "gzip"
	if s.zstd != nil {
		what = "zstd"
	}
	return CorruptAt(s.Path, s.read, what+" stream", "", "").WithCause(err).
		WithHint("the file is damaged, cut short, or not a " + what + " file in spite of its name; fetch it again")
}

// Close closes the file.
func (s *Stream) Close() error {
	if s.zstd != nil {
		s.zstd.Close()
	}
	return s.file.Close()
}
