package edgelist

import (
	"bytes"
	"io"
	"path/filepath"

	"github.com/seraph-ml/seraph/format"
)

// Is says whether the file looks like a list of edges: its first lines have two to four columns, the first two of them
// node ids. METIS and MatrixMarket files, which can look alike, are told by name and by heading.
func Is(path string) bool {
	switch filepath.Ext(format.Uncompressed(path)) {
	case ".graph", ".metis", ".mtx":
		return false
	}
	t, err := format.OpenText(path)
	if err != nil {
		return false
	}
	defer t.Close()
	if c, _ := t.Peek(); c == '%' && t.Next() {
		if field, _ := t.Field(); bytes.EqualFold(field, []byte("%%MatrixMarket")) {
			return false
		}
	}
	t.Skip = comments
	edges := 0
	for lines := 0; lines < 10 && t.Next(); lines++ {
		if lines == 0 && hasNames(t) {
			continue
		}
		columns := 0
		for field, ok := t.Field(); ok; field, ok = t.Field() {
			columns++
			if _, natural := format.ParseNatural(field); !natural && columns <= 2 {
				return false
			}
		}
		if columns == 1 || columns > 4 {
			return false
		}
		edges += min(columns, 1)
	}
	return t.Err() == nil && edges > 0
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

// ImportBytes bounds the memory that Read allocates in all, garbage included. It counts the lines of the file, which takes
// a fraction of the time of reading them as edges.
func ImportBytes(path string) (int64, error) {
	most, err := countEdges(path)
	// An edge takes two low parts, two high parts and a weight, and while the nodes are numbered its two ids in order and
	// the different ones among them.
	const edge = 2*4 + 2*4 + 4 + 2*8 + 2*8
	return 1<<20 + edge*most, err
}

// countEdges bounds the number of edges: each is a line of at least four characters.
func countEdges(path string) (int64, error) {
	s, err := format.OpenStream(path)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	lines, size := int64(1), int64(1) // the last line may have no end
	buf := make([]byte, 1<<16)
	for {
		n, err := s.Read(buf)
		lines += int64(bytes.Count(buf[:n], []byte{'\n'}))
		size += int64(n)
		if err == io.EOF {
			return min(lines, size/4), nil
		}
		if err != nil {
			return 0, err
		}
	}
}
