package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/table"
)

// column is a column of the table: where its values come from, and how a stored value becomes one of the table. On the way a
// value is a word of 64 bits: an int64, the bits of a float32 or float64, or the code of a text.
type column struct {
	field *field
	index int // among the leaves of the schema
	kind  table.Kind

	word  func(stored uint64) (uint64, error) // for BOOLEAN, INT32 (sign-extended), INT64, FLOAT, DOUBLE; nil: as it is
	bytes func(stored []byte) (uint64, error) // for INT96, BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY

	dictionary *table.Dictionary // of a text column
	complete   bool              // the dictionary is: another value is an error
	missing    int64             // counted while the dictionary is made
	note       string            // what the numbers mean, where it is not plain
}

// missingWord stands for a value that is missing though the file holds one: NaN, read as text.
const missingWord = math.MaxUint64

var (
	errBomb    = errors.New("it inflates beyond the limit for a file of this size; if it is no bomb, write it again in plainer encodings")
	errChanged = errors.New("other content than a moment ago: wait until the file is complete")
)

// isBytes says whether values are byte strings in a page, and not words.
func (p physical) isBytes() bool { return p == int96s || p == byteArray || p == fixedBytes }

// newColumn decides what a field becomes in the table; asText makes it text whatever it is.
func newColumn(f *field, index int, asText bool) (*column, error) {
	c := &column{field: f, index: index}
	if err := c.convert(); err != nil {
		return nil, err
	}
	if asText && c.kind != table.Text {
		c.asText()
	}
	if c.kind == table.Text {
		c.dictionary = &table.Dictionary{}
	}
	return c, nil
}

// convert sets kind and conversion by physical and logical type.
func (c *column) convert() error {
	f := c.field
	switch {
	case f.logical == decimal && f.physical != boolean && f.physical != float32s && f.physical != float64s && f.physical != int96s:
		c.kind = table.Float64
		c.word = func(v uint64) (uint64, error) { return math.Float64bits(float64(int64(v)) / math.Pow10(f.scale)), nil }
		c.bytes = func(b []byte) (uint64, error) {
			if len(b) > maxDecimal {
				return 0, fmt.Errorf("a decimal of %d bytes, expected at most %d", len(b), maxDecimal)
			}
			return math.Float64bits(decimalValue(b, f.scale)), nil
		}
	case f.physical == boolean, f.physical == int32s, f.physical == int64s:
		c.integers()
	case f.physical == int96s:
		c.kind, c.bytes, c.note = table.Int, nanoseconds, "times in ns since 1970"
	case f.physical == float32s:
		c.kind = table.Float32
	case f.physical == float64s:
		c.kind = table.Float64
	case f.logical == float16 && f.length == 2:
		c.kind = table.Float32
		c.bytes = func(b []byte) (uint64, error) {
			return uint64(math.Float32bits(format.HalfToFloat32(binary.LittleEndian.Uint16(b)))), nil
		}
	case f.logical == uuid && f.length == 16:
		c.kind = table.Text
		c.bytes = func(b []byte) (uint64, error) {
			return c.code(fmt.Appendf(nil, "%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
		}
	case f.physical == byteArray && (f.logical == plainValue || f.logical == textValue || f.logical == unknownNull):
		c.kind, c.bytes = table.Text, c.text
	default:
		name := f.other
		if name == "" {
			name = fmt.Sprintf("%v of %d bytes", f.physical, f.length)
		}
		return fmt.Errorf("%s", name)
	}
	return nil
}

// integers sets up a column of whole numbers.
func (c *column) integers() {
	c.kind = table.Int
	f := c.field
	switch {
	case f.logical == unsigned && f.physical == int32s:
		c.word = func(v uint64) (uint64, error) { return uint64(uint32(v)), nil }
	case f.logical == unsigned:
		c.word = func(v uint64) (uint64, error) {
			if v > math.MaxInt64 {
				return 0, fmt.Errorf("the number %d, expected at most 2^63-1", v)
			}
			return v, nil
		}
	case f.logical == date:
		c.note = "dates in days since 1970"
	case f.logical == timestamp:
		c.note = "times in " + f.unit + " since 1970"
	case f.logical == timeOfDay:
		c.note = "times in " + f.unit + " since midnight"
	}
}

// asText makes a column of numbers one of text: each number in its shortest form, a boolean as false or true.
func (c *column) asText() {
	number := c.word
	if number == nil {
		number = func(v uint64) (uint64, error) { return v, nil }
	}
	kind, isBool := c.kind, c.field.physical == boolean
	name := func(v uint64, err error) (uint64, error) {
		if err != nil {
			return 0, err
		}
		switch f32, f64 := math.Float32frombits(uint32(v)), math.Float64frombits(v); {
		case isBool:
			return c.code(strconv.AppendBool(nil, v != 0))
		case kind == table.Int:
			return c.code(strconv.AppendInt(nil, int64(v), 10))
		case kind == table.Float32 && f32 == f32:
			return c.code(strconv.AppendFloat(nil, float64(f32), 'g', -1, 32))
		case kind == table.Float64 && f64 == f64:
			return c.code(strconv.AppendFloat(nil, f64, 'g', -1, 64))
		}
		return missingWord, nil
	}
	bytes := c.bytes
	c.word = func(v uint64) (uint64, error) { return name(number(v)) }
	c.bytes = func(b []byte) (uint64, error) { return name(bytes(b)) }
	c.kind = table.Text
}

// text is the code of a text.
func (c *column) text(b []byte) (uint64, error) {
	if !utf8.Valid(b) {
		return 0, fmt.Errorf("the bytes %.40q, expected text in UTF-8", b)
	}
	return c.code(b)
}

func (c *column) code(b []byte) (uint64, error) {
	if !c.complete {
		return uint64(c.dictionary.Add(b)), nil
	}
	code, ok := c.dictionary.Find(b)
	if !ok {
		return 0, errChanged
	}
	return uint64(code), nil
}

// nanoseconds converts INT96, the time of old writers: 8 bytes of nanoseconds in the day, 4 bytes of the Julian day.
func nanoseconds(b []byte) (uint64, error) {
	const unixEpoch = 2440588 // the Julian day of 1970-01-01
	ns := int64(binary.LittleEndian.Uint64(b))
	day := int64(binary.LittleEndian.Uint32(b[8:])) - unixEpoch
	return uint64(day*86400e9 + ns), nil
}

// maxDecimal is the longest decimal read, in bytes: twice what 76 digits take, the most that other programs write.
const maxDecimal = 64

// decimalValue converts a decimal: a big-endian number in two's complement, times 10^−scale, rounded to nearest.
func decimalValue(b []byte, scale int) float64 {
	v := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	f, _ := new(big.Rat).SetFrac(v, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)).Float64()
	return f
}

// store puts n words at dst[at:]. NaN is missing, as everywhere in a table.
func (c *column) store(dst *table.Column, at int, words []uint64) {
	switch c.kind {
	case table.Int:
		for i, w := range words {
			dst.Ints[at+i] = int64(w)
		}
	case table.Float32:
		for i, w := range words {
			v := math.Float32frombits(uint32(w))
			dst.Float32s[at+i] = v
			if v != v {
				dst.Missing++
			}
		}
	case table.Float64:
		for i, w := range words {
			v := math.Float64frombits(w)
			dst.Float64s[at+i] = v
			if v != v {
				dst.Missing++
			}
		}
	case table.Text:
		for i, w := range words {
			dst.Codes[at+i] = int32(w)
			if w == missingWord {
				dst.Missing++
			}
		}
	}
}

// storeMissing marks dst[at:at+n] as missing.
func (c *column) storeMissing(dst *table.Column, at, n int) {
	dst.Missing += int64(n)
	for i := at; i < at+n; i++ {
		switch c.kind {
		case table.Int:
			if dst.Null == nil {
				dst.Null = make([]bool, len(dst.Ints))
			}
			dst.Null[i] = true
		case table.Float32:
			dst.Float32s[i] = float32(math.NaN())
		case table.Float64:
			dst.Float64s[i] = math.NaN()
		case table.Text:
			dst.Codes[i] = -1
		}
	}
}
