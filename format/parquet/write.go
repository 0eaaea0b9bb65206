package parquet

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/s2"
	"github.com/seraph-ml/seraph/format/table"
)

const (
	pageRows = 1 << 16
	// GroupBytes are the pages, in bytes, with which a group of rows is written, if it has not so many rows before.
	GroupBytes = 64 << 20
	groupRows  = 1 << 20
)

// Writer writes tables to Parquet: each column optional, int64, float32, double or string, in pages of PLAIN under snappy with a
// checksum. What is missing, NaN among it, becomes null. The same blocks give the same bytes.
type Writer struct {
	w       io.Writer
	at      int64 // bytes written
	columns []table.Column
	rows    int
	groups  []writtenGroup

	pages   [][]byte     // of the open group, a column each
	open    writtenGroup // its chunks begin at 0
	scratch []byte
	packed  []byte
}

// writtenGroup is a group of rows for the footer.
type writtenGroup struct {
	rows   int
	chunks []chunk
}

// NewWriter returns a writer to w. Call Close in the end.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write writes a block of rows. All blocks have the same columns.
func (w *Writer) Write(t *table.Table) error {
	if err := t.Validate(); err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	if err := w.sameColumns(t); err != nil {
		return err
	}
	for lo := 0; lo < t.Rows; lo += pageRows {
		if err := w.writePages(t, lo, min(lo+pageRows, t.Rows)); err != nil {
			return err
		}
	}
	return nil
}

// writePages makes a page of each column from rows lo … hi−1, and closes the group of rows if it is full.
func (w *Writer) writePages(t *table.Table, lo, hi int) error {
	size := 0
	for i := range t.Columns {
		page, inflated, err := w.appendPage(w.pages[i], &t.Columns[i], lo, hi)
		if err != nil {
			return err
		}
		w.pages[i] = page
		c := &w.open.chunks[i]
		c.end = int64(len(page))
		c.inflated += inflated
		c.values += int64(hi - lo)
		size += len(page)
	}
	w.open.rows += hi - lo
	w.rows += hi - lo
	if w.open.rows >= groupRows || size >= GroupBytes {
		return w.closeGroup()
	}
	return nil
}

// sameColumns compares a block with the first one, and begins the file with it.
func (w *Writer) sameColumns(t *table.Table) error {
	if w.columns == nil {
		w.columns = make([]table.Column, len(t.Columns))
		for i, c := range t.Columns {
			w.columns[i] = table.Column{Name: c.Name, Kind: c.Kind}
		}
		w.openGroup()
		return w.write([]byte(magic))
	}
	if len(t.Columns) != len(w.columns) {
		return fmt.Errorf("write Parquet: found a block of %d columns, expected the %d of the first block", len(t.Columns), len(w.columns))
	}
	for i, c := range t.Columns {
		if first := w.columns[i]; c.Name != first.Name || c.Kind != first.Kind {
			return fmt.Errorf("write Parquet: found a block with column %q (%s), expected %q (%s) as in the first block", c.Name, c.Kind, first.Name, first.Kind)
		}
	}
	return nil
}

func (w *Writer) write(b []byte) error {
	n, err := w.w.Write(b)
	w.at += int64(n)
	if err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	return nil
}

func (w *Writer) openGroup() {
	w.open = writtenGroup{chunks: make([]chunk, len(w.columns))}
	if w.pages == nil {
		w.pages = make([][]byte, len(w.columns))
	}
	for i := range w.pages {
		w.pages[i] = w.pages[i][:0]
	}
}

// closeGroup writes the pages of the open group.
func (w *Writer) closeGroup() error {
	for i, pages := range w.pages {
		c := &w.open.chunks[i]
		c.start, c.end = w.at, w.at+c.end
		if err := w.write(pages); err != nil {
			return err
		}
	}
	w.groups = append(w.groups, w.open)
	w.openGroup()
	return nil
}

// Close writes what is left and the footer. It does not close the writer below. A file without a block is an error: it would
// have no columns.
func (w *Writer) Close() error {
	if w.columns == nil {
		return fmt.Errorf("write Parquet: no block was written, expected at least one (it may have no rows)")
	}
	if w.open.rows > 0 {
		if err := w.closeGroup(); err != nil {
			return err
		}
	}
	footer := w.appendFooter(nil)
	if len(footer) > maxFooter {
		return fmt.Errorf("write Parquet: footer of %d bytes, expected at most %d; write larger blocks or fewer columns", len(footer), maxFooter)
	}
	footer = binary.LittleEndian.AppendUint32(footer, uint32(len(footer)))
	return w.write(append(footer, magic...))
}

// appendPage appends a page with values lo … hi−1 of a column. It returns its size before compression too.
func (w *Writer) appendPage(dst []byte, c *table.Column, lo, hi int) ([]byte, int64, error) {
	content := append(w.scratch[:0], 0, 0, 0, 0) // the length of the levels
	content = appendLevels(content, c, lo, hi)
	binary.LittleEndian.PutUint32(content, uint32(len(content)-4))
	content = appendPlain(content, c, lo, hi)
	if len(content) > math.MaxInt32/2 {
		return nil, 0, fmt.Errorf("write Parquet: column %q has %d bytes in rows %d … %d, expected at most %d", c.Name, len(content), lo, hi-1, math.MaxInt32/2)
	}
	w.scratch = content
	w.packed = s2.EncodeSnappy(w.packed[:cap(w.packed)], content)
	h := appendPageHeader(nil, hi-lo, len(content), w.packed)
	return append(append(dst, h...), w.packed...), int64(len(h) + len(content)), nil
}

// appendLevels appends which values are there (1) and which missing (0), in runs.
func appendLevels(dst []byte, c *table.Column, lo, hi int) []byte {
	for i := lo; i < hi; {
		missing := c.IsMissing(i)
		j := i + 1
		for j < hi && c.IsMissing(j) == missing {
			j++
		}
		level := byte(1)
		if missing {
			level = 0
		}
		dst = append(binary.AppendUvarint(dst, uint64(j-i)<<1), level)
		i = j
	}
	return dst
}

// appendPlain appends the values that are there.
func appendPlain(dst []byte, c *table.Column, lo, hi int) []byte {
	for i := lo; i < hi; i++ {
		switch {
		case c.IsMissing(i):
		case c.Kind == table.Int:
			dst = binary.LittleEndian.AppendUint64(dst, uint64(c.Ints[i]))
		case c.Kind == table.Float32:
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(c.Float32s[i]))
		case c.Kind == table.Float64:
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(c.Float64s[i]))
		default:
			text := c.Values[c.Codes[i]]
			dst = binary.LittleEndian.AppendUint32(dst, uint32(len(text)))
			dst = append(dst, text...)
		}
	}
	return dst
}
