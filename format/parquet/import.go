package parquet

import (
	"fmt"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/table"
)

const (
	// bytesPerText is what a distinct text takes in a dictionary, besides its bytes: its header and its code, with the garbage
	// that growing leaves.
	bytesPerText = 320
	// numberLength is the longest that a number becomes as text.
	numberLength = 24
	// decompressors is what gzip and zstd keep.
	decompressors = 4 << 20
)

// ImportBytes bounds the memory that Open and Read allocate in all, garbage included: from the footer and the headers of the
// pages, which Open and Read verify.
func ImportBytes(path string, o table.Options) (int64, error) {
	s, err := format.Open(path)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	r, err := newReader(s, o, budgetOf(s.Size))
	if err != nil {
		return 0, err
	}
	m := measure{reader: r, source: s, inflater: &inflater{left: r.budget}}
	defer m.inflater.Close()
	for _, c := range r.columns {
		if err := m.column(c); err != nil {
			return 0, err
		}
	}
	// All is done twice: for the survey, and to read.
	return 1<<20 + 2*(m.buffers+decompressors) + m.values, nil
}

// measure adds up what reading allocates.
type measure struct {
	reader   *reader
	source   *format.Source
	inflater *inflater

	buffers          int64 // what the pages go through
	values           int64 // what stays: values and dictionaries
	packed, inflated int64 // sizes that the buffers of all columns have come to
}

// raise accounts for a buffer that is made anew where it is too small.
func (m *measure) raise(mark *int64, to, unit int64) {
	if to > *mark {
		m.buffers += unit * to
		*mark = to
	}
}

// column adds up a column by the headers of its pages.
func (m *measure) column(c *column) error {
	rows := int64(m.reader.footer.rows)
	m.values += rows * int64(rowBytes(c.kind))
	m.buffers += 1 << 10
	var words int64
	for _, g := range m.reader.footer.groups {
		chunk := g.chunks[c.index]
		left := chunk.values
		for at := chunk.start; at < chunk.end && left > 0; {
			h, length, err := readPageHeader(m.source, at, chunk.end, c.field.String())
			if err != nil {
				return err
			}
			m.buffers += 2*length + 1<<10
			m.raise(&m.packed, int64(h.packed), 1)
			m.raise(&m.inflated, int64(h.size), 1)
			switch h.kind {
			case dictionaryPage:
				m.buffers += int64(h.size) + 48*int64(h.values)
			case dataPage, dataPageV2:
				left -= int64(h.values)
				m.raise(&words, int64(h.values), 24) // words, levels, lengths
				if h.encoding == byteStreamSplit {
					m.buffers += int64(h.size)
				}
			}
			if c.kind == table.Text || h.encoding == deltaByteArray {
				if err := m.texts(c, chunk, at, h); err != nil {
					return err
				}
			}
			at += length + int64(h.packed)
		}
	}
	return nil
}

// texts adds up what the distinct texts of a page may come to in the dictionary of their column.
func (m *measure) texts(c *column, chunk chunk, at int64, h pageHeader) error {
	texts, bytes := int64(h.values), int64(h.size)
	switch {
	case h.kind == indexPage, h.encoding == rleDictionary, h.kind != dictionaryPage && h.encoding == plainDictionary:
		return nil // its texts are in the dictionary
	case h.encoding == deltaByteArray:
		var err error
		if bytes, err = m.prefixed(c, chunk, at); err != nil {
			return err
		}
		m.buffers += 16*texts + 4*int64(h.size)
	case !c.field.physical.isBytes():
		bytes = numberLength * texts
	case c.field.physical == fixedBytes:
		bytes += 2*bytes + numberLength*texts // an identifier in hexadecimal, or a number
	}
	if c.kind == table.Text {
		m.values += bytesPerText*texts + bytes
	}
	return nil
}

// prefixed returns how long the strings of a page in DELTA_BYTE_ARRAY are, which only decoding it tells.
func (m *measure) prefixed(c *column, chunk chunk, at int64) (total int64, err error) {
	cursor := m.reader.cursor(m.source, c, m.inflater)
	cursor.pages = &pages{source: m.source, field: c.field, chunk: chunk, z: m.inflater, at: at}
	h, levels, values, err := cursor.pages.next()
	if err != nil {
		return 0, err
	}
	n, err := cursor.decodeLevels(h.values, levels)
	if err == nil {
		err = prefixBytes(values, n, &m.inflater.left, func(b []byte) error {
			total += int64(len(b))
			return nil
		})
	}
	if err != nil {
		return 0, cursor.pages.corrupt(fmt.Sprintf("%v page of %d values", h.encoding, h.values), "", "").WithCause(err)
	}
	return total, nil
}
