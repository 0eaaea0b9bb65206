package rowfile

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/seraph-ml/seraph/engine/memory"
)

const (
	magic       = "SRPHROWS"
	version     = 1
	blockBytes  = 64 << 10 // of a block that has room for another row
	blockSpan   = 1 << 16  // vertices from the first of a block to its last: what Pass may keep a value each of
	blockHeader = 16
	rowHeader   = 15 // bytes at most before the neighbours
	varintBytes = 5
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Index says where the blocks of a file lie, and how large its graph is.
type Index struct {
	Nodes   int     `json:"nodes"`   // numbers below which all vertices lie
	Rows    int64   `json:"rows"`    // vertices with a row
	Entries int64   `json:"entries"` // of all rows
	Longest int     `json:"longest"` // entries of the longest row
	Bytes   int64   `json:"bytes"`   // of the file
	Pages   []int32 `json:"pages"`   // of each block
	Firsts  []int32 `json:"firsts"`  // first vertex of each block
}

// Largest is the size of the largest block, in bytes.
func (x *Index) Largest() int64 {
	most := int32(0)
	for _, n := range x.Pages {
		most = max(most, n)
	}
	return int64(most) * memory.BlockSize
}

// Writer writes a file row by row.
type Writer struct {
	file  *memory.File
	index Index
	room  func(bytes int64) error // says whether there is room on the disk for a file that long
	block []byte                  // of which n bytes are filled; page-aligned
	n     int
	rows  int
	first int32
	last  int32 // vertex of the row before

	row    []byte // neighbours of the row at hand
	filled int
	vertex int32 // of it, -1: none
	degree int
	before uint32 // neighbour before
}

// WriterBytes is the memory of a writer of rows of at most so many bytes.
func WriterBytes(row int64) int64 { return 2*row + blockBytes + 2*memory.BlockSize }

// NewWriter writes to an empty file, in memory of WriterBytes(row) that begins at a page. Room is asked before the file grows.
func NewWriter(file *memory.File, space []byte, row int64, room func(bytes int64) error) (*Writer, error) {
	w := &Writer{file: file, room: room, vertex: -1, row: space[:row], block: space[pages(row)*memory.BlockSize:]}
	copy(w.block, magic)
	binary.LittleEndian.PutUint32(w.block[len(magic):], version)
	clear(w.block[len(magic)+4 : memory.BlockSize])
	w.index.Bytes = memory.BlockSize
	w.n = blockHeader
	_, err := file.WriteAt(w.block[:memory.BlockSize], 0)
	return w, err
}

func pages(bytes int64) int64 { return (bytes + memory.BlockSize - 1) / memory.BlockSize }

// Begin begins the row of a vertex, after those of smaller ones.
func (w *Writer) Begin(v int32) error {
	if err := w.end(); err != nil {
		return err
	}
	w.vertex, w.filled, w.degree, w.before = v, 0, 0, 0
	return nil
}

// Append appends ascending neighbours, less offset, to the row.
func (w *Writer) Append(neighbours []uint64, offset uint64) error {
	if int64(len(w.row)-w.filled) < varintBytes*int64(len(neighbours)) {
		return fmt.Errorf("vertex %d has more than %d neighbours, too many for the memory in which rows are written; give a larger --memory", w.vertex, w.degree)
	}
	at, before, row := w.filled, w.before, w.row
	for _, u := range neighbours {
		next := uint32(u - offset)
		at += put(row[at:], next-before)
		before = next
	}
	w.filled, w.before = at, before
	w.degree += len(neighbours)
	return nil
}

// put writes a varint of at most varintBytes bytes, and returns how many.
func put(b []byte, x uint32) int {
	n := 0
	for x >= 0x80 {
		b[n] = byte(x) | 0x80
		x >>= 7
		n++
	}
	b[n] = byte(x)
	return n + 1
}

// Degree is that of the row at hand so far.
func (w *Writer) Degree() int { return w.degree }

// end puts the row at hand into the block.
func (w *Writer) end() error {
	if w.vertex < 0 {
		return nil
	}
	if w.rows > 0 && (w.n+rowHeader+w.filled > blockBytes || w.vertex-w.first >= blockSpan) {
		if err := w.flush(); err != nil {
			return err
		}
	}
	if w.rows == 0 {
		w.first, w.last = w.vertex, w.vertex
	}
	w.n += PutRow(w.block[w.n:], uint32(w.vertex-w.last), w.degree, w.row[:w.filled])
	w.last = w.vertex
	w.rows++
	w.index.Rows++
	w.index.Entries += int64(w.degree)
	w.index.Longest = max(w.index.Longest, w.degree)
	w.index.Nodes = max(w.index.Nodes, int(w.vertex)+1)
	return nil
}

// PutRow writes a row whose vertex is so much larger than the one before it, and returns its bytes.
func PutRow(b []byte, gap uint32, degree int, neighbours []byte) int {
	n := put(b, gap)
	n += put(b[n:], uint32(degree))
	if degree == 0 {
		return n
	}
	n += put(b[n:], uint32(len(neighbours)))
	return n + copy(b[n:], neighbours)
}

// flush writes the block.
func (w *Writer) flush() error {
	count := pages(int64(w.n))
	block := w.block[:count*memory.BlockSize]
	clear(block[w.n:])
	binary.LittleEndian.PutUint32(block[4:], uint32(w.n))
	binary.LittleEndian.PutUint32(block[8:], uint32(w.first))
	binary.LittleEndian.PutUint32(block[12:], uint32(w.rows))
	binary.LittleEndian.PutUint32(block, crc32.Checksum(block[4:w.n], castagnoli))
	if err := w.room(w.index.Bytes + int64(len(block))); err != nil {
		return err
	}
	if _, err := w.file.WriteAt(block, w.index.Bytes); err != nil {
		return err
	}
	w.index.Bytes += int64(len(block))
	w.index.Pages = append(w.index.Pages, int32(count))
	w.index.Firsts = append(w.index.Firsts, w.first)
	w.n, w.rows = blockHeader, 0
	return nil
}

// End writes what is left and returns the index. The file is safe then against a crash of the machine.
func (w *Writer) End() (*Index, error) {
	if err := w.end(); err != nil {
		return nil, err
	}
	if w.rows > 0 {
		if err := w.flush(); err != nil {
			return nil, err
		}
	}
	return &w.index, w.file.Sync()
}
