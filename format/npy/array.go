package npy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/seraph-ml/seraph/format"
)

// Array is an array in memory. Data holds Len elements as they are in a file: in the byte order of DType, row-major or,
// where Fortran is set, column-major. For objects (DType.Kind 'O') Data is a pickle.
type Array struct {
	DType   DType
	Fortran bool
	Shape   []int // empty for a scalar
	Data    []byte
	Offset  int64 // where Data begin in the file they were read from, for errors
}

// New returns the array that holds data in row-major order. It fails where the shape does not fit the length.
func New[T format.Number](data []T, shape ...int) (*Array, error) {
	var zero T
	if err := checkShape(shape, 8); err != nil || product(shape) != len(data) {
		return nil, fmt.Errorf("array of %d values: expected a shape of as many, found %v", len(data), shape)
	}
	raw := format.Bytes(data)
	return &Array{DType: typeOf(zero), Shape: append([]int{}, shape...), Data: raw}, nil
}

// NewBools is New for booleans.
func NewBools(data []bool, shape ...int) (*Array, error) {
	raw := make([]uint8, len(data))
	for i, v := range data {
		if v {
			raw[i] = 1
		}
	}
	a, err := New(raw, shape...)
	if err != nil {
		return nil, err
	}
	a.DType = DType{Kind: 'b', Size: 1}
	return a, nil
}

// NewStrings returns a one-dimensional text array, as wide as the longest string.
func NewStrings(data []string) (*Array, error) {
	width := 1
	for _, s := range data {
		width = max(width, utf8.RuneCountInString(s))
	}
	raw := make([]byte, 0, 4*width*len(data))
	for i, s := range data {
		if !utf8.ValidString(s) || len(s) > 0 && s[len(s)-1] == 0 {
			return nil, fmt.Errorf("text array: string %d is not UTF-8 without trailing zeros", i)
		}
		for _, r := range s {
			raw = binary.LittleEndian.AppendUint32(raw, uint32(r))
		}
		raw = raw[:4*width*(i+1)] // the rest stays zero
	}
	return &Array{DType: DType{Kind: 'U', Size: 4 * width}, Shape: []int{len(data)}, Data: raw}, nil
}

// typeOf returns the little-endian type of a Go number.
func typeOf[T format.Number](zero T) DType {
	half := 0.5
	t := DType{Size: binary.Size(zero), Kind: 'i'}
	switch {
	case T(half) != 0: // only a float keeps a half
		t.Kind = 'f'
	case zero-1 > 0:
		t.Kind = 'u'
	}
	return t
}

// Len returns the number of elements.
func (a *Array) Len() int { return product(a.Shape) }

// Float32s returns the elements in row-major order. Float64 values and integers above 2^24 are rounded to nearest; a
// finite float64 beyond the range of float32 is an error.
func (a *Array) Float32s() ([]float32, error) {
	dst, err := decode(a, "float32", 'f', func(v float64) (float32, bool) {
		f := float32(v)
		return f, !math.IsInf(float64(f), 0) || math.IsInf(v, 0)
	}, func(v int64) (float32, bool) { return float32(v), true }, func(v uint64) (float32, bool) { return float32(v), true })
	return dst, err
}

// Float64s returns the elements in row-major order; integers above 2^53 are rounded to nearest.
func (a *Array) Float64s() ([]float64, error) {
	return decode(a, "float64", 'f', func(v float64) (float64, bool) { return v, true },
		func(v int64) (float64, bool) { return float64(v), true }, func(v uint64) (float64, bool) { return float64(v), true })
}

// Int32s returns the integer (or boolean) elements in row-major order; a value out of range is an error.
func (a *Array) Int32s() ([]int32, error) {
	return decode(a, "int32", 'i', nil,
		func(v int64) (int32, bool) { return int32(v), int64(int32(v)) == v },
		func(v uint64) (int32, bool) { return int32(v), v <= math.MaxInt32 })
}

// Int64s returns the integer (or boolean) elements in row-major order; a value out of range is an error.
func (a *Array) Int64s() ([]int64, error) {
	return decode(a, "int64", 'i', nil,
		func(v int64) (int64, bool) { return v, true },
		func(v uint64) (int64, bool) { return int64(v), v <= math.MaxInt64 })
}

// Bools returns the boolean elements in row-major order.
func (a *Array) Bools() ([]bool, error) {
	if a.DType.Kind != 'b' {
		return nil, fmt.Errorf("array of %s: expected booleans (b1)", a.DType)
	}
	raw, err := a.rowMajor()
	if err != nil {
		return nil, err
	}
	dst := make([]bool, len(raw))
	for i, v := range raw {
		dst[i] = v != 0
	}
	return dst, nil
}

// Strings returns the elements of a text array in row-major order, without the zeros that pad them.
func (a *Array) Strings() ([]string, error) {
	if a.DType.Kind != 'U' {
		return nil, fmt.Errorf("array of %s: expected text (U)", a.DType)
	}
	raw, err := a.rowMajor()
	if err != nil {
		return nil, err
	}
	if a.DType.Size == 0 && a.Len() > 0 {
		return nil, fmt.Errorf("array of %d empty texts (U0): expected at least one character", a.Len())
	}
	dst := make([]string, 0, a.Len())
	var text []byte
	for len(raw) > 0 {
		element := raw[:a.DType.Size]
		raw = raw[a.DType.Size:]
		text = text[:0]
		for ; len(element) > 0; element = element[4:] {
			r := order(a.DType).Uint32(element)
			if r > utf8.MaxRune || !utf8.ValidRune(rune(r)) {
				return nil, fmt.Errorf("text %d: character %#x is not Unicode", len(dst), r)
			}
			text = utf8.AppendRune(text, rune(r))
		}
		dst = append(dst, string(bytes.TrimRight(text, "\x00")))
	}
	return dst, nil
}

// Verify checks that shape, type and data agree. Reading and writing do so by themselves; it is for arrays that came to
// be in another way.
func (a *Array) Verify() error {
	if t := a.DType; t.Kind != 'O' && (t.Kind != 'U' || t.Size%4 != 0 || t.Size < 0) && !supported(t.Kind, t.Size) {
		return fmt.Errorf("array of kind %q and size %d: expected a type of this package", t.Kind, t.Size)
	}
	if len(a.Shape) > maxDims {
		return fmt.Errorf("array of %d dimensions: expected at most %d", len(a.Shape), maxDims)
	}
	if err := checkShape(a.Shape, a.DType.Size); err != nil {
		return err
	}
	if want := a.Len() * a.DType.Size; a.DType.Kind != 'O' && len(a.Data) != want {
		return fmt.Errorf("array of shape %v and type %s: found %d bytes, expected %d", a.Shape, a.DType, len(a.Data), want)
	}
	return nil
}

// rowMajor returns the data in row-major order: Data itself, or a transposed copy.
func (a *Array) rowMajor() ([]byte, error) {
	if err := a.Verify(); err != nil {
		return nil, err
	}
	if !a.Fortran || len(a.Shape) < 2 || len(a.Data) == 0 {
		return a.Data, nil
	}
	// Walk the file's order (first index fastest) and put each element at its row-major place.
	size := a.DType.Size
	strides := make([]int, len(a.Shape)) // in elements, row-major
	stride := 1
	for i := len(a.Shape) - 1; i >= 0; i-- {
		strides[i] = stride
		stride *= a.Shape[i]
	}
	dst := make([]byte, len(a.Data))
	index := make([]int, len(a.Shape))
	at := 0
	for from := 0; from < len(a.Data); from += size {
		copy(dst[at*size:(at+1)*size], a.Data[from:from+size])
		for i := range index {
			index[i]++
			at += strides[i]
			if index[i] < a.Shape[i] {
				break
			}
			at -= strides[i] * a.Shape[i]
			index[i] = 0
		}
	}
	return dst, nil
}

func order(t DType) binary.ByteOrder {
	if t.Big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}
