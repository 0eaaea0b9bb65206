package sgap_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/format/ogb"
	"github.com/seraph-ml/seraph/graph/sgap"
	"github.com/seraph-ml/seraph/run"
)

// settingsToTry are the uses of labels that a model has, each transductive and inductive as far as it goes.
func settingsToTry(m run.Model) (list [][]string) {
	has := func(setting string) bool { return len(known(m, setting+"=")) > 0 }
	labels := []string{""}
	if has("labels") {
		labels = []string{"labels=none", "labels=input", "labels=rlu"}
	}
	for _, use := range labels {
		for _, how := range []string{"inductive=false", "inductive=true"} {
			if how == "inductive=true" && (!has("inductive") || use == "labels=rlu") {
				continue
			}
			list = append(list, known(m, slices.DeleteFunc([]string{use, how}, func(s string) bool { return s == "" })...))
		}
	}
	return list
}

// TestEveryModelTrainsPredictsAndEmbeds goes through all models, with every use of labels, on the whole graph and inductively. What is
// predicted of the graph of the training is what was tested; that of the same graph with other numbers of its nodes is the same, in their
// order; and every node has an embedding.
func TestEveryModelTrainsPredictsAndEmbeds(t *testing.T) {
	data := halves(t, 5, true)
	other, number := renumbered(t, data)
	trained := 0
	for i, m := range slices.Concat(sgap.Models(), sgap.Spreadings()) {
		for j, set := range settingsToTry(m) {
			if testing.Short() && (i+j)%4 != 0 {
				continue
			}
			trained++
			name := strings.Join(append([]string{m.Spec().Name}, set...), " ")
			o := options(t, data, known(m, append(set, "epochs=6", "hidden=8", "stages=2", "threshold=0.4", "lr=0.05", "hops=3")...)...)
			o.Flags = keep(m, o.Flags)
			if m.Spec().Name == "correct-and-smooth" {
				o.Flags["predictions"] = sgap.Guesses(t, data)
			}
			result := trainWith(t, m, o)
			rows := predictedRows(t, name, m, o.Out, data)
			if got, want := accuracyOf(t, data, rows), result.Metrics["test_accuracy"]; got != want {
				t.Errorf("%s: predictions are right for %.4f of the test nodes, the result says %.4f", name, got, want)
			}
			if m.Spec().Name != "correct-and-smooth" && !slices.ContainsFunc(set, func(s string) bool { return s == "labels=input" || s == "labels=rlu" }) &&
				m.Spec().Name != "labelprop" { // these know nodes by their ids
				again := predictedRows(t, name, m, o.Out, other)
				for u, p := range rows {
					for c, x := range p {
						if math.Abs(again[number[u]][c]-x) > 1e-4 {
							t.Fatalf("%s: node %d has %v, as node %d of another numbering %v", name, u, p, number[u], again[number[u]])
						}
					}
				}
			}
			if _, ok := m.(run.Embedder); !ok {
				continue
			}
			file, err := embed(t, m, o.Out, data, "e.npy")
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			array, err := npy.Parse("e.npy", file)
			if err != nil {
				t.Fatal(err)
			}
			x, err := array.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			if array.Shape[0] != len(rows) || slices.ContainsFunc(x, func(v float32) bool { return v-v != 0 }) || slices.Max(x) == slices.Min(x) {
				t.Errorf("%s: embeddings of shape %v from %v to %v", name, array.Shape, slices.Min(x), slices.Max(x))
			}
		}
	}
	t.Logf("%d trainings", trained)
}

// predictedRows are the probabilities of all nodes, in order, each a distribution whose largest is the class.
func predictedRows(t *testing.T, name string, m run.Model, dir, data string) [][]float64 {
	t.Helper()
	text, err := predictions(t, m, dir, data)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]float64
	for u, line := range lines[1:] {
		var p []float64
		sum := 0.0
		for _, field := range line[2:] {
			x, err := strconv.ParseFloat(field, 64)
			if err != nil {
				t.Fatal(err)
			}
			p = append(p, x)
			sum += x
		}
		class, err := strconv.Atoi(line[1])
		if err != nil || line[0] != strconv.Itoa(u) || math.Abs(sum-1) > 1e-5 || p[class] != slices.Max(p) {
			t.Fatalf("%s: row %d is %v", name, u, line)
		}
		rows = append(rows, p)
	}
	return rows
}

// accuracyOf is that of the first of the largest probabilities, over the test nodes.
func accuracyOf(t *testing.T, data string, rows [][]float64) float64 {
	t.Helper()
	g, err := ogb.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for _, u := range g.Test {
		if slices.Index(rows[u], slices.Max(rows[u])) == int(g.Labels[u]) {
			right++
		}
	}
	return float64(right) / float64(len(g.Test))
}

// renumbered writes a graph with the numbers of its nodes drawn anew, and returns its folder and the new number of each node.
func renumbered(t *testing.T, data string) (dir string, number []int32) {
	t.Helper()
	g, err := ogb.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range rand.New(rand.NewPCG(6, 6)).Perm(g.Nodes) {
		number = append(number, int32(u))
	}
	cols := g.Features.Cols
	x, labels := make([]float32, g.Nodes*cols), make([]int32, g.Nodes)
	for u, to := range number {
		copy(x[int(to)*cols:][:cols], g.Features.Dense[u*cols:])
		labels[to] = g.Labels[u]
	}
	move := func(nodes []int32) (moved []int32) {
		for _, u := range nodes {
			moved = append(moved, number[u])
		}
		return moved
	}
	dir = filepath.Join(t.TempDir(), "renumbered")
	w, err := ogb.NewWriter(dir, g.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		w.Edges(func(emit func(src, dst []int32) error) error { return emit(move(g.Src), move(g.Dst)) }),
		w.Features(cols, func(emit func([]float32) error) error { return emit(x) }),
		w.Labels(labels), w.Split("random", move(g.Train), move(g.Val), move(g.Test)), w.Finish(),
	)
	if err != nil {
		t.Fatal(err)
	}
	return dir, number
}
