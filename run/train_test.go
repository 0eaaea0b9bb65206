package run_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/run"
)

// options are those of a small run in a new folder.
func options(t *testing.T, set ...string) run.Options {
	t.Helper()
	dir := t.TempDir()
	data := filepath.Join(dir, "data.txt")
	if err := os.WriteFile(data, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	return run.Options{Sources: run.Sources{Flags: map[string]string{"data": data}, Set: set}, Out: filepath.Join(dir, "out")}
}

func train(t *testing.T, m run.Model, o run.Options) *run.Result {
	t.Helper()
	r, err := run.Train(t.Context(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tree returns the content of all files below dir that a resumed run must have as an uninterrupted one has them.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		switch base := filepath.Base(path); {
		case base == "metrics.jsonl", base == "trial.json", strings.Contains(name, "model"):
			text, err := os.ReadFile(path)
			files[name] = string(text)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestTrainingKeepsTheBestSeed(t *testing.T) {
	o := options(t, "seeds=5", "seed=3")
	r := train(t, walk{}, o)
	if r.Seeds != 5 || r.Metrics["steps"] != 20 || r.Metrics["steps_std"] != 0 || r.Metrics["best_std"] <= 0 {
		t.Errorf("result %+v", r)
	}
	lines := strings.Split(strings.TrimSpace(tree(t, o.Out)["metrics.jsonl"]), "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[0], `{"seed":3,"best":`) {
		t.Errorf("metrics of the seeds: %q", lines)
	}
	files := tree(t, o.Out)
	best, least := "", "9"
	for _, line := range lines {
		value := strings.TrimPrefix(line[strings.Index(line, "best"):], `best":`)
		if value < least {
			best, least = line[len(`{"seed":`):len(`{"seed":`)+1], value
		}
	}
	if got, want := files["model/model.safetensors"], files["seeds/"+best+"/model/model.safetensors"]; got == "" || got != want {
		t.Errorf("model/ is not that of the best seed, %s", best)
	}
}

func TestResumedRunIsTheUninterruptedOne(t *testing.T) {
	for _, set := range [][]string{{"checkpoint-every=7"}, {}, {"seeds=3", "checkpoint-every=6"}} {
		whole := options(t, set...)
		want := train(t, walk{}, whole)
		o := options(t, set...)
		o.Flags = whole.Flags
		var got *run.Result
		stops := 0
		for at := 5; got == nil; at += 6 {
			interrupt := make(chan struct{})
			steps := 0
			o.Interrupt = interrupt
			m := walk{afterStep: func(*run.Trial, int) {
				if steps++; steps == at {
					close(interrupt)
				}
			}}
			r, err := run.Train(t.Context(), m, o)
			switch {
			case errors.Is(err, run.ErrInterrupted):
				stops++
			case err != nil:
				t.Fatal(err)
			}
			got = r
			o.Resume = true
		}
		if stops == 0 {
			t.Fatal("never interrupted")
		}
		if got.WeightsHash != want.WeightsHash {
			t.Errorf("%v: other weights after %d interruptions", set, stops)
		}
		a, b := tree(t, whole.Out), tree(t, o.Out)
		if len(a) == 0 || len(a) != len(b) {
			t.Errorf("%d files, %d in the uninterrupted run", len(b), len(a))
		}
		for name := range a {
			if a[name] != b[name] {
				t.Errorf("%v: %s is\n%s\nuninterrupted\n%s", set, name, b[name], a[name])
			}
		}
	}
}

func TestRefusedJobLeavesNothing(t *testing.T) {
	o := options(t)
	o.Flags["memory"] = "5MiB"
	_, err := run.Train(t.Context(), walk{}, o)
	var small *plan.TooSmallError
	if !errors.As(err, &small) {
		t.Fatalf("error %v, expected a refusal", err)
	}
	if _, err := os.Stat(o.Out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there", o.Out)
	}
	o.Flags["memory"] = "1GiB"
	train(t, walk{}, o)
}
