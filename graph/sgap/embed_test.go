package sgap_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/format/safetensors"
	"github.com/seraph-ml/seraph/format/table"
	"github.com/seraph-ml/seraph/graph/sgap"
	"github.com/seraph-ml/seraph/run"
)

// embed writes the embeddings of a trained model and returns their file.
func embed(t *testing.T, m run.Model, dir, data, name string, set ...string) ([]byte, error) {
	t.Helper()
	job, err := run.Open(m, dir, run.Options{Sources: run.Sources{Set: append(set, "data="+data)}})
	if err != nil {
		t.Fatal(err)
	}
	defer job.Close()
	out := filepath.Join(t.TempDir(), name)
	if err := m.(run.Embedder).Embed(t.Context(), job, out); err != nil {
		return nil, err
	}
	file, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return file, nil
}

// tensor reads a tensor of a trained model; nil where there is none of that name.
func tensor(t *testing.T, f *safetensors.File, name string) []float32 {
	t.Helper()
	found, ok := f.Tensor(name)
	if !ok {
		return nil
	}
	x, err := found.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// lastLayer adds to logits what the last linear layer of a stack makes of x, and returns its width.
func lastLayer(t *testing.T, f *safetensors.File, stack string, x []float32, logits []float64) int {
	t.Helper()
	last := 0
	for tensor(t, f, fmt.Sprintf("%s.%d.weight", stack, last+1)) != nil {
		last++
	}
	weight, bias := tensor(t, f, fmt.Sprintf("%s.%d.weight", stack, last)), tensor(t, f, fmt.Sprintf("%s.%d.bias", stack, last))
	width := len(weight) / len(logits)
	for c := range logits {
		logits[c] += float64(bias[c])
		for j := range width {
			logits[c] += float64(weight[c*width+j]) * float64(x[j])
		}
	}
	return width
}

// embedded returns the embeddings of all nodes: their shape and rows.
func embedded(t *testing.T, m run.Model, dir, data string) (shape []int, rows []float32) {
	t.Helper()
	file, err := embed(t, m, dir, data, "e.npy")
	if err != nil {
		t.Fatal(err)
	}
	array, err := npy.Parse("e.npy", file)
	if err != nil {
		t.Fatal(err)
	}
	if rows, err = array.Float32s(); err != nil {
		t.Fatal(err)
	}
	return array.Shape, rows
}

// TestLogitsAreLinearInEmbeddings holds the softmax of the last linear layer on embeddings against what is predicted.
func TestLogitsAreLinearInEmbeddings(t *testing.T) {
	data := halves(t, 5, true)
	for _, c := range [][]string{
		{"logistic"}, {"s2gc"}, {"sign"}, {"gbp", "layers=3"}, {"gmlp", "layers=1"}, {"gamlp-jk", "labels=input", "label-hops=3"},
		{"gamlp-r", "hop-layers=2", "residual=true"}, {"pasca-v3", "post-hops=0"}, {"sign@pasca"}, {"ndls-f"},
	} {
		m := sgap.ModelNamed(t, c[0])
		o := options(t, data, append([]string{"hidden=24", "epochs=3"}, c[1:]...)...)
		o.Flags = keep(m, o.Flags)
		trainWith(t, m, o)
		shape, x := embedded(t, m, o.Out, data)
		text, err := predictions(t, m, o.Out, data)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		weights, err := safetensors.Open(filepath.Join(o.Out, "model", "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer weights.Close()
		width, worst := shape[1], 0.0
		if len(rows)-1 != shape[0] {
			t.Fatalf("%v: %d rows are predicted, embeddings have %d", c, len(rows)-1, shape[0])
		}
		for i, row := range rows[1:] {
			logits := make([]float64, len(row)-2)
			used := lastLayer(t, weights, "head", x[i*width:][:width], logits)
			if len(c) > 1 && c[1] == "labels=input" {
				used += lastLayer(t, weights, "labels", x[i*width+used:][:width-used], logits)
			}
			if used != width {
				t.Fatalf("%v: embeddings are %d wide, the last layer takes %d", c, width, used)
			}
			sum := 0.0
			for _, z := range logits {
				sum += math.Exp(z)
			}
			for k, z := range logits {
				p, err := strconv.ParseFloat(row[2+k], 64)
				if err != nil {
					t.Fatal(err)
				}
				worst = max(worst, math.Abs(math.Exp(z)/sum-p))
			}
		}
		const tolerance = 2e-6
		if worst > tolerance {
			t.Errorf("%v: probabilities are off by %.2g, of %.2g allowed", c, worst, tolerance)
		}
	}
}

// keep leaves out the flags that are no settings of a model.
func keep(m run.Model, flags map[string]string) map[string]string {
	kept := map[string]string{}
	for key, value := range flags {
		if len(known(m, key+"="+value)) > 0 {
			kept[key] = value
		}
	}
	return kept
}

// TestEmbeddingsDependNeitherOnThreadsNorOnMemory has a graph whose features stay on disk, too.
func TestEmbeddingsDependNeitherOnThreadsNorOnMemory(t *testing.T) {
	data := sgap.Stored(t)
	for _, name := range []string{"sgc", "gamlp-r"} {
		m := sgap.ModelNamed(t, name)
		o := options(t, data, known(m, "hidden=8", "epochs=1", "hops=1")...)
		trainWith(t, m, o)
		want, err := embed(t, m, o.Out, data, "e.npy", "threads=1")
		if err != nil {
			t.Fatal(err)
		}
		same := func(set string) error {
			got, err := embed(t, m, o.Out, data, "e.npy", set)
			if err == nil && !bytes.Equal(got, want) {
				t.Errorf("%s with %s: other embeddings", name, set)
			}
			return err
		}
		if err := same("threads=2"); err != nil {
			t.Fatal(err)
		}
		inSmallestBudget(t, func(memory string) error { return same("memory=" + memory) })
	}
}

// TestEmbeddingsAsTable holds a Parquet file against the array.
func TestEmbeddingsAsTable(t *testing.T) {
	data := halves(t, 5, true)
	for _, name := range []string{"gcn", "gat", "pasca-v3"} {
		m := sgap.ModelNamed(t, name)
		o := options(t, data, "epochs=1", "hidden=8")
		trainWith(t, m, o)
		shape, x := embedded(t, m, o.Out, data)
		file, err := embed(t, m, o.Out, data, "e.parquet")
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "e.parquet")
		if err := os.WriteFile(path, file, 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := detect.OpenTable(path, table.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Read()
		if err != nil {
			t.Fatal(err)
		}
		if got.Rows != shape[0] || len(got.Columns) != 1+shape[1] || got.Columns[0].Name != "id" {
			t.Fatalf("%s: %d rows of %d columns, the array is %v", name, got.Rows, len(got.Columns), shape)
		}
		for i := range got.Rows {
			if got.Columns[0].Ints[i] != int64(i) {
				t.Fatalf("%s: row %d has the id %d", name, i, got.Columns[0].Ints[i])
			}
			for k := range shape[1] {
				if c := got.Columns[1+k]; c.Name != fmt.Sprintf("e_%d", k) || c.Float32s[i] != x[i*shape[1]+k] {
					t.Fatalf("%s: row %d, %s is %g, in the array %g", name, i, c.Name, c.Float32s[i], x[i*shape[1]+k])
				}
			}
		}
	}
}

// TestEmbeddingsGoToArraysAndTables refuses other files before any work.
func TestEmbeddingsGoToArraysAndTables(t *testing.T) {
	err := sgap.ModelNamed(t, "sgc").(run.Embedder).Embed(t.Context(), nil, "e.csv")
	if err == nil || !strings.Contains(err.Error(), "ends in .npy or .parquet") {
		t.Error(err)
	}
}
