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
// leave out. (Label input is scaled by what it is over all nodes of the graph at hand, and so differs.)
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
