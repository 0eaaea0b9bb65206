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
	"unicode/utf8"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/language"
	"github.com/seraph-ml/seraph/run"
)

// generate continues a prompt with the model of a run.
func generate(t *testing.T, dir string, job, sampling []string) (string, error) {
	t.Helper()
	debug.FreeOSMemory() // what the training left behind must not count in a plan
	j, err := run.Open(language.Model{}, dir, run.Options{Sources: run.Sources{Set: job}})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	var out strings.Builder
	request, err := run.NewRequest(language.Model{}.Spec(), run.Sources{Set: sampling}, &out)
	if err != nil {
		t.Fatal(err)
	}
	err = language.Model{}.Generate(context.Background(), j, request)
	return out.String(), err
}

// trained is the directory of a tiny trained model.
func trained(t *testing.T, set ...string) string {
	t.Helper()
	o := options(t, set...)
	train(t, o)
	return o.Out
}

func TestGenerateIsDeterministic(t *testing.T) {
	for _, precision := range []string{"f32", "bf16"} {
		dir := trained(t, "precision="+precision)
		text := func(sampling ...string) string {
			text, err := generate(t, dir, []string{"threads=1"}, append([]string{"length=30", "prompt=The "}, sampling...))
			if err != nil {
				t.Fatal(err)
			}
			if n := utf8.RuneCountInString(text); n != 4+30+1 || !strings.HasPrefix(text, "The ") {
				t.Fatalf("%d characters: %q", n, text)
			}
			return text
		}
		if a, b := text("sample-seed=3"), text("sample-seed=3"); a != b {
			t.Errorf("%s: the same seed gives %q and %q", precision, a, b)
		}
		if a, b := text("sample-seed=3"), text("sample-seed=4"); a == b {
			t.Errorf("%s: two seeds give %q", precision, a)
		}
		greedy := text("temperature=0")
		for _, same := range [][]string{{"temperature=0", "sample-seed=9"}, {"top-k=1", "temperature=2"}} {
			if got := text(same...); got != greedy {
				t.Errorf("%s: %v gives %q, the most likely characters are %q", precision, same, got, greedy)
			}
		}
	}
}

func TestGenerateBitsDependNeitherOnThreadsNorOnMemory(t *testing.T) {
	dir := trained(t)
	want, err := generate(t, dir, []string{"threads=1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = generate(t, dir, []string{"memory=1MiB"}, nil)
	var small *plan.TooSmallError
	if !errors.As(err, &small) {
		t.Fatalf("with 1 MiB: %v, expected a refusal", err)
	}
	for _, set := range [][]string{{"threads=3"}, {fmt.Sprintf("memory=%d", small.Smallest)}} {
		if got, err := generate(t, dir, set, nil); err != nil || got != want {
			t.Errorf("%v: %q, %v; expected %q", set, got, err, want)
		}
	}
}

// TestGenerateSeesTheLastBlockOfTheText says that what lies further back than a block changes nothing.
func TestGenerateSeesTheLastBlockOfTheText(t *testing.T) {
	dir, _ := trainOracle(t)
	tail := func(prompt string) string {
		text, err := generate(t, dir, nil, []string{"length=30", "prompt=" + prompt})
		if err != nil {
			t.Fatal(err)
		}
		rest, ok := strings.CutPrefix(text, prompt)
		if !ok {
			t.Fatalf("%q does not begin with the prompt %q", text, prompt)
		}
		return rest
	}
	const block = "e mill waits by " // sixteen characters
	want := tail(block)
	for _, before := range []string{"T", "The mill waits ", strings.Repeat("a crow sings ", 40)} {
		if got := tail(before + block); got != want {
			t.Errorf("behind %.20q… the model writes %q, expected %q", before, got, want)
		}
	}
	if got := tail("Tom waits"); got == want {
		t.Error("the prompt makes no difference")
	}
}

func TestGenerateRefusesPrompts(t *testing.T) {
	dir := trained(t)
	for prompt, want := range map[string]string{
		"The @ mill": `'@' at byte 4`,
		"日":          `'日' at byte 0`,
		"":           "is empty",
	} {
		_, err := generate(t, dir, nil, []string{"prompt=" + prompt})
		var usage *run.UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), "--prompt") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, expected a usage error with %s", prompt, err, want)
		}
	}
}

func TestGenerateStopsWhenInterrupted(t *testing.T) {
	dir := trained(t)
	interrupt := make(chan struct{})
	close(interrupt)
	job, err := run.Open(language.Model{}, dir, run.Options{Interrupt: interrupt})
	if err != nil {
		t.Fatal(err)
	}
	defer job.Close()
	var out strings.Builder
	request, err := run.NewRequest(language.Model{}.Spec(), run.Sources{Set: []string{"prompt=The"}}, &out)
	if err != nil {
		t.Fatal(err)
	}
	if err := (language.Model{}).Generate(context.Background(), job, request); err != nil || out.String() != "The\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestGenerateRefusesDamagedModels(t *testing.T) {
	dir := trained(t, "steps=1")
	path := filepath.Join(dir, "model", "config.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"more layers than weights":  {`"n_layer": 2`, `"n_layer": 3`},
		"layers without end":        {`"n_layer": 2`, `"n_layer": 2000000000`},
		"no heads":                  {`"n_head": 2`, `"n_head": 0`},
		"heads that do not divide":  {`"n_head": 2`, `"n_head": 3`},
		"a negative width":          {`"n_embd": 16`, `"n_embd": -16`},
		"a block without end":       {`"n_positions": 8`, `"n_positions": 4000000000`},
		"a longer block":            {`"n_positions": 8`, `"n_positions": 9`},
		"an alphabet in disorder":   {`"alphabet": "\n`, `"alphabet": "z`},
		"an alphabet cut short":     {`"alphabet": "\n`, `"alphabet": "`},
		"a configuration cut short": {`"alphabet": "`, `"alphabet": `},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(string(text), change[0], change[1], 1)
			if changed == string(text) {
				t.Fatalf("no %s in %s", change[0], text)
			}
			if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := generate(t, dir, nil, nil)
			var corrupt *format.CorruptError
			if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%v, expected damage in %s", err, dir)
			}
		})
	}
}
