package sgap_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/graph/sgap"
	"github.com/seraph-ml/seraph/run"
)

func TestGraphsOnDiskTrainAndPredictWithTheBitsOfThoseInMemory(t *testing.T) {
	stored := sgap.Stored(t)
	for name, set := range map[string]string{"sgc": "tune=2", "gamlp-jk": "labels=input", "pasca-v3": "split=ratio:3/3/94", "ndls": "label-kmax=3", "gamlp-smooth": "labels=rlu"} {
		if testing.Short() && name != "gamlp-jk" && name != "ndls" {
			continue
		}
		m := sgap.ModelNamed(t, name)
		set := append(known(m, "hops=2", "epochs=3", "kmax=3"), set)
		want := trainWith(t, m, options(t, stored, set...)).WeightsHash
		inSmallestBudget(t, func(memory string) error {
			o := options(t, stored, append(set, "memory="+memory)...)
			r, err := run.Train(context.Background(), m, o)
			if err != nil {
				return err
			}
			if r.WeightsHash != want {
				t.Errorf("%s: weights %s from disk in %s bytes of memory, %s in memory", name, r.WeightsHash, memory, want)
			}
			plan, err := os.ReadFile(filepath.Join(o.Out, "plan.json"))
			if err != nil || !strings.Contains(string(plan), "on disk") {
				t.Errorf("%s: nothing is on disk in the plan: %v", name, err)
			}
			want := predictWith(t, m, o.Out, stored)
			inSmallestBudget(t, func(memory string) error {
				got, err := predictions(t, m, o.Out, stored, "memory="+memory)
				if err == nil && !bytes.Equal(got, want) {
					t.Errorf("%s: other predictions from disk in %s bytes of memory", name, memory)
				}
				return err
			})
			return nil
		})
	}
}

// TestMessagesPassInMemory trains on a graph that is opened, and has no way to leave it on disk.
func TestMessagesPassInMemory(t *testing.T) {
	stored := sgap.Stored(t)
	m := sgap.ModelNamed(t, "gcn")
	want := trainWith(t, m, options(t, stored, "epochs=3")).WeightsHash
	inSmallestBudget(t, func(memory string) error {
		r, err := run.Train(context.Background(), m, options(t, stored, "epochs=3", "memory="+memory))
		if err == nil && r.WeightsHash != want {
			t.Errorf("weights %s in %s bytes of memory, %s without a limit", r.WeightsHash, memory, want)
		}
		return err
	})
}

// predictions applies a trained model.
func predictions(t *testing.T, m run.Model, dir, data string, set ...string) ([]byte, error) {
	t.Helper()
	job, err := run.Open(m, dir, run.Options{Sources: run.Sources{Set: append(set, "data="+data)}})
	if err != nil {
		return nil, err
	}
	out := filepath.Join(t.TempDir(), "p.csv")
	if err := m.Predict(context.Background(), job, out); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
}

func predictWith(t *testing.T, m run.Model, dir, data string) []byte {
	t.Helper()
	p, err := predictions(t, m, dir, data, "memory=1GiB")
	if err != nil {
		t.Fatal(err)
	}
	return p
}
