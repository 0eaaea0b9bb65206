package parquet

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/seraph-ml/seraph/format"
)

// pageKind is the type of a page.
type pageKind int8

const (
	dataPage       pageKind = 0
	indexPage      pageKind = 1
	dictionaryPage pageKind = 2
	dataPageV2     pageKind = 3
)

// encoding is how the values of a page are encoded.
type encoding int32

const (
	plain             encoding = 0
	plainDictionary   encoding = 2
	rle               encoding = 3
	bitPacked         encoding = 4
	deltaBinaryPacked encoding = 5
	deltaLength       encoding = 6
	deltaByteArray    encoding = 7
	rleDictionary     encoding = 8
	byteStreamSplit   encoding = 9
)

func (e encoding) String() string {
	names := [...]string{"PLAIN", "GROUP_VAR_INT", "PLAIN_DICTIONARY", "RLE", "BIT_PACKED", "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", "RLE_DICTIONARY", "BYTE_STREAM_SPLIT"}
	if e >= 0 && int(e) < len(names) {
		return names[e]
	}
	return fmt.Sprintf("encoding %d", int32(e))
}

// pageHeader stands before each page.
type pageHeader struct {
	kind     pageKind
	size     int // of the page before compression
	packed   int // of the page in the file
	crc      uint32
	checked  bool // there is a checksum
	values   int  // nulls included
	encoding encoding

	// Of version 2: levels are not compressed and lie before the values.
	levels     int
	compressed bool
}

// maxPageHeader is the longest header accepted, in bytes: it may hold statistics with values of the column.
const maxPageHeader = 16 << 20

// readPageHeader reads the header at offset; end is that of the chunk. It returns the header's length too.
func readPageHeader(s *format.Source, offset, end int64, what string) (pageHeader, int64, error) {
	for room := int64(256); ; room *= 16 {
		room = min(room, end-offset, maxPageHeader)
		text, err := s.Bytes(offset, room, what+": page header")
		if err != nil {
			return pageHeader{}, 0, err
		}
		r := &thriftReader{source: s, base: offset, b: text}
		h := r.pageHeader(what)
		if r.short && room < min(end-offset, maxPageHeader) {
			continue
		}
		if r.err == nil && int64(h.packed) > end-offset-int64(r.pos) {
			r.fail(what+": page size", fmt.Sprint(h.packed), fmt.Sprintf("at most %d, what is left of the chunk", end-offset-int64(r.pos)))
		}
		return h, int64(r.pos), r.err
	}
}

// pageHeader reads PageHeader.
func (r *thriftReader) pageHeader(what string) pageHeader {
	h := pageHeader{compressed: true}
	var kind, size, packed int64 = -1, -1, -1
	details := pageKind(-1)
	r.structure(func(id int, thrift byte) {
		switch {
		case id == 1:
			kind = r.integer(thrift, what+": type of page", 0, 3)
		case id == 2:
			size = r.integer(thrift, what+": page size before compression", 0, math.MaxInt32)
		case id == 3:
			packed = r.integer(thrift, what+": page size", 0, math.MaxInt32)
		case id == 4:
			h.crc, h.checked = uint32(r.integer(thrift, what+": checksum of page", math.MinInt32, math.MaxInt32)), true
		case id == 5 && thrift == thriftStruct:
			details = dataPage
			r.dataPageHeader(&h, what)
		case id == 7 && thrift == thriftStruct:
			details = dictionaryPage
			r.dataPageHeader(&h, what) // the two fields that it has are the same
		case id == 8 && thrift == thriftStruct:
			details = dataPageV2
			r.dataPageHeaderV2(&h, what)
		default:
			r.skip(thrift)
		}
	})
	h.kind, h.size, h.packed = pageKind(kind), int(size), int(packed)
	if r.err == nil && (min(kind, size, packed) < 0 || h.kind != indexPage && h.kind != details) {
		r.fail(what+": page header", "a part missing", "type, sizes, and what belongs to the type")
	}
	return h
}

func (r *thriftReader) dataPageHeader(h *pageHeader, what string) {
	r.structure(func(id int, kind byte) {
		switch id {
		case 1:
			h.values = int(r.integer(kind, what+": values in page", 0, math.MaxInt32))
		case 2:
			h.encoding = encoding(r.integer(kind, what+": encoding", 0, math.MaxInt32))
		case 3:
			if kind != thriftI32 { // the third field of a dictionary page says whether it is sorted
				r.skip(kind)
			} else if e := encoding(r.integer(kind, what+": encoding of levels", 0, math.MaxInt32)); e != rle && r.err == nil {
				r.fail(what+": encoding of levels", e.String(), "RLE")
			}
		default:
			r.skip(kind)
		}
	})
}

func (r *thriftReader) dataPageHeaderV2(h *pageHeader, what string) {
	r.structure(func(id int, kind byte) {
		switch id {
		case 1:
			h.values = int(r.integer(kind, what+": values in page", 0, math.MaxInt32))
		case 4:
			h.encoding = encoding(r.integer(kind, what+": encoding", 0, math.MaxInt32))
		case 5:
			h.levels = int(r.integer(kind, what+": bytes of definition levels", 0, math.MaxInt32))
		case 6:
			r.integer(kind, what+": bytes of repetition levels", 0, 0) // a flat column has none
		case 7:
			h.compressed = r.bool(kind, what+": is_compressed")
		default:
			r.skip(kind)
		}
	})
}

// pages reads the pages of a chunk, one by one.
type pages struct {
	source *format.Source
	field  *field
	chunk  chunk
	z      *inflater

	at       int64 // the next page
	body     int64 // where the content of the last page begins
	inflated int64 // what the pages so far are before compression
}

// next reads the next page: its levels, in runs (nil where the column is not optional), and its values. Both are valid until
// the inflater is used again.
func (p *pages) next() (h pageHeader, levels, values []byte, err error) {
	h, length, err := readPageHeader(p.source, p.at, p.chunk.end, p.field.String())
	if err != nil {
		return h, nil, nil, err
	}
	p.body = p.at + length
	if p.inflated += int64(h.size); p.inflated > p.chunk.inflated {
		return h, nil, nil, p.corrupt("size of pages before compression", fmt.Sprintf("%d bytes or more", p.inflated), fmt.Sprintf("at most %d as in the footer", p.chunk.inflated))
	}
	raw := p.z.room(h.packed)
	if err := p.source.ReadFull(raw, p.body, p.field.String()+": page"); err != nil {
		return h, nil, nil, err
	}
	p.at = p.body + int64(h.packed)
	if sum := crc32.ChecksumIEEE(raw); h.checked && sum != h.crc {
		return h, nil, nil, p.corrupt("checksum of page", fmt.Sprintf("%08x", sum), fmt.Sprintf("%08x as in its header", h.crc)).
			WithHint("the file is damaged; fetch or write it again")
	}
	if h.kind != indexPage {
		levels, values, err = p.open(h, raw)
	}
	if err != nil {
		return h, nil, nil, p.corrupt(fmt.Sprintf("%s page of %d bytes", p.chunk.codec, h.packed), "", "").WithCause(err)
	}
	return h, levels, values, nil
}

// open decompresses a page and parts levels from values.
func (p *pages) open(h pageHeader, raw []byte) (levels, values []byte, err error) {
	if h.kind == dataPageV2 {
		return p.openV2(h, raw)
	}
	if values, err = p.z.inflate(p.chunk.codec, raw, h.size); err != nil || h.kind == dictionaryPage || !p.field.optional {
		return nil, values, err
	}
	if len(values) < 4 {
		return nil, nil, io.ErrUnexpectedEOF
	}
	length := binary.LittleEndian.Uint32(values)
	values = values[4:]
	if uint64(length) > uint64(len(values)) {
		return nil, nil, fmt.Errorf("%d bytes of levels where %d are left", length, len(values))
	}
	return values[:length], values[length:], nil
}

// openV2 is open for version 2, where the levels are not compressed.
func (p *pages) openV2(h pageHeader, raw []byte) (levels, values []byte, err error) {
	if h.levels > h.packed || h.levels > h.size || (h.levels > 0) != p.field.optional && h.values > 0 {
		return nil, nil, fmt.Errorf("%d bytes of levels", h.levels)
	}
	levels, values = raw[:h.levels], raw[h.levels:]
	if size := h.size - h.levels; size == 0 {
		values = nil // a codec may make something of nothing
	} else if h.compressed {
		values, err = p.z.inflate(p.chunk.codec, values, size)
	} else {
		values, err = p.z.inflate(uncompressed, values, size)
	}
	return levels, values, err
}

func (p *pages) corrupt(what, found, expected string) *format.CorruptError {
	return p.source.Corrupt(p.body, p.field.String()+": "+what, found, expected)
}
