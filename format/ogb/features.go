package ogb

import (
	"fmt"
	"io"

	"github.com/seraph-ml/seraph/format"
)

// Features reads the features of all nodes in order, as many rows at a time as the caller has room for.
type Features struct {
	Rows, Cols int

	text *format.Text
	next int // row
}

// Features opens the features; close them after use. It is an error where there are none (Cols is 0).
func (s *Set) Features() (*Features, error) { return s.openFeatures(featureFile) }

func (s *Set) openFeatures(file string) (*Features, error) {
	path, err := s.find(file)
	if err != nil {
		return nil, err
	}
	t, err := format.OpenText(path)
	if err != nil {
		return nil, err
	}
	return &Features{Rows: s.Nodes, Cols: s.Cols, text: t}, nil
}

// Close closes the file.
func (f *Features) Close() error { return f.text.Close() }

// Read fills dst (row-major) with the next rows: len(dst) / Cols of them, fewer at the end, and then none with io.EOF. By
// then the file has been verified to hold Rows rows and no more.
func (f *Features) Read(dst []float32) (rows int, err error) {
	if len(dst) < f.Cols {
		return 0, fmt.Errorf("read %s: a block of %d values, expected room for a row of %d", f.text.Path, len(dst), f.Cols)
	}
	for ; len(dst) >= f.Cols && f.next < f.Rows; rows++ {
		if err := f.readRow(dst[:f.Cols]); err != nil {
			return 0, err
		}
		dst = dst[f.Cols:]
	}
	if rows > 0 {
		return rows, nil
	}
	if f.text.Next() {
		return 0, f.text.Corrupt("features", fmt.Sprintf("more than %d lines", f.Rows), "one a node", "")
	}
	if err := f.text.Err(); err != nil {
		return 0, err
	}
	return 0, io.EOF
}

func (f *Features) readRow(dst []float32) (err error) {
	t := f.text
	if !t.Next() {
		return t.Corrupt("features", fmt.Sprintf("%d lines", f.next), fmt.Sprintf("%d, one a node", f.Rows), "the file is cut short; fetch it again")
	}
	for i := range dst {
		if dst[i], err = t.Float32("feature"); err != nil {
			return err
		}
	}
	if t.More() {
		return t.Corrupt("features", fmt.Sprintf("more than %d columns", f.Cols), "as many as in the first line", "")
	}
	f.next++
	return t.Err()
}

// each hands all rows on, a block at a time, and closes the features.
func (f *Features) each(yield func(block []float32)) error {
	defer f.Close()
	block := make([]float32, max(1, blockValues/f.Cols)*f.Cols)
	for {
		rows, err := f.Read(block)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		yield(block[:rows*f.Cols])
	}
}
