package graph

import (
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/engine/memory"
)

// newTestTiles writes a matrix whose elements are their positions.
func newTestTiles(t *testing.T, rows, cols, width int) (*tiles, *memory.Spill, *staging) {
	t.Helper()
	spill := openSpill(t)
	m, err := newTiles(spill, "test", rows, cols, width)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.close() })
	arena, err := memory.NewArena(stagingBytes + 4*shardRows*int64(width) + 2*memory.BlockSize)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { arena.Close() })
	b := &bump{arena: arena}
	s, tile := b.staging(stagingBytes), b.staging(4*shardRows*width)
	for shard := range padRows(rows) / shardRows {
		for lo := 0; lo < cols; lo += width {
			w := m.blockWidth(lo)
			for i := range shardRows {
				for c := range w {
					tile.floats[i*w+c] = float32((shard*shardRows+i)*cols + lo + c)
				}
			}
			if err := m.writeTiles(shard, lo, tile.raw[:4*shardRows*w]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return m, spill, &s
}

func TestTilesGiveBackRows(t *testing.T) {
	// Tiles smaller than the buffer, and rows of which few fit in it.
	for _, size := range [][3]int{{1500, 100, 33}, {1100, 3000, 1900}, {3, 5, 5}} {
		rows, cols := size[0], size[1]
		m, _, s := newTestTiles(t, rows, cols, size[2])
		want := func(row int) []float32 {
			x := make([]float32, cols)
			for c := range x {
				x[c] = float32(row*cols + c)
			}
			return x
		}
		for _, part := range [][2]int{{0, rows}, {0, 1}, {rows - 1, rows}, {rows / 3, rows - rows/4}, {1, 1}} {
			dst := make([]float32, (part[1]-part[0])*cols)
			if err := m.readRows(dst, part[0], part[1], s); err != nil {
				t.Fatal(err)
			}
			for i := range part[1] - part[0] {
				if !slices.Equal(dst[i*cols:(i+1)*cols], want(part[0]+i)) {
					t.Fatalf("%v: row %d of rows %v differs", size, part[0]+i, part)
				}
			}
		}
		var ids []int32 // all, backwards and some twice
		for i := range rows {
			ids = append(ids, int32(rows-1-i))
			if i%5 == 0 {
				ids = append(ids, int32(i))
			}
		}
		dst := make([]float32, len(ids)*cols)
		if err := m.gather(dst, ids, make([]int32, len(ids)), s); err != nil {
			t.Fatal(err)
		}
		for i, id := range ids {
			if !slices.Equal(dst[i*cols:(i+1)*cols], want(int(id))) {
				t.Fatalf("%v: gathered row %d differs", size, id)
			}
		}
	}
}

// Rows far apart are read alone, rows close together at once, and a shard of rows is read as a whole.
func TestTilesReadLittleMoreThanIsAskedFor(t *testing.T) {
	const rows, cols, width = 2048, 512, 256
	m, spill, s := newTestTiles(t, rows, cols, width)
	dst := make([]float32, rows*cols)
	read := func(f func() error) int64 {
		t.Helper()
		before := spill.Traffic().Read.Load()
		if err := f(); err != nil {
			t.Fatal(err)
		}
		return spill.Traffic().Read.Load() - before
	}
	gather := func(ids ...int32) int64 {
		return read(func() error { return m.gather(dst, ids, make([]int32, len(ids)), s) })
	}
	const block, tileRow = memory.BlockSize, 4 * width
	for _, c := range []struct {
		what      string
		got, most int64
	}{
		{"one row", gather(700), 2 * block},
		{"the ends", gather(rows-1, 0), 4 * block},
		{"neighbours", gather(5, 3, 4, 6), 2 * 2 * block},
		{"64 KiB apart", gather(0, 64), 2 * (64*tileRow + block)},
		{"more than 64 KiB apart", gather(0, 66), 4 * block},
		{"a quarter of a shard", read(func() error { return m.readRows(dst, 0, 256, s) }), 2 * 256 * tileRow},
		{"everything", read(func() error { return m.readRows(dst, 0, rows, s) }), 4*rows*cols + 8*block},
	} {
		if c.got > c.most || c.got == 0 {
			t.Errorf("%s: %d bytes are read, at most %d expected", c.what, c.got, c.most)
		}
	}
}
