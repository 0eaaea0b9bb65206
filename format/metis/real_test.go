package metis

import (
	"testing"

	"github.com/seraph-ml/seraph/internal/realdata"
)

// The statistics were computed with networkx and igraph.
func TestRealStatistics(t *testing.T) {
	for _, set := range []struct {
		file                   string
		nodes, edges, greatest int
	}{
		{"karate", 34, 78, 17},
		{"jazz", 198, 2742, 100},
		{"hep-th", 8361, 15751, 50},
		{"PGPgiantcompo", 10680, 24316, 205},
		{"astro-ph", 16706, 121251, 360},
		{"wing", 62032, 121544, 4},
	} {
		t.Run(set.file, func(t *testing.T) {
			path := realdata.Path(t, "data/graph/edges/"+set.file+".graph")
			if !Is(path) {
				t.Error("not recognised")
			}
			g, err := Read(path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			degree := make([]int, g.Nodes)
			greatest := 0
			for _, u := range g.Src {
				degree[u]++
				greatest = max(greatest, degree[u])
			}
			if g.Nodes != set.nodes || len(g.Src) != 2*set.edges || greatest != set.greatest {
				t.Errorf("%d nodes, %d entries, greatest degree %d; expected %d, %d, %d", g.Nodes, len(g.Src), greatest, set.nodes, 2*set.edges, set.greatest)
			}
			if g.Name != set.file || g.IDs != nil {
				t.Errorf("name %q, ids %v", g.Name, g.IDs)
			}
		})
	}
}
