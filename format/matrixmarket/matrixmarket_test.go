package matrixmarket

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
)

func readString(content string, opts Options) (*format.Graph, error) {
	t, err := format.NewText(format.NewSource("x.mtx", strings.NewReader(content), int64(len(content))))
	if err != nil {
		return nil, err
	}
	return read(t, opts)
}

// The files are SciPy's, see testdata/golden.py.
func TestFilesOfSciPy(t *testing.T) {
	general := func(name string, weights []float32, notes ...string) *format.Graph {
		return &format.Graph{Name: name, Format: "matrixmarket", Nodes: 4, Src: []int32{0, 1, 2, 3}, Dst: []int32{1, 3, 0, 3}, Weights: weights, Notes: notes}
	}
	for _, c := range []struct {
		weights bool
		want    *format.Graph
	}{
		{false, general("general", nil, "the values of the 4 edge entries are ignored (--weights keeps them)")},
		{true, general("general", []float32{2, 1, 4, 3})},
		{false, general("pattern", nil)},
		{true, &format.Graph{
			Name: "symmetric", Format: "matrixmarket", Nodes: 4,
			Src: []int32{0, 2, 0, 3, 2}, Dst: []int32{0, 0, 2, 2, 3}, Weights: []float32{5, 1.5, 1.5, -2, -2},
		}},
		{true, &format.Graph{
			Name: "skew", Format: "matrixmarket", Nodes: 3,
			Src: []int32{1, 0, 2, 1}, Dst: []int32{0, 1, 1, 2}, Weights: []float32{-1, 1, -2.5, 2.5},
		}},
	} {
		path := filepath.Join("testdata", c.want.Name+".mtx")
		if !Is(path) {
			t.Errorf("%s was not recognised", path)
		}
		got, err := Read(path, Options{Weights: c.weights})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		if err := Check(path); err != nil {
			t.Error(err)
		}
	}
}

func TestSpellings(t *testing.T) {
	got, err := readString("%%matrixmarket MATRIX Coordinate Real General\r\n\r\n% comment\r\n 3\t3 3\r\n\r\n1 2 0\r\n% comment\r\n3 1 1e0\r\n1 1 -0.0\r\n", Options{Weights: true})
	if err != nil {
		t.Fatal(err)
	}
	want := &format.Graph{
		Name: "x", Format: "matrixmarket", Nodes: 3, Src: []int32{2}, Dst: []int32{0}, Weights: []float32{1},
		Notes: []string{"2 stored zeros are no edges"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWrongFilesAreRefused(t *testing.T) {
	const pattern, real = "%%MatrixMarket matrix coordinate pattern general\n", "%%MatrixMarket matrix coordinate real general\n"
	for _, c := range []struct{ name, content, want string }{
		{"empty", "", `x.mtx:1: Matrix Market heading: found "", expected %%MatrixMarket`},
		{"no heading", "2 2 1\n1 2\n", `x.mtx:1: Matrix Market heading: found "2"`},
		{"vector", "%%MatrixMarket vector coordinate real general\n", `found "vector", expected matrix`},
		{"array", "%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n4\n", `found "array", expected coordinate; a dense matrix is no graph`},
		{"complex", "%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 2 3\n", `found "complex"`},
		{"hermitian", "%%MatrixMarket matrix coordinate real hermitian\n1 1 1\n1 1 2\n", `found "hermitian"`},
		{"no symmetry", "%%MatrixMarket matrix coordinate real\n1 1 1\n1 1 2\n", `found ""`},
		{"no sizes", pattern + "% 1\n", "x.mtx:2: number of rows: found the end of the line"},
		{"two sizes", pattern + "2 2\n1 2\n", "x.mtx:2: number of entries: found the end of the line"},
		{"not square", pattern + "2 3 1\n1 2\n", "x.mtx:2: size of the matrix: found 2 × 3, expected a square one"},
		{"no rows", pattern + "0 0 0\n", "x.mtx:2: number of rows"},
		{"rows beyond int32", pattern + "2147483648 2147483648 1\n1 2\n", "x.mtx:2: number of rows"},
		{"entries beyond the file", pattern + "2 2 1099511627776\n1 2\n", "number of entries: found 1099511627776 in 71 bytes"},
		{"entries beyond int64", pattern + "2 2 18446744073709551617\n1 2\n", "x.mtx:2: number of entries"},
		{"row 0", pattern + "2 2 1\n0 2\n", "x.mtx:3: row: found \"0\", expected a whole number from 1 to 2"},
		{"column beyond", pattern + "2 2 1\n1 3\n", "x.mtx:3: column: found \"3\""},
		{"value of a pattern", pattern + "2 2 1\n1 2 1\n", "x.mtx:3: entry: found more columns"},
		{"no value", real + "2 2 1\n1 2\n", "x.mtx:3: value: found the end of the line"},
		{"value infinite", real + "2 2 1\n1 2 inf\n", "x.mtx:3: value: found \"inf\", expected a finite number"},
		{"two values", real + "2 2 1\n1 2 3 4\n", "x.mtx:3: entry: found more columns"},
		{"too few entries", pattern + "2 2 2\n1 2\n", "entries: found 1 and the end of the file, expected 2"},
		{"too many entries", pattern + "2 2 1\n1 2\n2 1\n", "x.mtx:4: entries: found more than 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readString(c.content, Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, expected %s", err, c.want)
			}
			hostile.MustRefuse(t, "x.mtx", []byte(c.content), Check)
		})
	}
	if _, err := readString(pattern+"2 2 1\n1 2\n", Options{Weights: true}); err == nil || !strings.Contains(err.Error(), "--weights") {
		t.Errorf("weights of a pattern: %v", err)
	}
	hostile.MustRefuse(t, "x.mtx.gz", hostile.Gzip(t, []byte(pattern+"2147483647 2147483647 1099511627776\n1 2\n")), Check)
}

func golden(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.mtx")
	if err != nil || len(paths) != 4 {
		t.Fatalf("golden files %v (%v)", paths, err)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = bytes.TrimRight(content, "\n")
	}
	return files
}

func TestDamagedFilesAreRefused(t *testing.T) {
	for name, content := range golden(t) {
		if name == "skew.mtx" { // "-2." is a number too
			content = append(content, '\n')
			if noticed, tried := hostile.Cuts(t, name, content, Check); noticed < tried-3 {
				t.Errorf("%s: %d of %d cuts noticed", name, noticed, tried)
			}
		} else {
			hostile.Truncations(t, name, content, Check)
		}
		if noticed, tried := hostile.BitFlips(t, name, content, Check); noticed < tried/2 {
			t.Errorf("%s: %d of %d bit flips noticed", name, noticed, tried)
		}
		hostile.Truncations(t, name+".gz", hostile.Gzip(t, content), Check)
	}
}

func TestImportBytesBoundsWhatReadAllocates(t *testing.T) {
	big := []byte("%%MatrixMarket matrix coordinate real symmetric\n9 9 50000\n" + strings.Repeat("1 2 3\n", 50_000))
	files := golden(t)
	files["big.mtx"] = big
	files["big.mtx.gz"] = hostile.Gzip(t, big)
	for name, content := range files {
		hostile.Bounded(t, hostile.Write(t, name, content), ImportBytes, func(path string) error {
			_, err := Read(path, Options{Weights: name != "pattern.mtx"})
			return err
		})
	}
}

func FuzzMatrixMarket(f *testing.F) {
	for _, content := range golden(f) {
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, weights := range []bool{false, true} {
			text, err := format.NewText(format.NewSource("x.mtx", bytes.NewReader(content), int64(len(content))))
			if err == nil {
				_, err = read(text, Options{Weights: weights})
			}
			hostile.Judge(t, err, "x.mtx")
		}
	})
}
