package memory

import (
	"fmt"
	"runtime/debug"
	"sync/atomic"
)

// goHeap is what a job counts for the Go heap, stacks and the runtime's own tables: bookkeeping only, since numbers live
// in arenas. A process that holds more when it is asked counts that and half of this on top.
const goHeap = 16 << 20

// smallestGoHeap is the least memory that Go code can be asked to live in: below, it would collect garbage all the time.
const smallestGoHeap = 6 << 20

// arenaBytes is the size of all open arenas.
var arenaBytes atomic.Int64

// ArenaBytes returns the size of all arenas of the process that are open: what the items of its plans come to.
func ArenaBytes() int64 { return arenaBytes.Load() }

// CodeBytes returns how much resident memory code can take at most: the size of the executable as mapped, all of whose
// pages may be touched in a long run.
func CodeBytes() (int64, error) {
	n, err := codeBytes()
	return roundUp(n, 1<<20), err
}

// Baseline returns the bytes that every job of this process counts before its first arena: code, Go heap and stacks, and
// the buffers of [File]. It is the same from start to start, so that a budget that a plan names as sufficient is.
func Baseline() (int64, error) {
	code, err := CodeBytes()
	if err != nil {
		return 0, err
	}
	debug.FreeOSMemory() // garbage of the start, of which there is sometimes more and sometimes less
	held, err := anonymous()
	if err != nil {
		return 0, err
	}
	heap := int64(goHeap)
	if used := held - arenaBytes.Load(); used > goHeap/2 {
		heap = roundUp(used+goHeap/2, 4<<20)
	}
	return code + heap + bounceCount*bounceBytes, nil
}

// LimitGoHeap holds everything that Go manages (heap, stacks, runtime tables) to what arenas and other off-heap memory of
// offHeap bytes, the code and the buffers of [File] leave of the budget, and returns that limit. The limit is soft: Go collects garbage more often as
// it comes near, and exceeds it when the live heap is larger.
func LimitGoHeap(budget, offHeap, code int64) (int64, error) {
	limit := budget - offHeap - code - bounceCount*bounceBytes
	if limit < smallestGoHeap {
		return 0, fmt.Errorf("a budget of %s leaves %s for the Go heap beside %s of arenas and %s of code, at least %s are needed; give --memory %s",
			FormatSize(budget), FormatSize(max(limit, 0)), FormatSize(offHeap), FormatSize(code), FormatSize(smallestGoHeap), FormatSize(offHeap+code+bounceCount*bounceBytes+smallestGoHeap))
	}
	debug.SetMemoryLimit(limit)
	return limit, nil
}
