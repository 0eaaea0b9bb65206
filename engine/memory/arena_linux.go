package memory

import "golang.org/x/sys/unix"

// adviseHuge asks for huge pages. They save translations on large strides; a kernel without them is no error.
func adviseHuge(mem []byte) { _ = unix.Madvise(mem, unix.MADV_HUGEPAGE) }
