package safetensors

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/format"
)

func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func tensor(t *testing.T, f *File, name string) Tensor {
	t.Helper()
	v, ok := f.Tensor(name)
	if !ok {
		t.Fatalf("no tensor %q", name)
	}
	return v
}

func content(t *testing.T, v Tensor) []byte {
	t.Helper()
	b := make([]byte, v.Bytes)
	if err := v.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadsWhatTheReferenceWrites(t *testing.T) {
	f := open(t, "testdata/golden.safetensors")
	for _, want := range []struct {
		name  string
		dtype DType
		shape []int
		raw   []byte
	}{
		{"w", F32, []int{2, 3}, format.Bytes([]float32{-2.5, -1.5, -0.5, 0.5, 1.5, 2.5})},
		{"half", F16, []int{3}, []byte{0x00, 0x3c, 0x00, 0xb8, 0xff, 0x7b}},
		{"double", F64, []int{}, format.Bytes([]float64{3.25})},
		{"ids", I64, []int{2}, format.Bytes([]int64{-1, 1 << 40})},
		{"bytes", U8, []int{5}, []byte{0, 1, 2, 3, 4}},
		{"flags", Bool, []int{3}, []byte{1, 0, 1}},
		{"none", F32, []int{0, 4}, []byte{}},
		{"Zürich/日本 \"<&>\"", I32, []int{1}, []byte{7, 0, 0, 0}},
	} {
		v := tensor(t, f, want.name)
		if v.DType != want.dtype {
			t.Errorf("%s: type %s, expected %s", want.name, v.DType, want.dtype)
		}
		if diff := cmp.Diff(want.shape, v.Shape); diff != "" {
			t.Errorf("%s: shape %s", want.name, diff)
		}
		if diff := cmp.Diff(want.raw, content(t, v)); diff != "" {
			t.Errorf("%s: %s", want.name, diff)
		}
	}
	if len(f.Tensors) != 8 || cmp.Diff(map[string]string{"format": "np"}, f.Metadata) != "" {
		t.Errorf("%d tensors, metadata %v", len(f.Tensors), f.Metadata)
	}
	for i := 1; i < len(f.Tensors); i++ {
		if f.Tensors[i-1].Name >= f.Tensors[i].Name {
			t.Errorf("tensor %q stands before %q", f.Tensors[i-1].Name, f.Tensors[i].Name)
		}
	}
	if _, ok := f.Tensor("v"); ok {
		t.Error("a tensor that is not there was found")
	}
}

func TestFloatsConvert(t *testing.T) {
	bf16 := []uint16{0x3fc0, 0xc000, 0x7f80, 0x0001} // 1.5, -2, infinite, the smallest subnormal
	path := filepath.Join(t.TempDir(), "x.safetensors")
	err := Write(path, []Input{
		{"bf16", BF16, []int{4}, bytes.NewReader(format.Bytes(bf16))},
		{"f64", F64, []int{2}, bytes.NewReader(format.Bytes([]float64{1.0 / 3, -1e300}))},
		{"i8", I8, []int{1}, bytes.NewReader([]byte{1})},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, golden := open(t, path), open(t, "testdata/golden.safetensors")
	for _, test := range []struct {
		tensor Tensor
		want   []float32
	}{
		{tensor(t, f, "bf16"), []float32{1.5, -2, float32(math.Inf(1)), math.Float32frombits(0x00010000)}},
		{tensor(t, f, "f64"), []float32{1.0 / 3, float32(math.Inf(-1))}},
		{tensor(t, golden, "half"), []float32{1, -0.5, 65504}},
		{tensor(t, golden, "w"), []float32{-2.5, -1.5, -0.5, 0.5, 1.5, 2.5}},
		{tensor(t, golden, "none"), []float32{}},
	} {
		got, err := test.tensor.Float32s()
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", test.tensor.Name, err, diff)
		}
	}
	if _, err := tensor(t, f, "i8").Float32s(); err == nil {
		t.Error("integers were converted to floats")
	}
}

func TestTensorsAreReadInPieces(t *testing.T) {
	v := tensor(t, open(t, "testdata/golden.safetensors"), "ids")
	whole := content(t, v)
	for lo := range 17 {
		for hi := lo; hi <= 16; hi++ {
			piece := make([]byte, hi-lo)
			if err := v.ReadAt(piece, int64(lo)); err != nil || !bytes.Equal(piece, whole[lo:hi]) {
				t.Fatalf("bytes %d … %d: % x, %v", lo, hi-1, piece, err)
			}
		}
	}
	for _, bad := range [][2]int64{{-1, 1}, {16, 1}, {8, 9}, {math.MaxInt64, 1}} {
		if err := v.ReadAt(make([]byte, bad[1]), bad[0]); err == nil {
			t.Errorf("%d bytes at %d of 16 were read", bad[1], bad[0])
		}
	}
}

func TestWritesTheSameBytesAsTheReference(t *testing.T) {
	golden := open(t, "testdata/golden.safetensors")
	want, err := os.ReadFile("testdata/golden.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	var inputs []Input
	for _, v := range golden.Tensors { // by name, which is not how they are stored
		inputs = append(inputs, Input{v.Name, v.DType, v.Shape, bytes.NewReader(content(t, v))})
	}
	var got bytes.Buffer
	if err := Encode(&got, inputs, golden.Metadata); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Bytes()); diff != "" {
		t.Error(diff)
	}
}

func TestWhatCannotBeWrittenIsRefused(t *testing.T) {
	data := func(n int) *bytes.Reader { return bytes.NewReader(make([]byte, n)) }
	for name, inputs := range map[string][]Input{
		"too few bytes":   {{"a", F32, []int{2}, data(7)}},
		"too many bytes":  {{"a", F32, []int{2}, data(9)}},
		"a name twice":    {{"a", U8, []int{1}, data(1)}, {"a", F32, []int{1}, data(4)}},
		"a reserved name": {{"__metadata__", U8, []int{1}, data(1)}},
		"no UTF-8":        {{"\xff", U8, []int{1}, data(1)}},
		"no type":         {{"a", "F31", []int{1}, data(4)}},
		"half a byte":     {{"a", F4, []int{1}, data(1)}},
		"negative":        {{"a", U8, []int{-1}, data(1)}},
		"too large":       {{"a", F64, []int{1 << 31, 1 << 31}, data(1)}},
	} {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := Write(path, inputs, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
		if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
			t.Errorf("%s: left %v", name, left)
		}
	}
}

func TestShardsAreOneCheckpoint(t *testing.T) {
	f := open(t, "testdata/model.safetensors.index.json")
	var names []string
	for _, v := range f.Tensors {
		names = append(names, v.Name)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, names); diff != "" {
		t.Error(diff)
	}
	if f.Unlisted != 1 || len(f.Shards) != 2 {
		t.Errorf("%d tensors unlisted, shards %v", f.Unlisted, f.Shards)
	}
	got, err := tensor(t, f, "c").Float32s()
	if diff := cmp.Diff([]float32{1, -0.5, 65504}, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	d, err := Describe("testdata/model.safetensors.index.json")
	if err != nil || len(d.Rows) != 3 || len(d.Notes) != 1 {
		t.Errorf("%+v, %v", d, err)
	}
	if err := Check("testdata/model.safetensors.index.json"); err != nil {
		t.Error(err)
	}
}

func TestWriteShardsPacksInOrder(t *testing.T) {
	one := func(name string, n int) Input { return Float32(name, []int{n}, make([]float32, n)) }
	for _, test := range []struct {
		max  int64
		path string
		want map[string][]string // tensors of each file
	}{
		{1 << 20, "m.safetensors", map[string][]string{"m.safetensors": {"a", "b", "c", "d"}}},
		{16, "m.safetensors.index.json", map[string][]string{
			"m-00001-of-00003.safetensors": {"a", "b"}, "m-00002-of-00003.safetensors": {"c"}, "m-00003-of-00003.safetensors": {"d"},
		}},
	} {
		dir := t.TempDir()
		path, err := WriteShards(dir, "m", []Input{one("a", 1), one("b", 3), one("c", 9), one("d", 1)}, map[string]string{"k": "v"}, test.max)
		if err != nil || path != filepath.Join(dir, test.path) {
			t.Fatalf("%s, %v", path, err)
		}
		for file, want := range test.want {
			var got []string
			for _, v := range open(t, filepath.Join(dir, file)).Tensors {
				got = append(got, v.Name)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", file, diff)
			}
		}
		if f := open(t, path); len(f.Tensors) != 4 || f.Unlisted != 0 || f.Metadata["k"] != "v" {
			t.Errorf("%d tensors, %d unlisted, metadata %v", len(f.Tensors), f.Unlisted, f.Metadata)
		}
	}
}

func TestDescribeReadsTheHeader(t *testing.T) {
	d, err := Describe("testdata/golden.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, row := range d.Rows {
		rows[row[0]] = strings.Join(row[1:], " ")
	}
	want := map[string]string{
		"w": "F32 2 × 3 24", "half": "F16 3 6", "double": "F64 scalar 8", "ids": "I64 2 16", "bytes": "U8 5 5", "flags": "BOOL 3 3", "none": "F32 0 × 4 0", "Zürich/日本 \"<&>\"": "I32 1 4",
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}

// file returns a file with this header and so many bytes of data.
func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	return append(b, make([]byte, data)...)
}
