package memory

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// skipForeign skips a test that starts itself once more where the system cannot: under emulation, this program is of
// another architecture than the machine.
func skipForeign(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, unix.ENOEXEC) {
		t.Skip("starts itself once more, which the system cannot under emulation")
	}
}
