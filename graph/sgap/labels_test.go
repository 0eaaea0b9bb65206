package sgap_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seraph-ml/seraph/format/ogb"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/graph/sgap"
	"github.com/seraph-ml/seraph/run"
)

// tellingLabels writes a graph whose features say little and whose labels say much, and returns its folder.
func tellingLabels(t *testing.T) string {
	t.Helper()
	m := graph.DefaultBlockModel
	m.Nodes, m.Classes, m.Features, m.Signal, m.Train, m.Val, m.Seed = 1200, 4, 8, 0.3, 0.3, 0.2, 3
	dir := filepath.Join(t.TempDir(), "telling")
	w, err := ogb.NewWriter(dir, m.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Write(w, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLabelsThatTellAreUsed(t *testing.T) {
	data := tellingLabels(t)
	accuracy := func(labels string) float64 {
		o := options(t, data, "labels="+labels, "seeds=3", "epochs=60", "hops=2", "scaling=rms", "hidden=32", "label-hops=3", "dropout=0.2")
		return trainWith(t, sgap.ModelNamed(t, "gamlp-r"), o).Metrics["test_accuracy"]
	}
	none, input := accuracy("none"), accuracy("input")
	t.Logf("test accuracy %.3f without labels, %.3f with them as input", none, input)
	if input < none+0.03 {
		t.Errorf("test accuracy %.3f with labels as input, %.3f without: they tell more", input, none)
	}
}

// labelled are settings that use labels, of trainings as short as they can be.
var labelled = [][]string{
	{"gamlp-jk", "labels=input", "label-hops=2"},
	{"gmlp", "labels=input", "label-hops=3", "batch=100", "label-dropout=0.2", "batch-norm=true"},
	{"gamlp-r", "labels=rlu", "label-hops=2", "stages=3", "threshold=0.3", "batch=200", "epochs=2"},
	{"gamlp-jk", "labels=rlu", "label-hops=2", "label-residual=true", "stages=2", "threshold=0.3", "gamma=1"},
}

// authors are GAMLP as its authors build it for large graphs, with labels and without.
var authors = [][]string{
	{"gamlp-r", "hop-layers=2", "residual=true", "initial-residual=true", "batch-norm=true", "activation=prelu", "layers=4", "attention-dropout=0.2",
		"attention-on=features", "attention-activation=leaky-relu", "labels=input", "label-hops=3", "label-layers=4", "batch=100"},
	{"gamlp-jk", "hop-layers=2", "initial-residual=true", "batch-norm=true", "layers=3", "reference-layers=3", "input-dropout=0.1"},
	{"gamlp-smooth", "residual=true"},
}

func TestBitsOfModelsWithLabels(t *testing.T) {
	data := sgap.Blocks(t)
	for i, set := range append(labelled, authors...) {
		if testing.Short() && i%3 != 0 {
			continue
		}
		m := sgap.ModelNamed(t, set[0])
		set := append([]string{"seeds=2", "tune=2", "hops=2", "dropout=0.3", "hidden=16", "epochs=6"}, set[1:]...)
		with := func(more ...string) string {
			return trainWith(t, m, options(t, data, append(set, more...)...)).WeightsHash
		}
		want := with("threads=1")
		if got := with("threads=2"); got != want {
			t.Errorf("%v: weights %s with two threads, %s with one", set, got, want)
		}
		inSmallestBudget(t, func(memory string) error {
			r, err := run.Train(context.Background(), m, options(t, data, append(set, "memory="+memory)...))
			if err == nil && r.WeightsHash != want {
				t.Errorf("%v: weights %s with %s bytes of memory, %s without a limit", set, r.WeightsHash, memory, want)
			}
			return err
		})
		set = append(set, "checkpoint-every=1")
		o := options(t, data, set...)
		stops := 0
		for ; stops < 4; stops++ {
			err := trainUntilCheckpoint(t, m, o)
			if err == nil {
				break
			}
			if !errors.Is(err, run.ErrInterrupted) {
				t.Fatal(err)
			}
			o.Resume = true
		}
		if stops == 0 {
			t.Errorf("%v: trained to the end without an interruption", set)
		}
		o.Resume = true
		if got := trainWith(t, m, o).WeightsHash; got != want {
			t.Errorf("%v: weights %s after %d interruptions, %s without", set, got, stops, want)
		}
	}
}

func TestPredictionsWithLabelsAgreeWithTheTestScore(t *testing.T) {
	data := sgap.Blocks(t)
	for _, set := range append(labelled, authors...) {
		m := sgap.ModelNamed(t, set[0])
		o := options(t, data, append([]string{"hops=2", "hidden=16"}, set[1:]...)...)
		r := trainWith(t, m, o)
		predict := func(set ...string) error {
			job, err := run.Open(m, o.Out, run.Options{Sources: run.Sources{Set: append(set, "data="+data)}})
			if err != nil {
				return err
			}
			out := filepath.Join(t.TempDir(), "p.csv")
			if err := m.Predict(context.Background(), job, out); err != nil {
				return err
			}
			if got := testAccuracy(t, data, out); got != r.Metrics["test_accuracy"] {
				t.Errorf("%v: predictions are right for %.4f of the test nodes, the result says %.4f", o.Flags, got, r.Metrics["test_accuracy"])
			}
			return nil
		}
		if err := predict(); err != nil {
			t.Fatal(err)
		}
		inSmallestBudget(t, func(memory string) error { return predict("memory=" + memory) })
	}
}

// TestStagesWithoutReliableNodesRepeatTheFirst has a threshold that no prediction is above.
func TestStagesWithoutReliableNodesRepeatTheFirst(t *testing.T) {
	data := sgap.Blocks(t)
	outcome := func(stages, threshold string) map[string]float64 {
		o := options(t, data, "labels=rlu", "label-hops=2", "hops=2", "hidden=16", "epochs=8", "dropout=0.3", "stages="+stages, "threshold="+threshold)
		return trainWith(t, sgap.ModelNamed(t, "gamlp-r"), o).Metrics
	}
	once := outcome("1", "1")
	for _, c := range []struct {
		threshold string
		same      bool
	}{{"1", true}, {"0.3", false}} {
		again := outcome("3", c.threshold)
		if same := again["val_loss"] == once["val_loss"]; same != c.same {
			t.Errorf("threshold %s: validation loss %v after three stages, %v after one", c.threshold, again["val_loss"], once["val_loss"])
		}
		if n, ok := again["reliable_stage_2"]; !ok || (n == 0) != c.same {
			t.Errorf("threshold %s: the second stage learned from %v nodes", c.threshold, n)
		}
		if first := again["val_accuracy_stage_1"]; first != once["val_accuracy"] {
			t.Errorf("threshold %s: accuracy %v after the first stage, %v where it is the only one", c.threshold, first, once["val_accuracy"])
		}
	}
}

func TestStagesOfASingleRowAreRefused(t *testing.T) {
	_, err := run.Train(context.Background(), sgap.ModelNamed(t, "gamlp-r"), options(t, sgap.Blocks(t), "labels=rlu", "batch=1"))
	var usage *run.UsageError
	if !errors.As(err, &usage) {
		t.Errorf("%v, expected a usage error", err)
	}
}

// TestALaterStageIsResumed interrupts a training within its second stage.
func TestALaterStageIsResumed(t *testing.T) {
	data, m := sgap.Blocks(t), sgap.ModelNamed(t, "gamlp-r")
	set := []string{"labels=rlu", "label-hops=2", "stages=2", "threshold=0.3", "hops=2", "hidden=16", "epochs=20", "checkpoint-every=1"}
	want := trainWith(t, m, options(t, data, set...)).WeightsHash
	o := options(t, data, set...)
	interrupt, done := make(chan struct{}), make(chan error)
	o.Interrupt = interrupt
	go func() {
		_, err := run.Train(context.Background(), m, o)
		done <- err
	}()
	var err error
	for reached := false; !reached; {
		select {
		case err = <-done:
			reached = true
		case <-time.After(time.Millisecond):
			for step := 22; step < 30; step++ {
				if _, missing := os.Stat(filepath.Join(o.Out, "checkpoints", fmt.Sprint(step))); missing == nil && !reached {
					close(interrupt)
					err, reached = <-done, true
				}
			}
		}
	}
	if !errors.Is(err, run.ErrInterrupted) {
		t.Fatalf("%v, expected an interruption in the second stage", err)
	}
	o.Interrupt, o.Resume = nil, true
	if got := trainWith(t, m, o).WeightsHash; got != want {
		t.Errorf("weights %s after an interruption in the second stage, %s without", got, want)
	}
}

// TestSpreadingsWithinAnyBudget trains and applies both, whose predictions agree with their scores.
func TestSpreadingsWithinAnyBudget(t *testing.T) {
	for _, m := range sgap.Spreadings() {
		data := sgap.Blocks(t)
		o := run.Options{Out: filepath.Join(t.TempDir(), "run"), Sources: run.Sources{Flags: map[string]string{"data": data, "hops": "4"}}}
		if m.Spec().Name == "correct-and-smooth" {
			o.Flags["predictions"] = sgap.Guesses(t, data)
		}
		accuracy := trainWith(t, m, o).Metrics["test_accuracy"]
		inSmallestBudget(t, func(memory string) error {
			o := o
			o.Out, o.Flags = filepath.Join(t.TempDir(), "run"), maps.Clone(o.Flags)
			o.Flags["memory"] = memory
			r, err := run.Train(context.Background(), m, o)
			if err == nil && r.Metrics["test_accuracy"] != accuracy {
				t.Errorf("%s: test accuracy %v with %s bytes of memory, %v without a limit", m.Spec().Name, r.Metrics["test_accuracy"], memory, accuracy)
			}
			return err
		})
		inSmallestBudget(t, func(memory string) error {
			job, err := run.Open(m, o.Out, run.Options{Sources: run.Sources{Set: []string{"data=" + data, "memory=" + memory}}})
			if err != nil {
				return err
			}
			defer job.Close()
			out := filepath.Join(t.TempDir(), "p.csv")
			if err := m.Predict(context.Background(), job, out); err != nil {
				return err
			}
			if got := testAccuracy(t, data, out); got != accuracy {
				t.Errorf("%s: predictions are right for %.4f of the test nodes, the result says %.4f", m.Spec().Name, got, accuracy)
			}
			return nil
		})
	}
}

func TestCorrectAndSmoothNeedsPredictions(t *testing.T) {
	_, err := run.Train(context.Background(), sgap.Spreadings()[1], run.Options{
		Out: filepath.Join(t.TempDir(), "run"), Sources: run.Sources{Flags: map[string]string{"data": sgap.Blocks(t)}},
	})
	var usage *run.UsageError
	if !errors.As(err, &usage) {
		t.Errorf("%v, expected a usage error", err)
	}
}

// TestGapsInTheLabels has nodes without a label and classes that nobody trains: both are told of, models with labels train all the
// same, and predict every node.
func TestGapsInTheLabels(t *testing.T) {
	data := sgap.Gaps(t)
	check := func(m run.Model, o run.Options) {
		name := m.Spec().Name
		r := trainWith(t, m, o)
		guessed := name == "correct-and-smooth" // by a model that knows all classes
		if a := r.Metrics["test_accuracy"]; a < 0.3 || a > 0.7 && !guessed {
			t.Errorf("%s: test accuracy %.3f; two of four classes can be learned, which are half the nodes that test", name, a)
		}
		report, err := os.ReadFile(filepath.Join(o.Out, "report.html"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"no node trains of the classes 2 (in 1 of 1 splits), 3 (in 1 of 1 splits): ", "nodes of the public split have no label and are left out of it"} {
			if !strings.Contains(string(report), want) {
				t.Errorf("%s: the report does not say %q", name, want)
			}
		}
		job, err := run.Open(m, o.Out, run.Options{Sources: run.Sources{Set: []string{"data=" + data}}})
		if err != nil {
			t.Fatal(err)
		}
		defer job.Close()
		out := filepath.Join(t.TempDir(), "p.csv")
		if err := m.Predict(context.Background(), job, out); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\n"); n != 241 || strings.Contains(string(text), "NaN") {
			t.Errorf("%s: %d lines of predictions, expected 241 of numbers", name, n)
		}
	}
	for _, labels := range []string{"none", "input", "rlu"} {
		check(sgap.ModelNamed(t, "gamlp-jk"), options(t, data, "labels="+labels, "label-hops=3", "hops=2", "hidden=16", "stages=2", "threshold=0.5", "epochs=40"))
	}
	for _, m := range sgap.Spreadings() {
		o := run.Options{Out: filepath.Join(t.TempDir(), "run"), Sources: run.Sources{Flags: map[string]string{"data": data}}}
		if m.Spec().Name == "correct-and-smooth" {
			o.Flags["predictions"] = sgap.Guesses(t, data)
		}
		check(m, o)
	}
}

// TestNetworksOfHopsNeedHops has the settings of GAMLP's network beside a mean that no network can look into.
func TestNetworksOfHopsNeedHops(t *testing.T) {
	data := sgap.Blocks(t)
	for _, set := range []string{"hop-layers=1", "residual=true", "initial-residual=true"} {
		_, err := run.Train(context.Background(), sgap.ModelNamed(t, "gamlp-jk"), options(t, data, "messages=mean", set))
		var usage *run.UsageError
		if !errors.As(err, &usage) {
			t.Errorf("%s: %v", set, err)
		}
	}
}
