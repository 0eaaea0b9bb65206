package edgelist

import (
	"os"
	"testing"

	"github.com/seraph-ml/seraph/internal/realdata"
)

// distinct counts the undirected edges and the greatest degree, without self-loops and duplicates.
func distinct(src, dst []int32, nodes int) (edges, greatest int) {
	seen := map[[2]int32]bool{}
	degree := make([]int, nodes)
	for i := range src {
		pair := [2]int32{min(src[i], dst[i]), max(src[i], dst[i])}
		if pair[0] == pair[1] || seen[pair] {
			continue
		}
		seen[pair] = true
		for _, node := range pair {
			degree[node]++
			greatest = max(greatest, degree[node])
		}
	}
	return len(seen), greatest
}

// The statistics were computed with networkx.
func TestRealStatistics(t *testing.T) {
	for _, set := range []struct {
		file                                    string
		nodes, entries, edges, greatest, lastID int
	}{
		{"wiki-Vote.txt", 7115, 103689, 100762, 1065, 8297},
		{"MIT8.edgelist", 6440, 251252, 251252, 708, 0},
	} {
		t.Run(set.file, func(t *testing.T) {
			path := realdata.Path(t, "data/graph/edges/"+set.file)
			if !Is(path) {
				t.Error("not recognised")
			}
			g, err := Read(path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if g.Nodes != set.nodes || len(g.Src) != set.entries {
				t.Errorf("%d nodes and %d entries, expected %d and %d", g.Nodes, len(g.Src), set.nodes, set.entries)
			}
			if edges, greatest := distinct(g.Src, g.Dst, g.Nodes); edges != set.edges || greatest != set.greatest {
				t.Errorf("%d edges, greatest degree %d; expected %d and %d", edges, greatest, set.edges, set.greatest)
			}
			switch {
			case set.lastID == 0 && g.IDs != nil:
				t.Error("ids from 0 on are kept")
			case set.lastID > 0 && g.IDs[g.Nodes-1] != int64(set.lastID):
				t.Errorf("last id %d, expected %d", g.IDs[g.Nodes-1], set.lastID)
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	path := realdata.Path(b, "data/graph/edges/MIT8.edgelist")
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	for b.Loop() {
		if _, err := Read(path, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
