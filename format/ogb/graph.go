package ogb

import (
	"fmt"
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
	g.Features.Cols = s.Cols
	g.Features.Dense = format.Reserve[float32](int64(s.Nodes)*int64(s.Cols), f.text.Size)
	if err := f.each(func(block []float32) { g.Features.Dense = append(g.Features.Dense, block...) }); err != nil {
		return nil, err
	}
	return g, g.Validate(dir)
}

// blockValues is how many values Read, and edges EachEdge, reads at a time, about.
const blockValues = 1 << 14

// Graph reads everything but the features.
func (s *Set) Graph() (*format.Graph, error) {
	return s.graph(func(g *format.Graph) error {
		return s.parse(edgeFile, false, func(t *format.Text) error { return s.readEdges(g, t) })
	})
}

// Labels reads everything but features and edges.
func (s *Set) Labels() (*format.Graph, error) {
	return s.graph(func(*format.Graph) error { return nil })
}

// EachEdge hands on all edges, in their order, some at a time.
func (s *Set) EachEdge(emit func(src, dst []int32) error) error {
	return s.parse(edgeFile, false, func(t *format.Text) error {
		all, block := nodeRange{count: s.Nodes}, format.Graph{}
		flush := func() error {
			err := emit(block.Src, block.Dst)
			block.Src, block.Dst = block.Src[:0], block.Dst[:0]
			return err
		}
		err := readLines(t, "edges", s.Edges, func() error {
			if err := appendPair(&block, t, all, all); err != nil || len(block.Src) < blockValues {
				return err
			}
			return flush()
		})
		if err != nil {
			return err
		}
		return flush()
	})
}

// graph reads everything but features; edges reads these.
func (s *Set) graph(edges func(g *format.Graph) error) (*format.Graph, error) {
	dir, err := filepath.Abs(s.Dir) // "." has a name too
	if err != nil {
		return nil, err
	}
	g := &format.Graph{Name: filepath.Base(dir), Format: "ogb", Nodes: s.Nodes, Notes: slices.Clone(s.Notes)}
	if err := edges(g); err != nil {
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
	all := nodeRange{count: s.Nodes}
	return readPairs(g, t, s.Edges, all, all)
}

// nodeRange is the nodes that a file numbers from 0: those from first on.
type nodeRange struct{ first, count int }

// readPairs appends so many edges from a file, each from a node of one range to one of another.
func readPairs(g *format.Graph, t *format.Text, edges int64, from, to nodeRange) error {
	return readLines(t, "edges", edges, func() error { return appendPair(g, t, from, to) })
}

// appendPair appends the edge of a line.
func appendPair(g *format.Graph, t *format.Text, from, to nodeRange) error {
	src, err := t.Natural("source of an edge", 0, int64(from.count)-1)
	if err != nil {
		return err
	}
	dst, err := t.Natural("target of an edge", 0, int64(to.count)-1)
	if err != nil {
		return err
	}
	g.Src, g.Dst = append(g.Src, int32(from.first+int(src))), append(g.Dst, int32(to.first+int(dst)))
	return nil
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
