package memory

import (
	"fmt"
	"testing"
)

func newArena(t *testing.T, bytes int64) *Arena {
	t.Helper()
	a, err := NewArena(bytes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func TestArenaSlicesShareTheirBytes(t *testing.T) {
	a := newArena(t, 1000)
	if a.Size() != pageSize {
		t.Errorf("an arena of 1000 bytes has %d, want one page of %d", a.Size(), pageSize)
	}
	if m := misalignment(a.Bytes(0, 1), pageSize); m != 0 {
		t.Errorf("the arena begins %d bytes past a page", m)
	}
	for i, v := range a.Bytes(0, int(a.Size())) {
		if v != 0 {
			t.Fatalf("byte %d of a new arena is %d", i, v)
		}
	}
	a.Float32s(64, 2)[1] = 1
	if got := a.Int32s(68, 1)[0]; got != 0x3f800000 {
		t.Errorf("the bits of 1.0 are %#x", got)
	}
	if got := a.Uint16s(70, 1)[0]; got != 0x3f80 {
		t.Errorf("the upper half of 1.0 is %#x", got)
	}
	a.Int64s(128, 1)[0] = -1
	if got := a.Bytes(135, 1)[0]; got != 0xff {
		t.Errorf("the last byte of -1 is %#x", got)
	}
	if s := a.Bytes(8, 16); cap(s) != 16 {
		t.Errorf("a slice of 16 bytes can grow to %d, over its neighbour", cap(s))
	}
	if s := a.Float32s(a.Size(), 0); len(s) != 0 {
		t.Errorf("an empty slice has %d elements", len(s))
	}
}

func TestArenaStopsWrongAddresses(t *testing.T) {
	a := newArena(t, pageSize)
	for name, use := range map[string]func(){
		"beyond the end":         func() { a.Float32s(pageSize-4, 2) },
		"negative offset":        func() { a.Bytes(-1, 1) },
		"negative length":        func() { a.Bytes(0, -1) },
		"overflowing length":     func() { a.Float32s(0, 1<<62) },
		"not a multiple":         func() { a.Float32s(2, 1) },
		"release beyond the end": func() { a.Release(1, pageSize) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: nothing happened", name)
				}
			}()
			use()
		}()
	}
}

func TestArenaSizesThatCannotBe(t *testing.T) {
	for _, n := range []int64{-1, 1 << 62, 1<<63 - 1} {
		if a, err := NewArena(n); err == nil {
			t.Errorf("an arena of %d bytes was made, with %d", n, a.Size())
		}
	}
	a := newArena(t, 0)
	if s := a.Float32s(0, 0); s == nil || len(s) != 0 {
		t.Errorf("the slice of an empty arena is %v", s)
	}
	if err := a.Release(0, 0); err != nil {
		t.Error(err)
	}
}

func TestArenaClosesOnce(t *testing.T) {
	before := arenaBytes.Load()
	a := newArena(t, 3*pageSize)
	if got := arenaBytes.Load() - before; got != 3*pageSize {
		t.Errorf("an arena of three pages counts %d bytes", got)
	}
	for range 2 {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	if got := arenaBytes.Load(); got != before || a.Size() != 0 {
		t.Errorf("after closing, %d bytes count more and the size is %d", got-before, a.Size())
	}
}

// The resident memory that an arena adds must be what a plan says: its size when all of it is touched, with huge pages or
// without, and nothing of what was released.
func TestArenaIsAsResidentAsPlanned(t *testing.T) {
	const slack = 2 << 20 // goroutines, the test itself, and the system's coarse counting
	for _, size := range []int64{1<<20 + 4096, 9<<20 + 4096, 64 << 20} {
		t.Run(FormatSize(size), func(t *testing.T) {
			rss := func() int64 {
				n, err := RSS()
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			within := func(what string, got, low, high int64) {
				t.Helper()
				if got < low || got > high {
					t.Errorf("%s: resident memory changed by %s, want %s to %s", what, FormatSize(max(got, 0)), FormatSize(max(low, 0)), FormatSize(high))
				}
			}
			before := rss()
			if err := ResetPeak(); err != nil {
				t.Skip(err)
			}
			a := newArena(t, size)
			within("reserved", rss()-before, -slack, slack)
			touch(a, 0, size)
			within("touched", rss()-before, size-slack, size+slack)
			peak, err := PeakRSS()
			if err != nil {
				t.Fatal(err)
			}
			within("peak", peak-before, size-slack, size+slack)

			half := roundUp(size/2, pageSize)
			if err := a.Release(0, half); err != nil {
				t.Fatal(err)
			}
			within("half released", rss()-before, size-half-slack, size-half+slack)
			touch(a, 0, half)
			within("touched again", rss()-before, size-slack, size+slack)
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
			within("closed", rss()-before, -slack, slack)
		})
	}
}

func touch(a *Arena, off, n int64) {
	b := a.Bytes(off, int(n))
	for i := 0; i < len(b); i += int(pageSize) {
		b[i] = 1
	}
}

func TestReleaseTakesOnlyWholePages(t *testing.T) {
	a := newArena(t, 4*pageSize)
	all := a.Bytes(0, int(4*pageSize))
	for i := range all {
		all[i] = 7
	}
	if err := a.Release(100, 3*pageSize); err != nil {
		t.Fatal(err)
	}
	for _, r := range [][2]int64{{0, 100}, {100 + 3*pageSize, 4 * pageSize}} {
		for i, v := range a.Bytes(r[0], int(r[1]-r[0])) {
			if v != 7 {
				t.Fatalf("byte %d beside the released range is %d", r[0]+int64(i), v)
			}
		}
	}
	for i, v := range a.Bytes(pageSize, int(2*pageSize)) {
		if v != 0 {
			t.Fatalf("byte %d of a released page is %d when used again", i, v)
		}
	}
}

func ExampleArena() {
	arena, err := NewArena(1 << 20)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer arena.Close()
	weights := arena.Float32s(0, 3) // addresses come from a plan
	copy(weights, []float32{1, 2, 3})
	fmt.Println(weights, FormatSize(arena.Size()))
	// Output: [1 2 3] 1MiB
}
