package search

import (
	"cmp"
	"slices"
)

// Dominates says whether a is at least as good as b in every objective and better in one. Objectives are minimised.
func Dominates(a, b []float64) bool {
	better := false
	for i, x := range a {
		if !(x <= b[i]) {
			return false
		}
		better = better || x < b[i]
	}
	return better
}

// Front returns the numbers of the points that no other point dominates, in the order of their first objective, then the
// second and so on, then their number. Equal points do not dominate each other: all of them stay. A point with a NaN is
// left out. It takes O(n log n) steps for two objectives, and O(n·front) for more.
func Front(points [][]float64) []int {
	order := make([]int, 0, len(points))
	for i, p := range points {
		if !slices.ContainsFunc(p, func(x float64) bool { return x != x }) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(i, j int) int {
		return cmp.Or(slices.Compare(points[i], points[j]), cmp.Compare(i, j))
	})
	// In this order a point is dominated by none after it. With two objectives the last point of the front has the lowest
	// second objective so far, hence dominates whatever any of the front does.
	front := order[:0]
	for _, i := range order {
		rivals := front
		if len(points[i]) <= 2 && len(front) > 0 {
			rivals = front[len(front)-1:]
		}
		if !slices.ContainsFunc(rivals, func(j int) bool { return Dominates(points[j], points[i]) }) {
			front = append(front, i)
		}
	}
	return front
}
