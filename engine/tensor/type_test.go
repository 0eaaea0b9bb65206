package tensor_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/seraph-ml/seraph/engine/tensor"
)

func TestTypesPrintAsInPrograms(t *testing.T) {
	rows := tensor.Symbol("rows", 512)
	for _, c := range []struct {
		t     tensor.Type
		text  string
		bytes int64
	}{
		{tensor.F32(), "f32[]", 4},
		{tensor.F32(tensor.Of(3, 4)...), "f32[3, 4]", 48},
		{tensor.F32(rows, tensor.Fixed(2)), "f32[rows, 2]", 4096},
		{tensor.I32(rows.Times(64)), "i32[64·rows]", 131072},
		{tensor.Type{DType: tensor.BFloat16, Shape: tensor.Of(5)}, "bf16[5]", 10},
		{tensor.Type{DType: tensor.Float16, Shape: tensor.Of(5)}, "f16[5]", 10},
		{tensor.Type{DType: tensor.Int64, Shape: tensor.Of(5)}, "i64[5]", 40},
	} {
		if got := c.t.String(); got != c.text {
			t.Errorf("%s, expected %s", got, c.text)
		}
		if got := c.t.Bytes(); got != c.bytes {
			t.Errorf("%s has %d bytes at most, expected %d", c.text, got, c.bytes)
		}
	}
}

func TestShapesAreEqualForAllValuesOfTheirSymbols(t *testing.T) {
	rows, other := tensor.Symbol("rows", 8), tensor.Symbol("other", 8)
	for _, c := range []struct {
		a, b  tensor.Shape
		equal bool
	}{
		{tensor.Shape{}, nil, true},
		{tensor.Of(2, 3), tensor.Of(2, 3), true},
		{tensor.Of(2, 3), tensor.Of(3, 2), false},
		{tensor.Of(2, 3), tensor.Of(2, 3, 1), false},
		{tensor.Shape{rows}, tensor.Shape{tensor.Symbol("rows", 8)}, true},
		{tensor.Shape{rows}, tensor.Shape{other}, false},
		{tensor.Shape{rows}, tensor.Of(8), false},
		{tensor.Shape{rows}, tensor.Shape{tensor.Symbol("rows", 4).Times(2)}, false}, // 8 at most, but an even number
	} {
		if got := c.a.Equal(c.b); got != c.equal {
			t.Errorf("%s equal to %s: %t", c.a, c.b, got)
		}
	}
	if tensor.F32(rows).Equal(tensor.I32(rows)) || !tensor.F32(rows).Equal(tensor.F32(rows)) {
		t.Error("types are equal where element types and shapes are")
	}
}

func TestTwoSymbolsAreNotMultiplied(t *testing.T) {
	rows, cols := tensor.Symbol("rows", 8), tensor.Symbol("cols", 4)
	if total, ok := (tensor.Shape{rows, tensor.Fixed(3), cols}).Total(); ok {
		t.Errorf("rows·3·cols = %s", total)
	}
	if n, ok := (tensor.Shape{rows, tensor.Fixed(3), cols}).Rows(); !ok || n != rows.Times(3) {
		t.Errorf("%s rows, %t", n, ok)
	}
	scalar := tensor.Shape{}
	if n, ok := scalar.Rows(); !ok || n != tensor.Fixed(1) || scalar.Cols() != tensor.Fixed(1) || scalar.Len() != 1 {
		t.Error("a scalar is a matrix of one row and column")
	}
}

// drawShape returns a shape with at most one symbol, "n".
func drawShape(t *rapid.T) tensor.Shape {
	s := tensor.Of(rapid.SliceOfN(rapid.IntRange(1, 5), 0, 4).Draw(t, "sizes")...)
	if len(s) > 0 && rapid.Bool().Draw(t, "symbolic") {
		at := rapid.IntRange(0, len(s)-1).Draw(t, "at")
		s[at] = tensor.Symbol("n", rapid.IntRange(1, 6).Draw(t, "bound")).Times(s[at].Size)
	}
	return s
}

// TestCountsHoldForEveryValueOfTheSymbol says that what is computed from a shape while building is what a tensor of that shape has.
func TestCountsHoldForEveryValueOfTheSymbol(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawShape(t)
		total, ok := s.Total()
		rows, ok2 := s.Rows()
		if !ok || !ok2 || total.Size != s.Len() {
			t.Fatalf("%s: %s elements, %d at most", s, total, s.Len())
		}
		x := tensor.New(tensor.F32(s...))
		value := func(d tensor.Dim, n int) int {
			if d.Symbol == "" {
				return d.Size
			}
			return d.Factor * n
		}
		bound := 1
		if total.Symbol != "" {
			bound = total.Size / total.Factor
		}
		for n := 1; n <= bound; n++ {
			x.SetSymbol("n", n)
			x.SetSymbol("other", 99)
			if x.Len() != value(total, n) || x.Rows() != value(rows, n) || x.Cols() != value(s.Cols(), n) || x.Rows()*x.Cols() != x.Len() {
				t.Fatalf("%s with n = %d: %d elements as %d × %d, expected %s as %s × %s", s, n, x.Len(), x.Rows(), x.Cols(), total, rows, s.Cols())
			}
		}
	})
}
