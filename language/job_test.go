package language_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/internal/race"
	"github.com/seraph-ml/seraph/language"
	"github.com/seraph-ml/seraph/run"
)

// tiny are the settings of a training of a moment.
var tiny = []string{"data=" + oracle + "/text.txt", "layers=2", "heads=2", "width=16", "block=8", "batch=3", "steps=6", "warmup=2", "eval-every=3", "threads=1"}

// options are those of a tiny training in a fresh run directory; later settings win.
func options(t *testing.T, set ...string) run.Options {
	debug.FreeOSMemory() // what earlier trainings left behind must not count in a plan
	flags := map[string]string{}
	for _, s := range append(append([]string{}, tiny...), set...) {
		key, value, _ := strings.Cut(s, "=")
		flags[key] = value
	}
	return run.Options{Sources: run.Sources{Flags: flags}, Out: filepath.Join(t.TempDir(), "run")}
}

func train(t *testing.T, o run.Options) *run.Result {
	t.Helper()
	r, err := run.Train(context.Background(), language.Model{}, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// textFile writes a text and returns it as a setting.
func textFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "text.txt")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return "data=" + path
}

func TestBitsDependNeitherOnThreadsNorOnMemory(t *testing.T) {
	for _, set := range [][]string{{"dropout=0.2"}, {"precision=bf16"}} {
		t.Run(set[0], func(t *testing.T) {
			with := func(more ...string) *run.Result { return train(t, options(t, append(set, more...)...)) }
			want := with()
			for _, other := range []string{"threads=2", "threads=3", "memory=" + smallestBudget(t, set...)} {
				got := with(other)
				if got.WeightsHash != want.WeightsHash || got.Metrics["val_loss"] != want.Metrics["val_loss"] {
					t.Errorf("%s: weights %s, validation loss %v; one thread without a limit: %s, %v",
						other, got.WeightsHash, got.Metrics["val_loss"], want.WeightsHash, want.Metrics["val_loss"])
				}
			}
		})
	}
}

// smallestBudget is what a refusal names.
func smallestBudget(t *testing.T, set ...string) string {
	t.Helper()
	if race.Enabled {
		t.Skip("the race detector's own memory counts against the budget")
	}
	_, err := run.Train(context.Background(), language.Model{}, options(t, append(set, "memory=1MiB")...))
	var small *plan.TooSmallError
	if !errors.As(err, &small) {
		t.Fatalf("with 1 MiB of memory: %v, expected a refusal", err)
	}
	return fmt.Sprint(small.Smallest)
}

func TestRecomputingChangesNoBit(t *testing.T) {
	set := []string{"width=32", "block=32", "batch=24", "layers=3", "steps=1"}
	smallest := smallestBudget(t, set...)
	if notes := planNotes(t, append(set, "memory="+smallest)...); !strings.Contains(notes, "made again") {
		t.Fatalf("the plan of the smallest budget recomputes nothing: %s", notes)
	}
	if notes := planNotes(t, set...); strings.Contains(notes, "made again") {
		t.Fatalf("the plan without a limit recomputes: %s", notes)
	}
	want := train(t, options(t, set...))
	got := train(t, options(t, append(set, "memory="+smallestBudget(t, set...))...)) // the process has grown meanwhile
	if got.WeightsHash != want.WeightsHash {
		t.Errorf("weights %s when recomputing, %s when keeping", got.WeightsHash, want.WeightsHash)
	}
}

func planNotes(t *testing.T, set ...string) (notes string) {
	t.Helper()
	o := options(t, set...)
	o.PlanOnly = true
	job, err := run.New(language.Model{}, o)
	if err != nil {
		t.Fatal(err)
	}
	p, err := language.Model{}.Plan(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Stages {
		for _, item := range s.Items {
			notes += item.Note
		}
	}
	return notes
}

func TestInterruptedTrainingGoesOnBitForBit(t *testing.T) {
	set := []string{"seeds=2", "dropout=0.1", "steps=3", "checkpoint-every=1"}
	want := train(t, options(t, set...))
	o := options(t, set...)
	for stops := 0; ; stops++ {
		// The first call of EndStep sees the interruption: one step a start.
		interrupt := make(chan struct{})
		o.Interrupt = interrupt
		job, err := run.New(language.Model{}, o)
		if err != nil {
			t.Fatal(err)
		}
		if stops < 5 {
			close(interrupt)
		}
		got, err := job.Train(context.Background())
		job.Close()
		o.Resume = true
		if err == nil {
			if got.WeightsHash != want.WeightsHash || got.Metrics["val_loss"] != want.Metrics["val_loss"] {
				t.Errorf("after %d interruptions weights %s and validation loss %v, without %s and %v",
					stops, got.WeightsHash, got.Metrics["val_loss"], want.WeightsHash, want.Metrics["val_loss"])
			}
			return
		}
		if !errors.Is(err, run.ErrInterrupted) {
			t.Fatal(err)
		}
	}
}

func TestTrainingLearns(t *testing.T) {
	// A text in which the next character follows from the two before.
	data := textFile(t, strings.Repeat("abacbc", 400))
	for _, precision := range []string{"f32", "bf16"} {
		r := train(t, options(t, data, "precision="+precision, "lr=0.005", "steps=200", "warmup=5", "batch=8", "eval-every=200"))
		t.Logf("%s: %.4f nats, %.4f bits a byte", precision, r.Metrics["val_loss"], r.Metrics["bits_per_byte"])
		// One of two characters can follow the first of a window, which costs ln 2 in eight.
		if loss := r.Metrics["val_loss"]; loss > 0.2 {
			t.Errorf("%s: %.4f nats on a text that repeats itself", precision, loss)
		}
	}
}

func TestEverySeedBeginsAnew(t *testing.T) {
	both := train(t, options(t, "seeds=2"))
	one, two := train(t, options(t)), train(t, options(t, "seed=1"))
	if mean := (one.Metrics["val_loss"] + two.Metrics["val_loss"]) / 2; both.Metrics["val_loss"] != mean {
		t.Errorf("mean validation loss of seeds 0 and 1 %v; trained alone they come to %v", both.Metrics["val_loss"], mean)
	}
	if one.WeightsHash == two.WeightsHash {
		t.Error("two seeds give the same weights")
	}
}

func TestMistakesInSettingsAreNamed(t *testing.T) {
	for set, want := range map[string]string{
		"heads=3":                         "width=16 is not a multiple of heads=3",
		"heads=1 width=1024":              "heads of 1024, expected at most 512; give more heads",
		"block=65536":                     "block=65536 needs at least 65537 and 2",
		"batch=65536 width=8192 heads=64": "too large",
	} {
		refuse[*run.UsageError](t, options(t, strings.Fields(set)...), want)
	}
	refuse[*run.UsageError](t, options(t, textFile(t, "")), "has 0 characters to train on and 0 to validate, block=8 needs at least 9 and 2")
	refuse[*run.UsageError](t, options(t, textFile(t, "abcdefghij")), "has 9 characters to train on and 1 to validate")
	train(t, options(t, textFile(t, "abcdefghijk"), "steps=1")) // 9 and 2
}

func TestDivergedTrainingSaysSo(t *testing.T) {
	_, err := run.Train(context.Background(), language.Model{}, options(t, "lr=1e30", "warmup=0", "clip=0", "steps=20"))
	if err == nil || !strings.Contains(err.Error(), "try a smaller lr") {
		t.Errorf("got %v", err)
	}
}

func TestReportShowsWhatTheModelWrites(t *testing.T) {
	var pages []string
	for range 2 {
		o := options(t)
		train(t, o)
		text, err := os.ReadFile(filepath.Join(o.Out, "report.html"))
		if err != nil {
			t.Fatal(err)
		}
		_, page, ok := strings.Cut(string(text), "What the model has learned")
		if !ok || !strings.Contains(page, "how often it follows the character before") {
			t.Fatal("the report does not compare losses")
		}
		_, page, ok = strings.Cut(page, "What the model writes")
		if !ok {
			t.Fatal("the report shows nothing written")
		}
		page, _, _ = strings.Cut(page, "<h2>")
		pages = append(pages, page)
	}
	if pages[0] != pages[1] {
		t.Error("two trainings alike write different passages")
	}
	if len(pages[0]) < 300 {
		t.Errorf("the passage has %d bytes, markup included", len(pages[0]))
	}
}

func TestPlanCountsTheTextWithoutHoldingIt(t *testing.T) {
	const characters = 400_000
	data := textFile(t, strings.Repeat("four bytes a character. Ünïcödé!", characters/32))
	o := options(t, data)
	o.PlanOnly = true
	job, err := run.New(language.Model{}, o)
	if err != nil {
		t.Fatal(err)
	}
	p, err := language.Model{}.Plan(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Stages[0].Peak(); got != 4*characters {
		t.Errorf("the import holds %d bytes, expected four for each of %d characters", got, characters)
	}
}
