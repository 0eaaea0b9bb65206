package table

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// CSVWriter writes tables as CSV in the form of RFC 4180: a header, commas, CRLF, quotes where they are needed.
type CSVWriter struct {
	w       *bufio.Writer
	names   []string // columns, once the header is written
	scratch []byte
}

// NewCSVWriter returns a writer to w. Call Close in the end.
func NewCSVWriter(w io.Writer) *CSVWriter { return &CSVWriter{w: bufio.NewWriterSize(w, 1<<16)} }

// Write writes a block of rows; the first one brings the header. All blocks have the same columns.
func (w *CSVWriter) Write(t *Table) error {
	if err := t.Validate(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	if w.names == nil {
		w.names = []string{}
		for i, c := range t.Columns {
			w.names = append(w.names, c.Name)
			w.field(i, []byte(c.Name), len(t.Columns))
		}
		w.w.WriteString("\r\n")
	}
	if len(t.Columns) != len(w.names) {
		return fmt.Errorf("write CSV: found a block of %d columns, expected the %d of the first block", len(t.Columns), len(w.names))
	}
	for i, c := range t.Columns {
		if c.Name != w.names[i] {
			return fmt.Errorf("write CSV: found a block with column %q, expected %q as in the first block", c.Name, w.names[i])
		}
	}
	for row := range t.Rows {
		for i := range t.Columns {
			w.scratch = t.Columns[i].AppendValue(w.scratch[:0], row)
			w.field(i, w.scratch, len(t.Columns))
		}
		if _, err := w.w.WriteString("\r\n"); err != nil { // and of all writes before it
			return fmt.Errorf("write CSV: %w", err)
		}
	}
	return nil
}

// field writes field i of n. A lone empty field stands in quotes, so that its record is no blank line.
func (w *CSVWriter) field(i int, text []byte, n int) {
	if i > 0 {
		w.w.WriteByte(',')
	}
	if !bytes.ContainsAny(text, "\",\r\n") && (len(text) > 0 || n > 1) {
		w.w.Write(text)
		return
	}
	w.w.WriteByte('"')
	for part := range bytes.SplitAfterSeq(text, []byte{'"'}) {
		w.w.Write(part)
		if bytes.HasSuffix(part, []byte{'"'}) {
			w.w.WriteByte('"')
		}
	}
	w.w.WriteByte('"')
}

// Close writes what is buffered. It does not close the writer below.
func (w *CSVWriter) Close() error {
	if err := w.w.Flush(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}
