package npy

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/format"
)

// readGolden reads one array of an archive that testdata/golden.py wrote.
func readGolden(t *testing.T, archive, name string) *Array {
	t.Helper()
	a, err := OpenArchive(filepath.Join("testdata", archive))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	array, err := a.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return array
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestReadsEveryNumberTypeThatNumPyWrites(t *testing.T) {
	for _, archive := range []string{"stored.npz", "deflated.npz"} {
		for _, code := range []string{"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"} {
			for _, order := range []string{"le", "be"} {
				a := readGolden(t, archive, code+"_"+order)
				var want []float64
				for i := range 12 {
					v := float64(3 * i)
					if code[0] != 'u' {
						v -= 7
					}
					want = append(want, v)
				}
				if diff := cmp.Diff([]int{3, 4}, a.Shape); diff != "" {
					t.Errorf("%s %s: shape %s", archive, a.DType, diff)
				}
				if diff := cmp.Diff(want, must(a.Float64s())(t)); diff != "" {
					t.Errorf("%s %s: %s", archive, a.DType, diff)
				}
				f32 := must(a.Float32s())(t)
				for i := range f32 {
					if float64(f32[i]) != want[i] {
						t.Errorf("%s %s: float32 %d is %v, expected %v", archive, a.DType, i, f32[i], want[i])
					}
				}
				i32, err := a.Int32s()
				if code[0] == 'f' {
					if err == nil {
						t.Errorf("%s: floats were read as integers", a.DType)
					}
					continue
				}
				i64 := must(a.Int64s())(t)
				for i := range i32 {
					if float64(i32[i]) != want[i] || float64(i64[i]) != want[i] {
						t.Errorf("%s %s: element %d is %d and %d, expected %v", archive, a.DType, i, i32[i], i64[i], want[i])
					}
				}
				if err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func TestFortranOrderIsTransposed(t *testing.T) {
	a := readGolden(t, "stored.npz", "fortran")
	if !a.Fortran {
		t.Fatal("the golden array is not in Fortran order")
	}
	for i, v := range must(a.Int32s())(t) {
		if int(v) != i {
			t.Fatalf("element %d is %d", i, v)
		}
	}
}

func TestReadsTextBooleansScalarsAndEmptyArrays(t *testing.T) {
	for _, name := range []string{"text_le", "text_be"} {
		if diff := cmp.Diff([]string{"Cora", "", "Zürich", "日本"}, must(readGolden(t, "stored.npz", name).Strings())(t)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if diff := cmp.Diff([]bool{true, false, false, true, true, true}, must(readGolden(t, "stored.npz", "bool").Bools())(t)); diff != "" {
		t.Error(diff)
	}
	if v := must(readGolden(t, "stored.npz", "scalar").Float32s())(t); len(v) != 1 || v[0] != 2.5 {
		t.Errorf("scalar: %v", v)
	}
	if v := must(readGolden(t, "stored.npz", "empty").Float32s())(t); len(v) != 0 {
		t.Errorf("empty: %v", v)
	}
}

func TestObjectsAreKeptAsTheirPickle(t *testing.T) {
	a := readGolden(t, "stored.npz", "object")
	if a.DType.Kind != 'O' || len(a.Data) == 0 || a.Data[0] != 0x80 {
		t.Fatalf("type %s, data % x", a.DType, a.Data)
	}
	if _, err := a.Float32s(); err == nil {
		t.Error("objects were converted to numbers")
	}
}

func TestHalvesConvertExactly(t *testing.T) {
	got := must(readGolden(t, "stored.npz", "halves").Float32s())(t)
	want := []float32{0, float32(math.Copysign(0, -1)), 0x1p-24, 1023 * 0x1p-24, 0x1p-14, 1, -2, 65504, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}
	for i := range want {
		if math.IsNaN(float64(want[i])) && math.IsNaN(float64(got[i])) {
			continue
		}
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Errorf("half %d is %v, expected %v", i, got[i], want[i])
		}
	}
}

func TestAllHeaderVersions(t *testing.T) {
	for version := 1; version <= 3; version++ {
		path := fmt.Sprintf("testdata/version%d.npy", version)
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Major != version {
			t.Errorf("%s: version %d", path, f.Major)
		}
		if diff := cmp.Diff([]float32{0, 1, 2, 3, 4, 5}, must(must(f.ReadRows(0, 2))(t).Float32s())(t)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

func TestWritesTheSameBytesAsNumPy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	a := must(New([]float32{0, 1, 2, 3, 4, 5}, 2, 3))(t)
	if err := Write(path, a); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(must(os.ReadFile("testdata/version1.npy"))(t), must(os.ReadFile(path))(t)); diff != "" {
		t.Error(diff)
	}
}

func TestArchiveRoundTrip(t *testing.T) {
	arrays := []Named{
		{"f", must(New([]float64{1.5, -2, math.Inf(1)}, 3))(t)},
		{"u", must(New([]uint16{7, 65535}, 1, 2))(t)},
		{"s", must(NewStrings([]string{"a", "bc", "δ"}))(t)},
		{"b", must(NewBools([]bool{true, false}, 2, 1))(t)},
		{"i", must(New([]int64{math.MinInt64, math.MaxInt64}, 2))(t)},
		{"none", must(New([]int32{}, 0, 4))(t)},
	}
	for _, compress := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "x.npz")
		if err := WriteArchive(path, arrays, compress); err != nil {
			t.Fatal(err)
		}
		if err := Check(path); err != nil {
			t.Error(err)
		}
		a := must(OpenArchive(path))(t)
		defer a.Close()
		for _, n := range arrays {
			got, err := a.Read(n.Name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(n.Array.Data, got.Data); diff != "" || got.DType != n.Array.DType {
				t.Errorf("%s: type %s, %s", n.Name, got.DType, diff)
			}
			if diff := cmp.Diff(n.Array.Shape, got.Shape); diff != "" {
				t.Errorf("%s: shape %s", n.Name, diff)
			}
		}
		if diff := cmp.Diff([]string{"a", "bc", "δ"}, must(must(a.Read("s"))(t).Strings())(t)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestRowsAreReadAlone(t *testing.T) {
	const rows, cols = 7, 3
	rowMajor := make([]int32, rows*cols)
	columnMajor := make([]int32, rows*cols)
	for i := range rows {
		for j := range cols {
			rowMajor[i*cols+j] = int32(10*i + j)
			columnMajor[j*rows+i] = int32(10*i + j)
		}
	}
	f := must(New(columnMajor, rows, cols))(t)
	f.Fortran = true
	for name, a := range map[string]*Array{"C": must(New(rowMajor, rows, cols))(t), "Fortran": f} {
		path := filepath.Join(t.TempDir(), "x.npy")
		if err := Write(path, a); err != nil {
			t.Fatal(err)
		}
		file := must(Open(path))(t)
		defer file.Close()
		for lo := range rows + 1 {
			for hi := lo; hi <= rows; hi++ {
				block := must(file.ReadRows(lo, hi))(t)
				got := must(block.Int32s())(t)
				if diff := cmp.Diff(rowMajor[lo*cols:hi*cols], got); diff != "" {
					t.Fatalf("%s rows %d … %d: %s", name, lo, hi, diff)
				}
			}
		}
		for _, bad := range [][2]int{{-1, 2}, {3, 2}, {0, rows + 1}} {
			if _, err := file.ReadRows(bad[0], bad[1]); err == nil {
				t.Errorf("%s: rows %v were read", name, bad)
			}
		}
	}
}

func TestValuesThatDoNotFitAreRefused(t *testing.T) {
	big := must(New([]int64{1, 1 << 31}, 2))(t)
	if _, err := big.Int32s(); err == nil {
		t.Error("2^31 became an int32")
	}
	huge := must(New([]uint64{1 << 63}, 1))(t)
	if _, err := huge.Int64s(); err == nil {
		t.Error("2^63 became an int64")
	}
	if v := must(huge.Float64s())(t); v[0] != 0x1p63 {
		t.Errorf("2^63 became %v", v[0])
	}
	wide := must(New([]float64{1e300}, 1))(t)
	if _, err := wide.Float32s(); err == nil {
		t.Error("1e300 became a float32")
	}
	if _, err := New([]float32{1, 2, 3}, 2, 2); err == nil {
		t.Error("three values became a 2 × 2 array")
	}
}

func TestTypeOfGoNumbers(t *testing.T) {
	for want, got := range map[string]DType{
		"|i1": typeOf(int8(0)), "<i2": typeOf(int16(0)), "<i4": typeOf(int32(0)), "<i8": typeOf(int64(0)),
		"|u1": typeOf(uint8(0)), "<u2": typeOf(uint16(0)), "<u4": typeOf(uint32(0)), "<u8": typeOf(uint64(0)),
		"<f4": typeOf(float32(0)), "<f8": typeOf(float64(0)),
	} {
		if got.String() != want {
			t.Errorf("found %s, expected %s", got, want)
		}
	}
}

func TestDescribeReadsHeaders(t *testing.T) {
	d := must(Describe("testdata/deflated.npz"))(t)
	rows := map[string][]string{}
	for _, row := range d.Rows {
		rows[row[0]] = row[1:4]
	}
	for name, want := range map[string][]string{
		"fortran": {"2 × 3 × 4", "<i4", "Fortran"}, "text_be": {"4", ">U6", "C"}, "scalar": {"scalar", "<f4", "C"}, "object": {"1", "|O", "C"},
	} {
		if diff := cmp.Diff(want, rows[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	d = must(Describe("testdata/version2.npy"))(t)
	if diff := cmp.Diff(format.Field{Name: "shape", Value: "2 × 3"}, d.Fields[0]); diff != "" {
		t.Error(diff)
	}
}

// header returns a version 1.0 file with this header text and no data.
func header(text string) []byte {
	b := append([]byte(magic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	return append(b, text...)
}
