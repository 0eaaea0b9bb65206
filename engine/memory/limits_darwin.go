package memory

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// systemLimits reads the size of physical memory. How much of it is available is not told in a comparable way, so half of
// it counts as such.
func systemLimits() (Machine, error) {
	total, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return Machine{}, fmt.Errorf("measure memory: %w", err)
	}
	return Machine{Total: int64(total), Available: int64(total / 2)}, nil
}
