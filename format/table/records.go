package table

import (
	"bytes"
	"fmt"
	"io"

	"github.com/seraph-ml/seraph/format"
)

// Bounds on what a record may be. A longer one is nearly always a quote that is never closed.
const (
	maxRecord = 16 << 20
	maxFields = 1 << 17
)

// records splits CSV text into records: fields between separators, in quotes where they hold separators, quotes (doubled) or
// line ends; LF or CRLF ends a record. Blank lines are skipped. A quote inside a field that does not begin with one stands
// for itself.
type records struct {
	path      string
	separator byte
	line      int      // where the record last returned begins, from 1
	fields    [][]byte // the record last returned; valid until the next call of next

	r        io.Reader
	buf      []byte
	lo, hi   int // unread bytes are buf[lo:hi]
	nextLine int
	ended    bool // r has no more
}

func newRecords(path string, r io.Reader, separator byte) *records {
	return &records{path: path, r: r, separator: separator, buf: make([]byte, 1<<16), nextLine: 1}
}

// next reads a record into s.fields. It returns io.EOF after the last one.
func (s *records) next() error {
	for {
		end, quoted, err := s.find()
		if err != nil {
			return err
		}
		text := s.buf[s.lo:end]
		s.lo = end
		s.line = s.nextLine
		if !quoted {
			s.nextLine++
			if text = trimLineEnd(text); len(text) == 0 {
				continue
			}
		} else {
			s.nextLine += bytes.Count(text, []byte{'\n'})
			text = trimLineEnd(text)
		}
		if bytes.IndexByte(text, 0) >= 0 {
			return format.CorruptLine(s.path, s.line, "text", "a zero byte", "plain text, UTF-8").WithHint("this is a binary file, or text in UTF-16; save it as CSV in UTF-8")
		}
		return s.split(text, quoted)
	}
}

// find returns where the next record ends, its line end included, and whether a quote occurs in it.
func (s *records) find() (end int, quoted bool, err error) {
	for {
		unread := s.buf[s.lo:s.hi]
		length := bytes.IndexByte(unread, '\n') + 1
		switch {
		case length > 0:
			quoted = bytes.IndexByte(unread[:length], '"') >= 0
		case s.ended:
			length = len(unread)
			quoted = bytes.IndexByte(unread, '"') >= 0
		}
		if quoted {
			length = s.endOfQuoted(unread)
		}
		switch {
		case length > 0:
			return s.lo + length, quoted, nil
		case s.ended && len(unread) == 0:
			return 0, false, io.EOF
		case s.ended:
			return 0, false, format.CorruptLine(s.path, s.nextLine, "record", "a quote that is never closed", "a closing quote before the end of the file")
		case len(unread) >= maxRecord:
			return 0, false, format.CorruptLine(s.path, s.nextLine, "record", fmt.Sprintf("more than %d bytes", maxRecord), "a shorter one").
				WithHint("a quote may be open, or this is not a table")
		}
		if err := s.fill(); err != nil {
			return 0, false, err
		}
	}
}

// endOfQuoted returns the length of the record at the start of text, its line end included, minding quotes; 0 if it is not complete.
func (s *records) endOfQuoted(text []byte) int {
	start := true // of a field
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' && start:
			for i++; ; i += 2 {
				q := bytes.IndexByte(text[min(i, len(text)):], '"')
				if q < 0 {
					return 0
				}
				i += q
				if i+1 == len(text) || text[i+1] != '"' {
					break
				}
			}
			start = false
		case c == '\n':
			return i + 1
		default:
			start = c == s.separator
		}
	}
	if s.ended {
		return len(text)
	}
	return 0
}

// fill reads more text behind what is unread, and makes room for it.
func (s *records) fill() error {
	if s.lo > 0 {
		s.hi = copy(s.buf, s.buf[s.lo:s.hi])
		s.lo = 0
	}
	if s.hi == len(s.buf) {
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	n, err := s.r.Read(s.buf[s.hi:])
	s.hi += n
	if err == io.EOF {
		s.ended = true
		return nil
	}
	return format.ReadError(s.path, -1, "text", err)
}

func trimLineEnd(text []byte) []byte {
	if n := len(text); n > 0 && text[n-1] == '\n' {
		text = text[:n-1]
		if n > 1 && text[n-2] == '\r' {
			text = text[:n-2]
		}
	}
	return text
}

// split cuts a record into fields; those in quotes are unquoted in place.
func (s *records) split(text []byte, quoted bool) error {
	s.fields = s.fields[:0]
	for {
		var field []byte
		end := -1
		if quoted && len(text) > 0 && text[0] == '"' {
			n := 0
			field, n = unquote(text)
			if n < len(text) && text[n] != s.separator {
				return format.CorruptLine(s.path, s.line, fmt.Sprintf("field %d", len(s.fields)+1), fmt.Sprintf("%.20q behind its closing quote", text[n:]), fmt.Sprintf("the separator %q or the end of the line", s.separator)).
					WithHint("a quote inside quotes is written twice")
			}
			if n < len(text) {
				end = n
			}
		} else if end = bytes.IndexByte(text, s.separator); end >= 0 {
			field = text[:end]
		} else {
			field = text
		}
		if len(s.fields) == maxFields {
			return format.CorruptLine(s.path, s.line, "record", fmt.Sprintf("more than %d fields", maxFields), "fewer")
		}
		s.fields = append(s.fields, field)
		if end < 0 {
			return nil
		}
		text = text[end+1:]
	}
}

// unquote returns the content of the quoted field at the start of text, written over its own beginning, and the length of
// the field with its quotes. endOfQuoted has seen the closing quote.
func unquote(text []byte) (field []byte, length int) {
	at := 1
	for out := 1; ; {
		q := bytes.IndexByte(text[at:], '"')
		if q < 0 { // cannot be
			return text[1:], len(text)
		}
		copy(text[out:], text[at:at+q])
		out += q
		at += q + 1
		if at == len(text) || text[at] != '"' {
			return text[1:out], at
		}
		text[out] = '"'
		out++
		at++
	}
}
