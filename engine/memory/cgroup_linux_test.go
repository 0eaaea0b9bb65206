package memory

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
)

func TestLimitsFollowTheControlGroups(t *testing.T) {
	cases, err := filepath.Glob("testdata/limits/*")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, path := range cases {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			head, files := parseTree(string(text))
			_, want, _ := strings.Cut(strings.TrimSpace(head), "want: ")
			m, err := readLimits(files)
			got := fmt.Sprintf("total=%d available=%d cgroup=%d quota=%g", m.Total, m.Available, m.Cgroup, m.Quota)
			if err != nil {
				got = "error"
			}
			if got != want {
				t.Errorf("%s\n got: %s (%v)\nwant: %s", head, got, err, want)
			}
		})
	}
}

// parseTree reads a text in which a line "-- path --" begins each file.
func parseTree(text string) (head string, files fstest.MapFS) {
	files = fstest.MapFS{}
	parts := strings.Split("\n"+text, "\n-- ")
	for _, part := range parts[1:] {
		name, data, _ := strings.Cut(part, " --\n")
		files[name] = &fstest.MapFile{Data: []byte(data + "\n")}
	}
	return parts[0], files
}

func TestBudgetAndThreadsOfMachines(t *testing.T) {
	for _, c := range []struct {
		m       Machine
		budget  int64
		threads int
	}{
		{Machine{Available: 1000, CPUs: 8}, 800, 8},
		{Machine{Available: 1000, Cgroup: 500, CPUs: 8, Quota: 1.5}, 400, 2},
		{Machine{Available: 1000, Cgroup: 2000, CPUs: 2, Quota: 16}, 800, 2},
		{Machine{Available: 1000, CPUs: 4, Quota: 0.1}, 800, 1},
	} {
		if b, n := c.m.Budget(), c.m.Threads(); b != c.budget || n != c.threads {
			t.Errorf("%+v: budget %d and %d threads, want %d and %d", c.m, b, n, c.budget, c.threads)
		}
	}
}

func TestThisMachineHasLimits(t *testing.T) {
	m, err := Limits()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", m)
	if m.Total <= 0 || m.Available <= 0 || m.Available > m.Total || m.CPUs != runtime.NumCPU() {
		t.Errorf("%+v", m)
	}
	budget, err := DefaultBudget()
	if err != nil || budget <= 0 || budget > m.Total {
		t.Errorf("default budget %d, %v", budget, err)
	}
	if n := CPUs(); n < 1 || n > m.CPUs {
		t.Errorf("%d threads of %d processors", n, m.CPUs)
	}
}
