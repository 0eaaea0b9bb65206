package table

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/format"
)

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
