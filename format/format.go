// Package format holds what all readers of other people's files share: the error that names file and place, a bounded
// source to read from, the neutral result types, and the atomic way to write. Each format has a package of its own below it.
//
// Every reader treats its file as hostile: a length is compared with the bytes that remain before it is used, nothing is
// allocated from a field that has not been verified, and whatever is wrong comes back as a *CorruptError, never as a panic.
// A reader of a node-classification data set returns a *Graph; every format package offers
//
//	Describe(path string) (Description, error) // what `seraph show` prints; reads as little as it can
//	Check(path string) error                   // what `seraph check` does; reads and verifies everything
package format

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// CorruptError says that a file is damaged, hostile, or uses a feature that its reader does not support: where, what was
// looked at, what was found, what was expected, and what to do. The command line maps it to exit code 4 with errors.As.
type CorruptError struct {
	Path     string // the file; "outer.zip!member.npy" for a member of an archive
	Offset   int64  // byte offset in the file (in the member, for an archive); negative when no place can be named
	Line     int    // line number from 1; where it is positive it is printed instead of Offset
	What     string // the thing that was looked at, for example "header length"
	Found    string // its value; may be empty
	Expected string // what would have been right; may be empty
	Hint     string // what to do; may be empty
	Err      error  // the cause, if another error is behind it
}

// CorruptAt returns a CorruptError at a byte offset (negative: no place within the file). Found and expected may be empty.
func CorruptAt(path string, offset int64, what, found, expected string) *CorruptError {
	return &CorruptError{Path: path, Offset: offset, What: what, Found: found, Expected: expected}
}

// CorruptLine returns a CorruptError at a line number, counted from 1.
func CorruptLine(path string, line int, what, found, expected string) *CorruptError {
	return &CorruptError{Path: path, Line: line, What: what, Found: found, Expected: expected}
}

// WithHint adds what the user can do and returns e.
func (e *CorruptError) WithHint(hint string) *CorruptError {
	e.Hint = hint
	return e
}

// WithCause adds the error behind it, which errors.Is and errors.As then see, and returns e.
func (e *CorruptError) WithCause(err error) *CorruptError {
	e.Err = err
	return e
}

// Error reads "ind.cora.x@1234: opcode: found 0x99, expected one of protocol 2; what to do".
func (e *CorruptError) Error() string {
	var b strings.Builder
	b.WriteString(e.Path)
	switch {
	case e.Line > 0:
		fmt.Fprintf(&b, ":%d", e.Line)
	case e.Offset >= 0:
		fmt.Fprintf(&b, "@%d", e.Offset)
	}
	b.WriteString(": " + e.What)
	sep := ": "
	if e.Found != "" {
		b.WriteString(sep + "found " + e.Found)
		sep = ", "
	}
	if e.Expected != "" {
		b.WriteString(sep + "expected " + e.Expected)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *CorruptError) Unwrap() error { return e.Err }

// ReadError turns the error of a read at offset into the right one: an early end is a CorruptError, a CorruptError keeps
// its own words, and anything else (no such file, an I/O error) is wrapped as it is.
func ReadError(path string, offset int64, what string, err error) error {
	var corrupt *CorruptError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &corrupt):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return CorruptAt(path, offset, what, "the end of the file", "more bytes").
			WithHint("the file is cut short; fetch or write it again").WithCause(io.ErrUnexpectedEOF)
	default:
		return fmt.Errorf("read %s: %s: %w", path, what, err)
	}
}

// Description is what `seraph show` prints of a file: plain data, ready for JSON.
type Description struct {
	Format  string     `json:"format"`            // name of the format, for example "safetensors"
	Path    string     `json:"path"`              // the path that was described
	Title   string     `json:"title"`             // one line: what this file is
	Fields  []Field    `json:"fields,omitempty"`  // key/value lines, in the order to print
	Columns []string   `json:"columns,omitempty"` // heads of the table
	Rows    [][]string `json:"rows,omitempty"`    // rows of the table, each as long as Columns
	Notes   []string   `json:"notes,omitempty"`   // what was ignored, cut or found odd
}

// Field is one key/value line of a Description.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Add appends a key/value line; the value is formatted as fmt.Sprint does.
func (d *Description) Add(name string, value any) {
	d.Fields = append(d.Fields, Field{name, fmt.Sprint(value)})
}
