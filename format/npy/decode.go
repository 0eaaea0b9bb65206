package npy

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/format"
)

// decode converts the elements of a to T in row-major order. The three functions convert a float, a signed and an
// unsigned element and say whether it fits; a nil fromFloat refuses floats. Where the stored type is T itself (kind and
// size agree, little-endian) the bytes are copied as they are.
func decode[T format.Number](a *Array, name string, kind byte, fromFloat func(float64) (T, bool), fromInt func(int64) (T, bool), fromUint func(uint64) (T, bool)) ([]T, error) {
	t := a.DType
	if t.Kind == 'U' || t.Kind == 'O' || t.Kind == 'f' && fromFloat == nil {
		return nil, fmt.Errorf("array of %s: expected values that convert to %s", t, name)
	}
	raw, err := a.rowMajor()
	if err != nil {
		return nil, err
	}
	n := len(raw) / t.Size
	dst := make([]T, n)
	if t.Kind == kind && t.Size == sizeOf[T]() && !t.Big && format.LittleEndian {
		copy(format.Bytes(dst), raw)
		return dst, nil
	}
	bad := -1
	switch t.Kind {
	case 'f':
		load := floatLoader(t)
		for i := range dst {
			var ok bool
			if dst[i], ok = fromFloat(load(raw[i*t.Size:])); !ok && bad < 0 {
				bad = i
			}
		}
	case 'i':
		load := uintLoader(t)
		shift := 64 - 8*t.Size
		for i := range dst {
			var ok bool
			if dst[i], ok = fromInt(int64(load(raw[i*t.Size:])<<shift) >> shift); !ok && bad < 0 {
				bad = i
			}
		}
	case 'u':
		load := uintLoader(t)
		for i := range dst {
			var ok bool
			if dst[i], ok = fromUint(load(raw[i*t.Size:])); !ok && bad < 0 {
				bad = i
			}
		}
	case 'b':
		for i, v := range raw {
			dst[i], _ = fromUint(uint64(min(v, 1)))
		}
	}
	if bad >= 0 {
		return nil, fmt.Errorf("array of %s: element %d does not fit into %s", t, bad, name)
	}
	return dst, nil
}

// sizeOf returns the size of a T in bytes.
func sizeOf[T format.Number]() int {
	var zero T
	return binary.Size(zero)
}

func uintLoader(t DType) func([]byte) uint64 {
	o := order(t)
	switch t.Size {
	case 1:
		return func(b []byte) uint64 { return uint64(b[0]) }
	case 2:
		return func(b []byte) uint64 { return uint64(o.Uint16(b)) }
	case 4:
		return func(b []byte) uint64 { return uint64(o.Uint32(b)) }
	default:
		return o.Uint64
	}
}

func floatLoader(t DType) func([]byte) float64 {
	o := order(t)
	switch t.Size {
	case 2:
		return func(b []byte) float64 { return float64(format.HalfToFloat32(o.Uint16(b))) }
	case 4:
		return func(b []byte) float64 { return float64(math.Float32frombits(o.Uint32(b))) }
	default:
		return func(b []byte) float64 { return math.Float64frombits(o.Uint64(b)) }
	}
}
