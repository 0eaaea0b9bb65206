package npy

import (
	"fmt"
	"strconv"
)

// DType is an element type.
type DType struct {
	Kind byte // 'f' float, 'i' signed, 'u' unsigned, 'b' bool, 'U' text in UTF-32, 'O' pickled object
	Size int  // bytes per element; 0 for 'O'
	Big  bool // big-endian
}

// maxText is the longest fixed-width text accepted, in characters.
const maxText = 1 << 20

// ParseDType reads a type string such as "<f4", "|b1", ">i8", "<U12" or "|O".
func ParseDType(descr string) (DType, error) {
	if len(descr) < 2 {
		return DType{}, fmt.Errorf("type %q: expected an order, a kind and a size, as in '<f4'", descr)
	}
	var t DType
	rest := descr
	switch descr[0] {
	case '<', '|', '=':
		rest = descr[1:]
	case '>':
		t.Big, rest = true, descr[1:]
	}
	t.Kind = rest[0]
	if rest == "O" || rest == "O8" {
		return DType{Kind: 'O'}, nil
	}
	size, err := strconv.Atoi(rest[1:])
	if err != nil || len(rest) > 1 && (rest[1] < '0' || rest[1] > '9') {
		return DType{}, fmt.Errorf("type %q: expected a size in digits, as in '<f4'", descr)
	}
	if t.Kind == 'U' {
		if size > maxText {
			return DType{}, fmt.Errorf("type %q: expected at most %d characters", descr, maxText)
		}
		t.Size = 4 * size
		return t, nil
	}
	t.Size = size
	if !supported(t.Kind, size) {
		return DType{}, fmt.Errorf("type %q: expected one of f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 U O", descr)
	}
	if size == 1 {
		t.Big = false
	}
	return t, nil
}

func supported(kind byte, size int) bool {
	switch kind {
	case 'f':
		return size == 2 || size == 4 || size == 8
	case 'i', 'u':
		return size == 1 || size == 2 || size == 4 || size == 8
	case 'b':
		return size == 1
	}
	return false
}

// String returns the type string as NumPy writes it.
func (t DType) String() string {
	size := t.Size
	switch {
	case t.Kind == 'O':
		return "|O"
	case t.Kind == 'U':
		size /= 4
	case t.Size == 1:
		return fmt.Sprintf("|%c1", t.Kind)
	}
	order := byte('<')
	if t.Big {
		order = '>'
	}
	return fmt.Sprintf("%c%c%d", order, t.Kind, size)
}
