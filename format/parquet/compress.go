package parquet

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// codec is how the pages of a chunk are compressed.
type codec int32

const (
	uncompressed codec = 0
	snappyCodec  codec = 1
	gzipCodec    codec = 2
	zstdCodec    codec = 6
)

func (c codec) String() string {
	names := [...]string{"none", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"}
	if int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("codec %d", int32(c))
}

func (c codec) supported() bool {
	return c == uncompressed || c == snappyCodec || c == gzipCodec || c == zstdCodec
}

// ratio is the most that a codec can expand bytes: a snappy instruction of 2 bytes copies at most 64, deflate makes 1032 of
// one, a zstd block of 4 bytes stands for 128 KiB.
func (c codec) ratio() int {
	switch c {
	case snappyCodec:
		return 32
	case gzipCodec:
		return 1032
	case zstdCodec:
		return 1 << 15
	}
	return 1
}

// inflater decompresses pages, in buffers that are used again and again.
type inflater struct {
	left int64 // bytes that strings with common prefixes may still come to

	raw  []byte // a page as it is in the file
	buf  []byte // a page decompressed
	gzip *gzip.Reader
	zstd *zstd.Decoder
}

// room returns n bytes for a page to be read into.
func (z *inflater) room(n int) []byte {
	if cap(z.raw) < n {
		z.raw = make([]byte, n)
	}
	return z.raw[:n]
}

// Close lets go of the decompressors.
func (z *inflater) Close() {
	if z.zstd != nil {
		z.zstd.Close()
	}
}

var errSize = errors.New("another size than claimed")

// inflate decompresses a page to exactly size bytes, which the caller has allowed. They are valid until the next call, and
// may be those of packed.
func (z *inflater) inflate(c codec, packed []byte, size int) ([]byte, error) {
	if c == uncompressed {
		if len(packed) != size {
			return nil, errSize
		}
		return packed, nil
	}
	if size/c.ratio() > len(packed) {
		return nil, errSize
	}
	if cap(z.buf) < size {
		z.buf = make([]byte, size)
	}
	var page []byte
	var err error
	switch c {
	case snappyCodec:
		page, err = z.snappy(packed, size)
	case gzipCodec:
		page, err = z.gunzip(packed, size)
	default:
		page, err = z.unzstd(packed, size)
	}
	if err == nil && len(page) != size {
		err = errSize
	}
	return page, err
}

func (z *inflater) snappy(packed []byte, size int) ([]byte, error) {
	if n, err := s2.DecodedLen(packed); err != nil || n != size {
		return nil, cmp.Or(err, errSize)
	}
	return s2.Decode(z.buf[:size], packed) // s2 extends snappy
}

func (z *inflater) gunzip(packed []byte, size int) ([]byte, error) {
	if z.gzip == nil {
		z.gzip = new(gzip.Reader)
	}
	if err := z.gzip.Reset(bytes.NewReader(packed)); err != nil {
		return nil, noEOF(err)
	}
	if _, err := io.ReadFull(z.gzip, z.buf[:size]); err != nil {
		return nil, noEOF(err)
	}
	var beyond [1]byte
	if n, err := io.ReadFull(z.gzip, beyond[:]); n > 0 || err != io.EOF { // io.EOF comes after the checksum has been verified
		return nil, cmp.Or(noEOF(err), errSize)
	}
	return z.buf[:size], nil
}

func (z *inflater) unzstd(packed []byte, size int) ([]byte, error) {
	if z.zstd == nil {
		var err error
		if z.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true)); err != nil {
			return nil, err
		}
	}
	return z.zstd.DecodeAll(packed, z.buf[:0:size])
}

// noEOF makes an early end visible as one: io.EOF alone would read as a proper end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
