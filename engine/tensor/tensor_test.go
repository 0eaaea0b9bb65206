package tensor_test

import (
	"testing"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/tensor"
)

func TestTensorsLieWhereTheyArePlaced(t *testing.T) {
	arena, err := memory.NewArena(4096)
	if err != nil {
		t.Fatal(err)
	}
	defer arena.Close()
	rows := tensor.Symbol("rows", 6)
	x := tensor.New(tensor.F32(rows, tensor.Fixed(4)))
	x.Place(arena, 128)
	if got := len(x.Float32s()); got != 24 {
		t.Fatalf("%d elements at the upper bound, expected 24", got)
	}
	x.SetSymbol("rows", 2)
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(i + 1)
	}
	if got, want := x.String(), "f32[rows, 4] [2 4]"; got != want {
		t.Errorf("%s, expected %s", got, want)
	}
	for i, v := range arena.Float32s(0, 1024) {
		want := float32(0)
		if i >= 32 && i < 40 { // eight elements from byte 128 on
			want = float32(i - 31)
		}
		if v != want {
			t.Errorf("element %d of the arena is %v, expected %v", i, v, want)
		}
	}
	x.SetSymbol("rows", 6)
	x.Float32s()[23] = 9
	x.SetSymbol("rows", 1)
	x.Clear() // all of it, whatever the current size
	for i, v := range arena.Float32s(0, 1024) {
		if v != 0 {
			t.Errorf("element %d of the arena is %v after clearing", i, v)
		}
	}
}

func TestEveryElementTypeHasItsSlice(t *testing.T) {
	arena, err := memory.NewArena(4096)
	if err != nil {
		t.Fatal(err)
	}
	defer arena.Close()
	for i := range arena.Bytes(0, 4096) {
		arena.Bytes(0, 4096)[i] = byte(i)
	}
	place := func(d tensor.DType) *tensor.Tensor {
		x := tensor.New(tensor.Type{DType: d, Shape: tensor.Of(2)})
		x.Place(arena, 64)
		return x
	}
	if got := place(tensor.Int32).Int32s(); len(got) != 2 || got[1] != 0x47464544 {
		t.Errorf("int32 %x", got)
	}
	if got := place(tensor.Int64).Int64s(); len(got) != 2 || got[0] != 0x4746454443424140 {
		t.Errorf("int64 %x", got)
	}
	for _, d := range []tensor.DType{tensor.BFloat16, tensor.Float16} {
		if got := place(d).Uint16s(); len(got) != 2 || got[1] != 0x4342 {
			t.Errorf("%s %x", d, got)
		}
	}
}

func TestBoundTensorsAreTheCallersMemory(t *testing.T) {
	x := tensor.New(tensor.F32(tensor.Symbol("rows", 8), tensor.Fixed(2)))
	x.SetSymbol("rows", 2)
	data := []float32{1, 2, 3, 4, 5}
	x.Bind(data)
	if got := x.Float32s(); len(got) != 4 || &got[0] != &data[0] {
		t.Errorf("%v is not the first four of %v", got, data)
	}
	ids := tensor.New(tensor.I32(tensor.Fixed(2)))
	small := []int32{7, 8}
	if ids.BindInt32(small); &ids.Int32s()[1] != &small[1] {
		t.Error("int32 elements are copied")
	}
	wide := tensor.New(tensor.Type{DType: tensor.Int64, Shape: tensor.Of(1)})
	large := []int64{1 << 40}
	if wide.BindInt64(large); &wide.Int64s()[0] != &large[0] {
		t.Error("int64 elements are copied")
	}
}
