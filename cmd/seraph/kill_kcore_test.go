package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A decomposition on disk that is killed at any moment, of sorting, sweeps, parts or writing, and resumed comes to the same file.
func TestKilledDecompositionComesToTheSameFile(t *testing.T) {
	if testing.Short() {
		t.Skip("twenty-five decompositions")
	}
	dir := t.TempDir()
	succeeds(t, dir, "make", "graph", "--rmat", "12", "--edge-factor", "16", "--seed", "1", "--out", "edges.txt")
	decompose := func(out string, more ...string) []string {
		return append([]string{"kcore", "edges.txt", "--engine", "divide", "--disk", "disk:1GiB", "--out", out, "--quiet"}, more...)
	}
	succeeds(t, dir, "kcore", "edges.txt", "--out", "want.tsv")
	want, err := os.ReadFile(filepath.Join(dir, "want.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	succeeds(t, dir, decompose("whole.tsv")...)
	whole := time.Since(began)
	const kills = 20
	killed := 0
	for i := range kills {
		c := seraphIn(dir, decompose("cores.tsv", "--resume")...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(whole * time.Duration(i+1) / (kills + 1))
		c.Process.Kill()
		c.Wait() // its error is the exit code
		if c.ProcessState.ExitCode() == -1 {
			killed++
		}
		if i%5 != 4 {
			continue
		}
		succeeds(t, dir, decompose("cores.tsv", "--resume")...)
		if got, err := os.ReadFile(filepath.Join(dir, "cores.tsv")); err != nil || string(got) != string(want) {
			t.Fatal(fmt.Errorf("other core numbers after %d kills: %w", killed, err))
		}
		if left, err := os.ReadDir(filepath.Join(dir, "disk")); err != nil || len(left) > 0 {
			t.Errorf("%d files are left on the disk: %v", len(left), err)
		}
	}
	if killed == 0 {
		t.Error("none was killed before its end")
	}
}
