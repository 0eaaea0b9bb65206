package graph

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/sgraph"
	"github.com/seraph-ml/seraph/graph/edges"
)

// store writes a generated graph to a file.
func store(t *testing.T, m *BlockModel, pool *kernel.Pool) string {
	t.Helper()
	spill, err := memory.OpenSpill(memory.Disk{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer spill.Close()
	path := filepath.Join(t.TempDir(), "g.sgraph")
	sink, err := NewStoreSink(t.Context(), path, m.Nodes, m.Features, edges.Options{Memory: edges.Least, Spill: spill, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	if err := m.Write(sink, pool); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAStoredGraphIsTheOneThatIsGenerated(t *testing.T) {
	pool := kernel.NewPool(2)
	defer pool.Close()
	usual := DefaultBlockModel
	if testing.Short() {
		usual.Nodes, usual.Features = 3000, 16
	}
	for _, m := range []BlockModel{usual, {Nodes: 50, Classes: 1, Homophily: 1, Degree: 0.5, Train: 1}} {
		path := store(t, &m, pool)
		if err := sgraph.Check(path); err != nil {
			t.Fatal(err)
		}
		read, err := sgraph.Read(path, sgraph.Options{})
		if err != nil {
			t.Fatal(err)
		}
		made, err := m.Generate(pool)
		if err != nil {
			t.Fatal(err)
		}
		var graphs [2]*Graph
		for i, raw := range []*format.Graph{read, made} {
			raw.Name, raw.Format = "", ""
			if graphs[i], err = New(raw, All); err != nil {
				t.Fatal(err)
			}
			defer graphs[i].Close()
			graphs[i].Notes = nil
		}
		if diff := cmp.Diff(graphs[0], graphs[1], cmp.FilterPath(func(p cmp.Path) bool {
			return p.String() == "arena" || p.String() == "bytes" || p.String() == "grouped"
		}, cmp.Ignore()), cmp.AllowUnexported(Graph{})); diff != "" {
			t.Error(diff[:min(len(diff), 2000)])
		}
	}
}
