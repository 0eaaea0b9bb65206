package sgap_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/graph/sgap"
	"github.com/seraph-ml/seraph/run"
)

// TestRanksTrainAndPredictWithTheSameBits divides the propagation of features, and of labels, in training and prediction.
func TestRanksTrainAndPredictWithTheSameBits(t *testing.T) {
	data := halves(t, 5, true)
	for _, c := range [][]string{{"sign"}, {"gmlp", "labels=input", "label-hops=2", "scaling=rms"}, {"pasca-v3", "inductive=true"}} {
		m := sgap.ModelNamed(t, c[0])
		set := append([]string{"hops=2", "epochs=3", "tune=2", "hidden=8"}, c[1:]...)
		one := options(t, data, set...)
		want := trainWith(t, m, one).WeightsHash
		var told bytes.Buffer
		three := options(t, data, append(set, "ranks=3")...)
		three.Progress = run.NewProgress(&told, false, slog.LevelInfo)
		if got := trainWith(t, m, three).WeightsHash; got != want {
			t.Errorf("%v: weights %s with three ranks, %s with one", c, got, want)
		}
		if !strings.Contains(told.String(), "propagation over 3 ranks: ") || strings.Contains(told.String(), "ranks: 0B") {
			t.Errorf("%v: nobody was told what ranks exchanged:\n%s", c, told.String())
		}
		inSmallestBudget(t, func(memory string) error {
			r, err := run.Train(t.Context(), m, options(t, data, append(set, "ranks=4", "memory="+memory)...))
			if err == nil && r.WeightsHash != want {
				t.Errorf("%v: weights %s with four ranks in %s bytes, %s with one", c, r.WeightsHash, memory, want)
			}
			return err
		})
		before := predictWith(t, m, one.Out, data)
		after, err := predictions(t, m, one.Out, data, "ranks=4")
		if err != nil || !bytes.Equal(before, after) {
			t.Errorf("%v: other predictions with four ranks, %v", c, err)
		}
	}
}

// TestRanksNeedEdgesInMemory reads a graph on disk for them.
func TestRanksNeedEdgesInMemory(t *testing.T) {
	var told bytes.Buffer
	o := options(t, sgap.StoredBlocks(t, 300, 4), "epochs=1", "ranks=2")
	o.Progress = run.NewProgress(&told, false, slog.LevelInfo)
	trainWith(t, sgap.ModelNamed(t, "sgc"), o)
	if !strings.Contains(told.String(), "is read into memory: --ranks is given") {
		t.Errorf("nobody was told:\n%s", told.String())
	}
}
