package tensor

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/memory"
)

// Tensor is an array in memory: contiguous, row-major. Its sizes may shrink below the bounds of its type; the elements then
// are the first ones of its memory.
type Tensor struct {
	Type Type
	Dims []int // current sizes

	f32 []float32
	u16 []uint16
	i32 []int32
	i64 []int64
}

// New returns a tensor without memory whose sizes are the upper bounds.
func New(t Type) *Tensor {
	x := &Tensor{Type: t, Dims: make([]int, len(t.Shape))}
	for i, d := range t.Shape {
		x.Dims[i] = d.Size
	}
	return x
}

// Place puts the tensor at byte offset off of an arena.
func (t *Tensor) Place(a *memory.Arena, off int64) {
	n := t.Type.Shape.Len()
	switch t.Type.DType {
	case Float32:
		t.f32 = a.Float32s(off, n)
	case BFloat16, Float16:
		t.u16 = a.Uint16s(off, n)
	case Int32:
		t.i32 = a.Int32s(off, n)
	case Int64:
		t.i64 = a.Int64s(off, n)
	}
}

// Bind makes data the memory of a float32 tensor; it must hold the elements at the current sizes.
func (t *Tensor) Bind(data []float32) { t.f32 = data }

// BindInt32 makes data the memory of an int32 tensor.
func (t *Tensor) BindInt32(data []int32) { t.i32 = data }

// BindInt64 makes data the memory of an int64 tensor.
func (t *Tensor) BindInt64(data []int64) { t.i64 = data }

// Len is the number of elements at the current sizes.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.Dims {
		n *= d
	}
	return n
}

// Cols is the current last size, 1 for a scalar.
func (t *Tensor) Cols() int {
	if len(t.Dims) == 0 {
		return 1
	}
	return t.Dims[len(t.Dims)-1]
}

// Rows is the product of the current sizes but the last.
func (t *Tensor) Rows() int {
	n := 1
	for _, d := range t.Dims[:max(len(t.Dims)-1, 0)] {
		n *= d
	}
	return n
}

// Float32s returns the elements of a float32 tensor.
func (t *Tensor) Float32s() []float32 { return t.f32[:t.Len()] }

// Uint16s returns the elements of a bfloat16 or float16 tensor, as their bits.
func (t *Tensor) Uint16s() []uint16 { return t.u16[:t.Len()] }

// Int32s returns the elements of an int32 tensor.
func (t *Tensor) Int32s() []int32 { return t.i32[:t.Len()] }

// Int64s returns the elements of an int64 tensor.
func (t *Tensor) Int64s() []int64 { return t.i64[:t.Len()] }

// SetSymbol sets the sizes that depend on a symbol to a value of it.
func (t *Tensor) SetSymbol(symbol string, value int) {
	for i, d := range t.Type.Shape {
		if d.Symbol == symbol {
			t.Dims[i] = d.At(value)
		}
	}
}

// String describes the tensor by its type and current sizes.
func (t *Tensor) String() string { return fmt.Sprintf("%s %v", t.Type, t.Dims) }

// Clear sets all elements to zero.
func (t *Tensor) Clear() {
	clear(t.f32)
	clear(t.u16)
	clear(t.i32)
	clear(t.i64)
}
