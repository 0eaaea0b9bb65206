package plan

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seraph-ml/seraph/engine/memory"
)

func TestJobTables(t *testing.T) {
	golden(t, "testdata/job/*", func(t *testing.T, input string) string {
		j, err := ParseJob([]byte(input))
		if err != nil {
			t.Fatal(err)
		}
		var s strings.Builder
		if err := j.WriteTable(&s); err != nil {
			t.Fatal(err)
		}
		return s.String()
	})
}

func TestJobRoundTrip(t *testing.T) {
	bytes := rapid.Int64Range(0, 1<<50)
	number := rapid.Float64Range(0, 1e30)
	item := rapid.Custom(func(t *rapid.T) Item {
		return Item{rapid.String().Draw(t, "name"), bytes.Draw(t, "bytes"), rapid.SampledFrom([]Where{Resident, Streamed, Recomputed}).Draw(t, "where"), rapid.StringN(0, 9, 20).Draw(t, "note")}
	})
	stage := rapid.Custom(func(t *rapid.T) Stage {
		return Stage{Name: "s", Items: rapid.SliceOfN(item, 1, 3).Draw(t, "items"), DiskRead: bytes.Draw(t, "read"), Flops: number.Draw(t, "flops"),
			FlopsBF16: number.Draw(t, "bf16"), Traffic: number.Draw(t, "traffic"), Seconds: number.Draw(t, "seconds"), ActualPeak: bytes.Draw(t, "peak")}
	})
	rapid.Check(t, func(t *rapid.T) {
		j := &Job{Budget: bytes.Draw(t, "budget"), Baseline: bytes.Draw(t, "baseline"), Measured: rapid.Bool().Draw(t, "measured"),
			Stages: rapid.SliceOfN(stage, 1, 4).Draw(t, "stages"), ActualPeak: bytes.Draw(t, "peak"), Actual: number.Draw(t, "actual")}
		text, err := j.JSON()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseJob(text)
		if err != nil || !reflect.DeepEqual(back, j) {
			t.Fatalf("%+v reads back as %+v, %v", j, back, err)
		}
	})
}

func TestParseJobRefuses(t *testing.T) {
	for text, word := range map[string]string{
		``:                               "read the plan",
		`{"version": 2}`:                 "version 2, expected 1",
		`{"version": 1, "baseline": -1}`: "baseline of -1",
		`{"version": 1, "stages": [{"name": "train", "items": [{"name": "w", "bytes": -5}]}]}`:                  "stage 0 (train): w has -5 bytes",
		`{"version": 1, "stages": [{"name": "train", "items": [{"name": "w", "bytes": 9000000000000000000}]}]}`: "stage 0 (train): w has 9",
		`{"version": 1, "stages": [{"items": [{"bytes": 1.5}]}]}`:                                               "read the plan",
	} {
		if j, err := ParseJob([]byte(text)); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %+v, %v; want an error with %q", text, j, err, word)
		}
	}
	if _, err := (&Job{Actual: math.NaN()}).JSON(); err == nil {
		t.Error("a plan with NaN was written")
	}
}

func TestFormatSeconds(t *testing.T) {
	for s, want := range map[float64]string{0: "0.0 ms", 0.0003: "0.3 ms", 0.0421: "42 ms", 0.9996: "1.0 s", 4.06: "4.1 s", 42: "42 s", 99.4: "99 s",
		99.5: "1 min 40 s", 7199.6: "120 min 0 s", 7200: "2 h 0 min", 12000: "3 h 20 min"} {
		if got := FormatSeconds(s); got != want {
			t.Errorf("%g s is written %q, want %q", s, got, want)
		}
	}
}

// jobs makes a candidate with one stage of each size.
func jobs(sizes ...int64) func(i int) (*Job, bool) {
	return func(i int) (*Job, bool) {
		if i >= len(sizes) {
			return nil, false
		}
		return &Job{Baseline: 100, Stages: []Stage{{Name: "import"}, {Name: "train", Items: []Item{{Bytes: sizes[i]}}}}}, true
	}
}

func TestChooseTakesTheFirstThatFits(t *testing.T) {
	for _, c := range []struct {
		budget int64
		want   int64
	}{{10_000, 5000}, {5100, 5000}, {5099, 3000}, {3100, 3000}, {3099, 900}} {
		j, err := Choose(c.budget, jobs(5000, 3000, 4000, 900))
		if err != nil || j.Peak() != c.want+100 || j.Budget != c.budget {
			t.Errorf("budget %d: %+v, %v; want the plan with %d", c.budget, j, err, c.want)
		}
	}
	if _, err := Choose(1, jobs()); err == nil {
		t.Error("no plan gave no error")
	}
}

// The smallest budget that a refusal names must work, also when it is typed in as the message writes it.
func TestChooseNamesABudgetThatWorks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.Int64Range(0, 1<<36), 1, 5).Draw(t, "sizes")
		_, err := Choose(50, jobs(sizes...))
		var small *TooSmallError
		if !errors.As(err, &small) {
			t.Fatalf("a budget below the baseline: %v", err)
		}
		text := err.Error()
		_, text, _ = strings.Cut(text, "--memory ")
		text, _, _ = strings.Cut(text, " ")
		budget, err := memory.ParseSize(text)
		if err != nil || budget < small.Smallest {
			t.Fatalf("%s is %d, %v; the smallest is %d", text, budget, err, small.Smallest)
		}
		j, err := Choose(small.Smallest, jobs(sizes...))
		if err != nil || j.Peak() > small.Smallest || small.Smallest-(slices.Min(sizes)+100) >= 1<<20 {
			t.Fatalf("with the budget that was named: %+v, %v", j, err)
		}
	})
	_, err := Choose(50, jobs(300<<20))
	if want := "the job does not fit: train needs 301MiB, the budget is 50B; give --memory 301MiB or more"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestPredictedTimesFollowTheRates(t *testing.T) {
	r := Rates{Threads: 2, F32: 100, BF16: 400, Memory: 10, DiskRead: 5, DiskWrite: 2, Measured: true}
	for _, c := range []struct {
		stage Stage
		want  float64
	}{
		{Stage{Flops: 1000, Traffic: 99}, 10},
		{Stage{Flops: 1000, Traffic: 101}, 10.1},
		{Stage{Flops: 1000, FlopsBF16: 800}, 4},
		{Stage{Flops: 100, DiskRead: 10, DiskWrite: 6}, 6},
		{Stage{}, 0},
	} {
		j := Job{Stages: []Stage{c.stage}}
		if j.Predict(r); j.Seconds() != c.want || !j.Measured {
			t.Errorf("%+v: %g s, want %g", c.stage, j.Seconds(), c.want)
		}
	}
	j := Job{Stages: []Stage{{Flops: 10e9}}}
	if j.Predict(Rates{}); j.Seconds() != 1 || j.Measured {
		t.Errorf("without rates: %g s, measured %v; want the default's second", j.Seconds(), j.Measured)
	}
}

func TestRatesAreKeptByMachine(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("SERAPH_CPU", "")
	t.Setenv("HOME", t.TempDir()) // where the cache lies on other systems
	if r := LoadRates(3); r != DefaultRates(3) || r.Measured {
		t.Errorf("without a measurement: %+v", r)
	}
	one := Rates{Threads: 1, F32: 100, BF16: 200, Memory: 10, DiskRead: 5, DiskWrite: 4}
	five := Rates{Threads: 5, F32: 420, BF16: 800, Memory: 20, DiskRead: 5, DiskWrite: 4}
	if err := SaveRates(five, one); err != nil {
		t.Fatal(err)
	}
	for threads, want := range map[int]Rates{
		1: {1, 100, 200, 10, 5, 4, true},
		2: {2, 180, 350, 12.5, 5, 4, true},
		5: {5, 420, 800, 20, 5, 4, true},
		9: {9, 420, 800, 20, 5, 4, true},
	} {
		if got := LoadRates(threads); got != want {
			t.Errorf("%d threads: %+v, want %+v", threads, got, want)
		}
	}
	t.Setenv("SERAPH_CPU", "another level")
	if r := LoadRates(1); r.Measured {
		t.Errorf("rates of another level are taken: %+v", r)
	}
	if err := SaveRates(Rates{Threads: 1, F32: 1, BF16: 1, Memory: 1, DiskRead: 1, DiskWrite: 1}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SERAPH_CPU", "")
	if r := LoadRates(1); r.F32 != 100 {
		t.Errorf("rates of one machine were lost when another's were saved: %+v", r)
	}
	if err := SaveRates(Rates{Threads: 1}); err == nil {
		t.Error("rates of zero were saved")
	}

	path, err := ratesPath()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"damaged": "{", "of another version": `{"version": 9, "machines": {}}`, "without machines": `{"version": 1}`,
		"with nonsense": `{"version": 1, "machines": {` + jsonString(machine()) + `: [{"threads": 1, "f32": -1}]}}`} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if r := LoadRates(2); r != DefaultRates(2) {
			t.Errorf("a cache %s gives %+v", name, r)
		}
		if err := SaveRates(one); err != nil {
			t.Errorf("a cache %s cannot be replaced: %v", name, err)
		}
		if r := LoadRates(1); !r.Measured {
			t.Errorf("a cache %s was not replaced", name)
		}
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("beside the cache lie %v, %v", left, err)
	}
}

func jsonString(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}
