package tensor

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// DType is the type of an element.
type DType uint8

// The element types.
const (
	Float32 DType = iota
	BFloat16
	Float16
	Int32
	Int64
)

var dtypes = [...]struct {
	name  string
	bytes int
}{{"f32", 4}, {"bf16", 2}, {"f16", 2}, {"i32", 4}, {"i64", 8}}

// String returns the name used in printed programs: "f32".
func (d DType) String() string { return dtypes[d].name }

// Bytes is the size of an element.
func (d DType) Bytes() int { return dtypes[d].bytes }

// Dim is one size of a shape: fixed, or a factor times a symbolic size with an upper bound, plus a constant ("rows",
// "64·sequences", "3·rows+1").
type Dim struct {
	Size   int    // the size, or its upper bound when symbolic
	Symbol string // name of the symbolic size, "" when fixed
	Factor int    // Size is Factor times the symbol's bound, plus Extra; 0 when fixed
	Extra  int    // 0 when fixed
}

// Fixed returns a size that never changes.
func Fixed(n int) Dim { return Dim{Size: n} }

// Symbol returns a symbolic size with an upper bound.
func Symbol(name string, bound int) Dim { return Dim{Size: bound, Symbol: name, Factor: 1} }

// Times returns n times the size.
func (d Dim) Times(n int) Dim {
	d.Size *= n
	d.Factor *= n
	d.Extra *= n
	return d
}

// Plus returns the size and n more.
func (d Dim) Plus(n int) Dim {
	d.Size += n
	if d.Symbol != "" {
		d.Extra += n
	}
	return d
}

// At is the size for a value of its symbol.
func (d Dim) At(value int) int { return d.Factor*value + d.Extra }

// String writes a size: "512", "rows", "64·rows", "rows+1".
func (d Dim) String() string {
	text := d.Symbol
	switch {
	case d.Symbol == "":
		return fmt.Sprint(d.Size)
	case d.Factor != 1:
		text = fmt.Sprintf("%d·%s", d.Factor, d.Symbol)
	}
	if d.Extra != 0 {
		text += fmt.Sprintf("%+d", d.Extra)
	}
	return text
}

// Shape is the sizes of an array, row-major; an empty one is a scalar.
type Shape []Dim

// Of returns a shape of fixed sizes.
func Of(sizes ...int) Shape {
	s := make(Shape, len(sizes))
	for i, n := range sizes {
		s[i] = Fixed(n)
	}
	return s
}

// Len is the number of elements at the upper bound.
func (s Shape) Len() int {
	n := 1
	for _, d := range s {
		n *= d.Size
	}
	return n
}

// Total is the number of elements as a size, and false where two symbols would have to be multiplied.
func (s Shape) Total() (Dim, bool) {
	total := Fixed(1)
	for _, d := range s {
		switch {
		case d.Symbol == "":
			total = total.Times(d.Size)
		case total.Symbol == "":
			total = d.Times(total.Size)
		default:
			return total, false
		}
	}
	return total, true
}

// Rows is the product of all sizes but the last, and false where it would multiply two symbols. A scalar has one row.
func (s Shape) Rows() (Dim, bool) {
	if len(s) == 0 {
		return Fixed(1), true
	}
	return s[:len(s)-1].Total()
}

// Cols is the last size, 1 for a scalar.
func (s Shape) Cols() Dim {
	if len(s) == 0 {
		return Fixed(1)
	}
	return s[len(s)-1]
}

// Equal reports whether two shapes are the same for every value of their symbols.
func (s Shape) Equal(t Shape) bool { return slices.Equal(s, t) }

// String writes a shape: "[rows, 512]".
func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = d.String()
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// Type is what is known of an array while a program is built.
type Type struct {
	DType DType
	Shape Shape
}

// F32 returns the type of a float32 array.
func F32(dims ...Dim) Type { return Type{Float32, dims} }

// I32 returns the type of an int32 array.
func I32(dims ...Dim) Type { return Type{Int32, dims} }

// I64 returns the type of an int64 array.
func I64(dims ...Dim) Type { return Type{Int64, dims} }

// Check says whether the sizes are those of an array: none is negative, and the bytes at the upper bound can be counted.
func (t Type) Check() error {
	bytes := int64(t.DType.Bytes())
	for _, d := range t.Shape {
		if d.Size < 0 || d.Size > 0 && bytes > math.MaxInt64/8/int64(d.Size) {
			return fmt.Errorf("%s is not the size of an array", t)
		}
		bytes *= max(int64(d.Size), 1)
	}
	return nil
}

// Bytes is the size at the upper bound.
func (t Type) Bytes() int64 { return int64(t.Shape.Len()) * int64(t.DType.Bytes()) }

// Equal reports whether two types are the same.
func (t Type) Equal(u Type) bool { return t.DType == u.DType && t.Shape.Equal(u.Shape) }

// String writes a type: "f32[rows, 512]".
func (t Type) String() string { return t.DType.String() + t.Shape.String() }
