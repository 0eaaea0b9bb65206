package convert

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/format/parquet"
	"github.com/seraph-ml/seraph/format/safetensors"
	"github.com/seraph-ml/seraph/format/table"
)

// convert converts, and fails the test where that fails.
func convert(t *testing.T, in, out string, o Options) *Result {
	t.Helper()
	r, err := Convert(t.Context(), in, out, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// arrays writes an archive of every type that npz and safetensors share.
func arrays(t *testing.T, path string) {
	t.Helper()
	var list []npy.Named
	add := func(name string, a *npy.Array, err error) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, npy.Named{Name: name, Array: a})
	}
	f8, err := npy.New([]float64{1, -2.5, 3e300, 0}, 2, 2)
	add("double", f8, err)
	f4, err := npy.New([]float32{1, -2.5, 3, 1e-30, 5, 6}, 2, 3)
	add("single", f4, err)
	i8, err := npy.New([]int64{-1, 1 << 40}, 2)
	add("long", i8, err)
	u1, err := npy.New([]uint8{7}, 1)
	add("bytes", u1, err)
	b1, err := npy.NewBools([]bool{true, false, true}, 3)
	add("flags", b1, err)
	half := &npy.Array{DType: npy.DType{Kind: 'f', Size: 2}, Shape: []int{1}, Data: []byte{0, 0x3c}}
	add("half", half, nil)
	// What other programs write: columns first, the larger byte first.
	add("turned", &npy.Array{DType: npy.DType{Kind: 'i', Size: 2, Big: true}, Fortran: true, Shape: []int{2, 2}, Data: []byte{0, 0, 0, 2, 0, 1, 0, 3}}, nil)
	if err := npy.WriteArchive(path, list, false); err != nil {
		t.Fatal(err)
	}
}

// contents are the arrays of an archive, row-major and little-endian.
func contents(t *testing.T, path string) map[string]npy.Array {
	t.Helper()
	z, err := npy.OpenArchive(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	all := map[string]npy.Array{}
	for _, name := range z.Names {
		a, err := z.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		if a, err = a.Plain(); err != nil {
			t.Fatal(err)
		}
		all[name] = npy.Array{DType: a.DType, Shape: a.Shape, Data: a.Data}
	}
	return all
}

func TestArraysComeBackThroughSafetensors(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	arrays(t, path("a.npz"))
	r := convert(t, path("a.npz"), path("a.safetensors"), Options{})
	if r.From != "npz" || r.To != "safetensors" || len(r.Notes) > 0 {
		t.Errorf("%+v", r)
	}
	convert(t, path("a.safetensors"), path("b.npz"), Options{})
	if d := cmp.Diff(contents(t, path("a.npz")), contents(t, path("b.npz"))); d != "" {
		t.Error(d)
	}
	convert(t, path("a.safetensors"), path("c.safetensors"), Options{})
	a, _ := os.ReadFile(path("a.safetensors"))
	c, _ := os.ReadFile(path("c.safetensors"))
	if len(a) == 0 || !bytes.Equal(a, c) {
		t.Error("a copy has other bytes")
	}
}

func TestOneArrayPassesThroughNPY(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	a, err := npy.New([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := npy.Write(path("weights.npy"), a); err != nil {
		t.Fatal(err)
	}
	convert(t, path("weights.npy"), path("w.safetensors"), Options{})
	f, err := safetensors.Open(path("w.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if tensor, ok := f.Tensor("weights"); !ok || !slices.Equal(tensor.Shape, []int{2, 3}) {
		t.Errorf("tensors %v", f.Tensors)
	}
	convert(t, path("w.safetensors"), path("back.npy"), Options{})
	x, _ := os.ReadFile(path("weights.npy"))
	y, _ := os.ReadFile(path("back.npy"))
	if !bytes.Equal(x, y) {
		t.Error("another file came back")
	}

	arrays(t, path("many.npz"))
	var pair *PairError
	if _, err := Convert(t.Context(), path("many.npz"), path("x.npy"), Options{}); !errors.As(err, &pair) || !strings.Contains(err.Error(), "double, single") {
		t.Errorf("error %v, expected the names of the arrays", err)
	}
}

func TestWhatATensorCannotHoldIsLeftOutWithANote(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "a.npz")
	words, err := npy.NewStrings([]string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := npy.New([]int32{1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := npy.WriteArchive(in, []npy.Named{{Name: "words", Array: words}, {Name: "numbers", Array: numbers}}, true); err != nil {
		t.Fatal(err)
	}
	r := convert(t, in, filepath.Join(dir, "a.safetensors"), Options{})
	if want := []string{"words is left out: a tensor cannot hold text"}; !slices.Equal(r.Notes, want) {
		t.Errorf("notes %q", r.Notes)
	}
}

func TestBFloat16IsWidenedExactly(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "a.safetensors"), filepath.Join(dir, "a.npz")
	data := []byte{0x80, 0x3f, 0x20, 0xc0} // 1, −2.5
	err := safetensors.Write(in, []safetensors.Input{{Name: "w", DType: safetensors.BF16, Shape: []int{2}, Data: bytes.NewReader(data)}}, map[string]string{"k": "v"})
	if err != nil {
		t.Fatal(err)
	}
	if r := convert(t, in, out, Options{}); len(r.Notes) != 2 {
		t.Errorf("notes %q", r.Notes)
	}
	w := contents(t, out)["w"]
	if values, err := w.Float32s(); err != nil || !slices.Equal(values, []float32{1, -2.5}) {
		t.Errorf("%v, %v", values, err)
	}
}

func TestGraphsComeBackAsTheyAre(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "g.mtx")
	text := "%%MatrixMarket matrix coordinate real general\n4 4 5\n1 2 1\n2 1 1\n3 3 2\n4 1 0.5\n1 2 1\n"
	if err := os.WriteFile(in, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		out     string
		o       Options
		weights string // to read it back with
	}{
		{"plain", Options{}, ""},
		{"listed.edges", Options{}, ""},
		{"weighted.edges", Options{Weights: "3"}, "3"},
	} {
		out := filepath.Join(dir, c.out)
		convert(t, in, out, c.o)
		want, err := detect.ReadGraph(in, detect.Options{Weights: c.weights})
		if err != nil {
			t.Fatal(err)
		}
		got, err := detect.ReadGraph(out, detect.Options{Weights: c.weights})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Src, want.Src) || !slices.Equal(got.Dst, want.Dst) || !slices.Equal(got.Weights, want.Weights) || got.Nodes != want.Nodes {
			t.Errorf("%s: %d nodes, %v → %v, weights %v", c.out, got.Nodes, got.Src, got.Dst, got.Weights)
		}
	}
}

// The entries of a graph of Seraph's own are sorted by row and column; all else comes back as it was.
func TestEveryGraphBecomesOneOfSeraph(t *testing.T) {
	in := filepath.Join(t.TempDir(), "g.metis")
	if err := os.WriteFile(in, []byte("3 2 1\n3 5 2 6\n1 6\n1 5\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ in, weights string }{
		{in, ""}, {in, "3"}, {"../planetoid/testdata/ind.tiny", ""}, {"../shchur/testdata/benchmark.npz", ""}, {"../shchur/testdata/ppnp.npz", ""},
		{"../ogb/testdata/tiny", ""}, {"../matrixmarket/testdata/general.mtx", "3"}, {"../matrixmarket/testdata/pattern.mtx", ""}, {"../sgraph/testdata/example.sgraph", "3"},
	} {
		out := filepath.Join(t.TempDir(), "g.sgraph")
		convert(t, c.in, out, Options{Weights: c.weights})
		if err := detect.Check(out); err != nil {
			t.Error(err)
		}
		want, err := detect.ReadGraph(c.in, detect.Options{Weights: c.weights})
		if err != nil {
			t.Fatal(err)
		}
		got, err := detect.ReadGraph(out, detect.Options{Weights: c.weights})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range []*format.Graph{want, got} {
			g.Name, g.Format, g.Notes = "", "", nil
			sortEntries(g)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", c.in, diff)
		}
	}
}

// sortEntries sorts the entries of a graph by row and column, and those of sparse features within their rows.
func sortEntries(g *format.Graph) {
	order := make([]int, len(g.Src))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return (int(g.Src[a])-int(g.Src[b]))<<32 + int(g.Dst[a]) - int(g.Dst[b])
	})
	src, dst, weights := slices.Clone(g.Src), slices.Clone(g.Dst), slices.Clone(g.Weights)
	for i, e := range order {
		g.Src[i], g.Dst[i] = src[e], dst[e]
		if weights != nil {
			g.Weights[i] = weights[e]
		}
	}
	s := g.Features.Sparse
	if s == nil {
		return
	}
	for u := range s.Rows {
		for i := s.Indptr[u]; i < s.Indptr[u+1]; i++ { // a few entries: by insertion
			for k := i; k > s.Indptr[u] && s.Indices[k-1] > s.Indices[k]; k-- {
				s.Indices[k-1], s.Indices[k] = s.Indices[k], s.Indices[k-1]
				s.Values[k-1], s.Values[k] = s.Values[k], s.Values[k-1]
			}
		}
	}
}

func TestSparseFeaturesBecomeRows(t *testing.T) {
	f := &format.Features{Cols: 3, Sparse: &format.Sparse{Rows: 3, Cols: 3, Indptr: []int64{0, 2, 2, 3}, Indices: []int32{2, 0, 1}, Values: []float32{1, 2, 3}}}
	var got []float32
	err := emitRows(t.Context(), f, 3, func(block []float32) error {
		got = append(got, block...)
		return nil
	})
	if want := []float32{2, 0, 1, 0, 0, 0, 0, 3, 0}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestNothingIsOverwrittenOrLeftHalfDone(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "t.csv")
	if err := os.WriteFile(in, []byte("a,b\n1,2\n3,4\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	graph := filepath.Join(dir, "g.edges")
	if err := os.WriteFile(graph, []byte("0 1\n1 2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Convert(t.Context(), in, graph, Options{To: "csv"}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v, expected that it exists", err)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	for out, from := range map[string]string{"x.parquet": in, "x.csv": in, "x": graph, "x.edges": graph, "x.sgraph": graph} {
		if _, err := Convert(stopped, from, filepath.Join(dir, out), Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", out, err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestTableWithoutRowsKeepsItsColumns(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "t.parquet"), filepath.Join(dir, "t.csv")
	err := format.WriteFile(in, func(to io.Writer) error {
		w := parquet.NewWriter(to)
		none := table.New([]table.Column{{Name: "name", Kind: table.Text}, {Name: "b", Kind: table.Int}}, 0)
		return errors.Join(w.Write(none), w.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
	convert(t, in, out, Options{})
	if text, err := os.ReadFile(out); err != nil || string(text) != "name,b\r\n" {
		t.Errorf("%q, %v", text, err)
	}
}
