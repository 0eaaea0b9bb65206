package run_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/run"
)

func TestEveryPartOfARunIsRecognised(t *testing.T) {
	o := options(t, "seeds=2", "checkpoint-every=10")
	train(t, walk{}, o)
	moved := filepath.Join(t.TempDir(), "kept")
	if err := os.CopyFS(moved, os.DirFS(filepath.Join(o.Out, "seeds/1/checkpoints/20"))); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct{ name, title string }{
		o.Out: {"run", "run of walk"},
		filepath.Join(o.Out, "seeds/0/checkpoints/10"): {"checkpoint", "checkpoint of step 10"},
		moved:                                         {"checkpoint", "checkpoint of step 20"},
		filepath.Join(o.Out, "model"):                 {"model", "trained model of type"},
		filepath.Join(o.Out, "seeds/1/model"):         {"model", "trained model of type"},
		filepath.Join(o.Out, "plan.json"):             {"plan", "plan of a job in 2 stages"},
		filepath.Join(o.Out, "metrics.jsonl"):         {"metrics", "2 metrics"},
		filepath.Join(o.Out, "seeds/0/metrics.jsonl"): {"metrics", "2 metrics"},
	} {
		kind, ok := run.Recognise(path)
		if !ok || kind.Name != want.name {
			t.Errorf("%s is taken for %q", path, kind.Name)
			continue
		}
		if d, err := kind.Describe(path); err != nil || !strings.HasPrefix(d.Title, want.title) || d.Format != want.name {
			t.Errorf("%s: %+v, %v", path, d, err)
		}
		if err := kind.Check(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range []string{filepath.Dir(o.Out), filepath.Join(o.Out, "seeds"), filepath.Join(o.Out, "report.html"), "nowhere"} {
		if kind, ok := run.Recognise(path); ok {
			t.Errorf("%s is taken for a %s", path, kind.Name)
		}
	}
}

// Whatever file of a run is damaged, the check of the run finds it.
func TestCheckFindsDamageInEveryFile(t *testing.T) {
	o := options(t, "seeds=2", "checkpoint-every=10")
	train(t, walk{}, o)
	unverified := map[string]bool{".lock": true, "README.md": true, "report.html": true}
	err := filepath.WalkDir(o.Out, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || unverified[e.Name()] || strings.HasPrefix(e.Name(), "events.") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		bad := append([]byte{}, text...)
		bad[len(bad)/3] ^= 0x80 // no byte of a text, another one of a tensor
		if filepath.Ext(path) == ".json" {
			bad = text[:2*len(text)/3]
		}
		if err := os.WriteFile(path, bad, 0o666); err != nil {
			return err
		}
		var corrupt *format.CorruptError
		if err := run.Check(o.Out); !errors.As(err, &corrupt) {
			t.Errorf("%s: error %v, expected damage", path, err)
		}
		return os.WriteFile(path, text, 0o666)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Check(o.Out); err != nil {
		t.Errorf("mended: %v", err)
	}
}

func TestCheckFindsTheModelOfAnotherSeed(t *testing.T) {
	o := options(t, "seeds=2")
	train(t, walk{}, o)
	name := "model/model.safetensors"
	best, err := os.ReadFile(filepath.Join(o.Out, name))
	if err != nil {
		t.Fatal(err)
	}
	for _, seed := range []string{"0", "1"} {
		weights, err := os.ReadFile(filepath.Join(o.Out, "seeds", seed, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(o.Out, name), weights, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := run.Check(o.Out); (err == nil) != (string(weights) == string(best)) {
			t.Errorf("with the model of seed %s: %v", seed, err)
		}
	}
}
