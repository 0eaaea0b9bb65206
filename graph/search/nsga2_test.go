package search

import (
	"math"
	"slices"
	"testing"
)

func TestSelectionTakesFrontsThenTheLeastCrowded(t *testing.T) {
	s := small()
	var trials []Trial
	// 4 │ a . . . .      a, c, d, e are the first front; b lies behind c, f behind everything.
	// 3 │ . . b . .
	// 2 │ . c . . .
	// 1 │ . . . d .
	// 0 └─────────e─f
	for i, y := range [][]float64{{0, 4}, {2, 3}, {1, 2}, {3, 1}, {4, 0}, {5, 5}} {
		trials = append(trials, Trial{s.At(12 + i), y})
	}
	names := func(chosen []individual) string {
		var b []byte
		for _, c := range chosen {
			b = append(b, "abcdef"[c.Design.Rank()-12])
		}
		slices.Sort(b)
		return string(b)
	}
	for n, want := range map[int]string{2: "ae", 3: "ace", 4: "acde", 5: "abcde", 6: "abcdef"} {
		if got := names(selection(trials, n)); got != want {
			t.Errorf("the best %d are %s, want %s", n, got, want)
		}
	}
}

func TestCrowdingIsTheSumOfRelativeGaps(t *testing.T) {
	front := []individual{
		{Trial: Trial{Objectives: []float64{2, 1}}}, {Trial: Trial{Objectives: []float64{0, 4}}},
		{Trial: Trial{Objectives: []float64{4, 0}}}, {Trial: Trial{Objectives: []float64{1, 2}}},
	}
	crowd(front)
	// (2, 1): (4 − 1)/4 + (2 − 0)/4;  (1, 2): (2 − 0)/4 + (4 − 1)/4
	for i, want := range []float64{1.25, math.Inf(1), math.Inf(1), 1.25} {
		if front[i].crowding != want {
			t.Errorf("%v: crowding %v, want %v", front[i].Objectives, front[i].crowding, want)
		}
	}
}

func TestPopulationKeepsWhatNothingDominates(t *testing.T) {
	g, err := NewNSGA2(Problem{PaSca(), 2, 1}, 12)
	if err != nil {
		t.Fatal(err)
	}
	for range 12 * 8 {
		d, _ := g.Ask()
		if err := g.Tell(d, toy(d)); err != nil {
			t.Fatal(err)
		}
	}
	if len(g.parents) != 12 {
		t.Fatalf("%d parents", len(g.parents))
	}
	for _, p := range g.parents {
		if p.rank > 0 {
			continue
		}
		for _, q := range g.trials {
			if Dominates(q.Objectives, p.Objectives) {
				t.Errorf("%s of the first front is dominated by %s", p.Design, q.Design)
			}
		}
	}
}
