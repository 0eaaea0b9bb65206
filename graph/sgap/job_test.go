package sgap_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/ogb"
	"github.com/seraph-ml/seraph/graph/sgap"
	"github.com/seraph-ml/seraph/run"
)

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

// known leaves out what is no setting of a model.
func known(m run.Model, set ...string) []string {
	return slices.DeleteFunc(set, func(s string) bool {
		key, _, _ := strings.Cut(s, "=")
		is := func(s run.Setting) bool { return s.Key == key }
		return !slices.ContainsFunc(m.Spec().Settings, is) && !slices.ContainsFunc(run.Common(), is)
	})
}

func TestBitsDependNeitherOnThreadsNorOnMemory(t *testing.T) {
	data := sgap.Blocks(t)
	for _, m := range sgap.OneOfEach() {
		t.Run(m.Spec().Name, func(t *testing.T) {
			set := known(m, "seeds=2", "tune=3", "dropout=0.3", "batch=32", "hops=2") // that many hops show what more would
			with := func(more ...string) string {
				return trainWith(t, m, options(t, data, append(set, more...)...)).WeightsHash
			}
			want := with("threads=1")
			if got := with("threads=2"); got != want {
				t.Errorf("weights %s with two threads, %s with one", got, want)
			}
			inSmallestBudget(t, func(memory string) error {
				r, err := run.Train(context.Background(), m, options(t, data, append(set, "memory="+memory)...))
				if err == nil && r.WeightsHash != want {
					t.Errorf("weights %s with %s bytes of memory, %s without a limit", r.WeightsHash, memory, want)
				}
				return err
			})
		})
	}
}

// TestSparseRowsTrainWithinAnyBudget has rows that come compressed, of which an evaluation takes a few at a time where memory is short.
func TestSparseRowsTrainWithinAnyBudget(t *testing.T) {
	data := sgap.Texts(t)
	for _, m := range sgap.OneOfEach()[1:] {
		set := known(m, "hops=1", "tune=2", "hidden=16", "epochs=3")
		want := trainWith(t, m, options(t, data, set...)).WeightsHash
		inSmallestBudget(t, func(memory string) error {
			r, err := run.Train(context.Background(), m, options(t, data, append(set, "memory="+memory)...))
			if err == nil && r.WeightsHash != want {
				t.Errorf("%s: weights %s with %s bytes of memory, %s without a limit", m.Spec().Name, r.WeightsHash, memory, want)
			}
			return err
		})
	}
}

// inSmallestBudget runs a job with too little memory, and then with the budget that the refusal names. A job counts what the
// process holds when it begins: one that holds more by then may be refused once more.
func inSmallestBudget(t *testing.T, job func(memory string) error) {
	t.Helper()
	memory := "1MiB"
	for range 5 {
		err := job(memory)
		var small *plan.TooSmallError
		switch {
		case errors.As(err, &small):
			memory = fmt.Sprint(small.Smallest)
		case err != nil:
			t.Fatal(err)
		case memory == "1MiB":
			t.Fatal("1 MiB is enough")
		default:
			return
		}
	}
	t.Fatalf("%s are not enough either", memory)
}

func TestInterruptedTrainingGoesOnBitForBit(t *testing.T) {
	data := sgap.Blocks(t)
	for _, m := range sgap.OneOfEach() {
		t.Run(m.Spec().Name, func(t *testing.T) {
			set := known(m, "seeds=2", "tune=3", "dropout=0.3", "batch=32", "checkpoint-every=1", "epochs=6")
			want := trainWith(t, m, options(t, data, set...)).WeightsHash
			o := options(t, data, set...)
			stops := 0
			for ; stops < 3; stops++ {
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
				t.Error("trained to the end without an interruption")
			}
			o.Resume = true
			if got := trainWith(t, m, o).WeightsHash; got != want {
				t.Errorf("weights %s after %d interruptions, %s without", got, stops, want)
			}
		})
	}
}

// trainUntilCheckpoint interrupts a training once it has written a checkpoint.
func trainUntilCheckpoint(t *testing.T, m run.Model, o run.Options) error {
	t.Helper()
	checkpoints := func() string {
		list, err := filepath.Glob(filepath.Join(o.Out, "seeds/*/checkpoints/*"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(list, " ")
	}
	interrupt, done := make(chan struct{}), make(chan error)
	o.Interrupt = interrupt
	before := checkpoints()
	go func() {
		_, err := run.Train(context.Background(), m, o)
		done <- err
	}()
	for {
		select {
		case err := <-done:
			return err
		case <-time.After(time.Millisecond):
			if checkpoints() != before {
				close(interrupt)
				return <-done
			}
		}
	}
}

// TestReportOfAResumedRunCoversAllSeeds resumes a run that was stopped when one of its seeds was finished: whichever is the best.
func TestReportOfAResumedRunCoversAllSeeds(t *testing.T) {
	o := options(t, sgap.Blocks(t), "seeds=2")
	m := sgap.ModelNamed(t, "mlp")
	trainWith(t, m, o)
	want := resultsByClass(t, o.Out)
	o.Resume = true
	for _, left := range []string{"seeds/0", "seeds/1"} {
		for _, name := range []string{"result.json", "report.html", left} {
			if err := os.RemoveAll(filepath.Join(o.Out, name)); err != nil {
				t.Fatal(err)
			}
		}
		trainWith(t, m, o)
		if d := cmp.Diff(want, resultsByClass(t, o.Out)); d != "" {
			t.Errorf("without %s:\n%s", left, d)
		}
	}
}

// resultsByClass is that section of a report.
func resultsByClass(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "<h2>Test results by class</h2>")
	section, _, ends := strings.Cut(section, "<h2>")
	if !found || !ends {
		t.Fatal("there is no such section")
	}
	return section
}

// TestInterruptionsBeforeTheTrainingAreResumed stops jobs while they try settings, or propagate.
func TestInterruptionsBeforeTheTrainingAreResumed(t *testing.T) {
	data := sgap.Blocks(t)
	for _, m := range sgap.OneOfEach() {
		for _, tune := range []string{"tune=0", "tune=4"} {
			want := trainWith(t, m, options(t, data, tune)).WeightsHash
			o := options(t, data, tune)
			interrupt := make(chan struct{})
			close(interrupt)
			o.Interrupt = interrupt
			if _, err := run.Train(context.Background(), m, o); !errors.Is(err, run.ErrInterrupted) {
				t.Fatalf("%s, %s: %v", m.Spec().Name, tune, err)
			}
			if _, err := os.Stat(filepath.Join(o.Out, "tune.json")); err == nil {
				t.Errorf("%s, %s: the search went on to its end", m.Spec().Name, tune)
			}
			o.Interrupt, o.Resume = nil, true
			if got := trainWith(t, m, o).WeightsHash; got != want {
				t.Errorf("%s, %s: weights %s after an interruption, %s without", m.Spec().Name, tune, got, want)
			}
		}
	}
}

// TestDivergenceIsNamed has a learning rate under which no setting trains.
func TestDivergenceIsNamed(t *testing.T) {
	data := sgap.Blocks(t)
	for _, tune := range []string{"tune=0", "tune=4"} {
		_, err := run.Train(context.Background(), sgap.ModelNamed(t, "sgc"), options(t, data, tune, "lr=1e38"))
		if err == nil || !strings.Contains(err.Error(), "the training has diverged; try a smaller lr") {
			t.Errorf("%s: %v", tune, err)
		}
	}
}

// TestBatchNormHasTwoRowsInEveryStep trains on 70 nodes: in batches of 23 there is one left.
func TestBatchNormHasTwoRowsInEveryStep(t *testing.T) {
	data := sgap.Blocks(t)
	m := sgap.ModelNamed(t, "mlp")
	for batch, ok := range map[string]bool{"23": true, "3": true, "2": true, "1": false, "69": true, "70": true} {
		_, err := run.Train(context.Background(), m, options(t, data, "batch-norm=true", "layers=2", "batch="+batch))
		var usage *run.UsageError
		if ok && err != nil || !ok && !errors.As(err, &usage) {
			t.Errorf("batches of %s: %v", batch, err)
		}
	}
}

func TestTuningKeepsWhatTheUserSet(t *testing.T) {
	data := sgap.Blocks(t)
	o := options(t, data, "tune=6", "scaling=none", "hops=1")
	trainWith(t, sgap.ModelNamed(t, "sgc"), o)
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
	data := sgap.Blocks(t)
	for _, m := range sgap.OneOfEach() {
		o := options(t, data, "epochs=40")
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
				t.Errorf("%s: predictions are right for %.4f of the test nodes, the result says %.4f", m.Spec().Name, got, r.Metrics["test_accuracy"])
			}
			return nil
		}
		if err := predict(); err != nil {
			t.Fatal(err)
		}
		inSmallestBudget(t, func(memory string) error { return predict("memory=" + memory) })
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
	m := sgap.ModelNamed(t, "mlp")
	r := trainWith(t, m, options(t, path, "target=kind", "epochs=150", "dropout=0", "scaling=none"))
	if got := r.Metrics["test_accuracy"]; got < 0.99 {
		t.Errorf("test accuracy %.3f on data without noise", got)
	}
	b.Reset()
	b.WriteString("name,kind\n")
	for i := range 20_000 { // as features 20,000 × 20,000
		fmt.Fprintf(&b, "n%d,%d\n", i, i%2)
	}
	names := filepath.Join(t.TempDir(), "names.csv")
	if err := os.WriteFile(names, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	blocks := sgap.Blocks(t)
	for _, c := range []struct{ model, path, set, want string }{
		{"mlp", path, "target=knd", "did you mean kind?"},
		{"mlp", path, "target=", "name the column of the class with --target"},
		{"mlp", names, "memory=64MiB", `column "name" has 20000`},
		{"mlp", blocks, "tune=0", "--target names a column of a table"},
		{"sgc", path, "tune=0", "sgc takes a graph with features"},
		{"ndls-l", path, "tune=0", "ndls-l takes a graph with features"},
		{"gcn", path, "tune=0", "gcn takes a graph with features"},
	} {
		_, err := run.Train(context.Background(), sgap.ModelNamed(t, c.model), options(t, c.path, "target=kind", c.set))
		var usage *run.UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s: %v, expected %q", c.model, c.set, err, c.want)
		}
	}
	if _, err := run.Train(context.Background(), m, options(t, blocks, "weights=3", "tune=0")); err == nil || !strings.Contains(err.Error(), "no weights are read") {
		t.Errorf("weights of a graph without: %v", err)
	}
}

// TestTablesArePredictedAsTheModelLearntThem applies a model to tables with other rows, and so with other means, other categories
// and in another order, than the one that it was trained on.
func TestTablesArePredictedAsTheModelLearntThem(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var b strings.Builder
	b.WriteString("size,code,colour,kind\n")
	for i := range 120 {
		fmt.Fprintf(&b, "%d,%s,%s,%s\n", i%10, []string{"7", "x"}[i%2], []string{"red", "blue", ""}[i%3], []string{"small", "large"}[i%10/6])
	}
	all := write("all.csv", b.String())
	m := sgap.ModelNamed(t, "mlp")
	o := options(t, all, "target=kind", "epochs=30", "scaling=none")
	trainWith(t, m, o)
	var told bytes.Buffer
	predict := func(path string) [][]string {
		job, err := run.Open(m, o.Out, run.Options{Sources: run.Sources{Set: []string{"data=" + path}}, Progress: run.NewProgress(&told, false, slog.LevelInfo)})
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(dir, "predictions.csv")
		if err := m.Predict(context.Background(), job, out); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return rows[1:]
	}
	want := predict(all)
	// Rows 9 and 4, columns in another order, no target, and codes that look like numbers. A colour that the model has not seen
	// counts as missing: as row 2's.
	got := predict(write("few.csv", "colour,code,size\nred,x,9\nblue,7,4\ngreen,7,2\n"))
	for i, row := range []int{9, 4, 2} {
		if d := cmp.Diff(want[row][1:], got[i][1:]); d != "" {
			t.Errorf("row %d alone (-) and among all (+): %s", row, d)
		}
	}
	if !strings.Contains(told.String(), "1 values in text columns") {
		t.Errorf("nobody was told of the unknown colour:\n%s", told.String())
	}
	for name, text := range map[string]string{"no column \"size\"": "colour,code\nred,x\n", "\"big\"": "colour,code,size\nred,x,big\nred,x,small\n"} {
		job, err := run.Open(m, o.Out, run.Options{Sources: run.Sources{Set: []string{"data=" + write("odd.csv", text)}}})
		if err != nil {
			t.Fatal(err)
		}
		err = m.Predict(context.Background(), job, filepath.Join(dir, "p.csv"))
		var usage *run.UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, expected one about %s", err, name)
		}
	}
}

// TestDamagedModelsAreNotApplied has config.json contradict itself.
func TestDamagedModelsAreNotApplied(t *testing.T) {
	data := sgap.Blocks(t)
	m := sgap.ModelNamed(t, "sgc")
	o := options(t, data)
	trainWith(t, m, o)
	path := filepath.Join(o.Out, "model", "config.json")
	for _, text := range []string{`{}`, `{"features":40,"classes":0}`, `{"features":40,"classes":4,"class_names":["a"]}`,
		`{"features":40,"classes":4,"columns":{"numeric":["a"]}}`, `{"features":40,"classes":5}`, `[`} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		job, err := run.Open(m, o.Out, run.Options{Sources: run.Sources{Set: []string{"data=" + data}}})
		if err != nil {
			t.Fatal(err)
		}
		err = m.Predict(context.Background(), job, filepath.Join(t.TempDir(), "p.csv"))
		var corrupt *format.CorruptError
		if !errors.As(err, &corrupt) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
