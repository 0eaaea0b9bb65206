package sgap_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/seraph-ml/seraph/graph/sgap"
	"github.com/seraph-ml/seraph/internal/realdata"
	"github.com/seraph-ml/seraph/run"
)

func train(t *testing.T, model int, data string, set ...string) *run.Result {
	t.Helper()
	result, err := run.Train(context.Background(), sgap.Models()[model], run.Options{
		Sources: run.Sources{Set: append([]string{"data=" + data}, set...)},
		Out:     filepath.Join(t.TempDir(), "run"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestCora(t *testing.T) {
	cora := filepath.Join(filepath.Dir(realdata.Path(t, "data/graph/planetoid/ind.cora.x")), "ind.cora")
	for m := range 3 {
		r := train(t, m, cora, "seeds=3")
		t.Logf("%+v", r)
	}
}
