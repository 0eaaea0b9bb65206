package sgraph

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// File is an open graph. Its methods may be called from several goroutines.
type File struct {
	Counts
	source *format.Source
	file   *memory.File // nil where New was given a source
	table  table
	end    int64 // of the last section
}

// Is says whether a file begins like a graph.
func Is(head []byte) bool { return bytes.HasPrefix(head, []byte(startMark)) }

// Open opens a graph and verifies its head and foot, two blocks.
func Open(path string) (*File, error) {
	m, err := memory.Open(path)
	if err != nil {
		return nil, err
	}
	size, err := m.Size()
	if err != nil {
		m.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	f, err := New(format.NewSource(path, m, size))
	if err != nil {
		m.Close()
		return nil, err
	}
	f.file = m
	return f, nil
}

// New is Open for a source that is open already, which Close leaves open.
func New(s *format.Source) (*File, error) {
	f := &File{source: s}
	head, err := s.Bytes(0, min(s.Size, headBytes), "head")
	if err != nil {
		return nil, err
	}
	if !Is(head) || len(head) < headBytes {
		return nil, s.Corrupt(0, "head", fmt.Sprintf("%.8q", head), fmt.Sprintf("%q, the beginning of a Seraph graph", startMark))
	}
	if v, size := binary.LittleEndian.Uint32(head[8:]), binary.LittleEndian.Uint32(head[12:]); v != version || size != BlockSize {
		return nil, s.Corrupt(8, "version", fmt.Sprintf("%d, blocks of %d bytes", v, size), fmt.Sprintf("%d, %d", version, BlockSize)).
			WithHint("the file is damaged, or of a later version of Seraph")
	}
	w := &window{buf: make([]byte, BlockSize)}
	last := (s.Size - 1) / BlockSize
	if err := f.load(w, 0, 0); err != nil {
		return nil, err
	}
	if err := f.load(w, last*payloadBytes, 0); err != nil {
		return nil, err
	}
	return f, f.parseFoot(w.buf[:w.hi-w.lo], w.lo)
}

// Parts says what a file has beside its edges.
type Parts struct {
	Dense, Sparse, Labels, IDs, Split bool
	Train, Val, Test                  int64 // nodes of the split
	EdgeBytes                         int64 // of the rows of edges
}

// Parts returns them.
func (f *File) Parts() Parts {
	t := &f.table
	return Parts{
		Dense: t[denseFeatures].there, Sparse: t[featureRows].there, Labels: t[labels].there, IDs: t[ids].there, Split: t[train].there,
		Train: t[train].size / 8, Val: t[val].size / 8, Test: t[test].size / 8,
		EdgeBytes: t[edges].size,
	}
}

// Close closes the file.
func (f *File) Close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// window holds the payloads of some blocks that follow each other, verified: bytes lo … hi−1 of the stream.
type window struct {
	buf    []byte
	lo, hi int64
}

// load fills a window from the block of stream offset at on, up to the block before end, or one, or as many as it holds.
func (f *File) load(w *window, at, end int64) error {
	first := at / payloadBytes
	n := min(max(1, (end+payloadBytes-1)/payloadBytes-first), int64(len(w.buf)/BlockSize))
	raw := w.buf[:min(n*BlockSize, max(0, f.source.Size-first*BlockSize))]
	w.lo, w.hi = 0, 0
	if err := f.source.ReadFull(raw, first*BlockSize, "block"); err != nil {
		return err
	}
	payload := 0
	for b := 0; b < len(raw); b += BlockSize {
		block := raw[b:min(b+BlockSize, len(raw))]
		if err := f.verify(block, first+int64(b/BlockSize)); err != nil {
			return err
		}
		payload += copy(raw[payload:], block[:len(block)-trailerBytes])
	}
	w.lo, w.hi = first*payloadBytes, first*payloadBytes+int64(payload)
	if at >= w.hi {
		return f.source.Corrupt(f.source.Size, "content", "the end of the file", "more bytes")
	}
	return nil
}

// verify holds a block against its number and checksum.
func (f *File) verify(block []byte, number int64) error {
	n := len(block)
	what := fmt.Sprintf("block %d", number)
	const hint = "the file is damaged or cut short; fetch or write it again"
	if n <= trailerBytes {
		return f.source.Corrupt(number*BlockSize, what, fmt.Sprintf("%d bytes", n), "more").WithHint(hint)
	}
	want := binary.LittleEndian.Uint32(block[n-4:])
	if got := crc32.Checksum(block[:n-4], castagnoli); got != want {
		return f.source.Corrupt(number*BlockSize, what, fmt.Sprintf("checksum %08x", got), fmt.Sprintf("%08x", want)).WithHint(hint)
	}
	if stored := binary.LittleEndian.Uint32(block[n-8:]); stored != uint32(number) {
		return f.source.Corrupt(number*BlockSize, what, fmt.Sprintf("block %d", stored), fmt.Sprint(uint32(number))).WithHint(hint)
	}
	return nil
}

// Reader reads ranges of a file. Each goroutine needs its own.
type Reader struct {
	f           *File
	index, data window
	last        cursor
}

// Reader makes a reader with the given working memory: two blocks or more. One block of it is for the indexes, the others
// are what is read at a time. Memory that begins at a multiple of 4096 is read into without a copy.
func (f *File) Reader(work []byte) (*Reader, error) {
	if len(work) < 2*BlockSize {
		return nil, fmt.Errorf("read %s: %d bytes of working memory, expected at least %d", f.source.Path, len(work), 2*BlockSize)
	}
	return &Reader{f: f, index: window{buf: work[:BlockSize]}, data: window{buf: work[BlockSize : len(work)/BlockSize*BlockSize]}}, nil
}

// copyOut fills dst from a stream offset.
func (f *File) copyOut(w *window, dst []byte, at int64) error {
	for len(dst) > 0 {
		if at < w.lo || at >= w.hi {
			if err := f.load(w, at, at+int64(len(dst))); err != nil {
				return err
			}
		}
		n := copy(dst, w.buf[at-w.lo:w.hi-w.lo])
		dst, at = dst[n:], at+int64(n)
	}
	return nil
}

// column reads elements of a section from element first on.
func column[T format.Number](r *Reader, kind section, first int64, dst []T) error {
	p, raw := r.f.table[kind], format.Bytes(dst)
	if len(dst) == 0 {
		return nil
	}
	size := int64(len(raw) / len(dst))
	if !p.there || first < 0 || first > p.size/size-int64(len(dst)) {
		return fmt.Errorf("read %s: %s from %d on: %d elements wanted of %d", r.f.source.Path, sectionNames[kind], first, len(dst), p.size/size)
	}
	return r.f.copyOut(&r.data, raw, p.at+first*size)
}

// ReadFeatures fills dst, row-major, with whole rows of features from row first on; sparse ones are filled up with zeros,
// and entries that name the same column added. It matches graph.Features.Read.
func (r *Reader) ReadFeatures(first int, dst []float32) error {
	d := int(r.f.Features)
	if d == 0 || len(dst)%d != 0 {
		return fmt.Errorf("read %s: %d values of features, expected whole rows of %d", r.f.source.Path, len(dst), d)
	}
	if r.f.table[denseFeatures].there {
		return column(r, denseFeatures, int64(first)*int64(d), dst)
	}
	clear(dst)
	room := int(max(1, r.f.MaxNonzero))
	rows := Rows[int32]{Indptr: make([]int64, 0, 2), Columns: make([]int32, 0, room), Values: make([]float32, 0, room)}
	for i := range len(dst) / d {
		if err := SparseFeatures(r, int64(first+i), int64(first+i+1), &rows); err != nil {
			return err
		}
		for e, c := range rows.Columns {
			dst[i*d+int(c)] += rows.Values[e]
		}
	}
	return nil
}

// ReadLabels fills dst with the classes of nodes from first on, −1 for none.
func (r *Reader) ReadLabels(first int64, dst []int32) error { return column(r, labels, first, dst) }

// ReadIDs fills dst with the original ids of nodes from first on.
func (r *Reader) ReadIDs(first int64, dst []int64) error {
	if r.f.table[ids].there {
		return column(r, ids, first, dst)
	}
	for i := range dst {
		dst[i] = first + int64(i)
	}
	return nil
}
