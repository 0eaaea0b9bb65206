package npy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/seraph-ml/seraph/format"
)

// File is an open .npy file, read by position.
type File struct {
	Header
	source *format.Source
}

// Open opens a .npy file and verifies its header against its size. Close it after use.
func Open(path string) (*File, error) {
	s, err := format.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := NewFile(s)
	if err != nil {
		s.Close()
	}
	return f, err
}

// NewFile is Open for a source that is open already; Close closes it.
func NewFile(s *format.Source) (*File, error) {
	h, err := ParseHeader(s)
	if err != nil {
		return nil, err
	}
	return &File{Header: h, source: s}, nil
}

// Close closes the file.
func (f *File) Close() error { return f.source.Close() }

// Rows returns the first size of the shape; a scalar has one row.
func (f *File) Rows() int {
	if len(f.Shape) == 0 {
		return 1
	}
	return f.Shape[0]
}

// ReadRows reads rows lo … hi−1 and nothing else: an array of shape (hi−lo, …). In a column-major file each column is a
// read of its own, and the array returned is column-major too.
func (f *File) ReadRows(lo, hi int) (*Array, error) {
	if f.DType.Kind == 'O' {
		return nil, f.source.Corrupt(f.Offset, "array data", "pickled objects (|O)", "numbers or text").
			WithHint("save it from NumPy with a plain dtype")
	}
	if lo < 0 || lo > hi || hi > f.Rows() {
		return nil, fmt.Errorf("read %s: rows %d … %d asked for, the file has %d", f.source.Path, lo, hi, f.Rows())
	}
	a := &Array{DType: f.DType, Fortran: f.Fortran, Shape: append([]int{}, f.Shape...), Offset: f.Offset}
	if len(a.Shape) > 0 {
		a.Shape[0] = hi - lo
	}
	size := f.DType.Size
	if !f.Fortran || len(f.Shape) < 2 || hi-lo == f.Rows() {
		rowBytes := int64(product(a.Shape[min(1, len(a.Shape)):]) * size)
		var err error
		a.Offset = f.Offset + int64(lo)*rowBytes
		a.Data, err = f.source.Bytes(a.Offset, int64(hi-lo)*rowBytes, "array data")
		return a, err
	}
	a.Data = make([]byte, a.Len()*size)
	piece := (hi - lo) * size
	for column := 0; (column+1)*piece <= len(a.Data) && piece > 0; column++ {
		at := f.Offset + int64(column*f.Rows()+lo)*int64(size)
		if err := f.source.ReadFull(a.Data[column*piece:(column+1)*piece], at, "array data"); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Read reads a whole .npy file. Objects (|O) come back as their pickle.
func Read(path string) (*Array, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.readAll()
}

func (f *File) readAll() (*Array, error) {
	if f.DType.Kind != 'O' {
		return f.ReadRows(0, f.Rows())
	}
	data, err := f.source.Bytes(f.Offset, f.source.Size-f.Offset, "pickled objects")
	return &Array{DType: f.DType, Fortran: f.Fortran, Shape: f.Shape, Data: data, Offset: f.Offset}, err
}

// Parse reads an array from the bytes of a .npy file; path is the name that errors use. The array shares content's memory.
func Parse(path string, content []byte) (*Array, error) {
	s := format.NewSource(path, bytes.NewReader(content), int64(len(content)))
	h, err := ParseHeader(s)
	if err != nil {
		return nil, err
	}
	return &Array{DType: h.DType, Fortran: h.Fortran, Shape: h.Shape, Data: content[h.Offset:], Offset: h.Offset}, nil
}

// Write writes path atomically.
func Write(path string, a *Array) error {
	return format.WriteFile(path, func(w io.Writer) error { return a.write(w) })
}

// write writes the array as NumPy does: version 1.0, data aligned to 64 bytes.
func (a *Array) write(w io.Writer) error {
	head, err := a.head()
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err = w.Write(a.Data)
	return err
}

func (a *Array) head() ([]byte, error) {
	if err := a.Verify(); err != nil {
		return nil, err
	}
	return a.heading(), nil
}

// WriteHead writes what stands before the values of an array, which are then written by rows: for arrays larger than memory.
func WriteHead(w io.Writer, t DType, shape ...int) error {
	_, err := w.Write((&Array{DType: t, Shape: shape}).heading())
	return err
}

func (a *Array) heading() []byte {
	var text strings.Builder
	fortran := "False"
	if a.Fortran {
		fortran = "True"
	}
	fmt.Fprintf(&text, "{'descr': '%s', 'fortran_order': %s, 'shape': (", a.DType, fortran)
	for i, d := range a.Shape {
		if i > 0 {
			text.WriteString(", ")
		}
		fmt.Fprint(&text, d)
	}
	if len(a.Shape) == 1 {
		text.WriteByte(',')
	}
	text.WriteString("), }")
	// The longest header, 64 sizes of 19 digits, is far below the 65,535 bytes that version 1.0 can tell.
	length := text.Len() + 1
	length += (64 - (10+length)%64) % 64
	head := append([]byte(magic), 1, 0)
	head = binary.LittleEndian.AppendUint16(head, uint16(length))
	head = append(head, text.String()...)
	for len(head) < 10+length-1 {
		head = append(head, ' ')
	}
	return append(head, '\n')
}
