package kcore

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/internal/race"
)

func TestPeelAgreesWithTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	rounds := 300
	if race.Enabled {
		rounds = 60
	}
	for range rounds {
		ids, declared := randomMultigraph(rng)
		g := pairGraph(t, ids, declared)
		got, want := peeled(t, g), reference(g)
		if !slices.Equal(got, want) {
			t.Fatalf("pairs %v: core numbers %v, expected %v", ids, got, want)
		}
		certified(t, g, got)
		allEngines(t, g, want)
	}
}

// family is a graph whose core numbers are known.
type family struct {
	name string
	ids  []int64
	core func(v int) int32
}

func families() []family {
	all := func(k int32) func(int) int32 { return func(int) int32 { return k } }
	edges := func(n int, is func(u, v int) bool) (ids []int64) {
		for u := range n {
			for v := range u {
				if is(u, v) {
					ids = append(ids, int64(u), int64(v))
				}
			}
		}
		return ids
	}
	var path, tree, attached []int64
	long := int64(1_000_000)
	if race.Enabled {
		long /= 20
	}
	for v := int64(1); v < long; v++ {
		path = append(path, v-1, v)
		tree = append(tree, (v-1)/3, v)
	}
	// Barabási and Albert: every new vertex gets m neighbours, here the ends of earlier edges.
	const m = 4
	rng := rand.New(rand.NewPCG(3, 9))
	attached = edges(m+1, func(u, v int) bool { return true })
	for v := int64(m + 1); v < 2000; v++ {
		var to []int64
		for len(to) < m {
			if u := attached[rng.IntN(len(attached))]; u != v && !slices.Contains(to, u) {
				to = append(to, u)
			}
		}
		for _, u := range to {
			attached = append(attached, v, u)
		}
	}
	return []family{
		{"complete", edges(60, func(u, v int) bool { return true }), all(59)},
		{"cycle", edges(500, func(u, v int) bool { return u-v == 1 || u-v == 499 }), all(2)},
		{"star", edges(300, func(u, v int) bool { return v == 0 }), all(1)},
		{"bipartite 7, 30", edges(37, func(u, v int) bool { return u >= 7 && v < 7 }), all(7)},
		{"path", path, all(1)},
		{"short path", path[:4000], all(1)},
		{"tree", tree, all(1)},
		{"Barabási–Albert", attached, all(m)},
		{"complete and a path", append(edges(9, func(u, v int) bool { return true }), 9, 10, 10, 11), func(v int) int32 {
			if v < 9 {
				return 8
			}
			return 1
		}},
	}
}

func TestFamilies(t *testing.T) {
	for _, f := range families() {
		g := pairGraph(t, f.ids, 0)
		want := make([]int32, g.Nodes)
		for v := range want {
			want[v] = f.core(v)
		}
		certified(t, g, want)
		allEngines(t, g, want)
		if len(f.ids) > 20_000 {
			if !testing.Short() {
				diskEngines(t, importedPairs(t, f.ids, 0), g, want, 32<<20)
			}
			continue // and ranks take half as many rounds as a path is long
		}
		core := make([]int32, g.Nodes)
		for ranks := 1; ranks <= 4; ranks++ {
			r := Ranks{Ranks: ranks, At: Thresholds(g, int64(len(g.Indices))/4)}
			if r.Decompose(g, core); !slices.Equal(core, want) {
				t.Errorf("%s, %d ranks: %v, expected %v", f.name, ranks, head(core), head(want))
			}
		}
		diskEngines(t, importedPairs(t, f.ids, 0), g, want, 0, LeastPart, 4<<20)
	}
}

func TestVerifyNoticesWhatIsWrong(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 4))
	noticed := 0
	for range 200 {
		ids, declared := randomMultigraph(rng)
		g := pairGraph(t, ids, declared)
		core := peeled(t, g)
		order, work := make([]int32, g.Nodes), make([]int32, g.Nodes)
		v := rng.IntN(g.Nodes)
		core[v] += int32(1 - 2*rng.IntN(2))
		if core[v] < 0 {
			continue
		}
		err := Order(g, core, order, work) // the best order there could be
		if err == nil {
			err = Verify(g, core, order, work)
		}
		var wrong *WrongError
		if !errors.As(err, &wrong) {
			t.Fatalf("pairs %v: core numbers %v, of %d wrong, are accepted", ids, core, v)
		}
		noticed++
	}
	if noticed < 100 {
		t.Errorf("%d mistakes tried", noticed)
	}
}

func TestOrderIsOneOfEachLayer(t *testing.T) {
	// 0 – 1 – 2 – 3 – 4, a path, and the triangle 5 6 7: the ends of the path go first, then what they leave.
	g := pairGraph(t, []int64{0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 6, 7, 7, 5}, 0)
	order, work := make([]int32, g.Nodes), make([]int32, g.Nodes)
	if err := Order(g, peeled(t, g), order, work); err != nil {
		t.Fatal(err)
	}
	if want := []int32{0, 4, 1, 3, 2, 5, 6, 7}; !slices.Equal(order, want) {
		t.Errorf("order %v, expected %v", order, want)
	}
}
