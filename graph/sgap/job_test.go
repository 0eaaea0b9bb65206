package sgap_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format/ogb"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/graph/sgap"
	"github.com/seraph-ml/seraph/run"
)

// blocks writes a small block-model graph and returns its folder.
func blocks(t *testing.T) string {
	t.Helper()
	m := graph.DefaultBlockModel
	m.Nodes, m.Classes, m.Features, m.Seed = 700, 4, 40, 5
	dir := filepath.Join(t.TempDir(), "blocks")
	w, err := ogb.NewWriter(dir, m.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Write(w, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// options are those of a training in a fresh run directory.
func options(t *testing.T, data string, set ...string) run.Options {
	flags := map[string]string{"data": data, "epochs": "12", "tune": "0"}
	for _, s := range set {
		key, value, _ := strings.Cut(s, "=")
		flags[key] = value
	}
	return run.Options{Sources: run.Sources{Flags: flags}, Out: filepath.Join(t.TempDir(), "run")}
}

func trainWith(t *testing.T, m run.Model, o run.Options) *run.Result {
	t.Helper()
	r, err := run.Train(context.Background(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBitsDependNeitherOnThreadsNorOnMemory(t *testing.T) {
	data := blocks(t)
	for _, m := range sgap.Models() {
		t.Run(m.Spec().Name, func(t *testing.T) {
			set := []string{"seeds=2", "tune=5", "dropout=0.3", "batch=32"}
			with := func(more ...string) string {
				return trainWith(t, m, options(t, data, append(set, more...)...)).WeightsHash
			}
			want := with("threads=1")
			if got := with("threads=2"); got != want {
				t.Errorf("weights %s with two threads, %s with one", got, want)
			}
			smallest := smallestBudget(t, m, data, set...)
			if got := with("memory=" + smallest); got != want {
				t.Errorf("weights %s with %s of memory, %s without a limit", got, smallest, want)
			}
		})
	}
}

// smallestBudget is what a refusal names.
func smallestBudget(t *testing.T, m run.Model, data string, set ...string) string {
	t.Helper()
	_, err := run.Train(context.Background(), m, options(t, data, append(set, "memory=1MiB")...))
	var small *plan.TooSmallError
	if !errors.As(err, &small) {
		t.Fatalf("with 1 MiB of memory: %v, expected a refusal", err)
	}
	return fmt.Sprint(small.Smallest)
}

func TestInterruptedTrainingGoesOnBitForBit(t *testing.T) {
	data := blocks(t)
	for _, m := range sgap.Models() {
		t.Run(m.Spec().Name, func(t *testing.T) {
			set := []string{"seeds=2", "dropout=0.3", "batch=32", "checkpoint-every=1"}
			want := trainWith(t, m, options(t, data, set...)).WeightsHash
			o := options(t, data, set...)
			for stops := 0; ; stops++ {
				// The first call of EndStep sees the interruption: one epoch a start.
				interrupt := make(chan struct{})
				o.Interrupt = interrupt
				job, err := run.New(m, o)
				if err != nil {
					t.Fatal(err)
				}
				if stops < 5 {
					close(interrupt)
				}
				r, err := job.Train(context.Background())
				job.Close()
				o.Resume = true
				if err == nil {
					if r.WeightsHash != want {
						t.Errorf("weights %s after %d interruptions, %s without", r.WeightsHash, stops, want)
					}
					break
				}
				if !errors.Is(err, run.ErrInterrupted) {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestTuningKeepsWhatTheUserSet(t *testing.T) {
	data := blocks(t)
	o := options(t, data, "tune=6", "scaling=none", "hops=1")
	trainWith(t, sgap.Models()[1], o)
	text, err := os.ReadFile(filepath.Join(o.Out, "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{`scaling = "none"`, "hops = 1"} {
		if !strings.Contains(string(text), line) {
			t.Errorf("config.toml does not have %s:\n%s", line, text)
		}
	}
	if _, err := os.Stat(filepath.Join(o.Out, "tune.json")); err != nil {
		t.Error(err)
	}
}

func TestPredictionsAgreeWithTheTestScore(t *testing.T) {
	data := blocks(t)
	for _, m := range sgap.Models() {
		o := options(t, data, "epochs=40")
		r := trainWith(t, m, o)
		for _, budget := range []string{"", "smallest"} {
			set := []string{"data=" + data}
			if budget != "" {
				job, err := run.Open(m, o.Out, run.Options{Sources: run.Sources{Set: append(set, "memory=1MiB")}})
				if err != nil {
					t.Fatal(err)
				}
				var small *plan.TooSmallError
				if err := m.Predict(context.Background(), job, filepath.Join(t.TempDir(), "p.csv")); !errors.As(err, &small) {
					t.Fatalf("with 1 MiB: %v", err)
				}
				set = append(set, fmt.Sprintf("memory=%d", small.Smallest))
			}
			job, err := run.Open(m, o.Out, run.Options{Sources: run.Sources{Set: set}})
			if err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(t.TempDir(), "p.csv")
			if err := m.Predict(context.Background(), job, out); err != nil {
				t.Fatal(err)
			}
			if got := testAccuracy(t, data, out); got != r.Metrics["test_accuracy"] {
				t.Errorf("%s: predictions are right for %.4f of the test nodes, the result says %.4f", m.Spec().Name, got, r.Metrics["test_accuracy"])
			}
		}
	}
}

// testAccuracy is the share of test nodes whose predicted class is the label.
func testAccuracy(t *testing.T, data, predictions string) float64 {
	t.Helper()
	g, err := ogb.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(predictions)
	if err != nil {
		t.Fatal(err)
	}
	class := map[int]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\r\n")[1:] {
		fields := strings.Split(line, ",")
		var id int
		fmt.Sscan(fields[0], &id)
		class[id] = fields[1]
	}
	right := 0
	for _, u := range g.Test {
		if class[int(u)] == fmt.Sprint(g.Labels[u]) {
			right++
		}
	}
	return float64(right) / float64(len(g.Test))
}

func TestTablesTrainAnMLP(t *testing.T) {
	var b strings.Builder
	b.WriteString("size,colour,kind\n")
	for i := range 200 {
		colour := []string{"red", "blue", ""}[i%3]
		kind := "small"
		if i%10 > 5 && colour != "red" {
			kind = "large"
		}
		fmt.Fprintf(&b, "%d,%s,%s\n", i%10, colour, kind)
	}
	path := filepath.Join(t.TempDir(), "things.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	m := sgap.Models()[0]
	r := trainWith(t, m, options(t, path, "target=kind", "epochs=150", "dropout=0", "scaling=none"))
	if got := r.Metrics["test_accuracy"]; got < 0.99 {
		t.Errorf("test accuracy %.3f on data without noise", got)
	}
	for set, want := range map[string]string{
		"target=knd": "did you mean kind?",
		"target=":    "name the column of the class with --target",
	} {
		_, err := run.Train(context.Background(), m, options(t, path, set))
		var usage *run.UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", set, err, want)
		}
	}
}
