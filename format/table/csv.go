package table

import (
	"bytes"
	"io"
	"iter"
	"path/filepath"
	"strings"

	"github.com/seraph-ml/seraph/format"
)

// IsCSV says whether the name of a file is that of separated values: .csv, .tsv or .tab, and the same with .gz.
func IsCSV(path string) bool {
	switch strings.ToLower(filepath.Ext(format.Uncompressed(path))) {
	case ".csv", ".tsv", ".tab":
		return true
	}
	return false
}

// OpenCSV reads a file of separated values, deflated where its name ends in .gz, once to its end to learn its columns. Memory
// grows with the dictionaries of the text columns and with nothing else.
func OpenCSV(path string, o Options) (*File, error) {
	name := filepath.Base(path)
	if cut, _, ok := strings.Cut(name, "."); ok && cut != "" {
		name = cut
	}
	return openCSV(path, name, func() (io.ReadCloser, error) { return format.OpenStream(path) }, o)
}

// opener opens the text of a table, from its start.
type opener func() (io.ReadCloser, error)

func openCSV(path, name string, open opener, o Options) (*File, error) {
	c := &csvFile{path: path, open: open, separator: o.Separator}
	f := &File{Path: path, Name: name, Format: "csv"}
	if err := c.learn(f, o); err != nil {
		return nil, err
	}
	f.Blocks = func(n int) iter.Seq2[*Table, error] {
		return func(yield func(*Table, error) bool) { c.blocks(f, n, yield) }
	}
	return f, nil
}

// csvFile is what is known of a CSV file.
type csvFile struct {
	path      string
	open      opener
	separator byte
	header    bool
	width     int       // fields of a record
	keep      []int     // those that are not ignored
	columns   []*survey // of each that is kept
	most      int       // distinct values of a column to collect; 0: all
	passed    int       // how often the file was read to learn about it
	longest   int       // bytes that the buffer for a record has come to
}

// records opens the text behind the byte order mark.
func (c *csvFile) records() (*records, io.Closer, error) {
	r, err := c.open()
	if err != nil {
		return nil, nil, err
	}
	s := newRecords(c.path, r, c.separator)
	if err := s.begin(); err != nil {
		r.Close()
		return nil, nil, err
	}
	if c.separator == 0 {
		c.separator = guessSeparator(s.buf[s.lo:s.hi])
		s.separator = c.separator
	}
	return s, r, nil
}

// begin reads the first bytes and skips a byte order mark.
func (s *records) begin() error {
	for !s.ended && s.hi < len(s.buf) {
		if err := s.fill(); err != nil {
			return err
		}
	}
	head := s.buf[:s.hi]
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		s.lo = 3
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return format.CorruptAt(s.path, 0, "text", "the byte order mark of UTF-16", "UTF-8").WithHint("save it as CSV in UTF-8")
	case bytes.IndexByte(head, '\n') < 0 && bytes.Count(head, []byte{'\r'}) > 1:
		return format.CorruptAt(s.path, 0, "line ends", "CR alone", "LF or CRLF").WithHint("save it with the line ends of this century")
	}
	return nil
}

// guessSeparator returns the candidate that cuts the first lines into the same number of fields, and into the most; ',' if
// there is none.
func guessSeparator(head []byte) byte {
	best, most := byte(','), 1
	for _, candidate := range []byte{',', '\t', ';'} {
		s := newRecords("", bytes.NewReader(head), candidate)
		fields, same := 0, true
		for line := 0; line < 20 && same && s.next() == nil; line++ {
			if line > 0 && s.lo == s.hi && s.ended {
				break // the last line of head may be cut
			}
			same = line == 0 || len(s.fields) == fields
			fields = len(s.fields)
		}
		if same && fields > most {
			best, most = candidate, fields
		}
	}
	return best
}
