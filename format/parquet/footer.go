package parquet

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/seraph-ml/seraph/format"
)

const (
	magic     = "PAR1"
	maxFooter = 128 << 20
	// maxColumns is the same as in a CSV file.
	maxColumns = 1 << 17
)

// footer is what a file says of itself, verified against its size.
type footer struct {
	rows      int
	createdBy string
	fields    []field
	groups    []group
}

// group is a group of rows: a chunk for each column.
type group struct {
	rows   int
	chunks []chunk
}

// chunk is where the values of one column in one group of rows lie.
type chunk struct {
	physical   physical
	codec      codec
	values     int64
	start, end int64 // in the file
	inflated   int64 // size of its pages before compression, as claimed
}

// readFooter reads the footer and verifies it.
func readFooter(s *format.Source) (*footer, error) {
	head, err := s.Bytes(0, 4, "Parquet magic")
	if err != nil {
		return nil, err
	}
	tail, err := s.Bytes(max(0, s.Size-8), 8, "Parquet footer length")
	if err != nil {
		return nil, err
	}
	if string(tail[4:]) == "PARE" || string(head) == "PARE" {
		return nil, s.Corrupt(s.Size-4, "Parquet magic", `"PARE": an encrypted file`, `"PAR1"`).WithHint("write it again without encryption")
	}
	if string(head) != magic {
		return nil, s.Corrupt(0, "Parquet magic", fmt.Sprintf("%q", head), fmt.Sprintf("%q", magic)).WithHint("this is not a Parquet file")
	}
	if string(tail[4:]) != magic {
		return nil, s.Corrupt(s.Size-4, "Parquet magic at the end", fmt.Sprintf("%q", tail[4:]), fmt.Sprintf("%q", magic)).WithHint("the file is cut short; fetch or write it again")
	}
	length := int64(binary.LittleEndian.Uint32(tail))
	if length > s.Size-12 || length > maxFooter {
		return nil, s.Corrupt(s.Size-8, "Parquet footer length", fmt.Sprint(length), fmt.Sprintf("at most %d", min(s.Size-12, maxFooter))).
			WithHint("the file is damaged; fetch or write it again")
	}
	start := s.Size - 8 - length
	text, err := s.Bytes(start, length, "Parquet footer")
	if err != nil {
		return nil, err
	}
	r := &thriftReader{source: s, base: start, b: text}
	f := r.footer()
	if r.err == nil && r.pos != len(r.b) {
		r.fail("Parquet footer", fmt.Sprintf("%d bytes behind it", len(r.b)-r.pos), "its end")
	}
	if r.err != nil {
		return nil, r.err
	}
	return f, f.verify(s, start)
}

// footer reads FileMetaData.
func (r *thriftReader) footer() *footer {
	f := &footer{}
	rows := int64(-1)
	haveGroups := false
	r.structure(func(id int, kind byte) {
		switch id {
		case 2:
			f.fields = r.schema(kind)
		case 3:
			rows = r.integer(kind, "number of rows", 0, math.MaxInt32<<12)
		case 4:
			haveGroups = true
			f.groups = structures(r, kind, func() group { return r.group(f) })
		case 6:
			f.createdBy = fmt.Sprintf("%.200s", r.binary(kind, "created_by"))
		case 8:
			r.fail("Parquet footer", "encryption", "a plain file")
		default:
			r.skip(kind)
		}
	})
	if r.err == nil && (rows < 0 || f.fields == nil || !haveGroups) {
		r.fail("Parquet footer", "a part missing", "schema, number of rows and groups of rows")
	}
	f.rows = int(rows)
	return f
}

// group reads RowGroup.
func (r *thriftReader) group(f *footer) group {
	g := group{rows: -1}
	r.structure(func(id int, kind byte) {
		switch id {
		case 1:
			g.chunks = r.chunks(kind, f)
		case 3:
			g.rows = int(r.integer(kind, "rows of a group", 0, math.MaxInt32<<12))
		default:
			r.skip(kind)
		}
	})
	if r.err == nil && (g.rows < 0 || len(g.chunks) != len(f.fields)) {
		r.fail("group of rows", fmt.Sprintf("%d chunks and %d rows", len(g.chunks), g.rows), fmt.Sprintf("a chunk for each of %d columns, and a number of rows", len(f.fields)))
	}
	return g
}

// chunks reads the list of ColumnChunk, one for each field.
func (r *thriftReader) chunks(kind byte, f *footer) []chunk {
	i := 0
	return structures(r, kind, func() chunk {
		if i >= len(f.fields) {
			r.fail("group of rows", fmt.Sprintf("more than %d chunks", i), "one for each column")
			return chunk{}
		}
		i++
		return r.chunk(&f.fields[i-1])
	})
}

// chunk reads ColumnChunk.
func (r *thriftReader) chunk(f *field) chunk {
	var c chunk
	have := false
	what := f.String()
	r.structure(func(id int, kind byte) {
		switch {
		case id == 1:
			if path := r.binary(kind, "file_path"); len(path) > 0 {
				r.fail(what, fmt.Sprintf("data in another file, %.60q", path), "data in this file")
			}
		case id == 3 && kind == thriftStruct:
			have = true
			c = r.chunkMetadata(f)
		case id == 8 || id == 9:
			r.fail(what, "encryption", "plain data")
		default:
			r.skip(kind)
		}
	})
	if r.err == nil && !have {
		r.fail(what, "no meta_data", "where its values are")
	}
	return c
}

// chunkMetadata reads ColumnMetaData.
func (r *thriftReader) chunkMetadata(f *field) chunk {
	c := chunk{values: -1, inflated: -1}
	what := f.String()
	codecID, typeID, packed, data, dictionary := int64(-1), int64(-1), int64(-1), int64(-1), int64(0)
	r.structure(func(id int, kind byte) {
		switch id {
		case 1:
			typeID = r.integer(kind, what+": type", 0, 7)
		case 3:
			r.path(kind, f)
		case 4:
			codecID = r.integer(kind, what+": compression", 0, math.MaxInt32)
		case 5:
			c.values = r.integer(kind, what+": number of values", 0, math.MaxInt64)
		case 6:
			c.inflated = r.integer(kind, what+": total_uncompressed_size", 0, math.MaxInt64)
		case 7:
			packed = r.integer(kind, what+": total_compressed_size", 0, math.MaxInt64)
		case 9:
			data = r.integer(kind, what+": data_page_offset", 0, math.MaxInt64)
		case 11:
			dictionary = r.integer(kind, what+": dictionary_page_offset", 0, math.MaxInt64)
		default:
			r.skip(kind)
		}
	})
	if r.err != nil {
		return c
	}
	if min(codecID, typeID, c.values, c.inflated, packed, data) < 0 {
		r.fail(what, "a part of its meta_data missing", "type, compression, number of values, sizes and data_page_offset")
		return c
	}
	if c.physical = physical(typeID); c.physical != f.physical {
		r.fail(what+": type", c.physical.String(), f.physical.String()+" as in the schema")
	}
	c.codec = codec(codecID)
	if !c.codec.supported() {
		r.fail(what+": compression", c.codec.String(), "none, SNAPPY, GZIP or ZSTD")
	}
	c.start = data
	if dictionary > 0 && dictionary < data { // some writers put 0, or the offset of the data, where there is none
		c.start = dictionary
	}
	if c.values == 0 { // the place of nothing may be anywhere
		c.start, c.end = 0, 0
		return c
	}
	if c.start < 4 || c.start > r.source.Size || packed > r.source.Size-c.start {
		r.fail(what+": place of its chunk", fmt.Sprintf("%d bytes at %d", packed, c.start), fmt.Sprintf("a range within the %d bytes of the file", r.source.Size))
	}
	c.end = c.start + packed
	return c
}

// path reads path_in_schema and compares it.
func (r *thriftReader) path(kind byte, f *field) {
	n, element := r.list(kind)
	if r.err == nil && n != len(f.path) {
		r.fail(f.String()+": path", fmt.Sprintf("%d names", n), fmt.Sprintf("%d as in the schema", len(f.path)))
	}
	for i := 0; i < n && r.err == nil; i++ {
		if name := r.binary(element, "path"); r.err == nil && string(name) != f.path[i] {
			r.fail(f.String()+": path", fmt.Sprintf("%.60q", name), "the name in the schema")
		}
	}
}

// verify checks that rows add up and that the chunks lie before the footer, none over another.
func (f *footer) verify(s *format.Source, end int64) error {
	rows := 0
	var chunks []chunk
	for g, group := range f.groups {
		if rows += group.rows; rows > f.rows {
			break
		}
		for i, c := range group.chunks {
			if c.values != int64(group.rows) && f.fields[i].nested == "" {
				return s.Corrupt(end, fmt.Sprintf("%v in group of rows %d", &f.fields[i], g), fmt.Sprintf("%d values", c.values), fmt.Sprintf("%d, one a row", group.rows))
			}
			if c.end > end {
				return s.Corrupt(c.start, fmt.Sprintf("%v in group of rows %d", &f.fields[i], g), fmt.Sprintf("a range up to %d", c.end), fmt.Sprintf("an end before the footer at %d", end))
			}
			if c.end > c.start {
				chunks = append(chunks, c)
			}
		}
	}
	if rows != f.rows {
		return s.Corrupt(end, "number of rows", fmt.Sprint(f.rows), fmt.Sprintf("%d, the sum over the groups of rows", rows))
	}
	slices.SortFunc(chunks, func(a, b chunk) int { return cmp.Compare(a.start, b.start) })
	for i := 1; i < len(chunks); i++ {
		if chunks[i].start < chunks[i-1].end {
			return s.Corrupt(chunks[i].start, "column chunk", "a range that overlaps another", fmt.Sprintf("a start at %d or later", chunks[i-1].end))
		}
	}
	return nil
}
