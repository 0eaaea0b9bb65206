package parquet

import (
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/table"
)

// What a distinct text takes besides its bytes: its header and code in the dictionary, with the room that growing leaves, and
// a table entry for each of two keys.
const bytesPerText = 160

// ImportBytes returns a bound on the memory that Open and Read of the table allocate in all, garbage included: from the footer and
// the headers of the pages, which Open and Read verify.
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
	total := 1<<20 + 16*s.Size/1000
	for _, c := range r.columns {
		pages, err := r.measure(s, c)
		if err != nil {
			return 0, err
		}
		// Read once for the survey and once for the table, whose rows have eight bytes and a mark.
		total += 2*pages.bytes + int64(r.footer.rows)*int64(rowBytes(c.kind))
		if c.kind == table.Text {
			total += pages.text*2 + bytesPerText*pages.texts
		}
	}
	return total, nil
}

// measured is what the pages of a column come to.
type measured struct {
	bytes int64 // buffers that reading allocates, garbage included
	texts int64 // bound on the number of distinct texts
	text  int64 // bound on their bytes
}

// measure reads the headers of the pages of a column.
func (r *reader) measure(s *format.Source, c *column) (measured, error) {
	var m measured
	var packed, inflated, values int64 // high-water marks of the buffers
	raise := func(mark *int64, to int64, unit int64) {
		if to > *mark { // the buffer is made anew
			m.bytes += unit * to
			*mark = to
		}
	}
	m.bytes = 1 << 16
	for _, g := range r.footer.groups {
		chunk := g.chunks[c.index]
		left := chunk.values
		for at := chunk.start; at < chunk.end && left > 0; {
			h, length, err := readPageHeader(s, at, chunk.end, c.field.String())
			if err != nil {
				return m, err
			}
			at += length + int64(h.packed)
			raise(&packed, int64(h.packed), 1)
			raise(&inflated, int64(h.size), 2)
			m.bytes += 2 * length
			if h.kind == dictionaryPage {
				m.bytes += int64(h.size) + 40*int64(h.values)
			} else {
				left -= int64(h.values)
				raise(&values, int64(h.values), 24)
			}
			if h.encoding == deltaByteArray {
				m.bytes += 32*int64(h.values) + 4*int64(h.size)
			}
		}
		m.text += chunk.inflated
	}
	m.texts = int64(r.footer.rows)
	return m, nil
}
