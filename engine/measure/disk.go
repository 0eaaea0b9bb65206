package measure

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seraph-ml/seraph/engine/memory"
)

// Disk is how fast a disk is, past the page cache.
type Disk struct {
	Read    float64 `json:"read"`            // bytes a second, in pieces of 4 MiB, one after the other
	Write   float64 `json:"write"`           // bytes a second, the same, until they are safe
	Latency float64 `json:"latency_seconds"` // of reading 4 KiB anywhere: the median
	Direct  bool    `json:"direct"`          // the file system passes by the page cache; else ranges are dropped from it, and reads may still be served by it
}

const (
	diskPiece   = 4 << 20
	diskLookups = 64
)

// MeasureDisk measures the disk that a folder lies on, with a temporary file of so many bytes (a multiple of 4 MiB) that has no
// name and goes with the process. A folder in memory is an error.
func MeasureDisk(ctx context.Context, dir string, bytes int64, limit time.Duration) (d Disk, err error) {
	spill, err := memory.OpenSpill(memory.Disk{Dir: dir})
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, spill.Close()) }()
	f, err := spill.Create("measurement", bytes)
	if err != nil {
		return d, err
	}
	piece, err := memory.NewArena(diskPiece)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, piece.Close()) }()
	buf := piece.Bytes(0, diskPiece)
	for i := range buf { // nothing that a file system or an SSD could compress
		buf[i] = byte(uint32(i) * 2654435761 >> 13)
	}
	d.Direct = f.Direct()

	written, seconds, err := through(ctx, bytes, limit, func(at int64) error {
		_, err := f.WriteAt(buf, at)
		return err
	}, f.Sync)
	if err != nil {
		return d, err
	}
	d.Write = float64(written) / seconds
	read, seconds, err := through(ctx, written, limit, func(at int64) error {
		_, err := f.ReadAt(buf, at)
		return err
	}, nil)
	if err != nil {
		return d, err
	}
	d.Read = float64(read) / seconds
	d.Latency, err = latency(ctx, f, written, buf[:memory.BlockSize], limit)
	return d, err
}

// through moves pieces one after the other, until so many bytes or a time have passed, and returns how many in which time.
func through(ctx context.Context, bytes int64, limit time.Duration, move func(at int64) error, end func() error) (int64, float64, error) {
	began := time.Now()
	at := int64(0)
	for ; at < bytes && (at == 0 || time.Since(began) < limit); at += diskPiece {
		if err := errors.Join(ctx.Err(), move(at)); err != nil {
			return 0, 0, err
		}
	}
	if end != nil {
		if err := end(); err != nil {
			return 0, 0, err
		}
	}
	return at, max(time.Since(began), 1).Seconds(), nil
}

// latency is the median time of reads at places all over the file.
func latency(ctx context.Context, f *memory.File, bytes int64, buf []byte, limit time.Duration) (float64, error) {
	began := time.Now()
	blocks := uint64(bytes / memory.BlockSize)
	var times []time.Duration
	for i := uint64(0); i < diskLookups && (i == 0 || time.Since(began) < limit); i++ {
		at := int64(i * 0x9e3779b97f4a7c15 % blocks * memory.BlockSize)
		start := time.Now()
		_, err := f.ReadAt(buf, at)
		if err = errors.Join(err, ctx.Err()); err != nil {
			return 0, err
		}
		times = append(times, max(time.Since(start), 1))
	}
	slices.Sort(times)
	return times[len(times)/2].Seconds(), nil
}
