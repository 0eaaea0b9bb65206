package kernel

import (
	"testing"

	"github.com/seraph-ml/seraph/internal/race"
)

// oneGoroutine skips a test that runs kernels on its own goroutine alone where the race detector watches: it would find
// nothing there, at many times the cost. The other runs have the test.
func oneGoroutine(t *testing.T) {
	t.Helper()
	if race.Enabled {
		t.Skip("one goroutine has no race")
	}
}

// memoryCounts skips a test of what kernels allocate and take where the race detector watches, which allocates too.
func memoryCounts(t *testing.T) {
	t.Helper()
	if race.Enabled {
		t.Skip("the race detector's memory would count")
	}
}
