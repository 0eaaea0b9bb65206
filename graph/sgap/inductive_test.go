package sgap_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/format/ogb"
	"github.com/seraph-ml/seraph/graph/sgap"
	"github.com/seraph-ml/seraph/run"
)

// halves writes a graph whose first 80 nodes train, and returns its folder: edges and features of these are always the same. rest is
// the seed of the features of all other nodes, joined says whether there are edges between these and those that train.
func halves(t *testing.T, rest uint64, joined bool) string {
	t.Helper()
	const nodes, train, cols = 240, 80, 6
	dir := filepath.Join(t.TempDir(), "halves")
	w, err := ogb.NewWriter(dir, nodes)
	if err != nil {
		t.Fatal(err)
	}
	var src, dst []int32
	r := rand.New(rand.NewPCG(1, 2))
	x, labels, all := make([]float32, nodes*cols), make([]int32, nodes), make([]int32, nodes)
	for u := range int32(nodes) {
		if u == train {
			r = rand.New(rand.NewPCG(rest, 3))
		}
		all[u], labels[u] = u, u%3
		for c := range int32(cols) {
			x[u*cols+c] = float32(r.Float64())
		}
		x[u*cols+u%3]++
		lo, hi := int32(0), int32(train)
		if u >= train {
			lo, hi = train, nodes
		}
		for range 3 {
			src, dst = append(src, u), append(dst, lo+r.Int32N(hi-lo))
		}
		if joined && u >= train {
			src, dst = append(src, u), append(dst, r.Int32N(train))
		}
	}
	err = errors.Join(
		w.Edges(func(emit func(src, dst []int32) error) error { return emit(src, dst) }),
		w.Features(cols, func(emit func([]float32) error) error { return emit(x) }),
		w.Labels(labels), w.Split("random", all[:train], all[train:140], all[140:]), w.Finish(),
	)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// losses trains and returns the loss of each epoch.
func losses(t *testing.T, model, data string, set ...string) (list []float64) {
	t.Helper()
	m := sgap.ModelNamed(t, model)
	o := options(t, data, set...)
	trainWith(t, m, o)
	text, err := os.ReadFile(filepath.Join(o.Out, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var step struct{ Loss *float64 }
		if err := json.Unmarshal(line, &step); err != nil {
			t.Fatal(err)
		}
		if step.Loss != nil {
			list = append(list, *step.Loss)
		}
	}
	if len(list) == 0 {
		t.Fatalf("%s: there are no losses in %s", model, text)
	}
	return list
}

// TestInductiveTrainingSeesNothingOfOtherNodes changes everything about nodes that do not train: the losses of all epochs keep their
// bits. Those of a training that sees the whole graph do not.
func TestInductiveTrainingSeesNothingOfOtherNodes(t *testing.T) {
	one, other := halves(t, 5, true), halves(t, 6, false)
	for _, c := range [][]string{
		{"sgc"}, {"sign"}, {"s2gc"}, {"gbp"}, {"gmlp"}, {"gmlp", "labels=input"}, {"gamlp-jk", "labels=input", "label-residual=true"}, {"gamlp-smooth"},
		{"ndls"}, {"appnp@pasca"}, {"pasca-v3"}, {"gcn"}, {"gat"},
	} {
		set := append([]string{"inductive=true", "scaling=rms"}, c[1:]...)
		if c[0] == "gcn" || c[0] == "gat" || c[0] == "ndls" {
			set = slices.Delete(set, 1, 2)
		}
		a, b := losses(t, c[0], one, set...), losses(t, c[0], other, set...)
		if !slices.Equal(a, b) {
			t.Errorf("%v: losses %v and %v", c, a, b)
		}
		set[0] = "inductive=false"
		if slices.Equal(a, losses(t, c[0], one, set...)) && c[0] != "appnp@pasca" { // which propagates predictions alone
			t.Errorf("%v: with all nodes the losses are the same, too", c)
		}
	}
}

// TestInductiveTrainingOfNodesApartIsThatOfTheWholeGraph is an identity: without edges to other nodes there is nothing to
// leave out. (Label input is scaled by what it is over all nodes that training sees, and so differs.)
func TestInductiveTrainingOfNodesApartIsThatOfTheWholeGraph(t *testing.T) {
	data := halves(t, 5, false)
	for _, c := range [][]string{{"sgc"}, {"sign"}, {"gmlp"}, {"gamlp-r"}} {
		var weights [2][]byte
		for i, how := range []string{"inductive=true", "inductive=false"} {
			o := options(t, data, append([]string{how, "scaling=l1"}, c[1:]...)...)
			trainWith(t, sgap.ModelNamed(t, c[0]), o)
			var err error
			if weights[i], err = os.ReadFile(filepath.Join(o.Out, "model", "model.safetensors")); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(weights[0], weights[1]) {
			t.Errorf("%v: other weights", c)
		}
	}
}

// TestInductiveTrainingRefusesWhatNeedsOtherNodes has a message tell why.
func TestInductiveTrainingRefusesWhatNeedsOtherNodes(t *testing.T) {
	_, err := run.Train(t.Context(), sgap.ModelNamed(t, "gmlp"), options(t, halves(t, 5, true), "inductive=true", "labels=rlu"))
	if err == nil || !strings.Contains(err.Error(), "--inductive and --labels rlu exclude each other") {
		t.Error(err)
	}
}

// TestInductiveTrainingKeepsItsScale predicts nodes in two graphs that differ in what is far from them: their rows have the same bytes.
// With the scale of the graph at hand they would not. And what is predicted of the graph of the training is what was tested.
func TestInductiveTrainingKeepsItsScale(t *testing.T) {
	one, other := halves(t, 5, false), halves(t, 6, false)
	for _, c := range [][]string{{"sgc"}, {"sign", "layers=1"}, {"gmlp", "labels=input", "label-hops=2"}, {"gbp"}, {"gamlp-jk", "labels=input", "label-residual=true"}, {"gamlp-smooth"}} {
		m := sgap.ModelNamed(t, c[0])
		o := options(t, one, append([]string{"inductive=true", "scaling=rms"}, c[1:]...)...)
		r := trainWith(t, m, o)
		a, b := predictWith(t, m, o.Out, one), predictWith(t, m, o.Out, other)
		const lines = 1 + 80 // the names of columns, and the nodes that train
		x, y := bytes.SplitAfter(a, []byte("\n")), bytes.SplitAfter(b, []byte("\n"))
		if !slices.EqualFunc(x[:lines], y[:lines], bytes.Equal) {
			t.Errorf("%v: other predictions next to other nodes", c)
		}
		if slices.EqualFunc(x[lines:], y[lines:], bytes.Equal) {
			t.Errorf("%v: the predictions of other nodes are the same", c)
		}
		path := filepath.Join(t.TempDir(), "p.csv")
		if err := os.WriteFile(path, a, 0o666); err != nil {
			t.Fatal(err)
		}
		if got := testAccuracy(t, one, path); got != r.Metrics["test_accuracy"] {
			t.Errorf("%v: predictions are right for %.4f of the test nodes, the result says %.4f", c, got, r.Metrics["test_accuracy"])
		}
	}
}

// inductiveCases are trainings over several splits, with a search before them.
var inductiveCases = [][]string{
	{"gmlp", "labels=input", "label-hops=2"}, {"gcn"}, {"sign"}, {"gamlp-smooth"}, {"ndls"},
}

// inductively are the options of one of them.
func inductively(t *testing.T, data string, c []string, more ...string) (run.Model, run.Options) {
	t.Helper()
	m := sgap.ModelNamed(t, c[0])
	set := append([]string{"inductive=true", "seeds=2", "tune=2", "epochs=4", "batch=32", "hidden=8", "hops=2", "kmax=3", "split=per-class:15/10", "checkpoint-every=1"}, c[1:]...)
	return m, options(t, data, known(m, append(set, more...)...)...)
}

func TestInductiveBitsDependNeitherOnThreadsNorOnMemory(t *testing.T) {
	data := halves(t, 5, true)
	cases := inductiveCases
	if testing.Short() {
		cases = cases[:2]
	}
	for _, c := range cases {
		train := func(more ...string) (string, error) {
			m, o := inductively(t, data, c, more...)
			r, err := run.Train(t.Context(), m, o)
			if err != nil {
				return "", err
			}
			return r.WeightsHash, nil
		}
		want, err := train("threads=1")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := train("threads=2"); got != want {
			t.Errorf("%v: weights %s with two threads, %s with one: %v", c, got, want, err)
		}
		inSmallestBudget(t, func(memory string) error {
			got, err := train("memory=" + memory)
			if err == nil && got != want {
				t.Errorf("%v: weights %s with %s bytes of memory, %s without a limit", c, got, memory, want)
			}
			return err
		})
	}
}

func TestInterruptedInductiveTrainingGoesOnBitForBit(t *testing.T) {
	data := halves(t, 5, true)
	for _, c := range inductiveCases[:2] {
		m, o := inductively(t, data, c)
		want := trainWith(t, m, o).WeightsHash
		m, o = inductively(t, data, c)
		if err := trainUntilCheckpoint(t, m, o); !errors.Is(err, run.ErrInterrupted) {
			t.Fatalf("%v, expected an interruption", err)
		}
		o.Resume = true
		if got := trainWith(t, m, o).WeightsHash; got != want {
			t.Errorf("%v: weights %s after an interruption, %s without", c, got, want)
		}
	}
}

// TestInductiveRowsTrainFromDisk has more rows than two shards of them.
func TestInductiveRowsTrainFromDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("propagates 30,000 nodes")
	}
	data := sgap.StoredBlocks(t, 30_000, 16)
	m := sgap.ModelNamed(t, "sign")
	set := []string{"inductive=true", "scaling=rms", "split=ratio:68/30/2", "hops=16", "hidden=4", "epochs=1", "batch=2048"}
	want := trainWith(t, m, options(t, data, set...)).WeightsHash
	inSmallestBudget(t, func(memory string) error {
		o := options(t, data, append(set, "memory="+memory)...)
		r, err := run.Train(t.Context(), m, o)
		if err != nil {
			return err
		}
		if r.WeightsHash != want {
			t.Errorf("weights %s with %s bytes of memory, %s without a limit", r.WeightsHash, memory, want)
		}
		plan, err := os.ReadFile(filepath.Join(o.Out, "plan.json"))
		if err != nil || !bytes.Contains(plan, []byte("shards of rows")) {
			t.Errorf("no rows are on disk in the plan: %v", err)
		}
		return nil
	})
}

// TestModelsOfSingleRowsHaveNoInductiveTraining: they see no other node anyhow.
func TestModelsOfSingleRowsHaveNoInductiveTraining(t *testing.T) {
	for _, name := range []string{"mlp", "logistic"} {
		_, err := run.Train(t.Context(), sgap.ModelNamed(t, name), options(t, halves(t, 5, true), "inductive=true"))
		var usage *run.UsageError
		if !errors.As(err, &usage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
