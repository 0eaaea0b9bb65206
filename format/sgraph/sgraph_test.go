package sgraph

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
)

// example is the graph of docs/formats.md.
func example() *format.Graph {
	return &format.Graph{
		Name: "example", Format: "sgraph", Nodes: 3, IDs: []int64{5, 6, 9},
		Src: []int32{0, 1, 2}, Dst: []int32{1, 2, 0}, Weights: []float32{1, 2, 3},
		Features: format.Features{Cols: 2, Sparse: &format.Sparse{Rows: 3, Cols: 2, Indptr: []int64{0, 1, 1, 2}, Indices: []int32{1, 0}, Values: []float32{1, 1}}},
		Labels:   []int32{0, -1, 1}, Classes: 2, ClassNames: []string{"red", "blue"},
		Train: []int32{0}, Val: []int32{}, Test: []int32{2},
	}
}

const golden = "testdata/example.sgraph"

func TestTheExampleOfThePageIsReadAndWritten(t *testing.T) {
	got, err := Read(golden, Options{Weights: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(example(), got); diff != "" {
		t.Error(diff)
	}
	path := filepath.Join(t.TempDir(), "x.sgraph")
	if err := Write(path, example()); err != nil {
		t.Fatal(err)
	}
	want, _ := os.ReadFile(golden)
	if wrote, err := os.ReadFile(path); err != nil || !bytes.Equal(wrote, want) {
		t.Errorf("wrote other bytes: %v", err)
	}
	page, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	var dump strings.Builder
	for _, line := range regexp.MustCompile(`(?m)^[0-9a-f]{8}  (.*)$`).FindAllSubmatch(page, -1) {
		fmt.Fprintf(&dump, "%s ", line[1])
	}
	if dump.String() != fmt.Sprintf("% x ", want) {
		t.Error("the dump in docs/formats.md is of other bytes")
	}
}

func TestDamageIsFound(t *testing.T) {
	content, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	hostile.Truncations(t, "x.sgraph", content, Check)
	if noticed, tried := hostile.BitFlips(t, "x.sgraph", content, Check); noticed != tried {
		t.Errorf("%d of %d bit flips noticed", noticed, tried)
	}
}

// random is a graph of several blocks, with empty rows, duplicates and a row longer than a block.
func random(n int) *format.Graph {
	rng := rand.New(rand.NewPCG(1, 2))
	g := &format.Graph{Name: "x", Format: "sgraph", Nodes: n, Features: format.Features{Cols: 7}}
	for u := range n {
		degree := rng.IntN(12)
		if u == 300 {
			degree = 70000
		}
		row := make([]int, n)
		for range degree {
			row[rng.IntN(n)]++
		}
		for v, times := range row {
			for range times {
				g.Src, g.Dst = append(g.Src, int32(u)), append(g.Dst, int32(v))
				g.Weights = append(g.Weights, rng.Float32())
			}
		}
	}
	g.Features.Dense = make([]float32, 7*n)
	for i := range g.Features.Dense {
		g.Features.Dense[i] = rng.Float32()
	}
	return g
}

func TestRangesAreThoseOfTheWhole(t *testing.T) {
	g := random(1500)
	path := filepath.Join(t.TempDir(), "x.sgraph")
	if err := Write(path, g); err != nil {
		t.Fatal(err)
	}
	if err := Check(path); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path, Options{Weights: true})
	if diff := cmp.Diff(g, got); diff != "" || err != nil {
		t.Fatal(err, diff)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := f.Reader(make([]byte, 2*BlockSize))
	if err != nil {
		t.Fatal(err)
	}
	indptr := make([]int64, g.Nodes+1)
	for _, u := range g.Src {
		indptr[u+1]++
	}
	for u := range g.Nodes {
		indptr[u+1] += indptr[u]
	}
	rng := rand.New(rand.NewPCG(3, 4))
	rows := Rows[int32]{Indptr: make([]int64, 0, 500), Columns: make([]int32, 0, f.MaxDegree), Values: make([]float32, 0, f.MaxDegree)}
	for range 200 {
		first := rng.Int64N(f.Nodes)
		if err := Neighbours(r, first, f.Nodes, &rows); err != nil {
			t.Fatal(err)
		}
		lo, hi := indptr[first], indptr[first+int64(rows.Len())]
		if rows.Len() == 0 || !cmp.Equal(rows.Columns, g.Dst[lo:hi]) || !cmp.Equal(rows.Values, g.Weights[lo:hi]) {
			t.Fatalf("%d rows from %d on differ", rows.Len(), first)
		}
		x := make([]float32, 7*min(50, g.Nodes-int(first)))
		if err := r.ReadFeatures(int(first), x); err != nil || !cmp.Equal(x, g.Features.Dense[7*first:][:len(x)]) {
			t.Fatalf("features from %d on differ: %v", first, err)
		}
	}
	small := Rows[int32]{Indptr: make([]int64, 0, 2), Columns: make([]int32, 0, 10)}
	if err := Neighbours(r, 300, 301, &small); err == nil || !strings.Contains(err.Error(), "room for 10") {
		t.Errorf("a row that is too long: %v", err)
	}
	damaged, _ := os.ReadFile(path)
	damaged[2*BlockSize+5] ^= 1
	bad := hostile.Write(t, "y.sgraph", damaged)
	if err := Check(bad); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("y.sgraph@%d: block 2", 2*BlockSize)) {
		t.Errorf("error %v, expected the place of block 2", err)
	}
}

func TestTheWordForUndirectedIsChecked(t *testing.T) {
	for _, c := range []struct {
		rows [][]int32
		good bool
	}{
		{[][]int32{{1, 2}, {0}, {0}}, true}, {[][]int32{{1, 2}, {0}, {}}, false}, {[][]int32{{1, 1}, {0, 0}, {}}, false}, {[][]int32{{0}, {}, {}}, false}, {[][]int32{{1}, {2}, {0}}, false},
	} {
		path := filepath.Join(t.TempDir(), "x.sgraph")
		w, err := Create(path, Counts{Nodes: 3, Undirected: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range c.rows {
			AppendRow(w, row, nil)
		}
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		if err := Check(path); (err == nil) != c.good {
			t.Errorf("%v: %v", c.rows, err)
		}
	}
}

// seal makes one block of a stream, so that damage behind the checksum is reached.
func seal(stream []byte) []byte {

	b := append(append([]byte(nil), stream...), 0, 0, 0, 0)
	sum := crc32.Checksum(b, castagnoli)
	return append(b, byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24))
}

func FuzzGraph(f *testing.F) {
	content, err := os.ReadFile(golden)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content[:len(content)-trailerBytes])
	f.Fuzz(func(t *testing.T, stream []byte) {
		if len(stream) > payloadBytes {
			return
		}
		for _, content := range [][]byte{stream, seal(stream)} {
			file, err := New(format.NewSource("x.sgraph", bytes.NewReader(content), int64(len(content))))
			if err == nil {
				err = file.check()
			}
			hostile.Judge(t, err, "x.sgraph")
			if err == nil {
				_, err = file.read(Options{})
				hostile.Judge(t, err, "x.sgraph")
			}
		}
	})
}

func TestFieldsBehindTheChecksumAreNotTrusted(t *testing.T) {
	content, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	stream := content[:len(content)-trailerBytes]
	for at := range stream {
		for _, to := range []byte{0, 0x7f, 0xff} {
			changed := append([]byte(nil), stream...)
			changed[at] = to
			content := seal(changed)
			file, err := New(format.NewSource("x.sgraph", bytes.NewReader(content), int64(len(content))))
			if err == nil {
				err = file.check()
			}
			hostile.Judge(t, err, "x.sgraph")
			if err == nil {
				_, err = file.read(Options{})
				hostile.Judge(t, err, "x.sgraph")
			}
		}
	}
}
