package format

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// textBuffer is the size of a Text's buffer, and the length that one field may have.
const textBuffer = 1 << 16

// Text reads a text file line by line and field by field, in a buffer of fixed size however long the lines are: plain, or
// compressed where the name ends in ".gz" or ".zst". Lines end in LF or CRLF. Fields are separated by blanks, tabs, or a comma with or
// without blanks around it; between two commas, and after the last, there is an empty field.
type Text struct {
	Path string
	Line int    // number of the current line, from 1
	Size int64  // of the file, compressed or not
	Skip string // lines whose first character is one of these are comments: Next passes over them

	stream   io.ReadCloser
	buf      []byte
	pos, end int   // what is left in buf is buf[pos:end]
	err      error // of the last read; io.EOF at the end of the file

	field bool // a field of the current line has been returned
}

// OpenText opens a text file; close it after use.
func OpenText(path string) (*Text, error) {
	s, err := OpenStream(path)
	if err != nil {
		return nil, err
	}
	return newText(s), nil
}

// NewText is OpenText for a source that is open already; Close closes it.
func NewText(file *Source) (*Text, error) {
	s, err := NewStream(file)
	if err != nil {
		return nil, err
	}
	return newText(s), nil
}

func newText(s *Stream) *Text {
	t := &Text{Path: s.Path, Size: s.Size, stream: s, buf: make([]byte, textBuffer)}
	if t.fill(0); bytes.HasPrefix(t.buf[:t.end], []byte("\xef\xbb\xbf")) {
		t.pos = 3 // the byte order mark that some spreadsheets write
	}
	return t
}

// Close closes the file.
func (t *Text) Close() error { return t.stream.Close() }

// fill reads more behind buf[from:end], which moves to the front. It returns false when there is no more, or no room.
func (t *Text) fill(from int) bool {
	if t.err != nil {
		return false
	}
	copy(t.buf, t.buf[from:t.end])
	t.pos, t.end = t.pos-from, t.end-from
	if t.end == len(t.buf) {
		t.err = CorruptLine(t.Path, t.Line, "field", fmt.Sprintf("more than %d characters", len(t.buf)), "a number").
			WithHint("this is no text file of numbers, or it is damaged")
		return false
	}
	var n int
	for n == 0 && t.err == nil {
		n, t.err = t.stream.Read(t.buf[t.end:])
	}
	t.end += n
	return n > 0
}

// Next moves to the next line that is no comment. It returns false at the end of the file, or when Err is not nil.
func (t *Text) Next() bool {
	for {
		if t.Line > 0 && !t.skipLine() {
			return false
		}
		if t.pos == t.end && !t.fill(t.end) {
			return false
		}
		t.Line++
		t.field = false
		if c, ok := t.Peek(); !ok || strings.IndexByte(t.Skip, c) < 0 {
			return t.Err() == nil
		}
	}
}

// skipLine passes over the rest of the current line.
func (t *Text) skipLine() bool {
	for {
		if i := bytes.IndexByte(t.buf[t.pos:t.end], '\n'); i >= 0 {
			t.pos += i + 1
			return true
		}
		t.pos = t.end
		if !t.fill(t.end) {
			return false
		}
	}
}

// Peek returns the next character that is not blank, without passing over it; it is not ok at the end of the file.
func (t *Text) Peek() (c byte, ok bool) {
	for {
		for t.pos < t.end {
			c := t.buf[t.pos]
			if c != ' ' && c != '\t' && c != '\r' {
				return c, true
			}
			t.pos++
		}
		if !t.fill(t.end) {
			return 0, false
		}
	}
}

// More says whether the line has another field. There is none in a blank line, nor when Err is not nil.
func (t *Text) More() bool {
	c, ok := t.Peek()
	return ok && c != '\n' && t.Err() == nil
}

// Field returns the next field of the line, in memory that the next call reuses; it is not ok at the end of the line, or
// when Err is not nil.
func (t *Text) Field() (field []byte, ok bool) {
	if !t.More() {
		return nil, false
	}
	if t.field && t.buf[t.pos] == ',' {
		t.pos++
		if !t.More() { // the field behind the last comma
			return nil, t.Err() == nil
		}
	}
	t.field = true
	n := 0
	for t.pos+n < t.end || t.fill(t.pos) {
		if separator[t.buf[t.pos+n]] {
			break
		}
		n++
	}
	if t.Err() != nil {
		return nil, false
	}
	field = t.buf[t.pos : t.pos+n]
	t.pos += n
	return field, true
}

var separator = [256]bool{' ': true, '\t': true, '\r': true, '\n': true, ',': true}

// Err returns what went wrong while reading, nil at the proper end of the file.
func (t *Text) Err() error {
	if t.err == nil || t.err == io.EOF {
		return nil
	}
	return ReadError(t.Path, -1, "content", t.err)
}

// Corrupt returns a CorruptError at the current line; hint may be empty. Where reading itself failed it returns Err, which
// is then the reason for whatever seems to be missing.
func (t *Text) Corrupt(what, found, expected, hint string) error {
	if err := t.Err(); err != nil {
		return err
	}
	return CorruptLine(t.Path, max(1, t.Line), what, found, expected).WithHint(hint)
}

// Natural reads the next field, which must be there, as a whole number from least ≥ 0 to most; what names it in errors.
func (t *Text) Natural(what string, least, most int64) (int64, error) {
	field, ok := t.Field()
	v, natural := ParseNatural(field)
	if natural && v >= least && v <= most {
		return v, nil
	}
	expected := fmt.Sprintf("a whole number from %d to %d", least, most)
	if most == math.MaxInt64 {
		expected = fmt.Sprintf("a whole number from %d on, below 2^63", least)
	}
	return 0, t.Corrupt(what, found(field, ok), expected, "")
}

// Float32 reads the next field, which must be there, as a decimal number, rounded to the nearest; it must be finite.
func (t *Text) Float32(what string) (float32, error) {
	field, ok := t.Field()
	v, finite := ParseFloat32(field)
	if finite {
		return v, nil
	}
	return 0, t.Corrupt(what, found(field, ok), "a finite number", "")
}

// found describes what Field returned.
func found(field []byte, ok bool) string {
	if !ok {
		return "the end of the line"
	}
	return fmt.Sprintf("%.40q", field)
}

// ParseNatural reads a number that consists of digits alone; it is not ok beyond int64.
func ParseNatural(field []byte) (v int64, ok bool) {
	if len(field) == 0 {
		return 0, false
	}
	for _, c := range field {
		d := c - '0'
		if d > 9 || v > (math.MaxInt64-int64(d))/10 {
			return 0, false
		}
		v = 10*v + int64(d)
	}
	return v, true
}

// ParseFloat32 reads a decimal number, correctly rounded; it is not ok where that is not finite.
func ParseFloat32(field []byte) (v float32, ok bool) {
	for _, c := range field {
		if c == '_' || c|0x20 == 'x' { // Go's own spellings
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(string(field), 32)
	return float32(f), err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}

// Reserve returns an empty slice with room for the elements that a file of size bytes claims to hold, but with at most 16
// bytes of memory a byte of file: enough for what an honest file holds, and a lie costs little. Append grows it beyond.
func Reserve[T Number](claimed, size int64) []T {
	var zero T
	return make([]T, 0, min(claimed, 16*size/int64(binary.Size(zero))))
}

// ReserveBytes bounds the memory that appending the claimed elements, of bytes each, to what Reserve returns takes in all.
func ReserveBytes(claimed, bytes, size int64) int64 {
	if claimed > math.MaxInt64/8/bytes {
		return math.MaxInt64
	}
	if claimed*bytes <= 16*size {
		return claimed * bytes
	}
	return 7 * claimed * bytes // append grows by a quarter: 1 + 1/1.25 + … = 5, and 1.25 times as much at the end
}
