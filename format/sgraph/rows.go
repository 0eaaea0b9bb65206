package sgraph

import (
	"encoding/binary"
	"fmt"

	"github.com/seraph-ml/seraph/format"
)

// Vertex is a type that holds node numbers.
type Vertex interface{ ~int32 | ~uint32 | ~int64 }

// Rows is a buffer for rows: it is filled up to its capacities, never beyond. Row First+i has
// Columns[Indptr[i]:Indptr[i+1]], and Values alike where they have as much room as Columns; without room they are left out.
type Rows[V Vertex] struct {
	First   int64
	Indptr  []int64
	Columns []V
	Values  []float32
}

// Len is the number of rows.
func (r *Rows[V]) Len() int { return max(0, len(r.Indptr)-1) }

// Neighbours reads the rows of nodes first … end−1 in order, as many whole ones as rows has room for; go on at
// first + rows.Len(). At least MaxDegree columns are needed. Weights are 1 where the file has none.
func Neighbours[V Vertex](r *Reader, first, end int64, rows *Rows[V]) error {
	return readRows(r, r.f.edges(), first, end, rows)
}

// SparseFeatures is Neighbours for sparse features.
func SparseFeatures[V Vertex](r *Reader, first, end int64, rows *Rows[V]) error {
	return readRows(r, r.f.sparse(), first, end, rows)
}

// EdgesBefore is the number of entries in the rows of the groups of [GroupRows] nodes before one: what ranges of equal
// work are cut by.
func (r *Reader) EdgesBefore(group int64) (int64, error) {
	_, entries, err := r.lookUp(r.f.edges(), group)
	return entries, err
}

// lookUp returns where a group begins in its section, and the entries before it.
func (r *Reader) lookUp(m *matrix, group int64) (offset, entries int64, err error) {
	var raw [16]byte
	at := m.index.at + 16*group
	if group < 0 || at+16 > m.index.end() {
		return 0, 0, fmt.Errorf("read %s: group %d of %s, expected 0 … %d", r.f.source.Path, group, m.name, groups(m.rows))
	}
	if err := r.f.copyOut(&r.index, raw[:], at); err != nil {
		return 0, 0, err
	}
	o, e := binary.LittleEndian.Uint64(raw[:]), binary.LittleEndian.Uint64(raw[8:])
	if o > uint64(m.place.size) || e > uint64(m.entries) {
		return 0, 0, r.f.source.Corrupt(fileOffset(at), "index of "+m.name, fmt.Sprintf("%d bytes, %d entries", o, e), fmt.Sprintf("at most %d, %d", m.place.size, m.entries))
	}
	return int64(o), int64(e), nil
}

// cursor is a place among the rows of a matrix.
type cursor struct {
	r   *Reader
	m   *matrix
	row int64 // that begins at
	at  int64 // in the stream
	ask int64 // how far ahead to read
}

func readRows[V Vertex](r *Reader, m *matrix, first, end int64, rows *Rows[V]) error {
	if !m.place.there || first < 0 || first >= end || end > m.rows || cap(rows.Indptr) < 2 {
		return fmt.Errorf("read %s: rows %d … %d of %s into room for %d, expected some of %d", r.f.source.Path, first, end-1, m.name, cap(rows.Indptr)-1, m.rows)
	}
	rows.First, rows.Indptr, rows.Columns, rows.Values = first, append(rows.Indptr[:0], 0), rows.Columns[:0], rows.Values[:0]
	c, err := r.seek(m, first, end)
	if err != nil {
		return err
	}
	for c.row < end && len(rows.Indptr) < cap(rows.Indptr) {
		begin := c.at
		degree, err := c.degree()
		if err != nil {
			return err
		}
		if n := len(rows.Columns); degree > int64(cap(rows.Columns)-n) {
			if c.row == first {
				return fmt.Errorf("read %s: row %d of %s has %d entries, and the buffer room for %d", r.f.source.Path, first, m.name, degree, cap(rows.Columns))
			}
			c.at = begin
			break
		}
		if err := readRow(c, rows, int(degree)); err != nil {
			return err
		}
	}
	r.last = *c
	return nil
}

// seek finds a row: where the last call ended, or through the index.
func (r *Reader) seek(m *matrix, first, end int64) (*cursor, error) {
	ahead, _, err := r.lookUp(m, groups(end))
	if err != nil {
		return nil, err
	}
	if c := r.last; c.m != nil && c.m.place == m.place && c.row == first {
		c.ask = m.place.at + ahead
		return &c, nil
	}
	offset, _, err := r.lookUp(m, first/GroupRows)
	if err != nil {
		return nil, err
	}
	c := &cursor{r: r, m: m, row: first / GroupRows * GroupRows, at: m.place.at + offset, ask: m.place.at + ahead}
	for c.row < first {
		if err := c.skip(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *cursor) bad(what, found, expected string) error {
	return c.r.f.source.Corrupt(fileOffset(c.at), fmt.Sprintf("row %d of %s: %s", c.row, c.m.name, what), found, expected)
}

// uvarint reads one byte by byte across the ends of windows.
func (c *cursor) uvarint() (uint64, error) {
	w := &c.r.data
	x := uint64(0)
	for shift := uint(0); shift < 64; shift += 7 {
		if c.at >= c.m.place.end() {
			return 0, c.bad("number", "the end of the section", "more bytes")
		}
		if c.at < w.lo || c.at >= w.hi {
			if err := c.r.f.load(w, c.at, c.ask); err != nil {
				return 0, err
			}
		}
		b := w.buf[c.at-w.lo]
		c.at++
		x |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return x, nil
		}
	}
	return 0, c.bad("number", "more than ten bytes", "a uvarint")
}

func (c *cursor) degree() (int64, error) {
	d, err := c.uvarint()
	if err == nil && d > uint64(c.m.longest) {
		err = c.bad("degree", fmt.Sprint(d), fmt.Sprintf("at most %d", c.m.longest))
	}
	return int64(d), err
}

func (c *cursor) skip() error {
	d, err := c.degree()
	for i := int64(0); i < d && err == nil; i++ {
		_, err = c.uvarint()
	}
	if c.m.valued {
		c.at += 4 * d
	}
	c.row++
	return err
}

// readRow appends the row at the cursor, behind its degree.
func readRow[V Vertex](c *cursor, rows *Rows[V], degree int) error {
	n := len(rows.Columns)
	rows.Columns = rows.Columns[:n+degree]
	column, bound := uint64(0), uint64(c.m.columns)
	buf := c.ready()
	for j := n; j < n+degree; j++ {
		var gap uint64
		if len(buf) >= longestUvarint {
			size := 1
			if gap = uint64(buf[0]); gap >= 0x80 {
				if gap, size = uvarint(buf); size == 0 {
					return c.bad("number", "more than ten bytes", "a uvarint")
				}
			}
			buf = buf[size:]
			c.at += int64(size)
		} else { // the window may end within the number
			var err error
			if gap, err = c.uvarint(); err != nil {
				return err
			}
			buf = c.ready()
		}
		if gap >= bound || column+gap >= bound || uint64(V(column+gap)) != column+gap {
			return c.bad("column", fmt.Sprintf("%d + %d", column, gap), fmt.Sprintf("0 … %d", bound-1))
		}
		column += gap
		rows.Columns[j] = V(column)
	}
	rows.Indptr = append(rows.Indptr, int64(n+degree))
	if err := c.values(rowValues(rows, n, degree), degree); err != nil {
		return err
	}
	c.row++
	return nil
}

// longestUvarint is the most bytes of a number.
const longestUvarint = 10

// ready is what the window holds of the section from the cursor on.
func (c *cursor) ready() []byte {
	w := &c.r.data
	end := min(w.hi, c.m.place.end())
	if c.at < w.lo || c.at >= end {
		return nil
	}
	return w.buf[c.at-w.lo : end-w.lo]
}

// uvarint decodes a number of at most ten bytes, which are there, and returns its size; 0 for one of more.
func uvarint(buf []byte) (x uint64, size int) {
	for i, b := range buf[:longestUvarint] {
		x |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			return x, i + 1
		}
	}
	return 0, 0
}

// rowValues makes room for the values of a row; none where the caller does not want them.
func rowValues[V Vertex](rows *Rows[V], n, degree int) []float32 {
	if cap(rows.Values) < cap(rows.Columns) {
		return nil
	}
	rows.Values = rows.Values[:n+degree]
	return rows.Values[n:]
}

func (c *cursor) values(dst []float32, degree int) error {
	if !c.m.valued {
		for i := range dst {
			dst[i] = 1
		}
		return nil
	}
	size := 4 * int64(degree)
	if size > c.m.place.end()-c.at {
		return c.bad("values", "the end of the section", fmt.Sprintf("%d of them", degree))
	}
	c.at += size
	if len(dst) == 0 {
		return nil
	}
	return c.r.f.copyOut(&c.r.data, format.Bytes(dst), c.at-size)
}
