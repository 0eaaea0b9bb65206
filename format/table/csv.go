package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/seraph-ml/seraph/format"
)

// IsCSV says whether the name of a file is that of separated values: .csv, .tsv or .tab, and the same with .gz.
func IsCSV(path string) bool {
	switch strings.ToLower(filepath.Ext(strings.TrimSuffix(path, ".gz"))) {
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
	return openCSV(path, name, func() (io.ReadCloser, error) { return openText(path) }, o)
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

// openText opens a file, inflating it where its name ends in .gz.
func openText(path string) (io.ReadCloser, error) {
	s, err := format.Open(path)
	if err != nil {
		return nil, err
	}
	text := io.NewSectionReader(s, 0, s.Size)
	if !strings.HasSuffix(path, ".gz") {
		return readCloser{text, s}, nil
	}
	z, err := gzip.NewReader(text)
	if err != nil {
		s.Close()
		return nil, format.CorruptAt(path, 0, "gzip header", "", "").WithCause(noEOF(err)).WithHint("the file is damaged, or not a gzip file in spite of its name")
	}
	return readCloser{&inflated{path: path, r: z, left: 256<<20 + 100*s.Size, size: s.Size}, s}, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// inflated reads a gzip stream within bounds.
type inflated struct {
	path       string
	r          io.Reader
	done, left int64 // bytes inflated, and what may still be
	size       int64 // of the file
}

func (z *inflated) Read(dst []byte) (int, error) {
	n, err := z.r.Read(dst)
	z.done += int64(n)
	z.left -= int64(n)
	switch {
	case z.left < 0:
		return 0, format.CorruptAt(z.path, -1, "inflated size", fmt.Sprintf("more than %d bytes", z.done+z.left), fmt.Sprintf("at most that many of %d compressed", z.size)).
			WithHint("this looks like a bomb; if it is not, unpack it first")
	case err != nil && err != io.EOF:
		return n, format.CorruptAt(z.path, -1, fmt.Sprintf("gzip stream after %d inflated bytes", z.done), "", "").WithCause(noEOF(err)).WithHint("the file is damaged or cut short; fetch it again")
	}
	return n, err
}

// noEOF makes an early end visible as one: io.EOF alone would read as a proper end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
