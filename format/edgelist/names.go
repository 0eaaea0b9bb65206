package edgelist

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/seraph-ml/seraph/format"
)

// LongestName is how many bytes an id that is a text may have.
const LongestName = 1 << 16

// ReadNames is ReadPairs for ids that are texts: whatever stands between separators, two in a line. names[2i] and names[2i+1] are the ends
// of an edge, in memory that is used again. Lines that begin with # or % are comments; no line is a header.
func ReadNames(path string, workers int, emit func(worker int, names [][]byte) error) (PairCounts, error) {
	s, err := format.OpenStream(path)
	if err != nil {
		return PairCounts{}, err
	}
	defer s.Close()
	return ReadNamesFrom(path, s, workers, emit)
}

// ReadNamesFrom is ReadNames for what comes through a pipe; path is the name that errors use.
func ReadNamesFrom(path string, text io.Reader, workers int, emit func(worker int, names [][]byte) error) (counts PairCounts, err error) {
	parsers := make([]nameParser, max(workers, 1))
	err = readChunks(path, text, len(parsers), func(w int) func(chunk) (int, error) {
		p := &parsers[w]
		p.path, p.names = path, make([][]byte, 0, 2*blockPairs)
		p.emit = func(names [][]byte) error { return emit(w, names) }
		return p.chunk
	})
	for i := range parsers {
		counts.Pairs += parsers[i].counts.Pairs
		counts.Longer += parsers[i].counts.Longer
	}
	if err == nil && counts.Pairs == 0 {
		err = noEdge(path)
	}
	return counts, err
}

// NamesBytes is the memory that ReadNames takes.
func NamesBytes(workers int) int64 { return PairBytes(workers) + int64(workers)*2*8*blockPairs*2 }

// HasNames says of the beginning of a text whether its ids are texts: neither of the first two lines that hold something begins with two
// whole numbers, and both are text. A single line of names is a header where a line of numbers follows.
func HasNames(head []byte) bool {
	lines := 0
	for line := range bytes.Lines(bytes.TrimPrefix(head, bom)) {
		u, v, _, err := twoNames(line)
		switch {
		case errors.Is(err, errNoEdge):
			continue
		case err != nil || !printable(u) || !printable(v):
			return false
		}
		_, first := format.ParseNatural(u)
		_, second := format.ParseNatural(v)
		if first && second {
			return false
		}
		if lines++; lines == 2 {
			break
		}
	}
	return lines > 0
}

var bom = []byte("\xef\xbb\xbf")

// printable says whether a field is text in UTF-8.
func printable(field []byte) bool {
	return utf8.Valid(field) && bytes.IndexFunc(field, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0
}

// nameParser is what a worker parses names with.
type nameParser struct {
	path   string
	emit   func(names [][]byte) error
	names  [][]byte
	counts PairCounts
}

// chunk parses a chunk. In a case of error it returns the line.
func (p *nameParser) chunk(c chunk) (line int, err error) {
	text := c.text
	if c.line == 1 {
		text = bytes.TrimPrefix(text, bom)
	}
	line = c.line
	for ; len(text) > 0; line++ {
		end := bytes.IndexByte(text, '\n') + 1
		u, v, longer, err := twoNames(text[:end])
		text = text[end:]
		if errors.Is(err, errNoEdge) {
			continue
		}
		if err != nil {
			var corrupt *format.CorruptError
			if errors.As(err, &corrupt) {
				corrupt.Path, corrupt.Line = p.path, line
			}
			return line, err
		}
		if longer {
			p.counts.Longer++
		}
		p.counts.Pairs++
		if p.names = append(p.names, u, v); len(p.names) == cap(p.names) {
			if err := p.flush(); err != nil {
				return line, err
			}
		}
	}
	return line, p.flush() // names lie in the chunk
}

func (p *nameParser) flush() error {
	if len(p.names) == 0 {
		return nil
	}
	err := p.emit(p.names)
	p.names = p.names[:0]
	return err
}

// errNoEdge is the answer of twoNames to a line that is blank or a comment.
var errNoEdge = errors.New("no edge")

// twoNames are the first two fields of a line, and whether there are more.
func twoNames(line []byte) (u, v []byte, longer bool, err error) {
	line = bytes.Trim(line, " \t\r\n")
	if len(line) == 0 || line[0] == '#' || line[0] == '%' {
		return nil, nil, false, errNoEdge
	}
	u, rest := cutName(line)
	v, rest = cutName(rest)
	for i, name := range [][]byte{u, v} {
		if len(name) > 0 && len(name) <= LongestName {
			continue
		}
		found := "none"
		if len(name) > 0 {
			found = fmt.Sprintf("one of %d bytes", len(name))
		}
		what := [...]string{"node id", "second node id"}[i]
		return nil, nil, false, &format.CorruptError{Offset: -1, What: what, Found: found, Expected: fmt.Sprintf("1 … %d characters between separators", LongestName)}
	}
	return u, v, len(rest) > 0, nil
}

// cutName cuts a field off, and what separates it from the next.
func cutName(line []byte) (name, rest []byte) {
	n := bytes.IndexAny(line, " \t\r,")
	if n < 0 {
		return line, nil
	}
	rest = line[n:]
	for comma := false; len(rest) > 0 && separator[rest[0]] && !(comma && rest[0] == ','); rest = rest[1:] {
		comma = comma || rest[0] == ','
	}
	return line[:n], rest
}
