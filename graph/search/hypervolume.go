package search

import (
	"cmp"
	"slices"
)

// Hypervolume returns the volume of the part of objective space that the points dominate and the reference bounds: exact
// for any number of objectives, by slicing along the last one (While et al., A faster algorithm for calculating
// hypervolume, 2006). Points that are not better than the reference in every objective add nothing. It takes O(n log n)
// steps for two objectives and about a factor n more for each further one.
func Hypervolume(points [][]float64, reference []float64) float64 {
	last := len(reference) - 1
	front := layers(points, reference)
	volume := 0.0
	if last < 0 || len(front) == 0 {
		return volume
	}
	if last == 0 {
		return reference[0] - front[0][0]
	}
	lowest := front[0][0]
	for i, p := range front {
		upper := reference[last]
		if i+1 < len(front) {
			upper = front[i+1][last]
		}
		lowest = min(lowest, p[0])
		area := reference[0] - lowest
		if last > 1 {
			area = Hypervolume(front[:i+1], reference[:last])
		}
		volume += (upper - p[last]) * area
	}
	return volume
}

// layers returns the front of the points that are better than the reference in every one of its objectives, in increasing
// order of the last. Objectives that the reference does not have are cut off.
func layers(points [][]float64, reference []float64) [][]float64 {
	m := len(reference)
	var inside [][]float64
	for _, p := range points {
		if p = p[:m]; better(p, reference) {
			inside = append(inside, p)
		}
	}
	front := make([][]float64, 0, len(inside))
	for _, i := range Front(inside) {
		front = append(front, inside[i])
	}
	slices.SortStableFunc(front, func(a, b []float64) int { return cmp.Compare(a[m-1], b[m-1]) })
	return front
}

// better says whether a is below b in every objective.
func better(a, b []float64) bool {
	for i, x := range a {
		if !(x < b[i]) {
			return false
		}
	}
	return true
}
