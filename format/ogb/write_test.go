package ogb

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/format"
)

// writeGraph writes g to dir in blocks of that many rows.
func writeGraph(t testing.TB, dir string, g *format.Graph, rows int) {
	t.Helper()
	w, err := NewWriter(dir, g.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	err = w.Edges(func(emit func(src, dst []int32) error) error {
		for lo := 0; lo < len(g.Src); lo += rows {
			hi := min(lo+rows, len(g.Src))
			if err := emit(g.Src[lo:hi], g.Dst[lo:hi]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = w.Features(g.Features.Cols, func(emit func(block []float32) error) error {
		for block := range slices.Chunk(g.Features.Dense, rows*g.Features.Cols) {
			if err := emit(block); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = w.Labels(g.Labels)
	}
	if err == nil {
		err = w.Split("time", g.Train, g.Val, g.Test)
	}
	if err != nil {
		t.Fatal(err)
	}
	if Is(dir) {
		t.Error("an unfinished folder is taken for a data set")
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tiny")
	if kept := os.Getenv("OGB_KEEP"); kept != "" { // for testdata/tiny.py DIR
		dir = filepath.Join(kept, "tiny")
	}
	want := tiny()
	want.Notes = nil
	writeGraph(t, dir, want, 2)
	got, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Every float32 must come back with its bits, zeros with their sign, whatever the blocks; and the files be the same.
func TestBitsAndBlocksDoNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	g := &format.Graph{Name: "x", Nodes: 3000, Features: format.Features{Cols: 7}, Labels: make([]int32, 3000)}
	for len(g.Features.Dense) < 7*g.Nodes {
		if v := math.Float32frombits(rng.Uint32()); v-v == 0 {
			g.Features.Dense = append(g.Features.Dense, v)
		}
	}
	g.Features.Dense[5] = float32(math.Copysign(0, -1))
	for range 20_000 {
		g.Src, g.Dst = append(g.Src, rng.Int32N(3000)), append(g.Dst, rng.Int32N(3000))
	}
	first, second := filepath.Join(t.TempDir(), "x"), filepath.Join(t.TempDir(), "x")
	writeGraph(t, first, g, 1)
	writeGraph(t, second, g, 999)
	got, err := Read(first)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range g.Features.Dense {
		if math.Float32bits(got.Features.Dense[i]) != math.Float32bits(v) {
			t.Fatalf("value %d: %g, expected %g", i, got.Features.Dense[i], v)
		}
	}
	if !slices.Equal(got.Src, g.Src) || !slices.Equal(got.Dst, g.Dst) {
		t.Error("other edges")
	}
	for _, file := range []string{edgeFile, featureFile, labelFile, nodeCount, edgeCount} {
		a, err1 := os.ReadFile(filepath.Join(first, file+".csv.gz"))
		b, err2 := os.ReadFile(filepath.Join(second, file+".csv.gz"))
		if err1 != nil || err2 != nil || !slices.Equal(a, b) {
			t.Errorf("%s: %d and %d bytes (%v, %v), expected the same", file, len(a), len(b), err1, err2)
		}
	}
}

func TestWriterRefusesWhatCannotBeRead(t *testing.T) {
	w, err := NewWriter(filepath.Join(t.TempDir(), "x"), 3)
	if err != nil {
		t.Fatal(err)
	}
	reason := errors.New("reason")
	edges := func(src, dst []int32) error {
		return w.Edges(func(emit func(src, dst []int32) error) error { return emit(src, dst) })
	}
	features := func(cols int, blocks ...[]float32) error {
		return w.Features(cols, func(emit func(block []float32) error) error {
			for _, block := range blocks {
				if err := emit(block); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for name, err := range map[string]error{
		"source beyond":    edges([]int32{3}, []int32{0}),
		"target negative":  edges([]int32{0}, []int32{-1}),
		"fewer targets":    edges([]int32{0, 1}, []int32{1}),
		"edges that fail":  w.Edges(func(func(src, dst []int32) error) error { return reason }),
		"no edges":         w.Finish(),
		"no columns":       features(0),
		"fewer rows":       features(1, []float32{1, 2}),
		"more rows":        features(1, []float32{1, 2, 3}, []float32{4}),
		"part of a row":    features(2, []float32{1, 2, 3}),
		"NaN":              features(1, []float32{1, float32(math.NaN()), 3}),
		"infinite":         features(1, []float32{1, float32(math.Inf(1)), 3}),
		"fewer labels":     w.Labels([]int32{0, 1}),
		"split beyond":     w.Split("random", []int32{3}, nil, nil),
		"split up":         w.Split("..", nil, nil, nil),
		"split elsewhere":  w.Split("a/b", nil, nil, nil),
		"split of no name": w.Split("", nil, nil, nil),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	entries, err := os.ReadDir(filepath.Join(w.Dir, "raw"))
	if err != nil || len(entries) != 0 {
		t.Errorf("%d files are left (%v)", len(entries), err)
	}
	for _, nodes := range []int{0, -1, format.MaxNodes + 1} {
		if _, err := NewWriter(t.TempDir(), nodes); err == nil {
			t.Errorf("%d nodes: no error", nodes)
		}
	}
	if _, err := NewWriter("testdata/tiny", 5); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a folder with a data set: %v", err)
	}
}

func BenchmarkFeatures(b *testing.B) {
	const nodes, cols = 2000, 128
	rng := rand.New(rand.NewPCG(1, 2))
	block := make([]float32, nodes*cols)
	for i := range block {
		block[i] = float32(rng.NormFloat64())
	}
	w, err := NewWriter(filepath.Join(b.TempDir(), "x"), nodes)
	if err != nil {
		b.Fatal(err)
	}
	write := func() {
		if err := w.Features(cols, func(emit func([]float32) error) error { return emit(block) }); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("write", func(b *testing.B) {
		b.SetBytes(4 * nodes * cols)
		for b.Loop() {
			write()
		}
	})
	b.Run("read", func(b *testing.B) {
		write()
		b.SetBytes(4 * nodes * cols)
		s := Set{Dir: w.Dir, Nodes: nodes, Cols: cols}
		for b.Loop() {
			f, err := s.Features()
			if err != nil {
				b.Fatal(err)
			}
			if n, err := f.Read(block); n != nodes {
				b.Fatal(n, err)
			}
			f.Close()
		}
	})
}
