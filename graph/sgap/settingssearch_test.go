package sgap

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/run"
)

// TestSearchForSettingsIsThatOfATraining holds the record of a search against that of a training that tunes first, and trains
// with the command that it gives.
func TestSearchForSettingsIsThatOfATraining(t *testing.T) {
	flags := map[string]string{"data": Blocks(t), "epochs": "12", "tune": "6", "seeds": "4"}
	preset := &presets[2]
	options := func() run.Options {
		return run.Options{Sources: run.Sources{Flags: flags}, Out: filepath.Join(t.TempDir(), "run")}
	}
	training := options()
	result, err := run.Train(t.Context(), Model{preset}, training)
	if err != nil {
		t.Fatal(err)
	}
	searching := options()
	found, got, err := searchFor(t, SettingsSearch{preset}, searching)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(training.Out, tuneName))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("of a training (-) and of a search (+):\n%s", d)
	}
	if len(found.Findings) != 6 {
		t.Errorf("%d settings, expected 6", len(found.Findings))
	}
	if err := run.Check(searching.Out); err != nil {
		t.Error(err)
	}
	words := strings.Fields(found.Findings[0].Command)
	again := run.Options{Sources: run.Sources{Flags: map[string]string{}}, Out: filepath.Join(t.TempDir(), "run")}
	for i := 3; i < len(words); i += 2 {
		again.Flags[strings.TrimPrefix(words[i], "--")] = words[i+1]
	}
	if r, err := run.Train(t.Context(), Model{preset}, again); err != nil || r.WeightsHash != result.WeightsHash {
		t.Errorf("%s: %v, weights %v, of the training %s", found.Findings[0].Command, err, r, result.WeightsHash)
	}
}

func searchFor(t *testing.T, s run.Searcher, o run.Options) (*run.Found, string, error) {
	t.Helper()
	job, err := run.New(s, o)
	if err != nil {
		return nil, "", err
	}
	defer job.Close()
	found, err := job.Search(t.Context())
	if err != nil {
		return nil, "", err
	}
	text, err := os.ReadFile(job.Dir.File(found.Record))
	return found, string(text), err
}

// TestSpaceOfAFileIsSearched tries all of a small space, and keeps what is given.
func TestSpaceOfAFileIsSearched(t *testing.T) {
	space := filepath.Join(t.TempDir(), "space.toml")
	if err := os.WriteFile(space, []byte("hops = [1, 2]\nlr = [0.5, 0.1, 0.02]\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	o := run.Options{Out: filepath.Join(t.TempDir(), "run"), Sources: run.Sources{Flags: map[string]string{
		"data": Blocks(t), "epochs": "3", "tune": "100", "space": space, "hops": "2"}}}
	found, _, err := searchFor(t, SettingsSearch{&presets[2]}, o)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range found.Findings {
		seen[f.Settings] = true
		if !strings.Contains(f.Command, "--hops 2") {
			t.Errorf("what was given is not in %s", f.Command)
		}
	}
	if want := map[string]bool{"lr=0.5": true, "lr=0.1": true, "lr=0.02": true, "lr=0.2": true}; !cmp.Equal(seen, want) {
		t.Errorf("tried %v, expected the space and the settings as they are, %v", seen, want)
	}
}

// TestInterruptedSearchForSettingsGoesOn interrupts a search after every few trainings: what it says in the end is the same.
func TestInterruptedSearchForSettingsGoesOn(t *testing.T) {
	data := Blocks(t)
	for _, name := range []string{"sgc", "ndls-l", "gamlp-r"} {
		s := settingsSearch(t, name)
		options := func() run.Options {
			return run.Options{Out: filepath.Join(t.TempDir(), "run"), Sources: run.Sources{Flags: map[string]string{
				"data": data, "epochs": "6", "tune": "5", "seeds": "3"}}}
		}
		found, want, err := searchFor(t, s, options())
		if err != nil {
			t.Fatal(err)
		}
		o := options()
		stops, missed := 0, 0
		for o.Resume = true; ; stops++ {
			ended := interruptAfter(&o, 3*stops+2, tuneLogName, "\n")
			again, got, err := searchFor(t, s, o)
			ended()
			if errors.Is(err, run.ErrInterrupted) {
				tear(t, o.Out, tuneLogName)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: without an interruption (-) and with %d (+):\n%s", name, stops, d)
			}
			if d := cmp.Diff(found.Findings, again.Findings); d != "" {
				t.Errorf("%s: what was found:\n%s", name, d)
			}
			if stops == 0 && missed < 50 { // it had ended before it was seen to have begun
				if err := os.RemoveAll(o.Out); err != nil {
					t.Fatal(err)
				}
				missed, stops = missed+1, -1
				continue
			}
			break
		}
		if stops == 0 {
			t.Errorf("%s: not interrupted", name)
		}
		if _, err := os.Stat(filepath.Join(o.Out, tuneLogName)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the log is still there: %v", name, err)
		}
	}
}

// settingsSearch is the search for settings of a preset.
func settingsSearch(t *testing.T, name string) SettingsSearch {
	t.Helper()
	for i := range presets {
		if presets[i].name == name {
			return SettingsSearch{&presets[i]}
		}
	}
	t.Fatalf("there is no preset %s", name)
	return SettingsSearch{}
}

// TestTrainingsOfALogAreNotRepeated has the log say what no training gives.
func TestTrainingsOfALogAreNotRepeated(t *testing.T) {
	s := settingsSearch(t, "sgc")
	space := filepath.Join(t.TempDir(), "space.toml")
	if err := os.WriteFile(space, []byte("lr = [0.5, 0.1]\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	search := func(log string) (string, error) {
		o := run.Options{Out: filepath.Join(t.TempDir(), "run"), Sources: run.Sources{Flags: map[string]string{
			"data": Blocks(t), "epochs": "2", "tune": "3", "space": space}}}
		ended := interruptAfter(&o, 0, "config.toml") // at once
		_, _, err := searchFor(t, s, o)
		ended()
		if !errors.Is(err, run.ErrInterrupted) {
			t.Fatalf("%v, expected an interruption", err)
		}
		if err := os.WriteFile(filepath.Join(o.Out, tuneLogName), []byte(log), 0o666); err != nil {
			t.Fatal(err)
		}
		o.Resume, o.Interrupt = true, nil
		_, text, err := searchFor(t, s, o)
		return text, err
	}
	text, err := search(`{"settings":{"lr":"0.1"},"seed":0,"val_accuracy":0.987654,"val_loss":1}` + "\n")
	if err != nil || !strings.Contains(text, "0.987654") {
		t.Errorf("%v; the log does not count in %s", err, text)
	}
	for _, log := range []string{"x\n", `{"seed":0}` + "\n", `{"settings":{"lr":"7"},"seed":0}` + "\n", `{"settings":{"lr":"0.1"},"seed":1}` + "\n", `{"settings":{"lr":"0.1"},"seed":0,"gain":[1]}` + "\n"} {
		_, err := search(log)
		var corrupt *format.CorruptError
		if !errors.As(err, &corrupt) || corrupt.Line != 1 {
			t.Errorf("%s: %v", log, err)
		}
	}
}
