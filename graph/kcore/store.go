package kcore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/graph/kcore/rowfile"
)

// Store is a graph that [Import] has put on disk, with its estimates in memory.
type Store struct {
	Names
	Counts
	Core     []int32 // estimates, which Decompose makes the core numbers; −1 where there is no vertex
	Progress Progress
	Rows     *rowfile.File

	dir   string
	names int64  // bytes of the file of ids that are texts
	idSum uint32 // CRC-32C of the file of ids
	arena *memory.Arena
}

// StoreBytes is the memory of a store, parts and sweeps without.
func StoreBytes(nodes int64, x *rowfile.Index) int64 { return 4*nodes + rowfile.FileBytes(x) }

// OpenStore opens the store in a folder.
func OpenStore(dir string) (s *Store, err error) {
	m, err := readMeta(dir)
	if err != nil {
		return nil, err
	}
	s = &Store{Names: Names{Nodes: m.Nodes, declared: m.Declared}, Counts: m.Counts, dir: dir, names: m.Names, idSum: m.IDSum}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	bytes := 4 * int64(m.Nodes)
	if m.Sparse {
		bytes = (bytes+7)&^7 + 8*int64(m.Nodes)
	}
	if s.arena, err = memory.NewArena(bytes); err != nil {
		return s, err
	}
	s.Core = s.arena.Int32s(0, m.Nodes)
	if m.Sparse {
		s.ids = s.arena.Int64s((4*int64(m.Nodes)+7)&^7, m.Nodes)
	}
	if s.Progress, err = readState(filepath.Join(dir, stateFile), s.Core); err != nil {
		return s, err
	}
	s.Rows, err = rowfile.Open(filepath.Join(dir, rowsFile), &m.Index)
	return s, err
}

// Close closes it.
func (s *Store) Close() (err error) {
	err = s.labels.close()
	if s.Rows != nil {
		err = errors.Join(err, s.Rows.Close())
	}
	if s.arena != nil {
		err = errors.Join(err, s.arena.Close())
	}
	return err
}

// Decompose computes the core numbers, from where it was when it was interrupted. Notice is told of every sweep and part.
func (s *Store) Decompose(ctx context.Context, d Divide, pool *kernel.Pool, notice func(Progress)) (err error) {
	d.Rows, d.Core = s.Rows, s.Core
	d.Save = func(p Progress) error {
		notice(p)
		return writeState(filepath.Join(s.dir, stateFile), s.Core, p)
	}
	s.Progress, err = d.Run(ctx, pool, s.Progress)
	return err
}

// scan calls do with every row, from the workers of the pool.
func (s *Store) scan(ctx context.Context, pool *kernel.Pool, do func(worker int, r *rowfile.Rows) error) error {
	everything := func(int32, int32) bool { return true }
	return s.Rows.Pass(ctx, pool, everything, func(worker int, b *rowfile.Block) error {
		r := b.Rows()
		for r.Next() {
			if err := do(worker, &r); err != nil {
				return err
			}
		}
		if r.Broken() {
			return b.Corrupt()
		}
		return nil
	}, func(*rowfile.Block) error { return nil })
}

// Name makes the names complete, when the estimates are core numbers, and those of numbers that are no vertices 0. With ids
// that are far apart, or texts, it reads these.
func (s *Store) Name() (err error) {
	if s.names > 0 && s.labels == nil {
		s.labels, err = readLabels(filepath.Join(s.dir, namesFile), s.Nodes, s.names, s.idSum)
		return err
	}
	if s.ids != nil {
		return s.readIDs()
	}
	if s.declared {
		return nil
	}
	s.present = newPresence(s.Nodes)
	for v, k := range s.Core {
		if k >= 0 {
			s.note(v)
		} else {
			s.Core[v] = 0
		}
	}
	return nil
}

func (s *Store) readIDs() error {
	path := filepath.Join(s.dir, idsFile)
	f, err := memory.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return err
	}
	if size != 8*int64(s.Nodes) {
		return format.CorruptAt(path, 0, "ids", fmt.Sprintf("%d bytes", size), fmt.Sprint(8*int64(s.Nodes)))
	}
	buf := make([]byte, stateChunk)
	before, crc := int64(-1), uint32(0)
	for at := int64(0); at < size; at += stateChunk {
		part := buf[:min(stateChunk, size-at)]
		if _, err := f.ReadAt(part, at); err != nil {
			return format.ReadError(path, at, "ids", err)
		}
		crc = crc32.Update(crc, castagnoli, part)
		for i := 0; i < len(part); i += 8 {
			id := int64(binary.LittleEndian.Uint64(part[i:]))
			if id <= before {
				return format.CorruptAt(path, at+int64(i), "id", fmt.Sprint(id), fmt.Sprintf("more than %d", before))
			}
			s.ids[(at+int64(i))/8], before = id, id
		}
	}
	if crc != s.idSum {
		return wrongSum(path)
	}
	return nil
}
