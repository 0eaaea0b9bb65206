package memory

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/internal/race"
)

// A process that only starts must be well below what is counted before the first arena, and count the same each time.
func TestBaselineCoversAStart(t *testing.T) {
	if os.Getenv("SERAPH_TEST_BASELINE") == "1" {
		baseline, err := Baseline()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := takeBounce(); err != nil {
			t.Fatal(err)
		}
		peak, err := PeakRSS()
		fmt.Println("figures", baseline, peak, err)
		return
	}
	var first string
	for range 3 {
		child := exec.Command(os.Args[0], "-test.run=^TestBaselineCoversAStart$")
		child.Env = append(os.Environ(), "SERAPH_TEST_BASELINE=1")
		out, err := child.CombinedOutput()
		if err != nil {
			skipForeign(t, err)
			t.Fatalf("%v\n%s", err, out)
		}
		var baseline, peak int64
		if _, err := fmt.Sscanf(string(out), "figures %d %d <nil>", &baseline, &peak); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		t.Logf("baseline %s, peak after the start %s", FormatSize(baseline), FormatSize(peak))
		if peak > baseline {
			t.Errorf("a start takes %d bytes, the baseline is %d", peak, baseline)
		}
		now := fmt.Sprint(baseline)
		if first == "" {
			first = now
		}
		if now != first {
			t.Errorf("the baseline is %s in one run and %s in another", first, now)
		}
	}
}

func TestLimitGoHeapIsWhatTheRestLeaves(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	limit, err := LimitGoHeap(100<<20, 60<<20, 10<<20)
	if err != nil || limit != 28<<20 || debug.SetMemoryLimit(-1) != limit {
		t.Errorf("limit %d, %v; in force %d, want 28 MiB", limit, err, debug.SetMemoryLimit(-1))
	}
	if _, err := LimitGoHeap(70<<20, 60<<20, 9<<20); err == nil || !strings.Contains(err.Error(), "--memory 77MiB") {
		t.Errorf("a budget that leaves nothing: %v", err)
	}
	if debug.SetMemoryLimit(-1) != limit {
		t.Error("a refused limit is in force")
	}
}

// TestBaselineDoesNotCountGarbage: what a start left behind differs from start to start, and would shift every budget that is named.
func TestBaselineDoesNotCountGarbage(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector keeps memory of its own for what was freed")
	}
	want, err := Baseline()
	if err != nil {
		t.Fatal(err)
	}
	garbage := make([]byte, 64<<20)
	for i := 0; i < len(garbage); i += 4096 {
		garbage[i] = 1
	}
	runtime.KeepAlive(garbage)
	got, err := Baseline()
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("baseline %s with garbage around, %s without", FormatSize(got), FormatSize(want))
	}
}
