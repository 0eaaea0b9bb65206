package kernel

import (
	"sync"

	"golang.org/x/sys/unix"
)

// tilesAllowed asks the kernel, once a process, for the use of AMX tiles: their state is large, and the kernel keeps it only
// for those who ask.
var tilesAllowed = sync.OnceValue(func() bool {
	const (
		requestPermission = 0x1023 // ARCH_REQ_XCOMP_PERM
		tileData          = 18     // XFEATURE_XTILEDATA
	)
	_, _, errno := unix.RawSyscall(unix.SYS_ARCH_PRCTL, requestPermission, tileData, 0)
	return errno == 0
})
