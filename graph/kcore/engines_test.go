package kcore

import (
	"fmt"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/internal/race"
	"github.com/seraph-ml/seraph/internal/realdata"
)

// The figures were computed with networkx and igraph.
var oracles = []struct {
	file                  string
	vertices              int
	edges                 int64
	degeneracy, innermost int
	sha16                 string
}{
	{"karate.graph", 34, 78, 4, 10, "54e26e67f4366568"},
	{"jazz.graph", 198, 2742, 29, 30, "156722b2ee35c78e"},
	{"hep-th.graph", 8361, 15751, 23, 24, "3a5a918eb631f1e0"},
	{"PGPgiantcompo.graph", 10680, 24316, 31, 41, "dbfcfb4135756990"},
	{"astro-ph.graph", 16706, 121251, 56, 57, "6e24a40df25c363a"},
	{"wing.graph", 62032, 121544, 3, 61887, "3232321cd1ff50d1"},
	{"wiki-Vote.txt", 7115, 100762, 53, 336, "ee88d37a7d31dcf5"},
	{"MIT8.edgelist", 6440, 251252, 72, 725, "32a27f7849d36591"},
}

// Every engine comes to the figures of each real graph, for any number of threads that read and compute, any memory for a part, and
// any number of ranks. Of all combinations -short and the race detector take one of each kind, on graphs that are not the largest.
func TestEveryEngineFindsTheFigures(t *testing.T) {
	threads, ranks, parts := []int{1, 2, 3}, []int{1, 2, 3, 4}, []int64{0, 200 << 10, 8 << 20} // 0: scan
	thin := testing.Short() || race.Enabled
	if thin {
		threads, ranks, parts = []int{3}, []int{3}, []int64{0, 200 << 10}
	}
	for _, want := range oracles {
		if thin && (want.edges > 200_000 || want.vertices > 50_000) {
			continue
		}
		t.Run(want.file, func(t *testing.T) {
			path := realdata.Path(t, "data/graph/edges/"+want.file)
			same := func(how string, n *Names, c Counts, core []int32) {
				t.Helper()
				if r := Summarise(n, c, core); r.Vertices != want.vertices || r.Edges != want.edges || int(r.Degeneracy) != want.degeneracy ||
					r.Innermost != want.innermost || r.SHA256[:16] != want.sha16 {
					t.Errorf("%s: %+v, expected %+v", how, r, want)
				}
			}
			var s *Store
			for _, workers := range threads {
				pool := kernel.NewPool(workers)
				defer pool.Close()
				g, err := Read([]string{path}, Options{}, pool)
				if err != nil {
					t.Fatal(err)
				}
				defer g.Close()
				core := make([]int32, g.Nodes)
				for _, e := range []Engine{Sequential, Parallel} {
					clear(core)
					if err := Decompose(g, core, e, pool); err != nil {
						t.Fatal(err)
					}
					same(fmt.Sprintf("%s, %d threads", e, workers), &g.Names, g.Counts, core)
				}
				if s == nil {
					certified(t, g, core)
					for _, n := range ranks {
						clear(core)
						r := Ranks{Ranks: n, At: Thresholds(g, int64(len(g.Indices))/4), Exact: n%2 == 1}
						r.Decompose(g, core)
						same(fmt.Sprintf("%d ranks", n), &g.Names, g.Counts, core)
					}
					s = importedPairs(t, pairsOf(g), 0)
				}
				for i, part := range parts {
					p := s.decompose(t, Divide{Part: part, Sweeps: i}, workers)
					if err := s.Name(); err != nil {
						t.Fatal(err)
					}
					same(fmt.Sprintf("on disk, parts of %d bytes, %d threads: %+v", part, workers, p), &s.Names, s.Counts, s.Core)
				}
			}
		})
	}
}
