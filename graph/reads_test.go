package graph

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestReadsAreAsManyAsPlanned gathers rows of hops on disk, all of them and fewer and fewer, and compares what the disk was asked for with
// the plan.
func TestReadsAreAsManyAsPlanned(t *testing.T) {
	const nodes, cols, hops = 40 * shardRows, 48, 2
	spill := openSpill(t)
	g := newGraph(t, randomGraph(nodes, cols, true, 6), All)
	p := &Propagation{Graph: g, Adjacency: normalize(t, g, Symmetric), K: hops}
	w := Way{Width: 32, Spill: true}
	h := propagate(t, p, w, nil, spill)
	order := rand.New(rand.NewPCG(2, 3)).Perm(nodes)
	into := make([]float32, nodes*cols)
	for _, rows := range []int{nodes, nodes / 2, nodes / 20, 400, 100, 20} {
		var ids []int32
		for _, u := range order[:rows] {
			ids = append(ids, int32(u))
		}
		slices.Sort(ids)
		before := spill.Traffic().Read.Load()
		for k := range hops + 1 {
			if err := h.Gather(ids, k, into); err != nil {
				t.Fatal(err)
			}
		}
		got, want := spill.Traffic().Read.Load()-before, p.ReadBytes(w, rows)
		if off := float64(got)/float64(want) - 1; math.Abs(off) > 0.2 {
			t.Errorf("%d rows: %d bytes are read, %d planned", rows, got, want)
		} else {
			t.Logf("%d rows: %+.1f %% of %d planned", rows, 100*off, want)
		}
	}
}
