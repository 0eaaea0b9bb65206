package table

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seraph-ml/seraph/format"
)

// survey is what the first pass over a CSV file learns about a column.
type survey struct {
	kind       Kind // Int until a fraction or an exponent is seen, then Float64, Text once something else is
	empty      int  // empty cells
	marks      int  // cells that stand for a missing number
	values     int  // the others
	latin1     int  // distinct values that are not UTF-8
	bytes      int  // of the values
	asText     bool // collect the dictionary: the column is text, or was asked for as such
	late       bool // found to be text after the dictionary should have been begun
	dictionary Dictionary
	most       int // distinct values to collect, and 256 times as many bytes; 0: all
}

// see takes note of a cell.
func (c *survey) see(cell []byte) {
	switch {
	case len(cell) == 0:
		c.empty++
		return
	case c.kind == Text:
		c.values++
	default:
		_, kind := parseNumber(cell)
		switch {
		case kind == Text && isMissingMark(cell):
			c.marks++
			c.values--
		case kind == Text:
			c.kind = Text
			c.late = !c.asText && c.values+c.marks > 0
			c.asText = true
		case kind == Float64:
			c.kind = Float64
		}
		c.values++
	}
	if c.asText {
		c.bytes += len(cell)
		c.code(cell)
	}
}

// full says whether no more values are collected.
func (c *survey) full() bool {
	return c.most > 0 && (len(c.dictionary.Values) >= c.most || c.bytes >= 256*c.most)
}

// code adds a text cell to the dictionary.
func (c *survey) code(cell []byte) {
	if _, ok := c.dictionary.Find(cell); ok || c.full() {
		return
	}
	if utf8.Valid(cell) {
		c.dictionary.Add(cell)
		return
	}
	c.latin1++
	c.dictionary.add(string(cell), fromLatin1(cell))
}

// fromLatin1 decodes ISO 8859-1, in which every byte is the character of that number.
func fromLatin1(cell []byte) string {
	runes := make([]rune, len(cell))
	for i, b := range cell {
		runes[i] = rune(b)
	}
	return string(runes)
}

// learn finds out separator, header and columns and describes them in f.
func (c *csvFile) learn(f *File, o Options) error {
	first, err := c.firstRecord()
	if err != nil {
		return err
	}
	c.width = len(first)
	c.header = o.Header == "yes" || o.Header == "" && mayBeHeader(first)
	for {
		names := columnNames(first, c.header)
		if twice := firstTwice(names); twice != "" {
			return format.CorruptLine(c.path, 1, "header", fmt.Sprintf("column %.200q twice", twice), "each name once")
		}
		c.keep = c.keep[:0]
		var asText []bool
		for i, name := range names {
			if !slices.Contains(o.Ignore, name) {
				c.keep = append(c.keep, i)
				asText = append(asText, slices.Contains(o.Categories, name))
			}
		}
		if err := c.passes(f, asText); err != nil {
			return err
		}
		if c.header && o.Header == "" && c.looksLikeData(first) {
			c.header = false
			continue
		}
		if err := o.CheckIgnore(c.path, names); err != nil {
			return err
		}
		c.describe(f, names, o)
		return nil
	}
}

// firstRecord returns a copy of the first record, which may be the header.
func (c *csvFile) firstRecord() ([]string, error) {
	s, closer, err := c.records()
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	if err := s.next(); err == io.EOF {
		return nil, format.CorruptLine(c.path, 1, "table", "no lines", "at least one")
	} else if err != nil {
		return nil, err
	}
	first := make([]string, len(s.fields))
	for i, cell := range s.fields {
		first[i] = string(cell)
	}
	return first, nil
}

// mayBeHeader says whether a first record could be one: no number in it, and something.
func mayBeHeader(cells []string) bool {
	some := false
	for _, cell := range cells {
		if _, kind := parseNumber([]byte(cell)); kind != Text {
			return false
		}
		some = some || len(cell) > 0
	}
	return some
}

// looksLikeData says whether what was taken for the header is the first row after all: every column is text, and one of
// its values occurs again below.
func (c *csvFile) looksLikeData(first []string) bool {
	again := false
	for i, column := range c.columns {
		if column.kind != Text && column.values > 0 {
			return false
		}
		_, seen := column.dictionary.Find([]byte(first[c.keep[i]]))
		again = again || seen
	}
	return again
}

// columnNames are the header's cells, or made up.
func columnNames(first []string, header bool) []string {
	names := make([]string, len(first))
	for i, name := range first {
		names[i] = strings.ToValidUTF8(strings.TrimSpace(name), "\ufffd")
		if !header || names[i] == "" {
			names[i] = fmt.Sprintf("column %d", i+1)
		}
	}
	return names
}

// firstTwice returns a name that occurs twice, "" if there is none.
func firstTwice(names []string) string {
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[name] {
			return name
		}
		seen[name] = true
	}
	return ""
}

// passes reads the file once, and a second time where a column turned out to be text after numbers.
func (c *csvFile) passes(f *File, asText []bool) error {
	for {
		c.columns = make([]*survey, len(asText))
		for i := range c.columns {
			c.columns[i] = &survey{asText: asText[i], most: c.most}
		}
		c.passed++
		f.Rows = 0
		err := c.rows(func(fields [][]byte, _ int) error {
			for i, at := range c.keep {
				c.columns[i].see(fields[at])
			}
			f.Rows++
			return nil
		})
		if err != nil {
			return err
		}
		again := false
		for i, column := range c.columns {
			asText[i] = asText[i] || column.late
			again = again || column.late
		}
		if !again {
			return nil
		}
	}
}

// errStop ends rows early.
var errStop = errors.New("stop")

// rows calls row for every record behind the header, with its line.
func (c *csvFile) rows(row func(fields [][]byte, line int) error) error {
	s, closer, err := c.records()
	if err != nil {
		return err
	}
	defer closer.Close()
	defer func() { c.longest = max(c.longest, len(s.buf)) }()
	header := c.header
	for {
		if err := s.next(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if len(s.fields) != c.width {
			return format.CorruptLine(c.path, s.line, "record", fmt.Sprintf("%d fields", len(s.fields)), fmt.Sprintf("%d as in the first line", c.width)).
				WithHint(fmt.Sprintf("fields are separated by %q; a field that holds one stands in quotes", c.separator))
		}
		if header {
			header = false
			continue
		}
		if err := row(s.fields, s.line); err != nil {
			return err
		}
	}
}

// describe fills in the columns and notes of f.
func (c *csvFile) describe(f *File, names []string, o Options) {
	f.Columns = make([]Column, len(c.keep))
	text, numbers, latin1 := 0, 0, 0
	for i, column := range c.columns {
		column.settle()
		f.Columns[i] = Column{Name: names[c.keep[i]], Kind: column.kind, Missing: int64(column.missing()), Values: column.dictionary.Values}
		if column.asText {
			f.Columns[i].Kind = Text
			text++
		} else {
			numbers++
		}
		latin1 += column.latin1
	}
	header := "the first line is the header"
	if !c.header {
		header = "there is no header; columns are named by their position"
	}
	f.Note("fields are separated by %q; %s", c.separator, header)
	f.Note("over all %d rows, %d columns hold numbers and %d text", f.Rows, numbers, text)
	if ignored := c.width - len(c.keep); ignored > 0 {
		f.Note("%d columns are ignored", ignored)
	}
	for i, column := range c.columns {
		if column.kind == Text && !slices.Contains(o.Categories, f.Columns[i].Name) {
			if marks := column.markNames(); len(marks) > 0 {
				f.Note("column %q is text; its values %s are categories like the others", f.Columns[i].Name, strings.Join(marks, ", "))
			}
		}
	}
	if latin1 > 0 {
		f.Note("%d distinct values are not UTF-8; they were read as Latin-1", latin1)
	}
}

// settle drops the marks of missing numbers from the dictionary of a column of numbers that was asked for as text.
func (c *survey) settle() {
	if !c.asText || c.kind == Text || c.marks == 0 {
		return
	}
	all := c.dictionary.Values
	c.dictionary = Dictionary{}
	for _, text := range all {
		if !isMissingMark([]byte(text)) {
			c.dictionary.Add([]byte(text))
		}
	}
}

// missing returns how many values are missing.
func (c *survey) missing() int {
	if c.kind == Text {
		return c.empty
	}
	return c.empty + c.marks
}

// markNames lists the values of a text column that would stand for a missing number.
func (c *survey) markNames() []string {
	var list []string
	for _, text := range c.dictionary.Values {
		if isMissingMark([]byte(text)) {
			list = append(list, fmt.Sprintf("%q", text))
		}
	}
	return list
}
