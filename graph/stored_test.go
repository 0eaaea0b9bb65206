package graph

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/sgraph"
)

// storedPair returns a graph that was made and read into memory, and the same one where it lies on disk.
func storedPair(t *testing.T, m *BlockModel, workers int) (inMemory, onDisk *Graph) {
	t.Helper()
	pool := kernel.NewPool(2)
	defer pool.Close()
	path := store(t, m, pool)
	raw, err := sgraph.Read(path, sgraph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if inMemory, err = New(raw, All); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inMemory.Close() })
	if onDisk, err = OpenStored(path, workers); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := onDisk.Close(); err != nil {
			t.Error(err)
		}
	})
	return inMemory, onDisk
}

// hubs is a block model with rows longer than a batch of rows is wide, and more of them than a part.
var hubs = BlockModel{
	Nodes: 3000, Classes: 4, Degree: 30, Homophily: 0.7, Exponent: 2.1, SparseShare: 0.3, SparseDegree: 1, Features: 40, Signal: 1, Train: 0.1, Val: 0.1, Seed: 3,
}

func hopsOf(t *testing.T, p *Propagation, way Way, pool *kernel.Pool) [][]float32 {
	t.Helper()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	spill, err := memory.OpenSpill(memory.Disk{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer spill.Close()
	h, err := p.Run(t.Context(), way, pool, spill)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	var hops [][]float32
	for k := h.First; k <= h.K; k++ {
		x := make([]float32, h.Rows*h.Cols)
		if err := h.ReadRows(0, h.Rows, k, x); err != nil {
			t.Fatal(err)
		}
		hops = append(hops, x)
	}
	return hops
}

func TestHopsOfAGraphOnDiskHaveTheBitsOfOneInMemory(t *testing.T) {
	inMemory, onDisk := storedPair(t, &hubs, 2)
	if !onDisk.OnDisk() || inMemory.OnDisk() {
		t.Fatal("the graphs are not where they should be")
	}
	rows := []int32{2999, 7, 1200, 1201, 0}
	for _, norm := range []Norm{Symmetric, {R: 0}, {R: 1, SelfLoops: true}, {R: 0.3}} {
		for _, test := range []Propagation{
			{Scaling: ScaleL2, K: 3},
			{Scaling: ScaleRMS, First: 2, K: 2, Teleport: 0.2},
			{First: 2, K: 2, Combine: []float64{0.5, 0, 0.5}, Rows: rows},
			{Scaling: ScaleL1, K: 2, Rows: rows},
		} {
			run := func(g *Graph, way Way, workers int) [][]float32 {
				pool := kernel.NewPool(workers)
				defer pool.Close()
				a, err := g.Normalize(norm)
				if err != nil {
					t.Fatal(err)
				}
				defer a.Close()
				p := test
				p.Graph, p.Adjacency = g, a
				return hopsOf(t, &p, way, pool)
			}
			want := run(inMemory, Way{Width: 40}, 2)
			for _, way := range []Way{{Width: 40}, {Width: 16, Spill: true}} {
				for workers := 1; workers <= 2; workers++ {
					if got := run(onDisk, way, workers); !slices.EqualFunc(got, want, slices.Equal) {
						t.Errorf("%+v, %+v, %+v: other bits from disk with %d workers", norm, test, way, workers)
					}
				}
			}
		}
	}
}

func TestALoadedGraphIsTheOneInMemory(t *testing.T) {
	inMemory, onDisk := storedPair(t, &hubs, 1)
	before := onDisk.Bytes()
	if err := onDisk.Load(); err != nil {
		t.Fatal(err)
	}
	view := func(g *Graph) Graph {
		return Graph{Nodes: g.Nodes, Indptr: g.Indptr, Indices: g.Indices, Labels: g.Labels, Classes: g.Classes, Public: g.Public, Features: g.Features}
	}
	opt := cmp.AllowUnexported(Graph{})
	if diff := cmp.Diff(view(inMemory), view(onDisk), opt); diff != "" {
		t.Error(diff[:min(len(diff), 2000)])
	}
	if onDisk.Edges() != inMemory.Edges() || onDisk.ID(7) != inMemory.ID(7) {
		t.Errorf("%d edges, id %d; in memory %d, %d", onDisk.Edges(), onDisk.ID(7), inMemory.Edges(), inMemory.ID(7))
	}
	if err := onDisk.Unload(); err != nil || !onDisk.OnDisk() || onDisk.Bytes() != before {
		t.Errorf("unloaded: on disk %v, %d bytes, before %d: %v", onDisk.OnDisk(), onDisk.Bytes(), before, err)
	}
}

// written writes a graph whose flag says what a caller vouches for.
func written(t *testing.T, undirected bool, rows [][]int32) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "w.sgraph")
	w, err := sgraph.Create(path, sgraph.Counts{Nodes: int64(len(rows)), Undirected: undirected, Features: 3, Values: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, row := range rows {
		if err := sgraph.AppendRow(w, row, nil); err != nil {
			t.Fatal(err)
		}
	}
	for u := range rows { // column 1 twice: values are added
		if err := sgraph.AppendFeatures(w, []int32{0, 1, 1}, []float32{float32(u), 0.5, 0.25}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.WriteLabels(make([]int32, len(rows))), w.WriteIDs([]int64{30, 20, 10, 0}[:len(rows)]), w.Commit()); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSparseFeaturesAndIDsOnDisk(t *testing.T) {
	path := written(t, true, [][]int32{{1, 2}, {0}, {0}, {}})
	g, err := OpenStored(path, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if g.ID(1) != 20 || g.Degree(0) != 2 || g.Edges() != 2 || g.Public != nil {
		t.Errorf("id %d, degree %d, %d edges, split %v", g.ID(1), g.Degree(0), g.Edges(), g.Public)
	}
	x := make([]float32, 6)
	if err := g.Features.Read(2, x); err != nil || !slices.Equal(x, []float32{2, 0.75, 0, 3, 0.75, 0}) {
		t.Errorf("features %v: %v", x, err)
	}
	if err := g.Load(); err != nil {
		t.Fatal(err)
	}
	want := &format.Sparse{Rows: 4, Cols: 3, Indptr: []int64{0, 2, 4, 6, 8}, Indices: []int32{0, 1, 0, 1, 0, 1, 0, 1}, Values: []float32{0, 0.75, 1, 0.75, 2, 0.75, 3, 0.75}}
	if diff := cmp.Diff(want, g.Features.Sparse); diff != "" {
		t.Error(diff)
	}
}

func TestGraphsThatCannotBeUsedWhereTheyLie(t *testing.T) {
	if _, err := OpenStored(written(t, false, [][]int32{{1}, {}}), 1); err == nil {
		t.Error("a directed graph was opened")
	}
	for _, rows := range [][][]int32{{{1}, {}}, {{0, 1}, {0}}, {{1, 1}, {0, 0}}} {
		_, err := OpenStored(written(t, true, rows), 1)
		var corrupt *format.CorruptError
		if !errors.As(err, &corrupt) {
			t.Errorf("%v, said to be undirected: error %v", rows, err)
		}
	}
	path := written(t, true, [][]int32{{1}, {0}})
	g, err := OpenStored(path, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if _, err := g.Normalize(Norm{Triangles: true}); err == nil {
		t.Error("triangles were counted on disk")
	}
	a, err := g.Normalize(Symmetric)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	pool := kernel.NewPool(2)
	defer pool.Close()
	p := Propagation{Graph: g, Adjacency: a, K: 1}
	spill, err := memory.OpenSpill(memory.Disk{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer spill.Close()
	if h, err := p.Run(t.Context(), Way{Width: 3}, pool, spill); err == nil {
		h.Close()
		t.Error("two workers shared the buffers of one")
	}
}

func TestABadBlockOfEdgesIsFound(t *testing.T) {
	pool := kernel.NewPool(2)
	defer pool.Close()
	path := store(t, &hubs, pool)
	g, err := OpenStored(path, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	a, err := g.Normalize(Symmetric)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte{0xff}, 70000); err != nil { // in the second block
		t.Fatal(err)
	}
	spill, err := memory.OpenSpill(memory.Disk{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer spill.Close()
	p := Propagation{Graph: g, Adjacency: a, K: 1}
	_, err = p.Run(t.Context(), Way{Width: 40}, pool, spill)
	var corrupt *format.CorruptError
	if !errors.As(err, &corrupt) {
		t.Errorf("error %v, expected a corrupt block", err)
	}
}
