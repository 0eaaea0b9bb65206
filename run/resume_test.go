package run_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/run"
)

// interrupted runs a training that is interrupted at a step, and returns the options with which it is resumed.
func interrupted(t *testing.T, step int, set ...string) run.Options {
	t.Helper()
	o := options(t, set...)
	interrupt := make(chan struct{})
	o.Interrupt = interrupt
	m := walk{afterStep: func(_ *run.Trial, s int) {
		if s == step {
			close(interrupt)
		}
	}}
	if _, err := run.Train(t.Context(), m, o); !errors.Is(err, run.ErrInterrupted) {
		t.Fatalf("error %v, expected an interruption", err)
	}
	o.Interrupt = nil
	o.Resume = true
	o.Sources = run.Sources{}
	return o
}

// usage runs a training that must be refused with a message.
func usage(t *testing.T, o run.Options, want string) {
	t.Helper()
	_, err := run.Train(t.Context(), walk{}, o)
	var usage *run.UsageError
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, expected a UsageError with %q", err, want)
	}
}

func TestResumeNeedsNoSettings(t *testing.T) {
	o := interrupted(t, 7, "steps=30", "lr=0.25", "centre=true")
	job, err := run.New(walk{}, o)
	if err != nil {
		t.Fatal(err)
	}
	defer job.Close()
	if job.Int("steps") != 30 || job.Float("lr") != 0.25 || !job.Bool("centre") {
		t.Errorf("settings are not those of the run: %+v", job.Values)
	}
	if v := job.Lookup("lr"); v.Origin != run.FromFlag || v.Detail != "--set lr" {
		t.Errorf("lr comes from %s, %s", v.Origin, v.Detail)
	}
	if v := job.Lookup("size"); v.Origin != run.FromDefault || v.Detail != "Pearson 1905" {
		t.Errorf("size comes from %s, %s", v.Origin, v.Detail)
	}
	if _, err := job.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestResumeRefusesOtherSettings(t *testing.T) {
	o := interrupted(t, 7, "lr=0.25")
	o.Set = []string{"lr=0.5"}
	usage(t, o, "--set lr asks for lr=0.5, the run in "+o.Out+" has lr=0.25 (flag, --set lr)")
	o.Set, o.Flags = nil, map[string]string{"seeds": "4"}
	usage(t, o, "seeds=1")
	o.Flags = map[string]string{"data": "/elsewhere"}
	usage(t, o, "data=/elsewhere")
	// The same value in other words is no other value, and what lies around is not asked for.
	o.Flags = nil
	o.Set = []string{"lr=2.5e-1"}
	o.Environ = func(name string) (string, bool) { return "0.125", name == "SERAPH_LR" }
	train(t, walk{}, o)
}

func TestResumeTidiesUpAfterAKill(t *testing.T) {
	o := interrupted(t, 7)
	left := []string{".plan.json.123-0.tmp", "checkpoints/.MANIFEST.json.123-0.tmp", "trial.json.tmp"}
	for _, name := range left {
		if err := os.WriteFile(filepath.Join(o.Out, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	train(t, walk{}, o)
	for _, name := range left {
		if _, err := os.Stat(filepath.Join(o.Out, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
}

func TestResumeMayChangeTheMachine(t *testing.T) {
	o := interrupted(t, 7)
	o.Flags = map[string]string{"memory": "512MiB", "checkpoint-every": "5"}
	o.Environ = func(name string) (string, bool) { return "1", name == "SERAPH_THREADS" }
	job, err := run.New(walk{}, o)
	if err != nil {
		t.Fatal(err)
	}
	defer job.Close()
	if job.Memory != 512<<20 || job.Threads != 1 || job.CheckpointEvery != 5 {
		t.Errorf("memory %d, threads %d, checkpoint every %d", job.Memory, job.Threads, job.CheckpointEvery)
	}
}

func TestResumeInAnotherFolderFindsTheData(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("data.txt", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	o := options(t)
	o.Flags["data"] = "data.txt"
	interrupt := make(chan struct{})
	close(interrupt)
	o.Interrupt = interrupt
	if _, err := run.Train(t.Context(), walk{}, o); !errors.Is(err, run.ErrInterrupted) {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	o.Interrupt, o.Resume, o.Sources = nil, true, run.Sources{}
	if r := train(t, walk{}, o); r.Data != "data.txt" {
		t.Errorf("data %q", r.Data)
	}
}

func TestResumeOfNothingBegins(t *testing.T) {
	o := options(t)
	o.Resume = true
	train(t, walk{}, o)

	o = options(t)
	o.Resume = true
	if err := os.Mkdir(o.Out, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.Out, "letter"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	usage(t, o, "is not empty")
	o.Out = ""
	usage(t, o, "--resume needs --out")
}

func TestFinishedRunGivesItsResultAgain(t *testing.T) {
	o := options(t)
	want := train(t, walk{}, o)
	usage(t, o, "holds a run; --resume goes on with it")
	o.Resume = true
	m := walk{afterStep: func(*run.Trial, int) { t.Error("trained again") }}
	if got := train(t, m, o); got.WeightsHash != want.WeightsHash || got.Seconds != want.Seconds {
		t.Errorf("%+v, expected %+v", got, want)
	}
}

func TestResumeRefusesOtherBits(t *testing.T) {
	for _, c := range []struct {
		precision, level string
		refused          bool
	}{{"f32", "generic", true}, {"f32", "avx2", false}, {"bf16", "tile9", true}} {
		t.Setenv("SERAPH_CPU", "")
		o := interrupted(t, 3, "precision="+c.precision)
		path := filepath.Join(o.Out, "environment.json")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		now := run.ThisEnvironment("").Level
		if now == "generic" && c.precision == "f32" {
			t.Skip("needs a processor with more than portable kernels")
		}
		text = bytes.Replace(text, []byte(`"`+now+`"`), []byte(`"`+c.level+`"`), 1)
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
		if c.refused {
			usage(t, o, "computed with "+c.level+" kernels in "+c.precision)
			o.AllowOtherBits = true
		}
		r := train(t, walk{}, o)
		if (len(r.Degraded) > 0) != c.refused || c.refused && !strings.Contains(r.Degraded[0], "continued with "+now) {
			t.Errorf("%s after %s: degraded %q", now, c.level, r.Degraded)
		}
	}
}

func TestDirectoryInUseIsRefused(t *testing.T) {
	o := options(t)
	job, err := run.New(walk{}, o)
	if err != nil {
		t.Fatal(err)
	}
	usage(t, o, "is in use by process")
	o.Resume = true
	usage(t, o, "is in use by process")
	if err := job.Close(); err != nil {
		t.Fatal(err)
	}
	train(t, walk{}, o)
}

func TestDefaultNames(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for data, want := range map[string]string{
		"x/ind.cora":              "runs/sgc-ind.cora-20260102-030405",
		"../a/amazon-photo.zip":   "runs/sgc-amazon-photo-20260102-030405",
		"my data/":                "runs/sgc-my_data-20260102-030405",
		"tinyshakespeare.txt":     "runs/sgc-tinyshakespeare-20260102-030405",
		"https://x/ü.csv":         "runs/sgc-_-20260102-030405",
		"weights.model.parquet/.": "runs/sgc-weights.model-20260102-030405",
	} {
		if got := run.Name("sgc", data, now); got != filepath.FromSlash(want) {
			t.Errorf("%s: %s, expected %s", data, got, want)
		}
	}
	t.Chdir(t.TempDir())
	o := options(t)
	o.Out = ""
	first, err := run.New(walk{}, o)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := run.New(walk{}, o)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if first.Dir.Path == second.Dir.Path {
		t.Errorf("two jobs in %s", first.Dir.Path)
	}
}

// damage changes a file of the newest checkpoint, the one of step 15.
var damages = map[string]func(dir string) error{
	"a flipped bit": func(dir string) error {
		path := filepath.Join(dir, "tensors.safetensors")
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text[len(text)-3] ^= 4
		return os.WriteFile(path, text, 0o666)
	},
	"a file cut short": func(dir string) error { return os.Truncate(filepath.Join(dir, "state.json"), 3) },
	"no manifest":      func(dir string) error { return os.Remove(filepath.Join(dir, "MANIFEST.json")) },
	"half a manifest":  func(dir string) error { return os.Truncate(filepath.Join(dir, "MANIFEST.json"), 30) },
	"a file gone":      func(dir string) error { return os.Remove(filepath.Join(dir, "tensors.safetensors")) },
	"a manifest of nothing": func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "MANIFEST.json"), []byte(`{"version":1,"step":15,"files":[]}`), 0o666)
	},
	"names that lead out": func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "MANIFEST.json"), []byte(`{"version":1,"step":15,"files":[{"name":"../../x"},{"name":"state.json"}]}`), 0o666)
	},
}

func TestDamagedCheckpointIsReportedAndTheOneBeforeTaken(t *testing.T) {
	whole := options(t)
	want := train(t, walk{}, whole)
	for name, damage := range damages {
		o := interrupted(t, 15, "checkpoint-every=4")
		newest := filepath.Join(o.Out, "checkpoints", "15")
		if err := damage(newest); err != nil {
			t.Fatal(err)
		}
		var corrupt *format.CorruptError
		if err := run.Check(o.Out); !errors.As(err, &corrupt) || !strings.Contains(err.Error(), newest) {
			t.Errorf("%s: check says %v", name, err)
		}
		var messages bytes.Buffer
		o.Progress = run.NewProgress(&messages, false, slog.LevelInfo)
		first := 0
		got := train(t, walk{afterStep: func(_ *run.Trial, step int) {
			if first == 0 {
				first = step
			}
		}}, o)
		if first != 13 || got.WeightsHash != want.WeightsHash {
			t.Errorf("%s: went on with step %d, expected 13; same weights: %v", name, first, got.WeightsHash == want.WeightsHash)
		}
		if !strings.Contains(messages.String(), "damaged") || !strings.Contains(messages.String(), newest) {
			t.Errorf("%s: the damage is not reported:\n%s", name, messages.String())
		}
		if a, b := tree(t, whole.Out)["metrics.jsonl"], tree(t, o.Out)["metrics.jsonl"]; a != b {
			t.Errorf("%s: other metrics", name)
		}
		if _, err := os.Stat(newest + ".damaged"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTwoCheckpointsAreKept(t *testing.T) {
	o := interrupted(t, 18, "checkpoint-every=2")
	entries, err := os.ReadDir(filepath.Join(o.Out, "checkpoints"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if strings.Join(names, " ") != "16 18" {
		t.Errorf("checkpoints %v", names)
	}
}

func TestSeedWithDamagedModelIsTrainedAgain(t *testing.T) {
	o := options(t, "seeds=3")
	want := train(t, walk{}, o)
	if err := os.Remove(filepath.Join(o.Out, "result.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(o.Out, "seeds/1/model/model.safetensors"), 100); err != nil {
		t.Fatal(err)
	}
	o.Resume = true
	seeds := map[uint64]bool{}
	got := train(t, walk{afterStep: func(trial *run.Trial, _ int) { seeds[trial.Seed] = true }}, o)
	if len(seeds) != 1 || !seeds[1] || got.WeightsHash != want.WeightsHash {
		t.Errorf("trained again: %v; same weights: %v", seeds, got.WeightsHash == want.WeightsHash)
	}
}

func TestDescribeAndCheck(t *testing.T) {
	o := interrupted(t, 9, "seeds=2")
	d, err := run.Describe(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	for _, f := range d.Fields {
		fields[f.Name] = f.Value
	}
	if d.Title != "run of walk" || fields["seeds/0: checkpoint of step"] != "9" || !strings.HasPrefix(fields["state"], "not finished") || len(d.Rows) < 10 {
		t.Errorf("%+v", d)
	}
	train(t, walk{}, o)
	if d, err = run.Describe(o.Out); err != nil || d.Fields[len(d.Fields)-1].Value != "finished" {
		t.Errorf("%+v, %v", d, err)
	}
	if err := run.Check(o.Out); err != nil {
		t.Error(err)
	}
	if !run.Is(o.Out) || run.Is(filepath.Dir(o.Out)) {
		t.Error("a run is a run, the folder around it is none")
	}
	if name, err := run.ModelOf(o.Out); name != "walk" || err != nil {
		t.Errorf("model %q, %v", name, err)
	}
	if err := os.Truncate(filepath.Join(o.Out, "seeds/0/model/model.safetensors"), 100); err != nil {
		t.Fatal(err)
	}
	var corrupt *format.CorruptError
	if err := run.Check(o.Out); !errors.As(err, &corrupt) {
		t.Errorf("error %v, expected damage", err)
	}
}

func TestPredictWithTheTrainedModel(t *testing.T) {
	o := options(t, "lr=0.25")
	train(t, walk{}, o)
	other := options(t).Flags["data"]
	predict := run.Options{Sources: run.Sources{Flags: map[string]string{"data": other, "memory": "256MiB"}, Set: []string{"split=public"}}}
	job, err := run.Open(walk{}, o.Out, predict)
	if err != nil {
		t.Fatal(err)
	}
	if job.Data != other || job.Float("lr") != 0.25 || job.Memory != 256<<20 || job.String("split") != "public" {
		t.Errorf("%+v", job.Values)
	}
	out := filepath.Join(t.TempDir(), "out")
	if err := (walk{}).Predict(t.Context(), job, out); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	w := make([]float32, 64)
	for step := 1; step <= 20; step++ {
		move(w, 0, step, 0.25)
	}
	if err != nil || strings.TrimSpace(string(text)) != format32(w[0]) {
		t.Errorf("%q, %v; expected %s", text, err, format32(w[0]))
	}
	predict.Set = []string{"lr=0.5"}
	if _, err := run.Open(walk{}, o.Out, predict); err == nil || !strings.Contains(err.Error(), "lr=0.25") {
		t.Errorf("error %v: what was trained cannot be changed", err)
	}
	if job, err = run.Open(walk{}, o.Out, run.Options{}); err != nil || job.Data != "" {
		t.Errorf("%v, data %q", err, job.Data)
	}
	unfinished := interrupted(t, 3)
	if job, err = run.Open(walk{}, unfinished.Out, run.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := job.Dir.OpenModel(); err == nil || !strings.Contains(err.Error(), "no trained model yet") {
		t.Errorf("error %v", err)
	}
	if _, err := run.Open(walk{}, t.TempDir(), run.Options{}); err == nil || !strings.Contains(err.Error(), "is not a run") {
		t.Errorf("error %v", err)
	}
}
