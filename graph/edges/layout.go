package edges

import "github.com/seraph-ml/seraph/engine/memory"

// Least is the least memory to sort in, in bytes.
const Least = 1 << 20

const (
	leastBuffer = 32 << 10  // bytes of a run that are read at once
	mostBuffer  = 1 << 20   // beyond it disks get no faster
	leastKeys   = 64        // decoded keys of a run
	mostRow     = 256 << 20 // bytes of a row that is given at once
)

// layout is how the memory of a sorter is divided: first where pairs are collected and runs are merged, then a buffer for
// writing, one for a row, and room for runs.
type layout struct{ sort, staging, row, kept int64 }

func newLayout(size int64) layout {
	l := layout{staging: blocks(min(max(size/32, 64<<10), mostBuffer)), row: blocks(min(size/16, mostRow))}
	l.sort = blocks((size - l.staging - l.row) / 2)
	l.kept = size - l.staging - l.row - l.sort
	return l
}

// blocks rounds down.
func blocks(bytes int64) int64 { return bytes / memory.BlockSize * memory.BlockSize }

func (l *layout) stagingAt() int64 { return l.sort }
func (l *layout) rowAt() int64     { return l.sort + l.staging }
func (l *layout) keptAt() int64    { return l.sort + l.staging + l.row }

// smallest is the least buffer of a run on disk that is merged.
func (l *layout) smallest() int64 { return blocks(min(max(l.sort/64, leastBuffer), mostBuffer/4)) }

// fit says whether so many runs, and so many of them on disk, can be merged at once.
func (l *layout) fit(runs, onDisk, words int) bool {
	return int64(onDisk)*(memory.BlockSize+l.smallest()) <= l.sort/2 && int64(runs)*keyBytes(words)*leastKeys <= l.sort/2
}

// keyBytes is what a decoded key takes: in its run's block, and twice where blocks are sorted.
func keyBytes(words int) int64 { return 3 * 8 * int64(words) }

// pass returns how many of the runs on disk are to be merged before all can be; 0 when they can.
func (l *layout) pass(runs, onDisk, words int) int {
	if l.fit(runs, onDisk, words) {
		return 0
	}
	n := 2
	for n < onDisk && !l.fit(runs-n+1, onDisk-n+1, words) && l.fit(n+1, n+1, words) {
		n++
	}
	return n
}

// share divides the memory among runs that are merged: the buffer of each on disk, in bytes, and the decoded keys of each.
func (l *layout) share(runs, onDisk, words int) (buffer int64, keys int) {
	rest := l.sort
	if onDisk > 0 {
		buffer = min(max(blocks(l.sort/4/int64(onDisk)), l.smallest()), mostBuffer)
		rest -= int64(onDisk) * (memory.BlockSize + buffer)
	}
	return buffer, int(rest / (keyBytes(words) * int64(runs)))
}
