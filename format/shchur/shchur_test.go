package shchur

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/internal/realdata"
)

func TestAllLayoutsGiveTheSameGraph(t *testing.T) {
	for _, name := range []string{"benchmark.npz", "ppnp.npz", "pickled.npz", "nested.zip"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name)
			if !Is(path) {
				t.Error("not recognised")
			}
			got, err := Read(path)
			if err != nil {
				t.Fatal(err)
			}
			want := &format.Graph{
				Name: name[:len(name)-4], Format: "shchur", Nodes: 4,
				Src: []int32{0, 0, 1, 2, 3}, Dst: []int32{2, 1, 0, 2, 2},
				Features: format.Features{Cols: 3, Sparse: &format.Sparse{
					Rows: 4, Cols: 3, Indptr: []int64{0, 1, 2, 2, 3}, Indices: []int32{1, 0, 2}, Values: []float32{1, 0.5, 3},
				}},
				Labels: []int32{0, 1, -1, 1}, Classes: 2,
				Notes: []string{
					"1 stored zeros in the adjacency matrix are no edges",
					"1 edge entries have a weight other than 1, which is ignored",
				},
			}
			switch name {
			case "benchmark.npz", "nested.zip":
				want.ClassNames = []string{"red", "blue"}
				want.Notes = append(want.Notes, "arrays that are ignored: node_names")
			case "pickled.npz":
				want.Labels = []int32{0, 1, 0, 1}
				want.Notes = append(want.Notes, "labels are counted from 1 in the file; class 0 here is 1 there")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if err := Check(path); err != nil {
				t.Error(err)
			}
		})
	}
}

// realSets are statistics of the raw entries, computed with SciPy.
var realSets = []struct {
	name                              string
	nodes, cols, classes, entries, nz int
	labels                            []int
}{
	{"amazon-photo", 7650, 745, 8, 143663, 1979909, []int{369, 1686, 703, 915, 882, 823, 1941, 331}},
	{"coauthor-cs", 18333, 6805, 15, 163788, 1092079, []int{708, 462, 2050, 429, 1394, 2193, 371, 924, 775, 118, 1444, 2033, 420, 4136, 876}},
}

func TestRealStatistics(t *testing.T) {
	for _, set := range realSets {
		t.Run(set.name, func(t *testing.T) {
			path := realdata.Path(t, "data/graph/"+set.name+".zip")
			g, err := Read(path)
			if err != nil {
				t.Fatal(err)
			}
			got := []int{g.Nodes, g.Features.Cols, g.Classes, len(g.Src), len(g.Features.Sparse.Values)}
			if diff := cmp.Diff([]int{set.nodes, set.cols, set.classes, set.entries, set.nz}, got); diff != "" {
				t.Error(diff)
			}
			labels, none := g.LabelCounts()
			if diff := cmp.Diff(set.labels, labels); diff != "" || none != 0 {
				t.Errorf("labels: %d without, %s", none, diff)
			}
			if g.Name != set.name || g.Train != nil {
				t.Errorf("name %q, training nodes %v", g.Name, g.Train)
			}
		})
	}
}

func TestUnsortedColumnsAreKept(t *testing.T) {
	g, err := Read(realdata.Path(t, "data/graph/amazon-photo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	sorted := true
	for i := 1; i < len(g.Src); i++ {
		if g.Src[i] == g.Src[i-1] && g.Dst[i] < g.Dst[i-1] {
			sorted = false
		}
	}
	if sorted {
		t.Error("the columns of Amazon Photo are unsorted in the file and sorted here")
	}
}

func TestImportBytesBoundsWhatReadAllocates(t *testing.T) {
	paths := []string{"testdata/benchmark.npz", "testdata/ppnp.npz", "testdata/pickled.npz", "testdata/nested.zip"}
	for _, set := range realSets {
		paths = append(paths, realdata.Path(t, "data/graph/"+set.name+".zip"))
	}
	for _, path := range paths {
		hostile.Bounded(t, path, ImportBytes, func(path string) error {
			_, err := Read(path)
			return err
		})
	}
}

// benchmarkWith writes the gnn-benchmark archive with some arrays replaced (nil: left out) and returns its content.
func benchmarkWith(t *testing.T, replace map[string]*npy.Array) []byte {
	t.Helper()
	a, err := npy.OpenArchive("testdata/benchmark.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	var arrays []npy.Named
	for _, name := range a.Names {
		array, err := a.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := replace[name]; ok {
			array = other
		}
		if array != nil {
			arrays = append(arrays, npy.Named{Name: name, Array: array})
		}
	}
	path := filepath.Join(t.TempDir(), "x.npz")
	if err := npy.WriteArchive(path, arrays, false); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func array[T format.Number](t *testing.T, values []T, shape ...int) *npy.Array {
	t.Helper()
	if shape == nil {
		shape = []int{len(values)}
	}
	a, err := npy.New(values, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestInconsistentGraphsAreRefused(t *testing.T) {
	for name, replace := range map[string]map[string]*npy.Array{
		"no labels":             {"labels": nil},
		"no column indices":     {"adj_indices": nil},
		"shape not square":      {"adj_shape": array(t, []int64{4, 5})},
		"shape of three":        {"adj_shape": array(t, []int64{4, 4, 4})},
		"shape beyond indptr":   {"adj_shape": array(t, []int64{1 << 30, 1 << 30})},
		"shape beyond int32":    {"adj_shape": array(t, []int64{1 << 40, 1 << 40})},
		"negative shape":        {"adj_shape": array(t, []int64{-4, -4})},
		"no nodes":              {"adj_shape": array(t, []int64{0, 0}), "adj_indptr": array(t, []int32{0}), "adj_indices": array(t, []int32{}), "adj_data": array(t, []float32{}), "labels": array(t, []int64{})},
		"indptr beyond entries": {"adj_indptr": array(t, []int32{0, 2, 3, 4, 7})},
		"indptr decreasing":     {"adj_indptr": array(t, []int32{0, 5, 3, 4, 6})},
		"indptr negative":       {"adj_indptr": array(t, []int64{0, -1 << 62, 3, 4, 6})},
		"column beyond":         {"adj_indices": array(t, []int32{4, 1, 0, 2, 0, 2})},
		"column negative":       {"adj_indices": array(t, []int32{-1, 1, 0, 2, 0, 2})},
		"fewer values":          {"adj_data": array(t, []float32{1})},
		"float indices":         {"adj_indices": array(t, []float32{2, 1, 0, 2, 0, 2})},
		"features of five rows": {"attr_shape": array(t, []int64{5, 3}), "attr_indptr": array(t, []int32{0, 1, 2, 2, 3, 3})},
		"NaN feature":           {"attr_data": array(t, []float64{1, nan(), 3})},
		"too few labels":        {"labels": array(t, []int64{0, 1, 1})},
		"label too large":       {"labels": array(t, []int64{0, 1, 1, 1 << 30})},
		"label below -1":        {"labels": array(t, []int64{0, 1, 1, -2})},
		"matrix of labels":      {"labels": array(t, []int64{0, 1, 1, 0}, 2, 2)},
	} {
		t.Run(name, func(t *testing.T) { hostile.MustRefuse(t, "x.npz", benchmarkWith(t, replace), Check) })
	}
}

func nan() float64 { zero := 0.0; return zero / zero }

func TestFeaturesMayBeAbsentOrDense(t *testing.T) {
	write := func(content []byte) string {
		path := filepath.Join(t.TempDir(), "x.npz")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	g, err := Read(write(benchmarkWith(t, map[string]*npy.Array{"attr_data": nil})))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(format.Features{}, g.Features); diff != "" {
		t.Error(diff)
	}
	dense := array(t, []float32{1, 2, 3, 4, 5, 6, 7, 8}, 4, 2)
	path := filepath.Join(t.TempDir(), "dense.npz")
	a, err := npy.OpenArchive("testdata/ppnp.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	arrays := []npy.Named{{Name: "attr_matrix", Array: dense}}
	for _, name := range a.Names {
		m, err := a.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "labels" || slices.Contains(layouts[1].adjacency.arrays(), name) {
			arrays = append(arrays, npy.Named{Name: name, Array: m})
		}
	}
	if err := npy.WriteArchive(path, arrays, true); err != nil {
		t.Fatal(err)
	}
	if g, err = Read(path); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(format.Features{Cols: 2, Dense: []float32{1, 2, 3, 4, 5, 6, 7, 8}}, g.Features); diff != "" {
		t.Error(diff)
	}
}

func TestZipsWithoutOneGraphAreRefused(t *testing.T) {
	content, err := os.ReadFile("testdata/benchmark.npz")
	if err != nil {
		t.Fatal(err)
	}
	for name, members := range map[string][]string{"none": nil, "two": {"a.npz", "b.npz"}, "other": {"a.txt"}, "text": {"a.npy"}} {
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		for _, member := range members {
			w, err := z.Create(member)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(content); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { hostile.MustRefuse(t, "x.zip", out.Bytes(), Check) })
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	for _, name := range []string{"benchmark.npz", "ppnp.npz", "pickled.npz", "nested.zip"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		hostile.Truncations(t, name, content, Check)
		noticed, tried := hostile.BitFlips(t, name, content, Check)
		t.Logf("%s: %d of %d bit flips noticed", name, noticed, tried)
		if noticed == 0 {
			t.Errorf("%s: no bit flip was noticed", name)
		}
	}
}

func TestDescribeCountsClasses(t *testing.T) {
	d, err := Describe("testdata/benchmark.npz")
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"0", "red", "1"}, {"1", "blue", "2"}, {"-1", "no label", "1"}}
	if diff := cmp.Diff(want, d.Rows, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func FuzzShchur(f *testing.F) {
	for _, name := range []string{"benchmark.npz", "ppnp.npz", "pickled.npz", "nested.zip"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		z, err := format.NewZip(format.NewSource("x.zip", bytes.NewReader(content), int64(len(content))))
		hostile.Judge(t, err, "x.zip")
		if err != nil {
			return
		}
		z.Budget = 1 << 20
		a, err := inner(z)
		hostile.Judge(t, err, "x.zip")
		if err == nil {
			_, err = read(a, "x.zip")
			hostile.Judge(t, err, "x.zip")
		}
	})
}

// FuzzArrays replaces one array of an archive and stores it with the right checksum, which random bytes hardly ever have.
func FuzzArrays(f *testing.F) {
	type member struct {
		name    string
		content []byte
	}
	var archives [][]member
	for _, name := range []string{"benchmark.npz", "pickled.npz"} {
		z, err := format.OpenZip(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		var members []member
		for i, m := range z.Members {
			content, err := z.Read(m)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(len(archives)), uint8(i), content)
			members = append(members, member{m.Name, content})
		}
		archives = append(archives, members)
		z.Close()
	}
	f.Fuzz(func(t *testing.T, archive, replaced uint8, content []byte) {
		members := archives[int(archive)%len(archives)]
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		for i, m := range members {
			w, err := z.CreateHeader(&zip.FileHeader{Name: m.name, Method: zip.Store})
			if err != nil {
				t.Fatal(err)
			}
			if i == int(replaced)%len(members) {
				m.content = content
			}
			w.Write(m.content)
		}
		z.Close()
		opened, err := format.NewZip(format.NewSource("x.zip", bytes.NewReader(out.Bytes()), int64(out.Len())))
		if err != nil {
			t.Fatal(err)
		}
		g, err := read(npy.NewArchive(opened), "x.zip")
		hostile.Judge(t, err, "x.zip")
		if err == nil && g.Nodes > len(content)+100 {
			t.Errorf("%d nodes of %d bytes", g.Nodes, len(content))
		}
	})
}

func BenchmarkReadCoauthorCS(b *testing.B) {
	path := realdata.Path(b, "data/graph/coauthor-cs.zip")
	for b.Loop() {
		if _, err := Read(path); err != nil {
			b.Fatal(err)
		}
	}
}
