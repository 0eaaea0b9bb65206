package detect

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
	"github.com/seraph-ml/seraph/format/table"
	"github.com/seraph-ml/seraph/internal/realdata"
)

// samples are files of other packages, and what they are.
var samples = map[string]string{
	"../planetoid/testdata/ind.tiny":                       "planetoid graph",
	"../shchur/testdata/benchmark.npz":                     "shchur graph",
	"../shchur/testdata/nested.zip":                        "shchur graph",
	"../sgraph/testdata/example.sgraph":                    "sgraph graph",
	"../table/testdata/rfc4180.csv":                        "csv table",
	"../table/testdata/tabs.tsv":                           "csv table",
	"../table/testdata/packed.csv.gz":                      "csv table",
	"../parquet/testdata/snappy.parquet":                   "parquet table",
	"../npy/testdata/version1.npy":                         "npy arrays",
	"../npy/testdata/stored.npz":                           "npz arrays",
	"../safetensors/testdata/golden.safetensors":           "safetensors arrays",
	"../safetensors/testdata/model.safetensors.index.json": "safetensors arrays",
	"../tfevents/testdata/golden.tfevents":                 "tfevents events",
	"../pickle/testdata/plain.pickle":                      "pickle object",
	"../planetoid/testdata/ind.tiny.x":                     "pickle object",
	"../table/testdata/expected.json":                      "text text",
}

func describe(k Kind) string { return k.Name + " " + string(k.Class) }

func TestFilesAreRecognised(t *testing.T) {
	for path, want := range samples {
		k, err := Recognise(path)
		if err != nil || describe(k) != want {
			t.Errorf("%s: taken for %q (%v), expected %q", path, describe(k), err, want)
			continue
		}
		d, err := Describe(path)
		if err != nil || d.Format != k.Name || d.Title == "" {
			t.Errorf("%s: described as %q %q: %v", path, d.Format, d.Title, err)
		}
		if err := Check(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestContentCountsMoreThanTheName(t *testing.T) {
	for path, want := range samples {
		if strings.HasSuffix(want, "table") && strings.HasPrefix(want, "csv") || want == "text text" || strings.HasPrefix(want, "planetoid") || strings.HasSuffix(path, ".json") || want == "npz arrays" {
			continue // these are told by their names
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		k, err := Recognise(write(t, "download", string(content)))
		if err != nil || describe(k) != want {
			t.Errorf("%s without its name: taken for %q (%v), expected %q", path, describe(k), err, want)
		}
	}
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTextIsToldByItsLines(t *testing.T) {
	for _, test := range []struct{ name, content, want string }{
		{"x.txt", "# SNAP\r\n# FromNodeId\tToNodeId\r\n30\t1412\r\n", "edgelist graph"},
		{"x.edges", "% sym\n1 2 0.5\n2 3 1\n", "edgelist graph"},
		{"x", "1 2\n2 3\n", "edgelist graph"},
		{"x.graph", "3 2\n2\n1 3\n2\n", "metis graph"},
		{"x.metis", "% comment\n3 2\n2\n1 3\n2\n", "metis graph"},
		{"x.mtx", "%%MatrixMarket matrix coordinate pattern general\n2 2 1\n1 2\n", "matrixmarket graph"},
		{"x.txt", "%%MatrixMarket matrix coordinate pattern general\n2 2 1\n1 2\n", "matrixmarket graph"},
		{"x.csv", "1,2\n2,3\n", "csv table"},
		{"x.CSV", "a,b\n2,3\n", "csv table"},
		{"x.txt", "Shall I compare thee\nto a summer's day?\n", "text text"},
		{"x.md", "# 日本\n", "text text"},
	} {
		k, err := Recognise(write(t, test.name, test.content))
		if err != nil || describe(k) != test.want {
			t.Errorf("%s %q: taken for %q (%v), expected %q", test.name, test.content, describe(k), err, test.want)
		}
	}
}

func TestWhatIsNothingIsAnErrorThatHelps(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"ind.x.graph": "", "a.safetensors.index.json": "{}"} {
		sub := filepath.Join(dir, name+".d")
		if err := os.Mkdir(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sub, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var texts bytes.Buffer
	z := zip.NewWriter(&texts)
	if _, err := z.Create("x.txt"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		write(t, "x.bin", "\x00\x01\x02"):                      "begins with",
		write(t, "x.txt", ""):                                  "an empty file",
		write(t, "x.txt", "text with a zero\x00"):              "begins with",
		write(t, "x.zip", "PK\x03\x04 and no more"):            "not a valid zip file",
		write(t, "x.zip", texts.String()):                      "zip archive of other files",
		dir:                                                    "OGB layout",
		filepath.Join(dir, "ind.x.graph.d"):                    filepath.Join(dir, "ind.x.graph.d/ind.x"),
		filepath.Join(dir, "a.safetensors.index.json.d"):       "a.safetensors.index.json",
		write(t, "x.jsonl", strings.Repeat("x", 100)+"\xff\n"): "begins with",
	} {
		_, err := Recognise(path)
		hostile.Judge(t, err, path)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, expected one that says %q", path, err, want)
		}
	}
	for _, f := range []func(string) error{
		func(path string) error { _, err := Recognise(path); return err },
		func(path string) error { _, err := Describe(path); return err },
		func(path string) error { _, err := ReadGraph(path, Options{}); return err },
		func(path string) error { _, err := OpenTable(path, table.Options{}); return err },
		func(path string) error { _, err := ImportBytes(path); return err },
		Check,
	} {
		if err := f(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v, expected one that says the file does not exist", err)
		}
	}
}

func TestDamagedFilesGoToTheReaderThatTheirNameTells(t *testing.T) {
	for name, want := range map[string]string{
		"x.npy": "npy", "x.npz": "npz", "x.parquet": "parquet", "x.safetensors": "safetensors", "x.pkl": "pickle", "x.mtx": "matrixmarket", "x.sgraph": "sgraph",
		"events.out.tfevents.1.x": "tfevents", "x.csv": "csv",
	} {
		path := write(t, name, "")
		k, err := Recognise(path)
		if err != nil || k.Name != want {
			t.Errorf("%s, empty: taken for %q (%v), expected %s", name, k.Name, err, want)
			continue
		}
		err = Check(path)
		hostile.Judge(t, err, name)
		if err == nil {
			t.Errorf("%s, empty: no error", name)
		}
	}
}

func TestGraphsAndTablesAreReadWhateverTheirFormat(t *testing.T) {
	graphs := map[string]string{ // by what they are
		"edges.csv": "1,2\n2,3\n", "edges.txt": "1 2 0.5\n2 3 2\n", "x.metis": "3 2 1\n2 5\n1 5 3 6\n2 6\n",
		"x.mtx": "%%MatrixMarket matrix coordinate real general\n3 3 2\n1 2 0.5\n2 3 2\n",
	}
	for name, content := range graphs {
		path := write(t, name, content)
		g, err := ReadGraph(path, Options{})
		if err != nil || g.Nodes != 3 || g.Weights != nil {
			t.Errorf("%s: %+v, %v", name, g, err)
		}
		if bytes, err := ImportBytes(path); err != nil || bytes < 1 {
			t.Errorf("%s: %d bytes, %v", name, bytes, err)
		}
		if name == "edges.csv" {
			continue
		}
		if g, err = ReadGraph(path, Options{Weights: "3"}); err != nil || len(g.Weights) != len(g.Src) {
			t.Errorf("%s with weights: %+v, %v", name, g, err)
		}
	}
	for _, column := range []string{"2", "0", "-1", "weight"} {
		_, err := ReadGraph(write(t, "x.txt", graphs["edges.txt"]), Options{Weights: column})
		var corrupt *format.CorruptError
		if err == nil || errors.As(err, &corrupt) {
			t.Errorf("weights in column %s: error %v, expected one of usage", column, err)
		}
	}
	for _, path := range []string{"../table/testdata/rfc4180.csv", "../parquet/testdata/snappy.parquet"} {
		f, err := OpenTable(path, table.Options{Categories: []string{"class", "bool"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Read(); err != nil {
			t.Error(err)
		}
		if _, err := ReadGraph(path, Options{}); err == nil || !strings.Contains(err.Error(), "expected a graph") {
			t.Errorf("%s as a graph: %v", path, err)
		}
	}
	if _, err := OpenTable("../planetoid/testdata/ind.tiny", table.Options{}); err == nil || !strings.Contains(err.Error(), "expected a table") {
		t.Errorf("planetoid as a table: %v", err)
	}
	if _, err := ImportBytes("../npy/testdata/version1.npy"); err == nil {
		t.Error("an array was taken for a graph or a table")
	}
}

func TestImportBytesBoundsWhatReadGraphAllocates(t *testing.T) {
	for _, name := range []string{
		"data/graph/amazon-photo.zip", "data/graph/edges/wiki-Vote.txt", "data/graph/edges/MIT8.edgelist", "data/graph/edges/wing.graph", "data/graph/planetoid/ind.cora.x",
	} {
		path := strings.TrimSuffix(realdata.Path(t, name), ".x")
		bound, err := ImportBytes(path)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		g, err := ReadGraph(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		allocated := int64(after.TotalAlloc - before.TotalAlloc)
		t.Logf("%s: %s of %d nodes, allocated %d of at most %d", name, g.Format, g.Nodes, allocated, bound)
		if allocated > bound {
			t.Errorf("%s: allocated %d, bound %d", name, allocated, bound)
		}
	}
}

func TestRealDataIsRecognised(t *testing.T) {
	for name, want := range map[string]string{
		"planetoid/ind.citeseer.x": "planetoid graph", "coauthor-cs.zip": "shchur graph", "splits/cs.npz": "npz arrays",
		"edges/wiki-Vote.txt": "edgelist graph", "edges/karate.graph": "metis graph", "edges/MIT8.edgelist": "edgelist graph",
		"../language/tinyshakespeare.txt": "text text", "../ranking/criteo_sample.csv": "csv table",
	} {
		k, err := Recognise(strings.TrimSuffix(realdata.Path(t, "data/graph/"+name), ".x"))
		if err != nil || describe(k) != want {
			t.Errorf("%s: taken for %q (%v), expected %q", name, describe(k), err, want)
		}
	}
}

func TestPlainTextIsCounted(t *testing.T) {
	path := write(t, "x.txt", "née\nnon\n")
	d, err := Describe(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []format.Field{{Name: "bytes", Value: "9"}, {Name: "characters", Value: "8"}, {Name: "distinct characters", Value: "5"}, {Name: "line ends", Value: "2"}}
	if diff := cmp.Diff(want, d.Fields); diff != "" {
		t.Error(diff)
	}
	path = write(t, "x.txt", strings.Repeat("a", 5000)+"\xff")
	err = Check(path)
	hostile.Judge(t, err, path)
	if err == nil || !strings.Contains(err.Error(), "@5000") {
		t.Errorf("error %v, expected one at byte 5000", err)
	}
}
