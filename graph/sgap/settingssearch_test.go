package sgap

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
