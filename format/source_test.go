package format_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
)

func TestReadsStayWithinTheFile(t *testing.T) {
	s := format.NewSource("x", bytes.NewReader([]byte("0123456789")), 10)
	for _, c := range []struct {
		offset, n int64
		ok        bool
	}{
		{0, 10, true}, {10, 0, true}, {3, 4, true},
		{0, 11, false}, {11, 0, false}, {-1, 1, false}, {3, -1, false}, {5, math.MaxInt64, false}, {math.MaxInt64, math.MaxInt64, false},
	} {
		got, err := s.Bytes(c.offset, c.n, "piece")
		var corrupt *format.CorruptError
		switch {
		case c.ok && (err != nil || string(got) != "0123456789"[c.offset:c.offset+c.n]):
			t.Errorf("%d bytes at %d: %q (%v)", c.n, c.offset, got, err)
		case !c.ok && !errors.As(err, &corrupt):
			t.Errorf("%d bytes at %d: error %v, expected a CorruptError", c.n, c.offset, err)
		}
	}
	if _, err := s.ReadAt(make([]byte, 1), 11); err == nil {
		t.Error("ReadAt beyond the end")
	}
}

func TestAFileThatShrinksIsCutShort(t *testing.T) {
	path := hostile.Write(t, "x", []byte("0123456789"))
	s, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := os.Truncate(path, 4); err != nil {
		t.Fatal(err)
	}
	_, err = s.Bytes(0, 10, "content")
	if err == nil || !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "x@4") {
		t.Errorf("error %v, expected an early end at 4", err)
	}
}

func TestOnlyRegularFilesAreOpened(t *testing.T) {
	dir := t.TempDir()
	_, err := format.Open(dir)
	var corrupt *format.CorruptError
	if !errors.As(err, &corrupt) || !strings.HasSuffix(err.Error(), ": open: found a folder, expected a regular file") {
		t.Errorf("a folder: %v", err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := format.Open(pipe); !errors.As(err, &corrupt) { // and does not wait for a writer
		t.Errorf("a pipe: %v", err)
	}
	if _, err := format.ReadFile(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "outside"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, name := range []string{"../outside", filepath.Join(dir, "outside")} {
		if _, err := format.OpenIn(root, name, name); err == nil {
			t.Errorf("%s leads out of the folder", name)
		}
	}
}
