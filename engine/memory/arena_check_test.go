//go:build seraphcheck

package memory

import (
	"runtime/debug"
	"testing"
)

// faults reports whether reading p[0] stops the program.
func faults(p []byte) (fault bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { fault = recover() != nil }()
	sink = p[0]
	return false
}

var sink byte

func TestReleasedRangesAreInaccessible(t *testing.T) {
	a := newArena(t, 4*pageSize)
	old := a.Bytes(0, int(4*pageSize))
	old[pageSize], old[3*pageSize] = 1, 3
	if err := a.Release(pageSize-8, pageSize+16); err != nil {
		t.Fatal(err)
	}
	if !faults(old[pageSize:]) || !faults(old[2*pageSize-1:]) {
		t.Error("a released page can be read through an old slice")
	}
	if faults(old) || faults(old[2*pageSize:]) || old[3*pageSize] != 3 {
		t.Error("a page that was not released cannot be read")
	}
	if old[pageSize-8] != 0xff || old[2*pageSize+7] != 0xff || old[2*pageSize+8] != 0 {
		t.Error("the edges of the released range are not poisoned, or more than they")
	}
	if err := a.Release(pageSize+8, 16); err != nil { // within what is gone already
		t.Fatal(err)
	}
	if fresh := a.Bytes(pageSize, 1); faults(fresh) {
		t.Error("a new slice of a released range cannot be read")
	}
}

func TestClosedArenasAreInaccessible(t *testing.T) {
	a := newArena(t, pageSize)
	p := a.Bytes(0, 1)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if !faults(p) {
		t.Error("a closed arena can be read")
	}
}

func TestArenasAreGuarded(t *testing.T) {
	a := newArena(t, pageSize)
	for _, p := range [][]byte{a.mapped[guard-1:], a.mapped[guard+len(a.mem):]} {
		if !faults(p) {
			t.Error("memory beside the arena can be read")
		}
	}
	if faults(a.mapped[guard:]) {
		t.Error("the arena cannot be read")
	}
}
