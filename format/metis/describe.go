package metis

import (
	"path/filepath"

	"github.com/seraph-ml/seraph/format"
)

// Is says whether the file is in the format of METIS, by its name (.graph or .metis, perhaps compressed) and the number that it begins with.
func Is(path string) bool {
	switch filepath.Ext(format.Uncompressed(path)) {
	case ".graph", ".metis":
	default:
		return false
	}
	t, err := format.OpenText(path)
	if err != nil {
		return false
	}
	defer t.Close()
	t.Skip = "%"
	t.Next()
	_, err = t.Natural("number of nodes", 1, format.MaxNodes)
	return err == nil
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
	if h.edgeWeights {
		arrays = 3
	}
	return 1<<20 + arrays*format.ReserveBytes(2*h.edges, 4, t.Size), nil
}
