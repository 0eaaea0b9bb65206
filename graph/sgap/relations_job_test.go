package sgap_test

import (
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/format/ogb"
	"github.com/seraph-ml/seraph/graph/sgap"
	"github.com/seraph-ml/seraph/run"
)

// TestHeterogeneousGraphsTrainWithinAnyBudget trains the models that take them, and predicts: with any threads and memory, the same bits, and
// predictions that are right as often as the result says.
func TestHeterogeneousGraphsTrainWithinAnyBudget(t *testing.T) {
	data := sgap.Library(t)
	models := []string{"gamlp-r", "gamlp-jk"}
	if testing.Short() {
		models = models[:1]
	}
	for _, name := range models {
		m := sgap.ModelNamed(t, name)
		set := []string{"tune=2", "hops=2", "relation-subsets=3", "labels=input", "label-hops=2", "batch=16", "dropout=0.3", "epochs=4"}
		var out string
		train := func(more ...string) (*run.Result, error) {
			o := options(t, data, append(set, more...)...)
			out = o.Out
			return run.Train(context.Background(), m, o)
		}
		want, err := train("threads=1")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := train("threads=2"); err != nil || got.WeightsHash != want.WeightsHash {
			t.Errorf("%s: weights differ with two threads: %v", name, err)
		}
		inSmallestBudget(t, func(memory string) error {
			got, err := train("memory=" + memory)
			if err == nil && got.WeightsHash != want.WeightsHash {
				t.Errorf("%s: weights differ with %s bytes of memory", name, memory)
			}
			return err
		})
		inSmallestBudget(t, func(memory string) error {
			job, err := run.Open(m, out, run.Options{Sources: run.Sources{Set: []string{"data=" + data, "memory=" + memory}}})
			if err != nil {
				return err
			}
			file := filepath.Join(t.TempDir(), "p.csv")
			if err := m.Predict(context.Background(), job, file); err != nil {
				return err
			}
			if got := paperAccuracy(t, data, file); got != want.Metrics["test_accuracy"] {
				t.Errorf("%s: predictions are right for %.4f of the test nodes, the result says %.4f", name, got, want.Metrics["test_accuracy"])
			}
			return nil
		})
	}
}

// paperAccuracy is the share of papers that test whose predicted class is the label; all papers and no other nodes have a prediction.
func paperAccuracy(t *testing.T, data, predictions string) float64 {
	t.Helper()
	g, err := ogb.ReadHetero(data)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(predictions)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != g.Kinds[0].Nodes+1 {
		t.Fatalf("%d lines of predictions, expected %d: %v", len(rows), g.Kinds[0].Nodes+1, err)
	}
	right := 0
	for _, u := range g.Test {
		if rows[u+1][1] == string('0'+rune(g.Labels[u])) {
			right++
		}
	}
	return float64(right) / float64(len(g.Test))
}

// TestRelationsOfARunAreKept trains on subsets that are given, and applies the model to a graph that lacks one of them.
func TestRelationsOfARunAreKept(t *testing.T) {
	data := sgap.Library(t)
	m := sgap.ModelNamed(t, "gamlp-r")
	o := options(t, data, "relations=writes+cites,published_in", "hops=1", "epochs=2")
	trainWith(t, m, o)
	text, err := os.ReadFile(filepath.Join(o.Out, "model/config.json"))
	if err != nil || !strings.Contains(string(text), `"relations": "writes+cites,published_in"`) {
		t.Errorf("the model's config: %s, %v", text, err)
	}
	predict := func(data string) error {
		job, err := run.Open(m, o.Out, run.Options{Sources: run.Sources{Set: []string{"data=" + data}}})
		if err != nil {
			return err
		}
		return m.Predict(context.Background(), job, filepath.Join(t.TempDir(), "p.csv"))
	}
	if err := predict(data); err != nil {
		t.Error(err)
	}
	other := sgap.Library(t)
	if err := os.WriteFile(filepath.Join(other, "raw/triplet-type-list.csv"), []byte("paper,cites,paper\nauthor,writes,paper\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for data, want := range map[string]string{other: `relation "published_in": library has writes, cites`, sgap.Blocks(t): "has no relations: all its edges are of one kind"} {
		var usage *run.UsageError
		if err := predict(data); !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected one of usage that says %s", err, want)
		}
	}
}

func TestWhatDoesNotGoWithRelations(t *testing.T) {
	library, blocks := sgap.Library(t), sgap.Blocks(t)
	for _, c := range []struct{ model, data, set, want string }{
		{"gamlp-r", library, "relations=wrote", "did you mean writes?"},
		{"gamlp-r", library, "relations=cites,knows", "none of them has edges of paper"},
		{"gamlp-r", library, "component=largest", "of which all are kept"},
		{"gamlp-r", library, "inductive=true", "--inductive is for graphs whose nodes are of one kind"},
		{"gamlp-r", library, "labels=rlu", "--labels input takes others, too"},
		{"gmlp", library, "messages=mean", "subsets of relations are weighed first"},
		{"gamlp-jk", blocks, "relations=cites", "has no relations: all its edges are of one kind"},
		{"sgc", library, "", "several kinds of nodes"},
		{"gamlp-smooth", library, "", "several kinds of nodes"},
	} {
		set := []string{"epochs=1"}
		if c.set != "" {
			set = append(set, c.set)
		}
		_, err := run.Train(context.Background(), sgap.ModelNamed(t, c.model), options(t, c.data, set...))
		var usage *run.UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: error %v, expected %s", c.model, c.set, err, c.want)
		}
	}
}
