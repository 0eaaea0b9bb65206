package table

import (
	"errors"
	"math"

	"github.com/seraph-ml/seraph/format"
)

// blocks reads the rows of the file, n at a time.
func (c *csvFile) blocks(f *File, n int, yield func(*Table, error) bool) {
	n = max(1, n)
	left := f.Rows
	var t *Table
	err := c.rows(func(fields [][]byte, line int) error {
		if t == nil {
			if left == 0 {
				return changed(c.path, line)
			}
			t = New(f.Columns, min(n, left))
			left -= t.Rows
			t.Rows = 0
		}
		for i, at := range c.keep {
			if !t.Columns[i].put(t.Rows, fields[at], c.columns[i]) {
				return changed(c.path, line)
			}
		}
		t.Rows++
		if t.Rows < t.Columns[0].Len() {
			return nil
		}
		full := t
		t = nil
		if !yield(full, nil) {
			return errStop
		}
		return nil
	})
	if err == nil && (t != nil || left > 0) {
		err = changed(c.path, 1)
	}
	if err != nil && !errors.Is(err, errStop) {
		yield(nil, err)
	}
}

func changed(path string, line int) error {
	return format.CorruptLine(path, line, "table", "other content than a moment ago", "a file that nobody writes to").WithHint("wait until it is complete")
}

// put stores a cell; it fails where the cell cannot be in the file that was surveyed.
func (c *Column) put(row int, cell []byte, s *survey) bool {
	ok := true
	missing := len(cell) == 0
	switch c.Kind {
	case Text:
		if c.Codes[row], ok = s.dictionary.Find(cell); !ok {
			missing = missing || s.kind != Text && isMissingMark(cell)
			c.Codes[row] = -1
		}
	case Int:
		if c.Ints[row], ok = parseInt(cell); !ok {
			missing = missing || isMissingMark(cell)
			if missing {
				if c.Null == nil {
					c.Null = make([]bool, len(c.Ints))
				}
				c.Null[row] = true
			}
		}
	default:
		var kind Kind
		if c.Float64s[row], kind = parseNumber(cell); kind == Text {
			ok = false
			missing = missing || isMissingMark(cell)
			c.Float64s[row] = math.NaN()
		}
	}
	if missing {
		c.Missing++
	}
	return ok || missing
}
