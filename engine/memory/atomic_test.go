package memory

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

func contents(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestAtomicFileReplacesWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "manifest")
	if err := WriteAtomic(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 3*bounceBytes+777)
	fill(big, 3)

	dropped, err := CreateAtomic(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dropped.Write(big); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, path); string(got) != "old" {
		t.Errorf("before Commit the file holds %q", got)
	}
	if err := dropped.Close(); err != nil {
		t.Error(err)
	}
	if err := dropped.Commit(); err == nil {
		t.Error("Commit after Close gave no error")
	}
	if got := names(t, dir); len(got) != 1 || string(contents(t, path)) != "old" {
		t.Errorf("after Close without Commit there are %v", got)
	}

	// Two writers at once do not meet; in pieces or at once, the bytes are the same.
	one, err := CreateAtomic(path)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	two, err := CreateAtomic(path)
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	for rest := big; len(rest) > 0; rest = rest[min(len(rest), 99_991):] {
		if _, err := one.Write(rest[:min(len(rest), 99_991)]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := two.Write(big[1:]); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		f    *AtomicFile
		want []byte
	}{{one, big}, {two, big[1:]}} {
		if err := c.f.Commit(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(contents(t, path), c.want) {
			t.Error("the committed file holds other bytes than were written")
		}
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("temporary files stay: %v", got)
	}
}

func TestAtomicFileLeavesTheOldOneAfterAnError(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := WriteAtomic(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	f, err := CreateAtomic(path)
	if err != nil {
		t.Fatal(err)
	}
	f.file.limit = 10 // as a full disk would
	if _, err := f.Write(make([]byte, bounceBytes)); err == nil {
		t.Error("writing to a full disk gave no error")
	}
	if err := f.Commit(); err == nil {
		t.Error("Commit after a failed write gave no error")
	}
	if got := names(t, dir); len(got) != 1 || string(contents(t, path)) != "old" {
		t.Errorf("after the error there are %v", got)
	}
	if err := WriteAtomic(filepath.Join(dir, "none", "f"), nil); err == nil {
		t.Error("a missing directory gave no error")
	}
	if err := WriteAtomic(dir, []byte("x")); err == nil {
		t.Error("replacing a directory gave no error")
	}
}

func TestAtomicFileMayBeEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := WriteAtomic(path, nil); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, path); len(got) != 0 {
		t.Errorf("holds %q", got)
	}
}

// A process that is killed while it replaces a file leaves the old one or the new one, whole.
func TestAtomicFileSurvivesKill(t *testing.T) {
	const size = 3 << 20
	if path := os.Getenv("SERAPH_TEST_ATOMIC"); path != "" {
		for version := byte(0); ; version++ {
			if err := WriteAtomic(path, bytes.Repeat([]byte{version}, size)); err != nil {
				t.Fatal(err)
			}
			if version == 0 {
				fmt.Println("begun")
			}
		}
	}
	path := filepath.Join(t.TempDir(), "checkpoint")
	if err := WriteAtomic(path, make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		child := exec.Command(os.Args[0], "-test.run=^TestAtomicFileSurvivesKill$")
		child.Env = append(os.Environ(), "SERAPH_TEST_ATOMIC="+path)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			skipForeign(t, err)
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(7*i) * time.Millisecond)
		child.Process.Kill()
		child.Wait()
		got := contents(t, path)
		if len(got) != size || len(bytes.Trim(got, string(got[:1]))) != 0 {
			t.Fatalf("after kill %d the file has %d bytes, not all of one version", i, len(got))
		}
	}
}
