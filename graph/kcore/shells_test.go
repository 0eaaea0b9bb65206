package kcore

import (
	"slices"
	"testing"
)

func TestShells(t *testing.T) {
	// 0 is alone with its loop, 1 hangs on 2 of the triangle 2 3 4, and 5 … 8 all know each other, and 5 knows 2:
	//
	//	0   1 – 2 – 3    5 – 6
	//	         \ |    | × |      and 2 – 5
	//	           4    7 – 8
	g := pairGraph(t, []int64{0, 0, 1, 2, 2, 3, 3, 4, 4, 2, 2, 5, 5, 6, 5, 7, 5, 8, 6, 7, 6, 8, 7, 8}, 10) // nobody names 9
	want := []Shell{
		{Core: 0, Vertices: 2},
		{Core: 1, Vertices: 1, Edges: 1, MinDegree: 1, MaxDegree: 1, Degrees: 1},
		{Core: 2, Vertices: 3, Edges: 4, MinDegree: 2, MaxDegree: 4, Degrees: 8},
		{Core: 3, Vertices: 4, Edges: 6, MinDegree: 3, MaxDegree: 4, Degrees: 13},
	}
	if got := Shells(g, peeled(t, g)); !slices.Equal(got, want) {
		t.Errorf("shells %+v, expected %+v", got, want)
	}
}
