package parquet

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/table"
)

// cursor reads the values of a column from the first row to the last, a page at a time.
type cursor struct {
	source *format.Source
	column *column
	groups []group // those that are left

	pages    *pages // of the chunk being read
	left     int64  // values of the chunk behind the page being read
	encoded  dictionary
	levels   []uint64 // of the page: 1 = a value, 0 = null; empty where there are no nulls
	words    []uint64 // of the page: its values without the nulls
	level    int      // position in levels, or in words where there are none
	word     int      // position in words
	rows     int      // rows of the page
	levelBuf []uint64
	wordBuf  []uint64
	indexes  []uint64
	inflater *inflater // shared by all columns: a page is decoded before the next one is read
}

// dictionary is the dictionary page of a chunk. Its values are converted when they are first used: one that no row has does
// not come into the dictionary of a text column.
type dictionary struct {
	words []uint64 // converted where known is nil or true, as stored elsewhere
	texts [][]byte // what is stored, of a column of byte strings
	known []bool
}

// fill reads the next n values into dst[at:].
func (c *cursor) fill(dst *table.Column, at, n int) error {
	for n > 0 {
		if c.level == c.rows {
			if err := c.nextPage(); err != nil {
				return err
			}
			continue
		}
		end := min(c.level+n, c.rows)
		if len(c.levels) == 0 {
			c.column.store(dst, at, c.words[c.level:end])
			at, n, c.level = at+end-c.level, n-(end-c.level), end
			continue
		}
		for c.level < end { // a run of values, or of nulls
			stop := c.level + 1
			for stop < end && c.levels[stop] == c.levels[c.level] {
				stop++
			}
			run := stop - c.level
			if c.levels[c.level] == 1 {
				c.column.store(dst, at, c.words[c.word:c.word+run])
				c.word += run
			} else {
				c.column.storeMissing(dst, at, run)
			}
			at, n, c.level = at+run, n-run, stop
		}
	}
	return nil
}

// panicked is a bug, here or in a decompressor, that a file brought to light. Whoever reads the file sees an error.
type panicked struct{ value any }

func (p panicked) Error() string { return fmt.Sprintf("internal error: %v; please report it", p.value) }

// nextPage reads the next page, in the next chunk where there is none in this one.
func (c *cursor) nextPage() (err error) {
	for c.left == 0 {
		if len(c.groups) == 0 {
			return c.source.Corrupt(-1, c.column.field.String(), "fewer values than rows", "one a row") // the footer was verified: cannot be
		}
		chunk := c.groups[0].chunks[c.column.index]
		c.groups = c.groups[1:]
		c.pages = &pages{source: c.source, field: c.column.field, chunk: chunk, z: c.inflater, at: chunk.start}
		c.left = chunk.values
		c.encoded = dictionary{}
	}
	defer func() {
		if v := recover(); v != nil {
			err = c.pages.corrupt("page", "", "").WithCause(panicked{v})
		}
	}()
	h, levels, values, err := c.pages.next()
	if err != nil {
		return err
	}
	if err := c.decode(h, levels, values); err != nil {
		return c.pages.corrupt(fmt.Sprintf("%v page of %d values", h.encoding, h.values), "", "").WithCause(err)
	}
	return nil
}

// decode decodes a page.
func (c *cursor) decode(h pageHeader, levels, values []byte) error {
	switch h.kind {
	case dictionaryPage:
		if c.encoded.words != nil {
			return fmt.Errorf("a second dictionary")
		}
		if h.encoding != plain && h.encoding != plainDictionary {
			return fmt.Errorf("a dictionary in this encoding, expected PLAIN")
		}
		return c.decodeDictionary(h.values, values)
	case indexPage:
		return nil
	}
	if int64(h.values) > c.left {
		return fmt.Errorf("%d values are left in the chunk", c.left)
	}
	c.left -= int64(h.values)
	c.level, c.word, c.rows = 0, 0, h.values
	n, err := c.decodeLevels(h.values, levels)
	if err != nil {
		return fmt.Errorf("definition levels: %w", err)
	}
	c.words = resize(&c.wordBuf, n)
	return c.decodeValues(h.encoding, values)
}

// resize returns n numbers of a buffer that grows as needed.
func resize(buf *[]uint64, n int) []uint64 {
	if cap(*buf) < n {
		*buf = make([]uint64, n)
	}
	return (*buf)[:n]
}

// decodeLevels decodes the levels of n rows and returns how many of them have a value.
func (c *cursor) decodeLevels(n int, levels []byte) (values int, err error) {
	c.levels = nil
	if !c.column.field.optional {
		return n, nil
	}
	all := resize(&c.levelBuf, n)
	if err := hybrid(all, levels, 1); err != nil {
		return 0, err
	}
	for _, level := range all {
		values += int(level)
	}
	if values < n {
		c.levels = all
	}
	return values, nil
}

// decodeDictionary decodes a dictionary page of n values.
func (c *cursor) decodeDictionary(n int, values []byte) error {
	f := c.column.field
	least := f.width() // bytes a value, which vouch for n
	if f.physical == byteArray {
		least = 4
	}
	if f.physical == boolean || n > len(values)/least {
		return fmt.Errorf("a dictionary of %d bytes", len(values))
	}
	c.encoded.words = make([]uint64, n)
	if !f.physical.isBytes() {
		if c.column.word != nil {
			c.encoded.known = make([]bool, n)
		}
		return c.load(c.encoded.words, values)
	}
	c.encoded.known = make([]bool, n)
	c.encoded.texts = make([][]byte, 0, n)
	return plainBytes(slices.Clone(values), n, f.width(), func(b []byte) error {
		c.encoded.texts = append(c.encoded.texts, b)
		return nil
	})
}

// decodeValues decodes the values of a page into c.words.
func (c *cursor) decodeValues(e encoding, values []byte) error {
	f := c.column.field
	dst := c.words
	i := 0
	each := func(b []byte) (err error) {
		if size := f.width(); size > 0 && len(b) != size {
			return fmt.Errorf("a value of %d bytes, expected %d", len(b), size)
		}
		dst[i], err = c.column.bytes(b)
		i++
		return err
	}
	switch {
	case e == plainDictionary || e == rleDictionary:
		return c.lookUp(dst, values)
	case e == plain && f.physical.isBytes():
		return plainBytes(values, len(dst), f.width(), each)
	case e == plain:
		return c.plainWords(dst, values)
	case e == rle && f.physical == boolean:
		if len(values) < 4 {
			return io.ErrUnexpectedEOF
		}
		if err := hybrid(dst, values[4:], 1); err != nil { // behind its length
			return err
		}
		return c.convert(dst)
	case e == deltaBinaryPacked && (f.physical == int32s || f.physical == int64s):
		if _, err := deltas(dst, values, 8*f.width()); err != nil {
			return err
		}
		return c.convert(dst)
	case e == deltaLength && f.physical == byteArray:
		return lengthBytes(values, resize(&c.indexes, len(dst)), each)
	case e == deltaByteArray && (f.physical == byteArray || f.physical == fixedBytes):
		return prefixBytes(values, len(dst), &c.inflater.left, each)
	case e == byteStreamSplit && f.width() > 0 && f.physical != int96s:
		joined, err := splitBytes(values, len(dst), f.width())
		if err != nil {
			return err
		}
		if f.physical == fixedBytes {
			return plainBytes(joined, len(dst), f.width(), each)
		}
		return c.plainWords(dst, joined)
	}
	return fmt.Errorf("an encoding that is not read for %v", f.physical)
}

// plainWords decodes and converts len(dst) values in PLAIN.
func (c *cursor) plainWords(dst []uint64, values []byte) error {
	if err := c.load(dst, values); err != nil {
		return err
	}
	return c.convert(dst)
}

// load decodes len(dst) values in PLAIN.
func (c *cursor) load(dst []uint64, values []byte) error {
	f := c.column.field
	if f.width()*len(dst) > len(values) {
		return io.ErrUnexpectedEOF
	}
	switch f.physical {
	case boolean:
		return unpack(dst, values, 1)
	case int32s:
		for i := range dst {
			dst[i] = uint64(int64(int32(binary.LittleEndian.Uint32(values[4*i:]))))
		}
	case float32s:
		for i := range dst {
			dst[i] = uint64(binary.LittleEndian.Uint32(values[4*i:]))
		}
	default:
		for i := range dst {
			dst[i] = binary.LittleEndian.Uint64(values[8*i:])
		}
	}
	return nil
}

// convert turns stored words into those of the table, in place.
func (c *cursor) convert(words []uint64) (err error) {
	if c.column.word == nil {
		return nil
	}
	for i, w := range words {
		if words[i], err = c.column.word(w); err != nil {
			return err
		}
	}
	return nil
}

// lookUp decodes positions in the dictionary: a byte that tells their width in bits, and runs.
func (c *cursor) lookUp(dst []uint64, values []byte) (err error) {
	d := &c.encoded
	if d.words == nil {
		return fmt.Errorf("no dictionary before it")
	}
	if len(dst) == 0 {
		return nil
	}
	if len(values) == 0 {
		return io.ErrUnexpectedEOF
	}
	if err := hybrid(dst, values[1:], int(values[0])); err != nil {
		return err
	}
	for i, at := range dst {
		if at >= uint64(len(d.words)) {
			return fmt.Errorf("entry %d of a dictionary of %d", at, len(d.words))
		}
		if d.known != nil && !d.known[at] {
			if d.texts != nil {
				d.words[at], err = c.column.bytes(d.texts[at])
			} else {
				d.words[at], err = c.column.word(d.words[at])
			}
			if err != nil {
				return err
			}
			d.known[at] = true
		}
		dst[i] = d.words[at]
	}
	return nil
}
