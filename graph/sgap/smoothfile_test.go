package sgap_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/graph/sgap"
	"github.com/seraph-ml/seraph/run"
)

// TestSmoothingAFileIsNDLSL smooths what mlp predicts, beside ndls-l: the same MLP, which smooths its own predictions.
func TestSmoothingAFileIsNDLSL(t *testing.T) {
	data := sgap.Blocks(t)
	train := func(name string, set ...string) (*run.Result, []byte) {
		m := sgap.ModelNamed(t, name)
		o := options(t, data, append(set, "epochs=40", "lr=0.01", "dropout=0.2", "input-dropout=0.2", "scaling=rms")...)
		r := trainWith(t, m, o)
		return r, predictWith(t, m, o.Out, data)
	}
	_, plain := train("mlp")
	r, want := train("ndls-l", "label-epsilon=0.05", "label-kmax=7", "averaging=formula", "restart=0.1")
	job := smoothing(t, data, plain)
	job.Local = sgap.Local{Epsilon: 0.05, Kmax: 7, Averaging: graph.AverageFormula, Restart: 0.1}
	result, err := job.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if result.Test == nil || result.Test[1] != r.Metrics["test_accuracy"] || result.Validation[1] != r.Metrics["val_accuracy"] || result.Test[0] == result.Test[1] {
		t.Errorf("accuracies %v on validation, %v on test; ndls-l has %v", result.Validation, result.Test, r.Metrics)
	}
	got, err := os.ReadFile(job.Out)
	if err != nil {
		t.Fatal(err)
	}
	worst := 0.0
	a, b := cells(t, want), cells(t, got)
	if len(a) != len(b) {
		t.Fatalf("%d rows, expected %d", len(b), len(a))
	}
	for i := 1; i < len(a); i++ {
		if a[i][0] != b[i][0] {
			t.Fatalf("row %d is of node %s, expected %s", i, b[i][0], a[i][0])
		}
		for c := 2; c < len(a[i]); c++ {
			worst = max(worst, math.Abs(number(t, a[i][c])-number(t, b[i][c])))
		}
	}
	if t.Logf("largest difference of a probability %.1e of 1e-6", worst); !(worst < 1e-6) {
		t.Errorf("probabilities differ by %g", worst)
	}
	inSmallestBudget(t, func(memory string) error {
		job.Memory, err = strconv.ParseInt(memory, 10, 64)
		if err != nil {
			job.Memory = 1 << 20
		}
		_, err := job.Run(t.Context())
		return err
	})
}

// smoothing is a job on predictions, as CSV.
func smoothing(t *testing.T, data string, predictions []byte) *sgap.SmoothJob {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "p.csv")
	if err := os.WriteFile(path, predictions, 0o644); err != nil {
		t.Fatal(err)
	}
	return &sgap.SmoothJob{
		Predictions: path, Graph: data, Out: filepath.Join(dir, "smooth.csv"), Component: "auto",
		Local: sgap.Local{Epsilon: 0.1, Kmax: 5}, Memory: 1 << 30, Threads: 2,
	}
}

func cells(t *testing.T, text []byte) [][]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestPredictionsThatDoNotFitAreRefused has tables that are no predictions of the graph's nodes.
func TestPredictionsThatDoNotFitAreRefused(t *testing.T) {
	data := sgap.Blocks(t)
	var all strings.Builder
	all.WriteString("id,p_a,p_b\n")
	for u := range 700 {
		all.WriteString(strconv.Itoa(u) + ",0.25,0.75\n")
	}
	for want, text := range map[string]string{
		"expected the columns id":     "node,p_a\n0,0.5\n",
		"expected the columns id and": "id,class\n0,a\n",
		"no node 700, or":             all.String() + "700,0.5,0.5\n",
		"no node 3, or it has two":    all.String() + "3,0.5,0.5\n",
		"1 of the 700 nodes":          strings.Replace(all.String(), "\n17,0.25,0.75", "", 1),
		"column p_b has something":    strings.Replace(all.String(), "\n17,0.25,0.75", "\n17,0.25,1.75", 1),
		"column p_a has something":    strings.Replace(all.String(), "\n17,0.25,0.75", "\n17,,0.75", 1),
		"than whole numbers":          strings.Replace(all.String(), "\n17,", "\n17.5,", 1),
	} {
		_, err := smoothing(t, data, []byte(text)).Run(context.Background())
		var usage *run.UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
	job := smoothing(t, data, []byte(all.String()))
	job.Memory = 1 << 20
	var small *plan.TooSmallError
	if _, err := job.Run(t.Context()); !errors.As(err, &small) {
		t.Errorf("in 1 MiB: %v", err)
	}
}
