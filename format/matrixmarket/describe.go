package matrixmarket

import (
	"bytes"

	"github.com/seraph-ml/seraph/format"
)

// Is says whether the file begins with the heading of Matrix Market.
func Is(path string) bool {
	t, err := format.OpenText(path)
	if err != nil {
		return false
	}
	defer t.Close()
	t.Next()
	field, _ := t.Field()
	return bytes.EqualFold(field, []byte(heading))
}

// Describe tells what the graph is; it reads all of it.
func Describe(path string) (format.Description, error) {
	g, err := Read(path, Options{})
	if err != nil {
		return format.Description{}, err
	}
	return g.Describe(path), nil
}

// Check reads the graph and verifies it.
func Check(path string) error {
	_, err := Read(path, Options{})
	return err
}

// ImportBytes bounds the memory that Read allocates in all, garbage included, from the header alone: Read refuses a file
// that holds more than its header says.
func ImportBytes(path string) (int64, error) {
	t, err := format.OpenText(path)
	if err != nil {
		return 0, err
	}
	defer t.Close()
	h, err := readHeader(t)
	if err != nil {
		return 0, err
	}
	arrays := int64(2)
	if !h.pattern {
		arrays = 3
	}
	return 1<<20 + arrays*format.ReserveBytes(h.perEntry()*h.entries, 4, t.Size), nil
}
