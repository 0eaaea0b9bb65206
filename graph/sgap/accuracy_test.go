package sgap_test

import (
	"path/filepath"
	"testing"

	"github.com/seraph-ml/seraph/graph/sgap"
	"github.com/seraph-ml/seraph/internal/realdata"
)

// TestSGCReachesThePublishedAccuracy trains a few seeds on the real graphs; docs/models/graph.md has the table of ten.
func TestSGCReachesThePublishedAccuracy(t *testing.T) {
	if testing.Short() {
		t.Skip("trains on real graphs; left out with -short")
	}
	x := realdata.Path(t, "data/graph/planetoid/ind.cora.x")
	for prefix, least := range map[string]float64{"ind.cora": 0.803, "ind.citeseer": 0.71} {
		r := trainWith(t, sgap.ModelNamed(t, "sgc"), options(t, filepath.Join(filepath.Dir(x), prefix), "seeds=3", "tune=12", "epochs=200"))
		if got := r.Metrics["test_accuracy"]; got < least {
			t.Errorf("%s: test accuracy %.4f, expected at least %.3f", prefix, got, least)
		}
	}
}
