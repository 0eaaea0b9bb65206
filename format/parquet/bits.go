package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

var errWidth = errors.New("a bit width beyond that of the values")

// unpack reads len(dst) numbers of width bits each (0 … 64), the first in the lowest bits, and fails if src is too short.
func unpack(dst []uint64, src []byte, width int) error {
	if width < 0 || width > 64 {
		return errWidth
	}
	if (len(dst)*width+7)/8 > len(src) {
		return io.ErrUnexpectedEOF
	}
	mask := ^uint64(0) >> (64 - width)
	if width == 0 {
		mask = 0
	}
	bit := 0
	for i := range dst {
		at, shift := bit>>3, bit&7
		var v uint64
		if at+8 <= len(src) {
			v = binary.LittleEndian.Uint64(src[at:]) >> shift
			if shift+width > 64 {
				v |= uint64(src[at+8]) << (64 - shift)
			}
		} else {
			for k, b := range src[at:] {
				v |= uint64(b) << (8 * k)
			}
			v >>= shift
		}
		dst[i] = v & mask
		bit += width
	}
	return nil
}

// uvarint reads a number of 7 bits a byte and returns the rest of src.
func uvarint(src []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(src)
	switch {
	case n == 0:
		return 0, nil, io.ErrUnexpectedEOF
	case n < 0:
		return 0, nil, fmt.Errorf("a number of more than 64 bits")
	}
	return v, src[n:], nil
}

// hybrid decodes len(dst) numbers of width bits from runs: a header, then, by its lowest bit,
//
//	0: header/2 times the one number that follows, in whole bytes
//	1: 8·(header/2) numbers packed into bits
//
// The last run may be longer than what is left: writers fill it up to a whole byte.
func hybrid(dst []uint64, src []byte, width int) error {
	if width > 32 {
		return errWidth
	}
	for len(dst) > 0 {
		header, rest, err := uvarint(src)
		if err != nil {
			return err
		}
		n := header >> 1
		if n == 0 || n > 1<<32 {
			return fmt.Errorf("a run of %d values", n)
		}
		if header&1 == 0 {
			size := (width + 7) / 8
			if size > len(rest) {
				return io.ErrUnexpectedEOF
			}
			n = min(n, uint64(len(dst)))
			var v uint64
			for k, b := range rest[:size] {
				v |= uint64(b) << (8 * k)
			}
			if v>>width != 0 {
				return errWidth
			}
			for i := range dst[:n] {
				dst[i] = v
			}
			dst, src = dst[n:], rest[size:]
			continue
		}
		if width > 0 && n > uint64(len(rest)) { // 8·n numbers take n·width bytes
			return io.ErrUnexpectedEOF
		}
		count := min(8*n, uint64(len(dst)))
		if err := unpack(dst[:count], rest, width); err != nil {
			return err
		}
		dst, src = dst[count:], rest[min(len(rest), int(n)*width):]
	}
	return nil
}

// deltas decodes DELTA_BINARY_PACKED into dst and returns what follows. A block holds the smallest of its differences and, in
// pieces of a width each, by how much the others exceed it. Numbers wrap around at bits (32 or 64).
func deltas(dst []uint64, src []byte, bits int) ([]byte, error) {
	var head [3]uint64 // numbers in a block, pieces in a block, numbers in all
	var err error
	for i := range head {
		if head[i], src, err = uvarint(src); err != nil {
			return nil, err
		}
	}
	blockSize, pieces, total := head[0], head[1], head[2]
	if blockSize == 0 || blockSize > 1<<20 || pieces == 0 || pieces > blockSize || blockSize%pieces != 0 || (blockSize/pieces)%8 != 0 {
		return nil, fmt.Errorf("blocks of %d numbers in %d pieces", blockSize, pieces)
	}
	if total != uint64(len(dst)) {
		return nil, fmt.Errorf("%d numbers, expected %d", total, len(dst))
	}
	value, src, err := zigzag(src)
	if err != nil {
		return nil, err
	}
	if len(dst) == 0 {
		return src, nil
	}
	shift := 64 - bits
	value = value << shift >> shift
	dst[0] = uint64(value)
	dst = dst[1:]
	pieceSize := int(blockSize / pieces)
	for len(dst) > 0 {
		var least int64
		if least, src, err = zigzag(src); err != nil {
			return nil, err
		}
		if uint64(len(src)) < pieces {
			return nil, io.ErrUnexpectedEOF
		}
		widths := src[:pieces]
		src = src[pieces:]
		for _, width := range widths {
			if len(dst) == 0 {
				break // pieces that hold nothing have no bytes
			}
			if int(width) > bits {
				return nil, errWidth
			}
			n := min(pieceSize, len(dst))
			if err := unpack(dst[:n], src, int(width)); err != nil {
				return nil, err
			}
			for i, delta := range dst[:n] {
				value += least + int64(delta)
				value = value << shift >> shift
				dst[i] = uint64(value)
			}
			src = src[min(len(src), pieceSize*int(width)/8):]
			dst = dst[n:]
		}
	}
	return src, nil
}

func zigzag(src []byte) (int64, []byte, error) {
	v, rest, err := uvarint(src)
	return int64(v>>1) ^ -int64(v&1), rest, err
}
