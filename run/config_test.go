package run_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/run"
)

// sources gives each place that settings come from something to say; the zero value of a field says nothing.
func sources(t *testing.T, flags map[string]string, set []string, environ map[string]string, file string) run.Sources {
	t.Helper()
	from := run.Sources{Flags: map[string]string{"data": "x"}, Set: set}
	for key, text := range flags {
		from.Flags[key] = text
	}
	if environ != nil {
		from.Environ = func(name string) (string, bool) { v, ok := environ[name]; return v, ok }
	}
	if file != "" {
		from.File = filepath.Join(t.TempDir(), "seraph.toml")
		if err := os.WriteFile(from.File, []byte(file), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return from
}

func TestStrongerSourceWins(t *testing.T) {
	type set = map[string]string
	for _, c := range []struct {
		name    string
		flags   set
		set     []string
		environ set
		file    string
		want    string
		origin  run.Origin
		detail  string
	}{
		{name: "default", want: "20", origin: run.FromDefault},
		{name: "preset", flags: set{"preset": "far"}, want: "50", origin: run.FromPreset, detail: "far"},
		{name: "file over preset", flags: set{"preset": "far"}, file: "[walk]\nsteps = 7", want: "7", origin: run.FromFile},
		{name: "preset from file", file: "[walk]\npreset = 'far'", want: "50", origin: run.FromPreset, detail: "far"},
		{name: "preset from environment", environ: set{"SERAPH_PRESET": "far"}, want: "50", origin: run.FromPreset, detail: "far"},
		{name: "environment over file", environ: set{"SERAPH_STEPS": "8"}, file: "[walk]\nsteps = 7", want: "8", origin: run.FromEnvironment, detail: "SERAPH_STEPS"},
		{name: "flag over environment", flags: set{"steps": "9"}, environ: set{"SERAPH_STEPS": "8"}, want: "9", origin: run.FromFlag, detail: "--steps"},
		{name: "set over environment", set: []string{"steps = 9"}, environ: set{"SERAPH_STEPS": "8"}, want: "9", origin: run.FromFlag, detail: "--set steps"},
		{name: "table of another model", file: "[sgc]\nhops = 3\n[walk]\nsteps = 5", want: "5", origin: run.FromFile},
		{name: "empty variable", environ: set{"SERAPH_STEPS": ""}, want: "20", origin: run.FromDefault},
		{name: "flags of the command line in the file", file: "out = 'x'\njson = true", want: "20", origin: run.FromDefault},
	} {
		t.Run(c.name, func(t *testing.T) {
			config, err := run.Resolve(walk{}.Spec(), sources(t, c.flags, c.set, c.environ, c.file))
			if err != nil {
				t.Fatal(err)
			}
			v := config.Lookup("steps")
			if v.Text != c.want || v.Origin != c.origin || c.detail != "" && v.Detail != c.detail {
				t.Errorf("steps=%s (%s, %s), expected %s (%s, %s)", v.Text, v.Origin, v.Detail, c.want, c.origin, c.detail)
			}
		})
	}
}

func TestMistakesInSettingsAreUsageErrorsThatSayWhatIsAllowed(t *testing.T) {
	type set = map[string]string
	for want, c := range map[string]struct {
		flags   set
		set     []string
		environ set
		file    string
	}{
		`--set stpes: walk has no setting "stpes"; did you mean steps?`:                  {set: []string{"stpes=3"}},
		`--epochs: walk has no setting "epochs"; it has centre, checkpoint-every, data`:  {flags: set{"epochs": "3"}},
		`--set steps: expected KEY=VALUE`:                                                {set: []string{"steps"}},
		`--steps: steps=0: expected a whole number, 1 … 100000`:                          {flags: set{"steps": "0"}},
		`--steps: steps=2.5: expected a whole number`:                                    {flags: set{"steps": "2.5"}},
		`SERAPH_LR: lr=2: expected a number, 0 … 1`:                                      {environ: set{"SERAPH_LR": "2"}},
		`--set lr: lr=NaN: expected a number, 0 … 1`:                                     {set: []string{"lr=NaN"}},
		`--set start: start=randm: expected one of origin, random; did you mean random?`: {set: []string{"start=randm"}},
		`--set centre: centre=maybe: expected true or false`:                             {set: []string{"centre=maybe"}},
		`--memory: memory=4G: size "4G": unknown unit`:                                   {flags: set{"memory": "4G"}},
		`--set split: split=private: expected public`:                                    {set: []string{"split=private"}},
		`--disk: disk=/x:0: disk "/x:0": no room`:                                        {flags: set{"disk": "/x:0"}},
		`--set steps=4: steps is also given as 3 by --steps; give it once`:               {flags: set{"steps": "3"}, set: []string{"steps=4"}},
		`seraph.toml: steps is a setting of a model; write it into a table [walk]`:       {file: "steps = 3"},
		`seraph.toml [walk]: walk has no setting "step"; did you mean steps?`:            {file: "[walk]\nstep = 3"},
		`seraph.toml: walk has no setting "memroy"; did you mean memory?`:                {file: "memroy = '1GiB'"},
		`[walk]: steps: found []interface {}, expected a text`:                           {file: "[walk]\nsteps = [1]"},
		`seraph.toml: toml: line 1`:                                                      {file: "= 3"},
		`--preset: preset=farr: expected one of none, far; did you mean far?`:            {flags: set{"preset": "farr"}},
		`--data is missing: walk takes any file`:                                         {flags: set{"data": ""}},
		`--set split: split="\xff": expected UTF-8`:                                      {set: []string{"split=\xff"}},
		`--precision: precision=fp8: expected one of f32, bf16`:                          {flags: set{"precision": "fp8"}},
		`SERAPH_SEEDS: seeds=0: expected a whole number, 1 … 100000`:                     {environ: set{"SERAPH_SEEDS": "0"}},
	} {
		_, err := run.Resolve(walk{}.Spec(), sources(t, c.flags, c.set, c.environ, c.file))
		var usage *run.UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v\nexpected a UsageError with %s", err, want)
		}
	}
}

func TestTypedAccess(t *testing.T) {
	config, err := run.Resolve(walk{}.Spec(), sources(t, map[string]string{"memory": "1.5GiB"}, []string{"lr=1e-3", "centre=1", "start=random"}, nil, ""))
	if err != nil {
		t.Fatal(err)
	}
	if config.Int("steps") != 20 || config.Float("lr") != 1e-3 || !config.Bool("centre") || config.String("start") != "random" || config.Bytes("memory") != 3<<29 {
		t.Errorf("%+v", config.Values)
	}
	if config.Int("threads") < 1 {
		t.Errorf("threads=%d", config.Int("threads"))
	}
	if config.Given("steps") || !config.Given("lr") {
		t.Error("steps was not given, lr was")
	}
	defer func() {
		if recover() == nil {
			t.Error("a key that is not in the spec must panic")
		}
	}()
	config.Int("hops")
}

func TestRequest(t *testing.T) {
	spec := walk{}.Spec()
	spec.Sampling = []run.Setting{
		{Key: "prompt", Type: run.String, Default: "\n", Doc: "where to begin"},
		{Key: "temperature", Type: run.Float, Default: "0.8", Doc: "how far"},
	}
	var out strings.Builder
	request, err := run.NewRequest(spec, run.Sources{}, &out)
	if err != nil || request.String("prompt") != "\n" || request.Float("temperature") != 0.8 || request.Out != &out {
		t.Errorf("%+v, %v", request, err)
	}
	request, err = run.NewRequest(spec, run.Sources{Flags: map[string]string{"prompt": " two words "}, Set: []string{"temperature = 1"}}, &out)
	if err != nil || request.String("prompt") != " two words " || request.Float("temperature") != 1 {
		t.Errorf("%+v, %v", request, err)
	}
	if _, err = run.NewRequest(spec, run.Sources{Set: []string{"steps=3"}}, &out); err == nil || !strings.Contains(err.Error(), "it has prompt, temperature") {
		t.Errorf("error %v", err)
	}
}

func TestFlagsInTheFile(t *testing.T) {
	path := sources(t, nil, nil, nil, "out = 'runs/x'\nquiet = true\njson = [1]").File
	for key, want := range map[string]string{"out": "runs/x", "quiet": "true", "log-level": ""} {
		if text, ok, err := run.FileFlag(path, key); text != want || ok != (want != "") || err != nil {
			t.Errorf("%s: %q, %v, %v", key, text, ok, err)
		}
	}
	if _, _, err := run.FileFlag(path, "json"); err == nil {
		t.Error("a list is no flag")
	}
	if _, ok, err := run.FileFlag(path+".none", "out"); ok || err != nil {
		t.Errorf("no file: %v, %v", ok, err)
	}
}

func TestNearest(t *testing.T) {
	words := []string{"sgc", "sign", "mlp", "lm", "weight-decay"}
	for typed, want := range map[string]string{"sgs": "sgc", "sing": "sign", "weigth-decay": "weight-decay", "m": "", "gamlp": "", "transformer": "", "": ""} {
		if got, ok := run.Nearest(typed, words); ok != (want != "") || ok && got != want {
			t.Errorf("Nearest(%q) = %q, %v; expected %q", typed, got, ok, want)
		}
	}
}
