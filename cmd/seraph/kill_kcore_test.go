package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// A decomposition on disk that is killed at moments spread over it, of sorting, sweeps, parts and writing, and resumed comes to the same file: one
// job is killed as often as there are moments, then goes on to its end. SERAPH_KILLS says how many moments, SERAPH_RMAT_SCALE the size of the graph.
func TestKilledDecompositionComesToTheSameFile(t *testing.T) {
	if testing.Short() {
		t.Skip("many decompositions")
	}
	kills, scale := fromEnvironment("SERAPH_KILLS", 6), fromEnvironment("SERAPH_RMAT_SCALE", 12)
	dir := t.TempDir()
	succeeds(t, dir, "make", "graph", "--rmat", strconv.Itoa(scale), "--edge-factor", "16", "--seed", "1", "--out", "edges.txt")
	decompose := func(out string, more ...string) []string {
		return append([]string{"kcore", "edges.txt", "--engine", "divide", "--disk", "disk:10GiB", "--order", "--check", "--out", out, "--quiet"}, more...)
	}
	succeeds(t, dir, "kcore", "edges.txt", "--order", "--out", "want.tsv")
	began := time.Now()
	succeeds(t, dir, decompose("whole.tsv")...)
	whole := time.Since(began)
	reached := map[string]int{} // where a job was when it was killed
	for i := range kills {
		c := seraphIn(dir, decompose("cores.tsv", "--resume")...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(whole * time.Duration(i+1) / time.Duration(kills+1))
		c.Process.Kill()
		c.Wait() // its error is the exit code
		if c.ProcessState.ExitCode() == -1 {
			reached[stageOnDisk(filepath.Join(dir, "disk"))]++
		}
		if i%3 != 2 && i < kills-1 {
			continue
		}
		succeeds(t, dir, decompose("cores.tsv", "--resume")...)
		for _, name := range []string{"cores.tsv", "cores.tsv.order"} {
			if err := sameFiles(filepath.Join(dir, name), filepath.Join(dir, "want"+name[len("cores"):])); err != nil {
				t.Fatalf("after %v: %v", reached, err)
			}
		}
		if left, err := os.ReadDir(filepath.Join(dir, "disk")); err != nil || len(left) > 0 {
			t.Errorf("%d files are left on the disk: %v", len(left), err)
		}
	}
	if len(reached) == 0 {
		t.Error("none was killed before its end")
	}
	t.Logf("scale %d, %s undisturbed; killed %v", scale, whole, reached)
}

// stageOnDisk says how far a killed job has come.
func stageOnDisk(disk string) string {
	found := func(pattern string) bool {
		paths, _ := filepath.Glob(filepath.Join(disk, pattern))
		return len(paths) > 0
	}
	switch {
	case found("kcore-*/graph.json"):
		return "with its edges sorted"
	case found("kcore-*/state*"), found("kcore-*/rows"):
		return "writing rows"
	case found("*"):
		return "reading"
	}
	return "before or behind everything"
}

func sameFiles(path, other string) error {
	got, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	want, err := os.ReadFile(other)
	if err == nil && string(got) != string(want) {
		err = fmt.Errorf("%s is not %s", path, other)
	}
	return err
}

func fromEnvironment(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}
