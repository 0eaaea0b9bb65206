package run_test

import (
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/run"
)

func TestSpecCheckFindsMistakes(t *testing.T) {
	spec := walk{}.Spec()
	if err := spec.Check(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(s *run.Spec){
		"twice":           func(s *run.Spec) { s.Settings = append(s.Settings, s.Settings[0]) },
		"has no doc":      func(s *run.Spec) { s.Settings[0].Doc = "" },
		"at least 1":      func(s *run.Spec) { s.Settings[1].Default = "0" },
		"bound one":       func(s *run.Spec) { s.Settings[0].Min = "one" },
		"free name":       func(s *run.Spec) { s.Settings[0].Key = "json" },
		"sets hops":       func(s *run.Spec) { s.Presets[0].Values = map[string]string{"hops": "1"} },
		"1 … 100000":      func(s *run.Spec) { s.Presets[0].Values = map[string]string{"steps": "1000000"} },
		"title and data":  func(s *run.Spec) { s.Title = "" },
		"needs name":      func(s *run.Spec) { s.Presets[0].Doc = "" },
		"one of origin":   func(s *run.Spec) { s.Settings[4].Default = "centre" },
		"setting no_good": func(s *run.Spec) { s.Settings[0].Key = "no_good" },
	} {
		spec := walk{}.Spec()
		change(&spec)
		if err := spec.Check(); err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), `"`, ""), want) {
			t.Errorf("error %v, expected one with %q", err, want)
		}
	}
}
