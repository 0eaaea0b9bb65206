package kcore

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/run"
)

// rowsOf are the neighbours of every vertex by id, made the slow way.
func rowsOf(ids []int64) map[int64][]int64 {
	rows := map[int64][]int64{}
	add := func(u, v int64) {
		if rows[u] == nil {
			rows[u] = []int64{}
		}
		if u != v && !slices.Contains(rows[u], v) {
			rows[u] = append(rows[u], v)
			slices.Sort(rows[u])
		}
	}
	for i := 0; i < len(ids); i += 2 {
		add(ids[i], ids[i+1])
		add(ids[i+1], ids[i])
	}
	return rows
}

func TestGraphsOfPairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		ids, _ := randomMultigraph(rng)
		spread := []int64{1, 3, 1000, 1 << 31, 1 << 56}[i%5]
		for j := range ids {
			ids[j] *= spread
			if i%2 == 0 && ids[j] > 0 {
				ids[j] += math.MaxInt64 - 60<<56 // the largest id among them
			}
		}
		if len(ids) == 0 {
			continue
		}
		want := rowsOf(ids)
		for _, workers := range []int{1, 2, 5} {
			pool := kernel.NewPool(workers)
			g, err := FromPairs(ids, 0, pool)
			pool.Close()
			if err != nil {
				t.Fatal(err)
			}
			if err := sameRows(g, want); err != nil {
				t.Fatalf("%v, %d workers: %v", ids, workers, err)
			}
			if n := g.Edges + g.Loops + g.Duplicates; n != int64(len(ids)/2) {
				t.Fatalf("%d edges, %d loops and %d duplicates of %d pairs", g.Edges, g.Loops, g.Duplicates, len(ids)/2)
			}
			g.Close()
		}
	}
}

func sameRows(g *Graph, want map[int64][]int64) error {
	seen := 0
	for v := range g.Nodes {
		if !g.Present(v) {
			continue
		}
		seen++
		got := []int64{}
		for _, u := range g.Neighbours(v) {
			got = append(got, g.ID(int(u)))
		}
		if row, ok := want[g.ID(v)]; !ok || !slices.Equal(got, row) {
			return fmt.Errorf("neighbours of %d: %v, expected %v", g.ID(v), got, row)
		}
	}
	if seen != len(want) || g.Vertices() != len(want) {
		return fmt.Errorf("%d vertices, counted as %d; expected %d", seen, g.Vertices(), len(want))
	}
	return nil
}

func TestSegmentsOfBothWidths(t *testing.T) {
	var ids []int64
	for i := int64(0); i < segmentBytes/8+100; i++ { // more than a narrow segment, and wide ones between
		ids = append(ids, i, i+1)
	}
	ids = append(ids, 1<<40, 0)
	g := pairGraph(t, ids, 0)
	if g.Nodes != segmentBytes/8+102 || g.Edges != int64(len(ids)/2) || g.ID(g.Nodes-1) != 1<<40 || g.Neighbours(0)[1] != int32(g.Nodes-1) {
		t.Errorf("%d vertices, %d edges, the last one %d", g.Nodes, g.Edges, g.ID(g.Nodes-1))
	}
}

func TestDeclaredVertices(t *testing.T) {
	g := pairGraph(t, []int64{3, 1}, 6)
	if g.Vertices() != 6 || !g.Present(5) || g.Edges != 1 {
		t.Errorf("%d vertices, %d edges", g.Vertices(), g.Edges)
	}
	pool := kernel.NewPool(1)
	defer pool.Close()
	var usage *run.UsageError
	if _, err := FromPairs([]int64{3, 6}, 6, pool); !errors.As(err, &usage) {
		t.Errorf("a vertex beyond the declared ones: %v", err)
	}
	if _, err := FromPairs(nil, 0, pool); err == nil {
		t.Error("no vertices at all are accepted")
	}
	if _, err := FromPairs([]int64{-1, 6}, 0, pool); err == nil {
		t.Error("a negative id is accepted")
	}
}
