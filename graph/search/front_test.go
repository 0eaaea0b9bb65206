package search

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// points draws points on a coarse grid, so that ties and equal points are common.
func points(t *rapid.T, m, most int) [][]float64 {
	point := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 6), func(i int) float64 { return float64(i) }), m, m)
	return rapid.SliceOfN(point, 0, most).Draw(t, "points")
}

func TestFrontIsWhatNoPointDominates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := points(t, rapid.IntRange(1, 4).Draw(t, "objectives"), 40)
		var want []int
		for i := range p {
			if !slices.ContainsFunc(p, func(q []float64) bool { return Dominates(q, p[i]) }) {
				want = append(want, i)
			}
		}
		got := Front(p)
		if !slices.IsSortedFunc(got, func(i, j int) int { return slices.Compare(p[i], p[j]) }) {
			t.Fatalf("%v is not in order", got)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("the front of %v is %v, want %v", p, got, want)
		}
	})
}

func TestFrontKeepsEqualPointsAndLeavesNaNOut(t *testing.T) {
	nan := math.NaN()
	p := [][]float64{{2, 2}, {1, 3}, {nan, 0}, {1, 3}, {0, nan}, {1, 4}}
	if got := Front(p); !slices.Equal(got, []int{1, 3, 0}) {
		t.Errorf("the front is %v, want [1 3 0]", got)
	}
}

func TestHypervolumeOfKnownPoints(t *testing.T) {
	for _, c := range []struct {
		points    [][]float64
		reference []float64
		want      float64
	}{
		// 3 │ a . .      each of the three points adds to what the others
		// 2 │   b .      dominate below (4, 4): 3 + 2 + 1
		// 1 └─────c
		{[][]float64{{1, 3}, {2, 2}, {3, 1}}, []float64{4, 4}, 6},
		{[][]float64{{1, 3}, {2, 2}, {3, 1}, {3, 3}, {2, 2}, {0, 4}, {9, 0}}, []float64{4, 4}, 6},
		{nil, []float64{1, 1}, 0},
		{[][]float64{{2}, {3}}, []float64{5}, 3},
		{[][]float64{{0, 0, 0}}, []float64{2, 3, 4}, 24},
		// two boxes of 2·2·1 that share 1·2·1
		{[][]float64{{0, 1, 1}, {1, 0, 1}}, []float64{2, 2, 2}, 3},
		{[][]float64{{0, 1, 1}, {1, 0, 1}, {1, 1, 0}}, []float64{2, 2, 2}, 4},
	} {
		if got := Hypervolume(c.points, c.reference); got != c.want {
			t.Errorf("%v below %v: %v, want %v", c.points, c.reference, got, c.want)
		}
	}
}

// On the grid a hypervolume is the number of unit cells that some point dominates.
func TestHypervolumeCountsCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.IntRange(1, 4).Draw(t, "objectives")
		p := points(t, m, 12)
		reference := []float64{6, 5, 6, 4}[:m]
		want := 0.0
		cell := make([]float64, m)
		for {
			if slices.ContainsFunc(p, func(q []float64) bool {
				for j := range q {
					if q[j] > cell[j] {
						return false
					}
				}
				return true
			}) {
				want++
			}
			j := 0
			for ; j < m; j++ {
				if cell[j]++; cell[j] < reference[j] {
					break
				}
				cell[j] = 0
			}
			if j == m {
				break
			}
		}
		if got := Hypervolume(p, reference); got != want {
			t.Fatalf("%v: %v, want %v", p, got, want)
		}
	})
}
