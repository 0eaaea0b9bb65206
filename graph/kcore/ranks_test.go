package kcore

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/internal/race"
	"github.com/seraph-ml/seraph/internal/realdata"
)

func TestRanksAgreeWithPeel(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 60 {
		ids, declared := randomMultigraph(rng)
		g := pairGraph(t, ids, declared)
		want, core := peeled(t, g), make([]int32, g.Nodes)
		for ranks := 1; ranks <= 4; ranks++ {
			for _, at := range [][]int32{nil, {2}, {5, 3, 1}, {100, 0}} {
				for _, exact := range []bool{false, true} {
					clear(core)
					r := Ranks{Ranks: ranks, At: at, Exact: exact}
					if r.Decompose(g, core); !slices.Equal(core, want) {
						t.Fatalf("pairs %v, %d ranks, thresholds %v, exact %v: %v, expected %v", ids, ranks, at, exact, core, want)
					}
				}
			}
		}
	}
}

// Parts as the paper's method finds them, with rounds and updates, for any number of ranks; and the table of whole graphs before it.
func TestStagesHaveTheRoundsOfThePaper(t *testing.T) {
	for i, c := range []struct {
		file  string
		at    []int32
		exact bool
		want  []Stage
	}{
		{"karate.graph", nil, false, []Stage{{-1, 34, 78, 0, 3, 19, 34}}},
		{"jazz.graph", nil, false, []Stage{{-1, 198, 2742, 0, 14, 555, 198}}},
		{"hep-th.graph", nil, false, []Stage{{-1, 8361, 15751, 0, 23, 4888, 8361}}},
		{"PGPgiantcompo.graph", nil, false, []Stage{{-1, 10680, 24316, 0, 15, 6988, 10680}}},
		{"astro-ph.graph", nil, false, []Stage{{-1, 16706, 121251, 0, 17, 15440, 16706}}},
		{"wiki-Vote.txt", nil, false, []Stage{{-1, 7115, 100762, 0, 26, 10964, 7115}}},
		{"MIT8.edgelist", nil, false, []Stage{{-1, 6440, 251252, 0, 41, 32741, 6440}}},
		{"astro-ph.graph", []int32{10}, false, []Stage{{10, 6308, 90036, 0, 16, 9922, 4979}, {-1, 11727, 21037, 19158, 11, 5899, 11727}}},
		{"astro-ph.graph", []int32{10}, true, []Stage{{10, 4979, 81056, 0, 16, 7585, 4979}, {-1, 11727, 21037, 19158, 11, 5899, 11727}}},
		{"wiki-Vote.txt", []int32{20}, false, []Stage{{20, 2154, 81421, 0, 26, 9653, 2060}, {-1, 5055, 1213, 19847, 5, 632, 5055}}},
		{"wiki-Vote.txt", []int32{20}, true, []Stage{{20, 2060, 79702, 0, 26, 9491, 2060}, {-1, 5055, 1213, 19847, 5, 632, 5055}}},
		{"MIT8.edgelist", []int32{40}, false, []Stage{{40, 3835, 214288, 0, 41, 29058, 3448}, {-1, 2992, 8911, 41873, 11, 2886, 2992}}},
		{"MIT8.edgelist", []int32{40}, true, []Stage{{40, 3448, 200468, 0, 40, 27407, 3448}, {-1, 2992, 8911, 41873, 11, 2886, 2992}}},
		{"MIT8.edgelist", []int32{60, 30}, false, []Stage{{60, 3064, 182566, 0, 40, 26010, 2024}, {30, 2243, 32730, 65028, 31, 7002, 2051}, {-1, 2365, 3670, 25008, 8, 1496, 2365}}},
		{"MIT8.edgelist", []int32{60, 30}, true, []Stage{{60, 2024, 129977, 0, 39, 19370, 2024}, {30, 2051, 29738, 62859, 31, 6475, 2051}, {-1, 2365, 3670, 25008, 8, 1496, 2365}}},
	} {
		if race.Enabled && c.file == "MIT8.edgelist" {
			continue // many edges
		}
		pool := kernel.NewPool(2)
		defer pool.Close()
		g, err := Read([]string{realdata.Path(t, "data/graph/edges/"+c.file)}, Options{}, pool)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		core, want := make([]int32, g.Nodes), peeled(t, g)
		numbers := []int{1, 2 + i%3}
		if race.Enabled {
			numbers = numbers[1:]
		}
		for _, ranks := range numbers {
			r := Ranks{Ranks: ranks, At: c.at, Exact: c.exact}
			if stages := r.Decompose(g, core); !slices.Equal(stages, c.want) || !slices.Equal(core, want) {
				t.Errorf("%s at %v, exact %v, %d ranks:\n%+v, expected\n%+v", c.file, c.at, c.exact, ranks, stages, c.want)
			}
		}
	}
}

func TestThresholds(t *testing.T) {
	// Degrees 3, 3, 2, 1 and 1: a triangle 0 1 2, and 4 and 5 hang on 0 and 1.
	g := pairGraph(t, []int64{4, 0, 0, 1, 1, 5, 0, 2, 1, 2}, 0)
	for _, c := range []struct {
		most int64
		want []int32
	}{{100, nil}, {8, []int32{1}}, {7, []int32{2}}, {4, []int32{2}}, {1, []int32{2, 1}}} {
		if got := Thresholds(g, c.most); !slices.Equal(got, c.want) {
			t.Errorf("at most %d: %v, expected %v", c.most, got, c.want)
		}
	}
}
