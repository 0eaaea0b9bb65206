package table

import (
	"fmt"
	"unicode/utf8"
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
