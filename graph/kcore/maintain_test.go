package kcore

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Whatever comes and goes, core numbers are those of the edges that there are.
func TestMaintainedAgreesWithPeel(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 5))
	risen, fallen := 0, 0
	for range 40 {
		ids, n := randomMultigraph(rng)
		g := pairGraph(t, ids, n)
		core := peeled(t, g)
		m := Maintain(g, core, make([]int32, n))
		edges := map[[2]int64]bool{}
		for i := 0; i < len(ids); i += 2 {
			if ids[i] != ids[i+1] {
				edges[[2]int64{min(ids[i], ids[i+1]), max(ids[i], ids[i+1])}] = true
			}
		}
		for range 60 {
			u, v := rng.Int64N(n), rng.Int64N(n)
			if rng.IntN(2) == 0 && len(edges) > 0 { // one that is there
				for e := range edges {
					u, v = e[1], e[0]
					break
				}
			}
			e := [2]int64{min(u, v), max(u, v)}
			before := slices.Clone(core)
			var done, expected bool
			if rng.IntN(2) == 0 {
				expected = u != v && !edges[e]
				if done = m.Insert(int32(u), int32(v)); done {
					edges[e] = true
				}
			} else {
				expected = edges[e]
				done = m.Delete(int32(u), int32(v))
				delete(edges, e)
			}
			if done != expected || m.Edges != int64(len(edges)) {
				t.Fatalf("edge %v: done %v, expected %v; %d edges of %d", e, done, expected, m.Edges, len(edges))
			}
			var now []int64
			for e := range edges {
				now = append(now, e[0], e[1])
			}
			if want := peeled(t, pairGraph(t, now, n)); !slices.Equal(core, want) {
				t.Fatalf("after edge %v: %v, expected %v", e, core, want)
			}
			for v := range core {
				risen += int(max(0, core[v]-before[v]))
				fallen += int(max(0, before[v]-core[v]))
			}
		}
	}
	if risen < 100 || fallen < 100 {
		t.Errorf("%d core numbers rose and %d fell", risen, fallen)
	}
}

// A triangle becomes K4, with a tail, and falls apart again.
//
//	0 — 1
//	| × |
//	2 — 3 — 4
func TestMaintainedByHand(t *testing.T) {
	g := pairGraph(t, []int64{0, 1, 1, 2, 0, 2, 3, 4}, 5)
	core := peeled(t, g)
	m := Maintain(g, core, make([]int32, 5))
	for _, c := range []struct {
		insert bool
		u, v   int32
		want   []int32
	}{
		{true, 3, 2, []int32{2, 2, 2, 1, 1}},
		{true, 3, 1, []int32{2, 2, 2, 2, 1}},
		{true, 0, 3, []int32{3, 3, 3, 3, 1}},
		{false, 1, 2, []int32{2, 2, 2, 2, 1}},
		{false, 4, 3, []int32{2, 2, 2, 2, 0}},
		{true, 1, 2, []int32{3, 3, 3, 3, 0}},
	} {
		if c.insert {
			m.Insert(c.u, c.v)
		} else {
			m.Delete(c.u, c.v)
		}
		if !slices.Equal(core, c.want) {
			t.Errorf("%+v: %v", c, core)
		}
	}
}
