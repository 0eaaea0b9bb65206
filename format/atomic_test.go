package format_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/seraph-ml/seraph/format"
)

func TestWriteFileIsAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	put := func(content string, fail error) error {
		return format.WriteFile(path, func(w io.Writer) error {
			if _, err := io.WriteString(w, content); err != nil {
				return err
			}
			return fail
		})
	}
	reason := errors.New("reason")
	for _, c := range []struct {
		content string
		fail    error
		want    string // content of the file after; "": no file
	}{{"first", reason, ""}, {"second", nil, "second"}, {"third", reason, "second"}, {"fourth", nil, "fourth"}} {
		if err := put(c.content, c.fail); !errors.Is(err, c.fail) {
			t.Errorf("%s: error %v, expected %v", c.content, err, c.fail)
		}
		got, err := os.ReadFile(path)
		if string(got) != c.want || (err != nil) != (c.want == "") {
			t.Errorf("after %s: %q (%v), expected %q", c.content, got, err, c.want)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) > 1 {
			t.Errorf("after %s: %d files are left", c.content, len(entries))
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v (%v), expected 0644", info.Mode(), err)
	}
	if err := format.WriteFile(filepath.Join(dir, "none", "x"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}
