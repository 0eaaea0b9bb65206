package ogb

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/seraph-ml/seraph/format"
)

// Read reads the whole data set into memory, with dense features.
func Read(dir string) (*format.Graph, error) {
	s, err := Open(dir)
	if err != nil {
		return nil, err
	}
	g, err := s.Graph()
	if err != nil || s.Cols == 0 {
		return g, err
	}
	f, err := s.Features()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	g.Features.Cols = s.Cols
	g.Features.Dense = format.Reserve[float32](int64(s.Nodes)*int64(s.Cols), f.text.Size)
	block := make([]float32, max(1, blockValues/s.Cols)*s.Cols)
	for {
		rows, err := f.Read(block)
		if err == io.EOF {
			return g, g.Validate(dir)
		}
		if err != nil {
			return nil, err
		}
		g.Features.Dense = append(g.Features.Dense, block[:rows*s.Cols]...)
	}
}

// blockValues is how many values Read reads at a time, about.
const blockValues = 1 << 14

// Graph reads everything but the features.
func (s *Set) Graph() (*format.Graph, error) {
	dir, err := filepath.Abs(s.Dir) // "." has a name too
	if err != nil {
		return nil, err
	}
	g := &format.Graph{Name: filepath.Base(dir), Format: "ogb", Nodes: s.Nodes, Notes: slices.Clone(s.Notes)}
	if err := s.parse(edgeFile, false, func(t *format.Text) error { return s.readEdges(g, t) }); err != nil {
		return nil, err
	}
	if err := s.parse(labelFile, true, func(t *format.Text) error { return s.readLabels(g, t) }); err != nil {
		return nil, err
	}
	if s.Scheme != "" {
		if err := s.readSplit(g); err != nil {
			return nil, err
		}
	}
	return g, g.Validate(s.Dir)
}

func (s *Set) readEdges(g *format.Graph, t *format.Text) error {
	g.Src = format.Reserve[int32](s.Edges, t.Size)
	g.Dst = format.Reserve[int32](s.Edges, t.Size)
	return readLines(t, "edges", s.Edges, func() error {
		src, err := t.Natural("source of an edge", 0, int64(s.Nodes)-1)
		if err != nil {
			return err
		}
		dst, err := t.Natural("target of an edge", 0, int64(s.Nodes)-1)
		if err != nil {
			return err
		}
		g.Src, g.Dst = append(g.Src, int32(src)), append(g.Dst, int32(dst))
		return nil
	})
}

// readLines reads a file of that many lines; line reads all fields of one.
func readLines(t *format.Text, what string, count int64, line func() error) error {
	n := int64(0)
	for ; t.Next(); n++ {
		if n == count {
			return t.Corrupt(what, fmt.Sprintf("more than %d lines", n), fmt.Sprintf("%d as the counts in raw say", count), "")
		}
		if err := line(); err != nil {
			return err
		}
		if t.More() {
			return t.Corrupt(what, "more columns", "as many as in the lines before", "")
		}
	}
	if n < count {
		return t.Corrupt(what, fmt.Sprintf("%d lines", n), fmt.Sprintf("%d as the counts in raw say", count), "the file is cut short; fetch it again")
	}
	return t.Err()
}
