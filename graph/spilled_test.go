package graph

import (
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/engine/memory"
)

// TestSpilledFeaturesAreReadAsTheyWereMade makes fewer rows than go to the disk at a time, as many, and more.
func TestSpilledFeaturesAreReadAsTheyWereMade(t *testing.T) {
	spill := openSpill(t)
	before := memory.ArenaBytes()
	const cols = 100
	at := int(spilledStaging(cols)) / (4 * cols)
	for _, rows := range []int{1, at - 1, at, at + 1, 2*at + 5} {
		f, err := NewSpilledFeatures(spill, "rows", rows, cols)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := memory.ArenaBytes()-before, SpilledBytes(cols); got > want {
			t.Errorf("%d bytes in memory, planned %d", got, want)
		}
		for i := range rows {
			row, err := f.Row()
			if err != nil {
				t.Fatal(err)
			}
			for c := range row {
				row[c] = float32(i*cols + c)
			}
		}
		x, err := f.Features()
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, rows*cols)
		for lo := 0; lo < rows; lo += 700 {
			if err := x.Read(lo, got[lo*cols:min(lo+700, rows)*cols]); err != nil {
				t.Fatal(err)
			}
		}
		for i, v := range got {
			if v != float32(i) {
				t.Fatalf("%d rows: element %d is %v", rows, i, v)
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if left := memory.ArenaBytes() - before; left != 0 {
		t.Errorf("%d bytes are left", left)
	}
}

// TestStepsAreTheSameWithDistancesOnDisk has tables of few rows, odd numbers of them and even ones.
func TestStepsAreTheSameWithDistancesOnDisk(t *testing.T) {
	spill := openSpill(t)
	g := newGraph(t, randomGraph(300, 50, false, 3), All)
	a := normalize(t, g, randomWalk)
	for kmax := 1; kmax < 7; kmax++ {
		s := &Smoothing{Graph: g, Adjacency: a, Scaling: ScaleL2, Epsilon: .3, Kmax: kmax}
		want := localSteps(t, s).K
		got, err := s.Steps(t.Context(), Way{Width: 16, Spill: true}, nil, spill)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.K, want) {
			t.Errorf("at most %d steps: %v, expected %v", kmax, got.K, want)
		}
		if slices.Min(want) == slices.Max(want) && kmax > 3 {
			t.Errorf("at most %d steps: all nodes take %d", kmax, want[0])
		}
		got.Close()
	}
	if _, err := (&Smoothing{Graph: g, Adjacency: a, Epsilon: .3, Kmax: 3}).Steps(t.Context(), Way{Width: 16, Spill: true}, nil, nil); err == nil {
		t.Error("no disk was missed")
	}
}
