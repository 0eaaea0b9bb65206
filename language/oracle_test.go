package language_test

import (
	"bufio"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/seraph-ml/seraph/language"
	"github.com/seraph-ml/seraph/run"
)

const oracle = "../bench/oracle/testdata/lm"

// golden is losses.json of bench/oracle/lm_ten_steps.py.
type golden struct {
	Losses     []float64 `json:"losses_float64"`
	Norms      []float64 `json:"gradient_norms_float64"`
	Rates      []float64 `json:"learning_rates"`
	Validation float64   `json:"validation_loss_float64"`
}

// trainOracle runs the oracle's ten steps with more settings and returns the run directory and the result.
func trainOracle(t *testing.T, set ...string) (string, *run.Result) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "run")
	result, err := run.Train(context.Background(), language.Model{}, run.Options{
		Sources: run.Sources{Set: append([]string{
			"data=" + oracle + "/text.txt", "init=" + oracle + "/init.safetensors", "batches=" + oracle + "/batches.npy",
			"layers=2", "heads=2", "width=32", "block=16", "batch=4", "lr=3e-3", "min-lr=3e-4", "warmup=3", "steps=10",
		}, set...)},
		Out: out,
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, result
}

func readMetrics(t *testing.T, dir string) []map[string]float64 {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []map[string]float64
	for s := bufio.NewScanner(f); s.Scan(); {
		var line map[string]float64
		if err := json.Unmarshal(s.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestTenStepsAgreeWithPyTorch(t *testing.T) {
	text, err := os.ReadFile(oracle + "/losses.json")
	if err != nil {
		t.Fatal(err)
	}
	var want golden
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	dir, result := trainOracle(t)
	lines := readMetrics(t, dir)
	if len(lines) != len(want.Losses) {
		t.Fatalf("%d lines of metrics, expected %d", len(lines), len(want.Losses))
	}
	used := 0.0
	for i, line := range lines {
		for name, pair := range map[string][2]float64{
			"loss": {line["loss"], want.Losses[i]}, "grad_norm": {line["grad_norm"], want.Norms[i]}, "lr": {line["lr"], want.Rates[i]},
		} {
			off := math.Abs(pair[0]-pair[1]) / pair[1]
			used = max(used, off)
			if !(off <= 1e-5) {
				t.Errorf("step %d: %s %.9g, PyTorch has %.9g", i+1, name, pair[0], pair[1])
			}
		}
	}
	if off := math.Abs(result.Metrics["val_loss"]-want.Validation) / want.Validation; !(off <= 1e-5) {
		t.Errorf("validation loss %.9g, PyTorch has %.9g", result.Metrics["val_loss"], want.Validation)
	}
	t.Logf("largest relative difference %.1e of 1e-5", used)
}

func TestBFloat16FollowsFloat32(t *testing.T) {
	want := readMetrics(t, first(trainOracle(t)))
	got := readMetrics(t, first(trainOracle(t, "precision=bf16")))
	used := 0.0
	for i := range want {
		off := math.Abs(got[i]["loss"]-want[i]["loss"]) / want[i]["loss"]
		used = max(used, off)
		if !(off <= 2e-3) || off == 0 {
			t.Errorf("step %d: loss %v in bfloat16, %v in float32", i+1, got[i]["loss"], want[i]["loss"])
		}
	}
	t.Logf("largest relative difference %.1e of 2e-3", used)
}

func first(dir string, _ *run.Result) string { return dir }
