package planetoid

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
	"github.com/seraph-ml/seraph/internal/realdata"
)

func TestTinySetWithAMissingIdAndCRLF(t *testing.T) {
	got, err := Read("testdata/ind.tiny")
	if err != nil {
		t.Fatal(err)
	}
	want := &format.Graph{
		Name: "tiny", Format: "planetoid", Nodes: 8,
		Src: []int32{0, 0, 1, 2, 2, 4, 4, 5, 5, 6, 7},
		Dst: []int32{1, 2, 0, 0, 2, 5, 5, 4, 4, 7, 6},
		Features: format.Features{Cols: 3, Sparse: &format.Sparse{
			Rows: 8, Cols: 3,
			Indptr:  []int64{0, 1, 2, 3, 5, 6, 7, 7, 8},
			Indices: []int32{0, 1, 2, 0, 1, 2, 0, 2},
			Values:  []float32{1, 1, 1, 1, 1, 4, 5, 7},
		}},
		Labels: []int32{0, 1, 1, 0, 0, 1, -1, 1}, Classes: 2,
		Train: []int32{0, 1}, Val: []int32{2, 3}, Test: []int32{4, 5, 7},
		Notes: []string{
			"1 nodes are missing from test.index: they keep their edges, have no features and no label, and are in no split",
			"only 2 nodes are left for validation, expected 500",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRealStatistics(t *testing.T) {
	for _, set := range []struct {
		name                  string
		nodes, cols, classes  int
		entries, nnz, nolabel int
		labels                []int
		train, val, test      int
		selfLoops             int
	}{
		{"cora", 2708, 1433, 7, 10858, 49216, 0, []int{351, 217, 418, 818, 426, 298, 180}, 140, 500, 1000, 0},
		// The 124 nodes with a self-loop have it twice in their lists.
		{"citeseer", 3327, 3703, 6, 9464, 105165, 15, []int{249, 590, 668, 701, 596, 508}, 120, 500, 1000, 248},
	} {
		t.Run(set.name, func(t *testing.T) {
			prefix := strings.TrimSuffix(realdata.Path(t, "data/graph/planetoid/ind."+set.name+".x"), ".x")
			if !Is(prefix) {
				t.Errorf("%s was not recognised", prefix)
			}
			g, err := Read(prefix)
			if err != nil {
				t.Fatal(err)
			}
			labels, none := g.LabelCounts()
			if diff := cmp.Diff(set.labels, labels); diff != "" || none != set.nolabel {
				t.Errorf("labels: %d without, %s", none, diff)
			}
			loops := 0
			for i := range g.Src {
				if g.Src[i] == g.Dst[i] {
					loops++
				}
			}
			got := []int{g.Nodes, g.Features.Cols, g.Classes, len(g.Src), len(g.Features.Sparse.Values), len(g.Train), len(g.Val), len(g.Test), loops}
			want := []int{set.nodes, set.cols, set.classes, set.entries, set.nnz, set.train, set.val, set.test, set.selfLoops}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			for _, id := range g.Train {
				if g.Labels[id] < 0 {
					t.Errorf("training node %d has no label", id)
				}
			}
			if err := Check(prefix); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCiteseerIdsOutsideTheTestIndexAreEmpty(t *testing.T) {
	g, err := Read(strings.TrimSuffix(realdata.Path(t, "data/graph/planetoid/ind.citeseer.x"), ".x"))
	if err != nil {
		t.Fatal(err)
	}
	inSplit := map[int32]bool{}
	for _, split := range [][]int32{g.Train, g.Val, g.Test} {
		for _, id := range split {
			inSplit[id] = true
		}
	}
	for _, id := range []int32{2407, 2489, 2553, 2682, 2781, 2953, 3042, 3063, 3212, 3214, 3250, 3292, 3305, 3306, 3309} {
		if g.Labels[id] != -1 || g.Features.Sparse.Indptr[id] != g.Features.Sparse.Indptr[id+1] || inSplit[id] {
			t.Errorf("node %d: label %d, %d features, in a split: %v", id, g.Labels[id], g.Features.Sparse.Indptr[id+1]-g.Features.Sparse.Indptr[id], inSplit[id])
		}
	}
}

// tinyFiles returns the files of the tiny data set by their extensions.
func tinyFiles(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, ext := range exts {
		content, err := os.ReadFile("testdata/ind.tiny" + ext)
		if err != nil {
			t.Fatal(err)
		}
		files[ext] = content
	}
	return files
}

// copyTiny copies the tiny data set, with some of its files replaced, and returns its prefix.
func copyTiny(t testing.TB, replace map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for ext, content := range tinyFiles(t) {
		if other, ok := replace[ext]; ok {
			content = []byte(other)
		}
		if err := os.WriteFile(filepath.Join(dir, "ind.tiny"+ext), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "ind.tiny")
}

var exts = []string{".x", ".allx", ".tx", ".y", ".ally", ".ty", ".graph", ".test.index"}

func TestWrongIndexesAreRefused(t *testing.T) {
	for name, index := range map[string]string{
		"empty":           "",
		"too few":         "7\n4\n",
		"too many":        "7\n4\n5\n6\n",
		"twice":           "7\n4\n4\n",
		"below the known": "7\n4\n3\n",
		"beyond":          "8\n4\n5\n",
		"gigantic":        "2147483647\n4\n5\n",
		"above 2^31":      "2147483648\n4\n5\n",
		"negative":        "-7\n4\n5\n",
		"text":            "7\nfour\n5\n",
	} {
		err := Check(copyTiny(t, map[string]string{".test.index": index}))
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		hostile.Judge(t, err, "ind.tiny.test.index")
	}
	err := Check(copyTiny(t, map[string]string{".test.index": "7\n4\nfive\n"}))
	if err == nil || !strings.Contains(err.Error(), "ind.tiny.test.index:3:") {
		t.Errorf("error %v does not name line 3", err)
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	whole := tinyFiles(t)
	for _, ext := range exts {
		// checkWith checks the tiny set with this file replaced by the one at path.
		checkWith := func(path string) error {
			damaged, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return check("ind.tiny", func(path string) ([]byte, error) {
				if path == "ind.tiny"+ext {
					return damaged, nil
				}
				return whole[strings.TrimPrefix(path, "ind.tiny")], nil
			})
		}
		if ext != ".test.index" { // "7\r\n4\r\n5" is whole without its last line end
			hostile.Truncations(t, "ind.tiny", whole[ext], checkWith)
		}
		noticed, tried := hostile.BitFlips(t, "ind.tiny", whole[ext], checkWith)
		t.Logf("%s: %d of %d bit flips noticed", ext, noticed, tried)
		if noticed == 0 {
			t.Errorf("%s: no bit flip was noticed", ext)
		}
	}
}

func TestFilesThatDoNotBelongTogetherAreRefused(t *testing.T) {
	whole := tinyFiles(t)
	for _, swap := range [][2]string{{".x", ".allx"}, {".y", ".ally"}, {".tx", ".allx"}, {".allx", ".x"}, {".graph", ".x"}, {".x", ".y"}, {".ty", ".ally"}, {".y", ".graph"}} {
		err := Check(copyTiny(t, map[string]string{swap[0]: string(whole[swap[1]])}))
		if err == nil {
			t.Errorf("%s in place of %s: no error", swap[1], swap[0])
		}
		hostile.Judge(t, err, "ind.tiny")
	}
}

func TestGraphsThatAreNoGraphsAreRefused(t *testing.T) {
	for name, graph := range map[string]string{
		"a number":            "\x80\x02K\x01.",
		"a list":              "\x80\x02].",
		"numbers for lists":   "\x80\x02}(K\x00K\x01u.",
		"negative node":       "\x80\x02}(J\xff\xff\xff\xff]u.",
		"node beyond":         "\x80\x02}(K\x08]u.",
		"node of text":        "\x80\x02}(U\x010]u.",
		"neighbour beyond":    "\x80\x02}(K\x00](K\x08eu.",
		"neighbour a list":    "\x80\x02}(K\x00](]eu.",
		"itself as neighbour": "\x80\x02}(K\x00]q\x01h\x01au.",
		"shared list":         "\x80\x02}(K\x00]q\x01(K\x01K\x02eK\x01h\x01u.",
	} {
		err := Check(copyTiny(t, map[string]string{".graph": graph, ".test.index": "6\n4\n5\n"}))
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		hostile.Judge(t, err, "ind.tiny.graph")
	}
}

func TestImportBytesBoundsWhatReadAllocates(t *testing.T) {
	prefixes := []string{"testdata/ind.tiny"}
	for _, name := range []string{"cora", "citeseer"} {
		prefixes = append(prefixes, strings.TrimSuffix(realdata.Path(t, "data/graph/planetoid/ind."+name+".x"), ".x"))
	}
	for _, prefix := range prefixes {
		hostile.Bounded(t, prefix, ImportBytes, func(prefix string) error {
			_, err := Read(prefix)
			return err
		})
	}
}

func TestMissingFileIsNotCorrupt(t *testing.T) {
	_, err := Read(filepath.Join(t.TempDir(), "ind.none"))
	if !os.IsNotExist(err) {
		t.Errorf("error %v, expected one that says the file does not exist", err)
	}
}

func FuzzPlanetoid(f *testing.F) {
	whole := tinyFiles(f)
	for _, ext := range exts {
		f.Add(ext, whole[ext])
	}
	f.Fuzz(func(t *testing.T, ext string, content []byte) {
		damaged := func(path string) ([]byte, error) {
			if path == "x"+ext {
				return content, nil
			}
			return whole[strings.TrimPrefix(path, "x")], nil
		}
		hostile.Judge(t, check("x", damaged), "x.")
	})
}

func BenchmarkReadCora(b *testing.B) {
	prefix := strings.TrimSuffix(realdata.Path(b, "data/graph/planetoid/ind.cora.x"), ".x")
	for b.Loop() {
		if _, err := Read(prefix); err != nil {
			b.Fatal(err)
		}
	}
}
