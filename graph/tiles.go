package graph

import (
	"fmt"
	"slices"

	"github.com/seraph-ml/seraph/engine/memory"
)

// tiles is a matrix of rows × cols on disk, written in blocks of columns and read in blocks of columns or in rows. It is cut
// into tiles of shardRows rows and width columns (fewer in the last block of columns). The tiles of a block of columns lie one
// after another, blocks follow each other, and a tile is row-major with its columns side by side:
//
//	columns 0 … w−1: tile of shard 0, tile of shard 1, …, columns w … 2w−1: tile of shard 0, …
//
// So a block of columns is one contiguous range, and following rows of it are one. A tile begins at a multiple of
// memory.BlockSize: transfers pass by the page cache without a copy. The last shard has the full number of rows, of which
// those beyond rows mean nothing.
type tiles struct {
	file              *memory.File
	rows, cols, width int
}

// shardRows is the number of rows of a shard: 1024 rows of any number of float32 columns are whole disk blocks, and a tile
// of 16 columns is 64 KiB, enough for a transfer to be worth its latency.
const shardRows = 1024

// farApart is how many bytes between two wanted rows are rather read along than skipped: what a disk transfers in the time
// that a request costs.
const farApart = 64 << 10

// stagingBytes is the size of the buffer that ranges pass through on their way into rows.
const stagingBytes = 1 << 20

func tileBytes(rows, cols int) int64 { return 4 * int64(padRows(rows)) * int64(cols) }

// padRows rounds up to whole shards.
func padRows(rows int) int { return (rows + shardRows - 1) / shardRows * shardRows }

func newTiles(spill *memory.Spill, name string, rows, cols, width int) (*tiles, error) {
	file, err := spill.Create(name, tileBytes(rows, cols))
	if err != nil {
		return nil, err
	}
	return &tiles{file: file, rows: rows, cols: cols, width: width}, nil
}

func (t *tiles) close() error { return t.file.Close() }

// offset is where the tile of a shard begins whose first column is lo.
func (t *tiles) offset(shard, lo int) int64 {
	return 4 * (int64(padRows(t.rows))*int64(lo) + shardRows*int64(shard)*int64(t.blockWidth(lo)))
}

// blockWidth is the number of columns of the block that begins at lo.
func (t *tiles) blockWidth(lo int) int { return min(t.width, t.cols-lo) }

// writeTiles writes tiles of the block of columns that begins at lo, from a shard on: as many as there are in raw.
func (t *tiles) writeTiles(shard, lo int, raw []byte) error {
	_, err := t.file.WriteAt(raw, t.offset(shard, lo))
	return err
}

// readBlock reads the block of columns that begins at lo.
func (t *tiles) readBlock(lo int, raw []byte) error {
	_, err := t.file.ReadAt(raw[:4*padRows(t.rows)*t.blockWidth(lo)], t.offset(0, lo))
	return err
}

// staging is a buffer that begins on a page.
type staging struct {
	raw    []byte
	floats []float32
}

// readRows reads rows lo … hi−1 into dst, hi−lo rows of cols.
func (t *tiles) readRows(dst []float32, lo, hi int, s *staging) error {
	for c := 0; c < t.cols; c += t.width {
		w := t.blockWidth(c)
		for row := lo; row < hi; {
			end := min(hi, row+s.rows(w))
			piece, err := t.fetch(row, end, c, s)
			if err != nil {
				return err
			}
			for i := range end - row {
				copy(dst[(row-lo+i)*t.cols+c:][:w], piece[i*w:])
			}
			row = end
		}
	}
	return nil
}

// rows is how many rows of w columns the buffer takes, at whatever place in a disk block the first begins.
func (s *staging) rows(w int) int { return max(1, (len(s.raw)-2*memory.BlockSize)/(4*w)) }

// gather reads the rows named by ids into dst, len(ids) rows of cols, in the order of the disk: order is working memory
// of as many elements.
func (t *tiles) gather(dst []float32, ids, order []int32, s *staging) error {
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return int(ids[a] - ids[b]) })
	for c := 0; c < t.cols; c += t.width {
		w := t.blockWidth(c)
		for i := 0; i < len(order); {
			first := int(ids[order[i]])
			limit := first + s.rows(w)
			j := i + 1
			for j < len(order) && int(ids[order[j]]) < limit && 4*w*int(ids[order[j]]-ids[order[j-1]]) <= farApart+4*w {
				j++
			}
			piece, err := t.fetch(first, int(ids[order[j-1]])+1, c, s)
			if err != nil {
				return err
			}
			for ; i < j; i++ {
				at := int(order[i])
				copy(dst[at*t.cols+c:][:w], piece[(int(ids[at])-first)*w:])
			}
		}
	}
	return nil
}

// fetch reads rows lo … hi−1 of the block of columns that begins at c into the buffer.
func (t *tiles) fetch(lo, hi, c int, s *staging) ([]float32, error) {
	w := t.blockWidth(c)
	begin := t.offset(0, c) + 4*int64(lo)*int64(w)
	skip := begin % memory.BlockSize
	end := begin + 4*int64(hi-lo)*int64(w)
	end = (end + memory.BlockSize - 1) / memory.BlockSize * memory.BlockSize
	if end-(begin-skip) > int64(len(s.raw)) {
		return nil, fmt.Errorf("read %d rows of %d columns: more than the buffer of %d bytes takes", hi-lo, w, len(s.raw))
	}
	if _, err := t.file.ReadAt(s.raw[:end-(begin-skip)], begin-skip); err != nil {
		return nil, err
	}
	return s.floats[skip/4:][:(hi-lo)*w], nil
}
