//go:build seraphcheck

package memory

import "golang.org/x/sys/unix"

// guard is the number of inaccessible bytes before and after an arena: the largest page of any supported machine.
const guard = 64 << 10

// protectGuards makes the surroundings of the arena inaccessible.
func (a *Arena) protectGuards() error {
	if err := unix.Mprotect(a.mapped[:guard], unix.PROT_NONE); err != nil {
		return err
	}
	return unix.Mprotect(a.mapped[guard+len(a.mem):], unix.PROT_NONE)
}

// open makes the pages around n bytes at off accessible: a new slice of a released range brings it back.
func (a *Arena) open(off, n int64) {
	first, last := off/pageSize*pageSize, roundUp(off+n, pageSize)
	if err := unix.Mprotect(a.mem[first:last], unix.PROT_READ|unix.PROT_WRITE); err != nil {
		panic("memory: open a range of an arena: " + err.Error())
	}
}

// close makes the whole pages [first, last) of a released range of n bytes at off inaccessible and fills the parts of
// pages at its edges, which belong to neighbours too, with a pattern that is NaN as floating point.
func (a *Arena) close(off, n, first, last int64) error {
	a.open(off, n) // parts of it may have been released before
	if first >= last {
		poison(a.mem[off : off+n])
		return nil
	}
	poison(a.mem[off:first])
	poison(a.mem[last : off+n])
	return unix.Mprotect(a.mem[first:last], unix.PROT_NONE)
}

// discard gives the memory back but keeps its addresses reserved and inaccessible, so that nothing else can appear there.
func discard(mapped []byte) error {
	if err := unix.Madvise(mapped, unix.MADV_DONTNEED); err != nil {
		return err
	}
	return unix.Mprotect(mapped, unix.PROT_NONE)
}

func poison(p []byte) {
	for i := range p {
		p[i] = 0xff
	}
}
