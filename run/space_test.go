package run

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/format"
)

func TestSpacesAreReadInTheirOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "space.toml")
	read := func(text string) ([]Axis, error) {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return ReadSpace(path, described{}.Spec())
	}
	got, err := read("weight-decay = [1e-5, 5e-4, 0.5]\nhops = [3, 2]\n")
	want := []Axis{{"weight-decay", []string{"1e-05", "0.0005", "0.5"}}, {"hops", []string{"3", "2"}}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	for text, wrong := range map[string]string{
		"hop = [2]":          "did you mean hops?",
		"hops = [2, 2]":      "there twice",
		"hops = []":          "has no values",
		"hops = ['two']":     "a whole number",
		"hops = [[2]]":       "expected a text, a number",
		"split = ['public']": "not a setting that a search may choose",
		"seed = [1]":         "has no setting",
		"":                   "names no setting",
	} {
		var misused *UsageError
		if _, err := read(text); !errors.As(err, &misused) || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: %v, expected %q", text, err, wrong)
		}
	}
	var corrupt *format.CorruptError
	for _, text := range []string{"hops = 2", "hops = [", "[a]\nhops = [2]"} {
		if _, err := read(text); !errors.As(err, &corrupt) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
