package ogb

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
	"github.com/seraph-ml/seraph/format/npy"
)

const (
	cites  = "raw/relations/paper___cites___paper"
	writes = "raw/relations/author___writes___paper"
)

// libraryFiles are a data set of four papers, two authors and a venue that nothing refers to, by the names that find takes.
func libraryFiles() map[string]string {
	return map[string]string{
		kindList:                 "author,paper,venue\n2,4,1\n",
		relationList:             "paper,cites,paper\nauthor,writes,paper\n",
		cites + "/num-edge-list": "3\n", cites + "/edge": "0,1\n1,2\n1,1\n", cites + "/edge_reltype": "0\n0\n0\n",
		writes + "/num-edge-list": "4\n", writes + "/edge": "0,0\n0,1\n1,2\n1,3\n",
		featuresOf("paper"): "1,0\n0,1\n0.5,-2\n0,0\n", "raw/node-feat/paper/node_year": "1\n2\n3\n4\n",
		labelsOf("paper"):        "1\n0\nnan\n1\n",
		"raw/nodetype-has-feat":  "author,paper,venue\nFalse,True,False\n",
		"split/time/paper/train": "3\n0\n", "split/time/paper/valid": "1\n", "split/time/paper/test": "2\n",
	}
}

func library() *format.Graph {
	return &format.Graph{
		Name: "tiny", Format: "ogb-hetero", Nodes: 7,
		Src: []int32{4, 4, 5, 5, 0, 1, 1}, Dst: []int32{0, 1, 2, 3, 1, 2, 1},
		Labels: []int32{1, 0, -1, 1}, Classes: 2,
		Train: []int32{3, 0}, Val: []int32{1}, Test: []int32{2},
		Kinds:     []format.Kind{{Name: "paper", Nodes: 4, Features: format.Features{Cols: 2, Dense: []float32{1, 0, 0, 1, 0.5, -2, 0, 0}}}, {Name: "author", Nodes: 2}, {Name: "venue", Nodes: 1}},
		Relations: []format.Relation{{Name: "writes", From: 1, To: 0, Edges: 4}, {Name: "cites", From: 0, To: 0, Edges: 3}},
		Notes:     []string{"raw/node-feat/paper/node_year.csv is ignored", cites + "/edge_reltype.csv is ignored"},
	}
}

func TestReadsKindsOfNodes(t *testing.T) {
	dir := put(t, libraryFiles())
	if !IsHetero(dir) || Is(dir) || IsHetero("testdata/tiny") {
		t.Error("taken for the other layout")
	}
	got, err := ReadHetero(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(library(), got); diff != "" {
		t.Error(diff)
	}
	if err := CheckHetero(dir); err != nil {
		t.Error(err)
	}
	d, err := DescribeHetero(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []format.Field{
		{Name: "nodes", Value: "7"}, {Name: "  paper", Value: "4, 2 features"}, {Name: "  author", Value: "2, no features"}, {Name: "  venue", Value: "1, no features"},
		{Name: "edge entries", Value: "7"}, {Name: "  author___writes___paper", Value: "4"}, {Name: "  paper___cites___paper", Value: "3"},
		{Name: "classes", Value: "2"}, {Name: "public split", Value: "2 train / 1 validation / 1 test"},
	}
	if diff := cmp.Diff(want, d.Fields); diff != "" {
		t.Error(diff)
	}
}

// embeddings are those of the authors in a .npy file.
func embeddings(t testing.TB, dir string, values []float32, shape ...int) {
	t.Helper()
	a, err := npy.New(values, shape...)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "raw/node-feat/author")
	if err := errors.Join(os.MkdirAll(folder, 0o755), npy.Write(filepath.Join(folder, "node-feat.npy"), a)); err != nil {
		t.Fatal(err)
	}
}

func TestFeaturesOfAKindMayBeAnArray(t *testing.T) {
	dir := put(t, libraryFiles())
	values := []float32{1, 2, 3, 4, 5, 6}
	embeddings(t, dir, values, 2, 3)
	want := library()
	want.Kinds[1].Features = format.Features{Cols: 3, Dense: values}
	got, err := ReadHetero(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, shape := range [][]int{{3, 2}, {6}} {
		embeddings(t, dir, values, shape...)
		_, err := ReadHetero(dir)
		hostile.Judge(t, err, "tiny")
		if err == nil || !strings.Contains(err.Error(), "expected (2, columns), a row a node") {
			t.Errorf("shape %v: error %v", shape, err)
		}
	}
	values[3] /= 0 * values[0]
	embeddings(t, dir, values, 2, 3)
	for _, read := range []func(string) error{CheckHetero, func(dir string) error { _, err := ReadHetero(dir); return err }} {
		err := read(dir)
		hostile.Judge(t, err, "tiny")
		if err == nil || !strings.Contains(err.Error(), "node-feat.npy") {
			t.Errorf("an infinite feature: %v", err)
		}
	}
}

func TestWhatIsWrongWithKindsIsNamed(t *testing.T) {
	for _, c := range []struct{ name, file, content, want string }{
		{"no kinds", kindList, "\n1\n", "num-node-dict.csv:2: numbers of nodes"},
		{"a kind twice", kindList, "paper,author,paper\n1,2,3\n", `kind of nodes: found paper, expected up to 1000 different kinds`},
		{"a kind that is a path", kindList, "paper,../author\n4,2\n", `num-node-dict.csv:1: kind of nodes: found "../author"`},
		{"fewer numbers", kindList, "author,paper,venue\n2,4\n", "num-node-dict.csv:2: number of nodes of kind venue: found the end of the line"},
		{"more numbers", kindList, "author,paper,venue\n2,4,1,5\n", "num-node-dict.csv:2: numbers of nodes: found more of them"},
		{"several graphs", kindList, "author,paper,venue\n2,4,1\n2,4,1\n", "sets of many graphs"},
		{"too many nodes", kindList, "author,paper,venue\n2,2147483647,1\n", "number of nodes of kind paper"},
		{"an unknown kind", relationList, "paper,cites,book\n", "triplet-type-list.csv:1: relation: found paper,cites,book"},
		{"two names", relationList, "paper,cites\n", "triplet-type-list.csv:1: relation"},
		{"four names", relationList, "paper,cites,paper,paper\n", "found more than three names"},
		{"a relation twice", relationList, "paper,cites,paper\npaper,cites,paper\n", "triplet-type-list.csv:2: relation"},
		{"no relations", relationList, "", "relations: found none"},
		{"an edge to the other kind", writes + "/edge", "0,0\n0,1\n1,2\n2,3\n", `edge.csv:4: source of an edge: found "2", expected a whole number from 0 to 1`},
		{"fewer edges", cites + "/edge", "0,1\n", "edge.csv:1: edges: found 1 lines, expected 3"},
		{"labels of two kinds", labelsOf("venue"), "0\n", "labels: found those of paper and of venue"},
		{"fewer labels", labelsOf("paper"), "0\n", "node-label.csv:1: labels: found 1 lines, expected 4"},
		{"fewer features", featuresOf("paper"), "1,2\n", "node-feat.csv:1: features: found 1 lines, expected 4"},
		{"split beyond the kind", "split/time/paper/test", "4\n", "test.csv:1: node of the split"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := libraryFiles()
			files[c.file] = c.content
			dir := put(t, files)
			_, err := ReadHetero(dir)
			refusedAlike(t, err, CheckHetero(dir), c.want)
		})
	}
	files := libraryFiles()
	delete(files, labelsOf("paper"))
	if _, err := ReadHetero(put(t, files)); err == nil || !strings.Contains(err.Error(), "labels: found none") {
		t.Errorf("without labels: %v", err)
	}
	for _, file := range []string{cites + "/edge", writes + "/num-edge-list", "split/time/paper/valid"} {
		files := libraryFiles()
		delete(files, file)
		if _, err := ReadHetero(put(t, files)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without %s: %v", file, err)
		}
	}
}

func TestDamagedFilesOfKindsAreRefused(t *testing.T) {
	for _, file := range []string{kindList, relationList} { // the others are read as those of one kind of nodes are
		rest := libraryFiles()
		content := rest[file]
		delete(rest, file)
		dir := put(t, rest)
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755); err != nil {
			t.Fatal(err)
		}
		check := func(path string) error {
			damaged, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, file+".csv"), damaged, 0o644); err != nil {
				return err
			}
			if err := CheckHetero(dir); !errors.Is(err, fs.ErrNotExist) { // of a folder that a damaged name names
				return err
			}
			return format.CorruptAt(path, -1, "name", "another", "that of a folder")
		}
		hostile.Cuts(t, "tiny", []byte(content), check)
		if noticed, tried := hostile.BitFlips(t, "tiny", []byte(content), check); noticed < tried/4 {
			t.Errorf("%s: %d of %d bit flips noticed", file, noticed, tried)
		}
	}
}

func TestALieAboutKindsClaimsNoMemory(t *testing.T) {
	files := libraryFiles()
	files[kindList], files[cites+"/num-edge-list"] = "author,paper,venue\n1000000000,1000000000,1\n", "1099511627776\n"
	dir := put(t, files)
	for _, read := range []func(string) error{CheckHetero, func(dir string) error { _, err := ReadHetero(dir); return err }} {
		if got := hostile.Allocated(func() { _ = read(dir) }); got > 4<<20 {
			t.Errorf("%d bytes allocated", got)
		}
	}
}

func TestHeteroImportBytesBoundsWhatReadingAllocates(t *testing.T) {
	big := libraryFiles()
	maps.Copy(big, map[string]string{
		kindList: "author,paper,venue\n2000,4000,1\n", cites + "/num-edge-list": "30000\n", cites + "/edge": strings.Repeat("7,8\n", 30_000),
		featuresOf("paper"): strings.Repeat("1,0,2\n", 4_000), labelsOf("paper"): strings.Repeat("3\n", 4_000),
	})
	arrays := put(t, big)
	embeddings(t, arrays, make([]float32, 2000*64), 2000, 64)
	for _, dir := range []string{put(t, libraryFiles()), arrays} {
		hostile.Bounded(t, dir, HeteroImportBytes, func(dir string) error {
			_, err := ReadHetero(dir)
			return err
		})
	}
}
