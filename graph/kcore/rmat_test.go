package kcore

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/graph"
)

// rmatFile writes the text of an R-MAT graph of edge factor 16 and seed 1.
func rmatFile(t testing.TB, scale int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rmat.txt")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pool := kernel.NewPool(2)
	defer pool.Close()
	if err := (graph.RMAT{Scale: scale, EdgeFactor: 16, Seed: 1}).WriteText(f, pool); err != nil {
		t.Fatal(err)
	}
	return path
}

// BenchmarkRMAT reports seconds from text to graph, and of every engine, at the scale in SERAPH_RMAT_SCALE (16).
func BenchmarkRMAT(b *testing.B) {
	scale, err := strconv.Atoi(os.Getenv("SERAPH_RMAT_SCALE"))
	if err != nil {
		scale = 16
	}
	path := rmatFile(b, scale)
	for _, workers := range []int{1, 2} {
		pool := kernel.NewPool(workers)
		defer pool.Close()
		name := strconv.Itoa(workers)
		b.Run("read/"+name, func(b *testing.B) {
			for b.Loop() {
				begin := time.Now()
				g, err := Read([]string{path}, Options{Vertices: 1 << scale}, pool)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(time.Since(begin).Seconds(), "s")
				g.Close()
			}
		})
		g, err := Read([]string{path}, Options{Vertices: 1 << scale}, pool)
		if err != nil {
			b.Fatal(err)
		}
		defer g.Close()
		work, err := NewWork(g.Nodes)
		if err != nil {
			b.Fatal(err)
		}
		defer work.Close()
		core := make([]int32, g.Nodes)
		b.Run("peel/"+name, func(b *testing.B) {
			for b.Loop() {
				Peel(g, core, work)
			}
		})
	}
}
