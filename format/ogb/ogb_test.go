package ogb

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
)

// tiny is testdata/tiny, which testdata/tiny.py writes with pandas and reads with OGB's own reader.
func tiny() *format.Graph {
	return &format.Graph{
		Name: "tiny", Format: "ogb", Nodes: 5,
		Src: []int32{0, 1, 1, 3, 4, 2}, Dst: []int32{1, 2, 2, 3, 0, 4},
		Features: format.Features{Cols: 3, Dense: []float32{0.5, -1, 0, 1e-7, 3.4028235e38, 0.1, 0, 0, 0, -0.057943, 1, 2, 16777216, 1. / 3, -2}},
		Labels:   []int32{2, 0, -1, 2, 1}, Classes: 3,
		Train: []int32{4, 0}, Val: []int32{1}, Test: []int32{3},
		Notes: []string{"raw/edge_reltype.csv.gz is ignored", "raw/node_year.csv.gz is ignored"},
	}
}

// tinyFiles returns the files of testdata/tiny, inflated, by the names that find takes.
func tinyFiles(t testing.TB) map[string]string {
	t.Helper()
	files := map[string]string{}
	root := os.DirFS("testdata/tiny")
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		f, err := root.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			return err
		}
		content, err := io.ReadAll(z)
		files[strings.TrimSuffix(path, ".csv.gz")] = string(content)
		return err
	})
	if err != nil || len(files) != 10 {
		t.Fatalf("%d files (%v)", len(files), err)
	}
	return files
}

// put writes files, not compressed, into a new folder called tiny.
func put(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tiny")
	for file, content := range files {
		path := filepath.Join(dir, file+".csv")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadsWhatPandasWrites(t *testing.T) {
	if !Is("testdata/tiny") {
		t.Error("not recognised")
	}
	got, err := Read("testdata/tiny")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tiny(), got); diff != "" {
		t.Error(diff)
	}
	if err := Check("testdata/tiny"); err != nil {
		t.Error(err)
	}
}

func TestPlainFilesAndParts(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(files map[string]string, want *format.Graph)
	}{
		{"nothing", func(files map[string]string, want *format.Graph) {
			want.Notes = []string{"raw/edge_reltype.csv is ignored", "raw/node_year.csv is ignored"}
		}},
		{"edges alone", func(files map[string]string, want *format.Graph) {
			for file := range files {
				if file != nodeCount && file != edgeCount && file != edgeFile {
					delete(files, file)
				}
			}
			want.Features, want.Labels, want.Classes, want.Notes = format.Features{}, nil, 0, nil
			want.Train, want.Val, want.Test = nil, nil, nil
		}},
		{"two splits, one empty part", func(files map[string]string, want *format.Graph) {
			files["split/random/train"], files["split/random/valid"], files["split/random/test"] = "3\r\n", "", "2"
			want.Train, want.Val, want.Test = []int32{3}, []int32{}, []int32{2}
			want.Notes = []string{`split "time" is ignored for split "random"`, "raw/edge_reltype.csv is ignored", "raw/node_year.csv is ignored"}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			files, want := tinyFiles(t), tiny()
			c.change(files, want)
			got, err := Read(put(t, files))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFeaturesComeInBlocks(t *testing.T) {
	s, err := Open("testdata/tiny")
	if err != nil {
		t.Fatal(err)
	}
	if s.Nodes != 5 || s.Edges != 6 || s.Cols != 3 || s.Scheme != "time" {
		t.Errorf("found %+v", s)
	}
	want := tiny().Features.Dense
	for rows := 1; rows <= 6; rows++ {
		f, err := s.Features()
		if err != nil {
			t.Fatal(err)
		}
		var got []float32
		block := make([]float32, 3*rows+2) // a part of a row is left over
		for {
			n, err := f.Read(block)
			if err == io.EOF && n == 0 {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if left := 5 - len(got)/3; n != min(rows, left) {
				t.Errorf("%d rows, expected %d", n, min(rows, left))
			}
			got = append(got, block[:3*n]...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("blocks of %d rows: %s", rows, diff)
		}
		if _, err := f.Read(block[:2]); err == nil || err == io.EOF {
			t.Errorf("a block without room for a row: %v", err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	g, err := s.Graph()
	if err != nil {
		t.Fatal(err)
	}
	all := tiny()
	all.Features = format.Features{}
	if diff := cmp.Diff(all, g); diff != "" {
		t.Error(diff)
	}
}

func TestWrongFilesAreRefused(t *testing.T) {
	for _, c := range []struct{ name, file, content, want string }{
		{"no count", nodeCount, "", "num-node-list.csv:1: count: found the end of the line"},
		{"no nodes", nodeCount, "0\n", `num-node-list.csv:1: count: found "0"`},
		{"nodes beyond int32", nodeCount, "2147483648\n", "num-node-list.csv:1: count"},
		{"many nodes", nodeCount, "2147483647\n", "node-label.csv:5: labels: found 5 lines, expected 2147483647"},
		{"two graphs", nodeCount, "5\n5\n", "num-node-list.csv:2: count: found a second number"},
		{"two graphs in a line", edgeCount, "6,6\n", "num-edge-list.csv:1: count: found a second number"},
		{"fewer nodes", nodeCount, "4\n", `edge.csv:5: source of an edge: found "4", expected a whole number from 0 to 3`},
		{"fewer edges", edgeCount, "5\n", "edge.csv:6: edges: found more than 5 lines"},
		{"more edges", edgeCount, "1099511627776\n", "edge.csv:6: edges: found 6 lines, expected 1099511627776"},
		{"one column", edgeFile, "0,1\n1\n", "edge.csv:2: target of an edge: found the end of the line"},
		{"three columns", edgeFile, "0,1\n1,2,3\n", "edge.csv:2: edges: found more columns"},
		{"blank line", edgeFile, "0,1\n\n1,2\n1,2\n3,3\n4,0\n", "edge.csv:2: source of an edge"},
		{"negative node", edgeFile, "0,-1\n", "edge.csv:1: target of an edge"},
		{"header", edgeFile, "src,dst\n", "edge.csv:1: source of an edge"},
		{"no features", featureFile, "\n", "node-feat.csv:1: features of node 0: found none"},
		{"a word", featureFile, "1,x,2\n", `node-feat.csv:1: feature: found "x"`},
		{"nan", featureFile, "1,2,3\n1,nan,2\n", `node-feat.csv:2: feature: found "nan", expected a finite number`},
		{"missing value", featureFile, "1,2,3\n1,,2\n", `node-feat.csv:2: feature: found ""`},
		{"fewer columns", featureFile, "1,2,3\n1,2\n", "node-feat.csv:2: feature: found the end of the line"},
		{"more columns", featureFile, "1,2\n1,2,\n", "node-feat.csv:2: features: found more than 2 columns"},
		{"fewer rows", featureFile, "1\n2\n3\n4\n", "node-feat.csv:4: features: found 4 lines, expected 5"},
		{"more rows", featureFile, "1\n2\n3\n4\n5\n6\n", "node-feat.csv:6: features: found more than 5 lines"},
		{"label beyond nodes", labelFile, "5\n0\n0\n0\n0\n", `node-label.csv:1: label: found "5", expected nan or a class 0 … 4`},
		{"fraction", labelFile, "0.5\n", `node-label.csv:1: label: found "0.5"`},
		{"negative label", labelFile, "-1\n", `node-label.csv:1: label: found "-1"`},
		{"several labels", labelFile, "0,1,0\n", "node-label.csv:1: label: found several columns"},
		{"fewer labels", labelFile, "0\n1\n", "node-label.csv:2: labels: found 2 lines, expected 5"},
		{"split beyond nodes", "split/time/train", "5\n", "train.csv:1: node of the split"},
		{"node twice", "split/time/train", "4\n4\n", "time: split: found node 4 twice"},
		{"node in two parts", "split/time/test", "1\n", "time: split: found node 1 twice"},
		{"two ids in a line", "split/time/test", "3,2\n", "test.csv:1: node of the split: found several columns"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := tinyFiles(t)
			files[c.file] = c.content
			dir := put(t, files)
			_, err := Read(dir)
			refusedAlike(t, err, Check(dir), c.want)
		})
	}
}

// refusedAlike holds that reading and checking say the same of a folder, and what.
func refusedAlike(t *testing.T, read, checked error, want string) {
	t.Helper()
	if read == nil || !strings.Contains(read.Error(), want) {
		t.Errorf("error %v, expected %s", read, want)
	}
	hostile.Judge(t, read, "tiny")
	if checked == nil || read == nil || checked.Error() != read.Error() {
		t.Errorf("checking says %v, reading %v", checked, read)
	}
}

func TestMissingFiles(t *testing.T) {
	for _, file := range []string{nodeCount, edgeCount, edgeFile, "split/time/valid"} {
		files := tinyFiles(t)
		delete(files, file)
		dir := put(t, files)
		if _, err := Read(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without %s: error %v, expected one that says so", file, err)
		}
		if strings.HasPrefix(file, "raw") == Is(dir) {
			t.Errorf("without %s: recognised %v", file, Is(dir))
		}
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	files := tinyFiles(t)
	for file, content := range files {
		if strings.Contains(file, "year") || strings.Contains(file, "reltype") {
			continue // ignored
		}
		for _, ext := range []string{".csv", ".csv.gz"} {
			rest := tinyFiles(t)
			delete(rest, file)
			dir := put(t, rest)
			// check reads the set with this file replaced by the one at path.
			check := func(path string) error {
				damaged, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(dir, file+ext), damaged, 0o644); err != nil {
					return err
				}
				return Check(dir)
			}
			if ext == ".csv.gz" {
				hostile.Truncations(t, "tiny", hostile.Gzip(t, []byte(content)), check)
				continue
			}
			hostile.Cuts(t, "tiny", []byte(content), check)
			noticed, tried := hostile.BitFlips(t, "tiny", []byte(content), check)
			if noticed < tried/3 {
				t.Errorf("%s: %d of %d bit flips noticed", file, noticed, tried)
			}
		}
	}
}

func TestALieAboutCountsClaimsNoMemory(t *testing.T) {
	files := tinyFiles(t)
	files[nodeCount], files[edgeCount] = "2147483647\n", "1099511627776\n"
	for file := range files {
		if strings.HasPrefix(file, "split") {
			files[file] = "0\n"
		}
	}
	for _, missing := range []string{"", labelFile, featureFile} {
		delete(files, missing)
		dir := put(t, files)
		if got := hostile.Allocated(func() { _ = Check(dir) }); got > 4<<20 {
			t.Errorf("without %q: %d bytes allocated", missing, got)
		}
	}
}

func TestImportBytesBoundsWhatReadAllocates(t *testing.T) {
	files := map[string]string{nodeCount: "20000", edgeCount: "50000", edgeFile: strings.Repeat("1,2\n", 50_000),
		featureFile: strings.Repeat("0,1,0,0,0\n", 20_000), labelFile: strings.Repeat("1\n", 20_000)}
	big := put(t, files)
	packed := filepath.Join(t.TempDir(), "raw") // compresses so well that the arrays have to grow
	if err := os.Mkdir(packed, 0o755); err != nil {
		t.Fatal(err)
	}
	for file, content := range files {
		if err := os.WriteFile(filepath.Join(filepath.Dir(packed), file+".csv.gz"), hostile.Gzip(t, []byte(content)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"testdata/tiny", put(t, tinyFiles(t)), big, filepath.Dir(packed)} {
		hostile.Bounded(t, dir, ImportBytes, func(dir string) error {
			_, err := Read(dir)
			return err
		})
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		hostile.Bounded(t, dir, func(string) (int64, error) { return s.GraphBytes() }, func(string) error {
			_, err := s.Graph()
			return err
		})
	}
}

func TestDescribe(t *testing.T) {
	d, err := Describe("testdata/tiny")
	if err != nil {
		t.Fatal(err)
	}
	want := []format.Field{{Name: "nodes", Value: "5"}, {Name: "edge entries", Value: "6"}, {Name: "feature columns", Value: "3"}, {Name: "classes", Value: "3"}, {Name: "public split", Value: "2 train / 1 validation / 1 test"}}
	if diff := cmp.Diff(want, d.Fields); diff != "" {
		t.Error(diff)
	}
}

// FuzzOGB reads one file of the layout; part says which.
func FuzzOGB(f *testing.F) {
	files := tinyFiles(f)
	for part, file := range []string{edgeFile, labelFile, featureFile, nodeCount, "split/time/train"} {
		f.Add(uint8(part), []byte(files[file]))
	}
	f.Fuzz(func(t *testing.T, part uint8, content []byte) {
		open := func() *format.Text {
			text, err := format.NewText(format.NewSource("x.csv", bytes.NewReader(content), int64(len(content))))
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		s := &Set{Dir: "x.csv", Nodes: 5, Edges: 6}
		g := &format.Graph{Nodes: s.Nodes}
		var err error
		switch part % 5 {
		case 0:
			err = s.readEdges(g, open())
		case 1:
			err = s.readLabels(g, open())
		case 2:
			if err = s.countColumns(open()); err == nil {
				features := Features{Rows: s.Nodes, Cols: s.Cols, text: open()}
				block := make([]float32, 2*s.Cols)
				for err == nil {
					_, err = features.Read(block)
				}
				if err == io.EOF {
					err = nil
				}
			}
		case 3:
			_, err = parseCount(open(), 0, 1<<40)
		case 4:
			g.Train, err = s.readIDs(open())
		}
		hostile.Judge(t, err, "x.csv")
		if err == nil {
			hostile.Judge(t, g.Validate("x.csv"), "x.csv")
		}
	})
}
