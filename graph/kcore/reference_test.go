package kcore

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
)

// reference computes core numbers from the definition: the k-core is what is left when vertices with fewer than k neighbours
// are removed until there is none.
func reference(g *Graph) []int32 {
	core, in := make([]int32, g.Nodes), make([]bool, g.Nodes)
	for v := range in {
		in[v] = true
	}
	for k, left := int32(1), g.Nodes; left > 0; k++ {
		for changed := true; changed; {
			changed = false
			for v := range in {
				n := int32(0)
				for _, u := range g.Neighbours(v) {
					if in[u] {
						n++
					}
				}
				if in[v] && n < k {
					in[v], changed = false, true
					core[v] = k - 1
					left--
				}
			}
		}
	}
	return core
}

// pairGraph makes a graph of pairs.
func pairGraph(t testing.TB, ids []int64, declared int64) *Graph {
	t.Helper()
	pool := kernel.NewPool(3)
	defer pool.Close()
	g, err := FromPairs(ids, declared, pool)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// randomMultigraph draws pairs, loops and duplicates among them, that crowd around low vertices.
func randomMultigraph(rng *rand.Rand) (ids []int64, declared int64) {
	n := 1 + rng.IntN(60)
	for range rng.IntN(6 * n) {
		u := rng.IntN(n)
		ids = append(ids, int64(u), int64(rng.IntN(1+rng.IntN(n))))
	}
	return ids, int64(n)
}

// peeled are the core numbers that Peel finds.
func peeled(t testing.TB, g *Graph) []int32 {
	t.Helper()
	work, err := NewWork(g.Nodes, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer work.Close()
	core := make([]int32, g.Nodes)
	Peel(g, core, work)
	return core
}

// certified fails unless Verify accepts the core numbers, with the order made of them.
func certified(t testing.TB, g *Graph, core []int32) {
	t.Helper()
	order, work := make([]int32, g.Nodes), make([]int32, g.Nodes)
	if err := Order(g, core, order, work); err != nil {
		t.Fatal(err)
	}
	if err := Verify(g, core, order, work); err != nil {
		t.Error(err)
	}
}

// buckets is the algorithm of Batagelj and Zaveršnik as it is usually written: vertices sorted by degree, and moved down a bucket by
// a swap. What the engines are measured against.
func buckets(g *Graph, core []int32) {
	n := g.Nodes
	order, place := make([]int32, n), make([]int32, n)
	for v := range core {
		core[v] = g.Degree(v)
	}
	starts := shells(core)
	byCore(core, order, starts)
	for i, v := range order {
		place[v] = int32(i)
	}
	for _, v := range order {
		for _, u := range g.Neighbours(int(v)) {
			if core[u] > core[v] {
				first := starts[core[u]]
				w := order[first]
				order[first], order[place[u]] = u, w
				place[w], place[u] = place[u], int32(first)
				starts[core[u]]++
				core[u]--
			}
		}
	}
}

// allEngines fails unless every engine that works in memory finds the core numbers.
func allEngines(t testing.TB, g *Graph, want []int32) {
	t.Helper()
	core := make([]int32, g.Nodes)
	if buckets(g, core); !slices.Equal(core, want) {
		t.Errorf("the buckets find %v, expected %v", head(core), head(want))
	}
	for _, workers := range []int{1, 2, 3, 7} {
		pool := kernel.NewPool(workers)
		for _, e := range []Engine{Sequential, Parallel} {
			clear(core)
			if err := Decompose(g, core, e, pool); err != nil || !slices.Equal(core, want) {
				t.Errorf("%s with %d workers: %v, %v, expected %v", e, workers, err, head(core), head(want))
			}
		}
		pool.Close()
	}
}

func head(core []int32) []int32 { return core[:min(len(core), 50)] }
