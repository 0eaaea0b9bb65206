package ogb

import (
	"os"
	"path/filepath"

	"github.com/seraph-ml/seraph/format"
)

// Is says whether dir is a folder in this layout, by the files that are there.
func Is(dir string) bool {
	s := Set{Dir: dir}
	for _, file := range []string{nodeCount, edgeCount, edgeFile} {
		if _, err := s.find(file); err != nil {
			return false
		}
	}
	return true
}

// Describe tells what the data set holds. Of the features it reads the first line.
func Describe(dir string) (format.Description, error) {
	s, err := Open(dir)
	if err != nil {
		return format.Description{}, err
	}
	g, err := s.Graph()
	if err != nil {
		return format.Description{}, err
	}
	g.Features.Cols = s.Cols
	return g.Describe(dir), nil
}

// Check reads and verifies all files that Read reads; features in blocks.
func Check(dir string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	if _, err := s.Graph(); err != nil || s.Cols == 0 {
		return err
	}
	f, err := s.Features()
	if err != nil {
		return err
	}
	return f.each(func([]float32) {})
}

// ImportBytes bounds the memory that Read allocates in all, garbage included, from the counts and the sizes of the files.
func ImportBytes(dir string) (int64, error) {
	s, err := Open(dir)
	if err != nil {
		return 0, err
	}
	features, err := s.array(featureFile, int64(s.Nodes)*int64(s.Cols))
	if err != nil {
		return 0, err
	}
	rest, err := s.GraphBytes()
	return rest + features + 8*blockValues + 8*int64(s.Cols), err
}

// GraphBytes is ImportBytes for Graph, which leaves out the features.
func (s *Set) GraphBytes() (int64, error) {
	edges, err := s.array(edgeFile, 2*s.Edges)
	if err != nil {
		return 0, err
	}
	labels, err := s.array(labelFile, int64(s.Nodes))
	if err != nil {
		return 0, err
	}
	const split = (7 + 1) * 4 // an id that is appended to a list, and copied
	return 2<<20 + edges + labels + split*int64(s.Nodes), nil
}

// array bounds what the four-byte elements of a file take; nothing where there is no such file.
func (s *Set) array(file string, elements int64) (int64, error) {
	size, err := s.size(file)
	if os.IsNotExist(err) {
		return 0, nil
	}
	return format.ReserveBytes(elements, 4, size), err
}

// size is the size of a file.
func (s *Set) size(file string) (int64, error) {
	path, err := s.find(file)
	if err != nil {
		return 0, err
	}
	info, err := os.Stat(filepath.Clean(path))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
