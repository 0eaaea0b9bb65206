package graph

import (
	"errors"

	"github.com/seraph-ml/seraph/engine/memory"
)

// SpilledFeatures are features that are made row by row, and lie on disk.
type SpilledFeatures struct {
	tiles *tiles // a single block of columns: row after row
	arena *memory.Arena
	rows  staging // whole shards on their way to the disk, and back
	made  int     // rows so far
}

// SpilledBytes is the memory that spilled features of so many columns take, and SpilledDisk what so many rows take of the disk.
func SpilledBytes(cols int) int64 { return spilledStaging(cols) + 2*memory.BlockSize }

// SpilledDisk is described with SpilledBytes.
func SpilledDisk(rows, cols int) int64 { return tileBytes(rows, cols) }

func spilledStaging(cols int) int64 {
	shard := 4 * int64(shardRows) * int64(cols)
	return max(1, stagingBytes/shard) * shard
}

// NewSpilledFeatures sets memory and disk aside for so many rows.
func NewSpilledFeatures(spill *memory.Spill, name string, rows, cols int) (*SpilledFeatures, error) {
	arena, err := memory.NewArena(SpilledBytes(cols))
	if err != nil {
		return nil, err
	}
	f := &SpilledFeatures{arena: arena, rows: (&bump{arena: arena}).staging(int(spilledStaging(cols) + memory.BlockSize))}
	if f.tiles, err = newTiles(spill, name, rows, cols, cols); err != nil {
		return nil, errors.Join(err, arena.Close())
	}
	return f, nil
}

// capacity is the number of rows that are on their way at a time.
func (f *SpilledFeatures) capacity() int {
	return int(spilledStaging(f.tiles.cols)) / (4 * f.tiles.cols)
}

// Row returns where the next row is to be made, before Row or Features is called again.
func (f *SpilledFeatures) Row() ([]float32, error) {
	at := f.made % f.capacity()
	if at == 0 && f.made > 0 {
		if err := f.flush(f.made-f.capacity(), f.capacity()); err != nil {
			return nil, err
		}
	}
	f.made++
	return f.rows.floats[at*f.tiles.cols:][:f.tiles.cols], nil
}

// flush writes n rows from the first on.
func (f *SpilledFeatures) flush(first, n int) error {
	return f.tiles.writeTiles(first/shardRows, 0, f.rows.raw[:4*padRows(n)*f.tiles.cols])
}

// Features are the rows, once all have been made. They are read by one goroutine at a time, and not after Close.
func (f *SpilledFeatures) Features() (Features, error) {
	if last := (f.made - 1) / f.capacity() * f.capacity(); f.made > 0 {
		if err := f.flush(last, f.made-last); err != nil {
			return Features{}, err
		}
	}
	read := func(first int, dst []float32) error {
		return f.tiles.readRows(dst, first, first+len(dst)/f.tiles.cols, &f.rows)
	}
	return Features{Rows: f.tiles.rows, Cols: f.tiles.cols, Read: read}, nil
}

// Close gives memory and disk back.
func (f *SpilledFeatures) Close() error { return errors.Join(f.tiles.close(), f.arena.Close()) }
