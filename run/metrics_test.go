package run

import (
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/format/tfevents"
)

func TestMetricsAreCutOffBehindTheCheckpoint(t *testing.T) {
	line := func(step string) string { return `{"step":` + step + `,"loss":0.5}` + "\n" }
	whole := line("1") + line("2") + line("4")
	for _, c := range []struct {
		name, before string
		step         int
		kept         string
	}{
		{"nothing yet", "", 3, ""},
		{"no checkpoint", whole, 0, ""},
		{"between lines", whole, 3, line("1") + line("2")},
		{"at a line", whole, 2, line("1") + line("2")},
		{"behind all", whole, 9, whole},
		{"half a line", whole + `{"step":5,"lo`, 9, whole},
		{"a line without its end", whole + `{"step":5,"loss":1}`, 9, whole},
		{"something else", line("1") + "loss 3\n" + line("2"), 9, line("1")},
		{"no step", line("1") + "{}\n" + line("2"), 9, line("1")},
	} {
		path := filepath.Join(t.TempDir(), metricsName)
		if c.before != "" {
			if err := os.WriteFile(path, []byte(c.before), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		m, err := openMetrics(path, c.step)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.add("step", 7, []Metric{{"loss", 0.25}}); err != nil {
			t.Fatal(err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if want := c.kept + `{"step":7,"loss":0.25}` + "\n"; err != nil || string(got) != want {
			t.Errorf("%s: %q, expected %q (%v)", c.name, got, want, err)
		}
	}
}

func TestMetricsReadBackBitForBit(t *testing.T) {
	values := []float64{0, math.Copysign(0, -1), 1.0 / 3, 1e-300, 5e-324, math.MaxFloat64, 123456789, 1e21, math.NaN(), math.Inf(1), -2}
	path := filepath.Join(t.TempDir(), metricsName)
	m, err := openMetrics(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range values {
		if err := m.add("step", int64(i+1), []Metric{{"x", x}, {"y", -x}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	curves, err := readCurves(path)
	if err != nil || len(curves) != 2 || curves[0].name != "x" || curves[1].name != "y" {
		t.Fatalf("%v, %v", curves, err)
	}
	for i, x := range values {
		want := math.Float64bits(x)
		if math.IsInf(x, 0) {
			want = math.Float64bits(math.NaN()) // JSON has no infinities: both are null
		}
		if got := math.Float64bits(curves[0].sums[i]); got != want || curves[0].steps[i] != float64(i+1) {
			t.Errorf("%v reads as %v", x, curves[0].sums[i])
		}
	}
}

func TestStepsAllocateNothing(t *testing.T) {
	p := NewProgress(&strings.Builder{}, false, 0)
	job := &Job{Config: &Config{}, Interrupt: make(chan struct{}), Progress: p, CheckpointEvery: 1 << 30}
	trial := &Trial{Dir: t.TempDir(), job: job}
	job.Stage("train", "steps", 1000)
	snapshot := func() Snapshot { t.Error("no checkpoint is due"); return Snapshot{} }
	step := 0
	if n := testing.AllocsPerRun(200, func() {
		step++
		if err := trial.Log(step, Metric{"loss", 1 / float64(step)}, Metric{"lr", 1e-3}); err != nil {
			t.Fatal(err)
		}
		if err := trial.EndStep(step, snapshot); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations a step", n)
	}
	if err := trial.close(); err != nil {
		t.Fatal(err)
	}
}

func TestCheckpointIsDue(t *testing.T) {
	every := &Trial{job: &Job{CheckpointEvery: 3}}
	for step, want := range []bool{true, false, false, true, false, false, true} {
		if every.due(step) != want {
			t.Errorf("every 3: step %d: %v", step, !want)
		}
	}
}

// seen is what TensorBoard shows of a folder: the scalars of all event files in their order, less what a later start makes void.
func seen(t *testing.T, dir string) map[int64]float32 {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	if err != nil {
		t.Fatal(err)
	}
	values := map[int64]float32{}
	for _, path := range paths {
		for e, err := range tfevents.Read(path) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Start {
				maps.DeleteFunc(values, func(step int64, _ float32) bool { return step >= e.Step })
			}
			for _, v := range e.Values {
				values[e.Step] = v.Scalar
			}
		}
	}
	return values
}

func TestEventsSayWhatMetricsSay(t *testing.T) {
	dir := t.TempDir()
	// Three sessions: the second goes on after step 2, the third begins anew.
	for _, c := range []struct {
		after, until int
		value        float64
		want         map[int64]float32
	}{
		{0, 4, 1, map[int64]float32{1: 1, 2: 1, 3: 1, 4: 1}},
		{2, 3, 2, map[int64]float32{1: 1, 2: 1, 3: 2}},
		{0, 1, 3, map[int64]float32{1: 3}},
	} {
		trial := &Trial{Dir: dir, job: &Job{}}
		if err := trial.openMetrics(c.after); err != nil {
			t.Fatal(err)
		}
		for step := c.after + 1; step <= c.until; step++ {
			if err := trial.Log(step, Metric{"loss", c.value}); err != nil {
				t.Fatal(err)
			}
		}
		if err := trial.close(); err != nil {
			t.Fatal(err)
		}
		if got := seen(t, dir); !maps.Equal(got, c.want) {
			t.Errorf("after step %d: %v, expected %v", c.after, got, c.want)
		}
		curves, err := readCurves(filepath.Join(dir, metricsName))
		if err != nil || len(curves[0].steps) != len(c.want) {
			t.Errorf("metrics.jsonl has %v, %v", curves[0].steps, err)
		}
	}
}
