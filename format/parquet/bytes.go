package parquet

import (
	"encoding/binary"
	"fmt"
	"io"
)

// The functions here decode n byte strings of a page and call each with them, one by one; the bytes are valid during the call.

// plainBytes decodes PLAIN: strings of a fixed length, or, where length is 0, with their length before them.
func plainBytes(src []byte, n, length int, each func([]byte) error) error {
	for range n {
		size := length
		if length == 0 {
			if len(src) < 4 {
				return io.ErrUnexpectedEOF
			}
			claimed := binary.LittleEndian.Uint32(src)
			src = src[4:]
			if uint64(claimed) > uint64(len(src)) {
				return fmt.Errorf("a value of %d bytes where %d are left", claimed, len(src))
			}
			size = int(claimed)
		}
		if size > len(src) {
			return io.ErrUnexpectedEOF
		}
		if err := each(src[:size]); err != nil {
			return err
		}
		src = src[size:]
	}
	return nil
}

// lengthBytes decodes DELTA_LENGTH_BYTE_ARRAY: all lengths, then all strings. scratch holds n numbers.
func lengthBytes(src []byte, scratch []uint64, each func([]byte) error) error {
	src, err := deltas(scratch, src, 32)
	if err != nil {
		return err
	}
	for _, length := range scratch {
		if length > uint64(len(src)) { // also where it is negative
			return fmt.Errorf("a value of %d bytes where %d are left", int64(length), len(src))
		}
		if err := each(src[:length]); err != nil {
			return err
		}
		src = src[length:]
	}
	return nil
}

// prefixBytes decodes DELTA_BYTE_ARRAY: how many bytes each string shares with the one before it, then the rests as in
// DELTA_LENGTH_BYTE_ARRAY. All together may be much longer than the page: their lengths are taken from left.
func prefixBytes(src []byte, n int, left *int64, each func([]byte) error) error {
	prefixes := make([]uint64, n)
	src, err := deltas(prefixes, src, 32)
	if err != nil {
		return err
	}
	var value []byte
	i := 0
	return lengthBytes(src, make([]uint64, n), func(rest []byte) error {
		shared := prefixes[i]
		i++
		if shared > uint64(len(value)) {
			return fmt.Errorf("a value that shares %d bytes with one of %d", int64(shared), len(value))
		}
		value = append(value[:shared], rest...)
		if *left -= int64(len(value)); *left < 0 {
			return errBomb
		}
		return each(value)
	})
}

// splitBytes undoes BYTE_STREAM_SPLIT: first the first bytes of all n values, then their second ones, and so on.
func splitBytes(src []byte, n, size int) ([]byte, error) {
	if len(src) != n*size {
		return nil, fmt.Errorf("%d bytes for %d values of %d", len(src), n, size)
	}
	dst := make([]byte, len(src))
	for k := range size {
		for i, b := range src[k*n : (k+1)*n] {
			dst[i*size+k] = b
		}
	}
	return dst, nil
}
