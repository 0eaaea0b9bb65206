package rowfile

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
)

// batchBytes is how much of a file is read at once, one batch while the one before is worked on. It is no setting: what a pass
// does between two batches must not depend on the memory there is.
const batchBytes = 1 << 20

// File is a file that is read.
type File struct {
	Index
	file    *memory.File
	arena   *memory.Arena // two batches
	offsets []int64       // of blocks
}

// FileBytes is the memory that reading a file of this index takes.
func FileBytes(x *Index) int64 { return 2*batch(x) + 24*int64(len(x.Pages)) }

func batch(x *Index) int64 { return max(batchBytes, x.Largest()) }

// Open opens the file of an index.
func Open(path string, x *Index) (f *File, err error) {
	opened := &File{Index: *x, offsets: make([]int64, len(x.Pages))}
	f = opened
	if f.file, err = memory.Open(path); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			opened.Close()
		}
	}()
	size, err := f.file.Size()
	if err != nil {
		return nil, err
	}
	at := int64(memory.BlockSize)
	for i, n := range x.Pages {
		f.offsets[i] = at
		at += int64(n) * memory.BlockSize
	}
	if at != x.Bytes || size != x.Bytes || len(x.Firsts) != len(x.Pages) {
		return nil, format.CorruptAt(path, min(size, at), "rows", fmt.Sprintf("%d bytes", size), fmt.Sprintf("%d", x.Bytes))
	}
	if f.arena, err = memory.NewArena(2 * batch(x)); err != nil {
		return nil, err
	}
	head := f.arena.Bytes(0, memory.BlockSize)
	if _, err := f.file.ReadAt(head, 0); err != nil {
		return nil, format.ReadError(path, 0, "header", err)
	}
	if string(head[:len(magic)]) != magic || binary.LittleEndian.Uint32(head[len(magic):]) != version {
		return nil, format.CorruptAt(path, 0, "magic and version", fmt.Sprintf("%q", head[:len(magic)+4]), magic+" 1")
	}
	return f, nil
}

// Close closes it.
func (f *File) Close() error {
	err := f.file.Close()
	if f.arena != nil {
		err = errors.Join(err, f.arena.Close())
	}
	return err
}

// Traffic counts the bytes read.
func (f *File) Traffic() *memory.Traffic { return f.file.Traffic() }

// Pass reads the blocks that want is true for, which is asked before the first is read and given the range of their vertices,
// in order and some at a time. For those that are read together work is called with each from the workers of the pool, then done with each in order. Which are
// read together depends on the file and on want alone. The first error ends the pass.
func (f *File) Pass(ctx context.Context, pool *kernel.Pool, want func(first, end int32) bool, work func(worker int, b *Block) error, done func(b *Block) error) error {
	var wanted []int // blocks
	for i := range f.Pages {
		if want(f.span(i)) {
			wanted = append(wanted, i)
		}
	}
	quit := make(chan struct{})
	full, free := make(chan *batchRead), make(chan []byte, 2)
	size := batch(&f.Index)
	for i := range int64(2) {
		free <- f.arena.Bytes(i*size, int(size))
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.readAll(wanted, full, free, quit)
	}()
	defer func() { <-ended }()
	defer close(quit)
	for b := range full {
		if err := errors.Join(ctx.Err(), b.err); err != nil {
			return err
		}
		b.work, b.errs = work, make([]error, len(b.blocks))
		pool.For(len(b.blocks), 1, b)
		for i := range b.blocks {
			if err := b.errs[i]; err != nil {
				return err
			}
			if err := done(&b.blocks[i]); err != nil {
				return err
			}
		}
		free <- b.space
	}
	return ctx.Err()
}

// batchRead is blocks that were read together; working on them is a task whose units are blocks.
type batchRead struct {
	file   *File
	space  []byte
	blocks []Block
	err    error
	work   func(worker int, b *Block) error
	errs   []error
}

// Do works on blocks lo to hi.
func (b *batchRead) Do(worker, lo, hi int) {
	for i := lo; i < hi; i++ {
		block := &b.blocks[i]
		if b.errs[i] = block.open(); b.errs[i] == nil {
			b.errs[i] = b.work(worker, block)
		}
	}
}

// open checks a block.
func (b *Block) open() error {
	n := binary.LittleEndian.Uint32(b.raw[4:])
	if n < blockHeader || int64(n) > int64(len(b.raw)) || crc32.Checksum(b.raw[4:n], castagnoli) != binary.LittleEndian.Uint32(b.raw) {
		return format.CorruptAt(b.path, b.offset, "block of rows", "a wrong checksum", "what was written").
			WithHint("the disk or the file is damaged: read the edges again, without --resume")
	}
	b.rows = int(binary.LittleEndian.Uint32(b.raw[12:]))
	b.Body = b.raw[blockHeader:n]
	return nil
}

// readAll reads these blocks in batches, until quit.
func (f *File) readAll(wanted []int, full chan<- *batchRead, free <-chan []byte, quit <-chan struct{}) {
	defer close(full)
	for len(wanted) > 0 {
		var space []byte
		select {
		case space = <-free:
		case <-quit:
			return
		}
		b := &batchRead{file: f, space: space}
		wanted = wanted[f.fill(b, wanted):]
		select {
		case full <- b:
		case <-quit:
			return
		}
	}
}

// fill reads as many of these blocks as there is room for, neighbours in the file with one read, and says how many.
func (f *File) fill(b *batchRead, wanted []int) (n int) {
	used := int64(0)
	for n < len(wanted) {
		from, begin := f.offsets[wanted[n]], used
		for at := from; n < len(wanted) && f.offsets[wanted[n]] == at; n++ {
			i := wanted[n]
			size := int64(f.Pages[i]) * memory.BlockSize
			if used+size > int64(len(b.space)) {
				break
			}
			first, end := f.span(i)
			b.blocks = append(b.blocks, Block{First: first, End: end, path: f.file.Name(), offset: at, raw: b.space[used : used+size : used+size]})
			used += size
			at += size
		}
		if used == begin {
			break
		}
		if _, err := f.file.ReadAt(b.space[begin:used], from); err != nil {
			b.err = format.ReadError(f.file.Name(), from, "blocks of rows", err)
			break
		}
	}
	return n
}

// span is the range of vertices of a block.
func (f *File) span(i int) (first, end int32) {
	first = f.Firsts[i]
	if i+1 < len(f.Firsts) {
		return first, min(f.Firsts[i+1], first+blockSpan)
	}
	return first, int32(min(int64(f.Nodes), int64(first)+blockSpan))
}
