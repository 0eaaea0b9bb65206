package table

import (
	"fmt"
	"math"
	"strconv"
)

// Kind is the kind of a column's values.
type Kind uint8

// The kinds of columns.
const (
	Int     Kind = iota // int64
	Float32             // float32
	Float64             // float64
	Text                // categories: codes into a dictionary of strings
)

// String returns "int", "float32", "float64" or "text".
func (k Kind) String() string { return [...]string{"int", "float32", "float64", "text"}[k] }

// Column is a named column. The values of its kind are set, one per row, and the others nil.
type Column struct {
	Name    string
	Kind    Kind
	Missing int64 // how many values are missing

	Ints     []int64   // Int; 0 where missing
	Null     []bool    // Int: which values are missing, nil where none is
	Float32s []float32 // Float32; NaN where missing
	Float64s []float64 // Float64; NaN where missing
	Codes    []int32   // Text: index into Values, −1 where missing
	Values   []string  // Text: the dictionary, each value once, in the order of first appearance
}

// Table is a block of rows, or all rows, in columns of equal length.
type Table struct {
	Rows    int
	Columns []Column
}

// New makes a table of n rows with the names, kinds and dictionaries of columns; its values are zero.
func New(columns []Column, n int) *Table {
	t := &Table{Rows: n, Columns: make([]Column, len(columns))}
	for i, c := range columns {
		t.Columns[i] = NewColumn(c.Name, c.Kind, n)
		t.Columns[i].Values = c.Values
	}
	return t
}

// NewColumn makes a column of n values, which are zero.
func NewColumn(name string, kind Kind, n int) Column {
	c := Column{Name: name, Kind: kind}
	switch kind {
	case Int:
		c.Ints = make([]int64, n)
	case Float32:
		c.Float32s = make([]float32, n)
	case Float64:
		c.Float64s = make([]float64, n)
	case Text:
		c.Codes = make([]int32, n)
	}
	return c
}

// Column finds a column by name.
func (t *Table) Column(name string) (*Column, bool) { return find(t.Columns, name) }

func find(columns []Column, name string) (*Column, bool) {
	for i := range columns {
		if columns[i].Name == name {
			return &columns[i], true
		}
	}
	return nil, false
}

// Len returns the number of values.
func (c *Column) Len() int {
	return len(c.Ints) + len(c.Float32s) + len(c.Float64s) + len(c.Codes)
}

// IsMissing says whether value i is missing.
func (c *Column) IsMissing(i int) bool {
	switch c.Kind {
	case Int:
		return c.Null != nil && c.Null[i]
	case Float32:
		return c.Float32s[i] != c.Float32s[i]
	case Float64:
		return math.IsNaN(c.Float64s[i])
	default:
		return c.Codes[i] < 0
	}
}

// AppendValue appends value i to dst as text; a missing value is empty. Numbers are the shortest that read back the same.
func (c *Column) AppendValue(dst []byte, i int) []byte {
	switch {
	case c.IsMissing(i):
		return dst
	case c.Kind == Int:
		return strconv.AppendInt(dst, c.Ints[i], 10)
	case c.Kind == Float32:
		return strconv.AppendFloat(dst, float64(c.Float32s[i]), 'g', -1, 32)
	case c.Kind == Float64:
		return strconv.AppendFloat(dst, c.Float64s[i], 'g', -1, 64)
	default:
		return append(dst, c.Values[c.Codes[i]]...)
	}
}

// Validate checks that names are unique, that every column has a value of its kind for each row, and that codes lie in
// their dictionaries.
func (t *Table) Validate() error {
	seen := make(map[string]bool, len(t.Columns))
	for i := range t.Columns {
		c := &t.Columns[i]
		if seen[c.Name] {
			return fmt.Errorf("column %q: the name is used twice", c.Name)
		}
		seen[c.Name] = true
		lengths := [...]int{Int: len(c.Ints), Float32: len(c.Float32s), Float64: len(c.Float64s), Text: len(c.Codes)}
		if int(c.Kind) >= len(lengths) || lengths[c.Kind] != t.Rows || c.Len() != t.Rows {
			return fmt.Errorf("column %q: found %d values, expected %d of kind %s", c.Name, c.Len(), t.Rows, c.Kind)
		}
		if c.Null != nil && (c.Kind != Int || len(c.Null) != t.Rows) {
			return fmt.Errorf("column %q: found %d marks of missing values, expected %d and integers", c.Name, len(c.Null), t.Rows)
		}
		for row, code := range c.Codes {
			if code < -1 || int(code) >= len(c.Values) {
				return fmt.Errorf("column %q, row %d: found code %d, expected -1 … %d", c.Name, row, code, len(c.Values)-1)
			}
		}
	}
	return nil
}
