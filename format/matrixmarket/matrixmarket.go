package matrixmarket

import (
	"fmt"

	"github.com/seraph-ml/seraph/format"
)

// Options say how to read a matrix.
type Options struct {
	Weights bool // keep the values as weights of the edges; where the matrix is a pattern that is an error
}

// Read reads the graph: the entries in the order of the file, each followed by its mirror image where the matrix is
// symmetric. Entries whose value is zero are no edges and are dropped, with a note.
func Read(path string, opts Options) (*format.Graph, error) {
	t, err := format.OpenText(path)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	return read(t, opts)
}

func read(t *format.Text, opts Options) (*format.Graph, error) {
	h, err := readHeader(t)
	if err != nil {
		return nil, err
	}
	if opts.Weights && h.pattern {
		return nil, t.Corrupt("edge weights", "a pattern, which has no values", "a real or integer matrix", "leave out --weights")
	}
	g := &format.Graph{Name: format.BaseName(t.Path), Format: "matrixmarket", Nodes: int(h.nodes)}
	g.Src = format.Reserve[int32](h.perEntry()*h.entries, t.Size)
	g.Dst = format.Reserve[int32](h.perEntry()*h.entries, t.Size)
	if opts.Weights {
		g.Weights = format.Reserve[float32](h.perEntry()*h.entries, t.Size)
	}
	entries, zeros := int64(0), 0
	for t.Next() {
		if !t.More() {
			continue
		}
		if entries++; entries > h.entries {
			return nil, t.Corrupt("entries", fmt.Sprintf("more than %d", h.entries), "as many as the header says", "")
		}
		e, err := readEntry(t, h)
		if err != nil {
			return nil, err
		}
		if e.value == 0 {
			zeros++
			continue
		}
		h.add(g, e)
	}
	if err := t.Err(); err != nil {
		return nil, err
	}
	if entries < h.entries {
		return nil, t.Corrupt("entries", fmt.Sprintf("%d and the end of the file", entries), fmt.Sprintf("%d as the header says", h.entries), "the file is cut short; fetch it again")
	}
	if zeros > 0 {
		g.Note("%d stored zeros are no edges", zeros)
	}
	if !h.pattern && !opts.Weights {
		g.Note("the values of the %d edge entries are ignored (--weights keeps them)", len(g.Src))
	}
	return g, g.Validate(t.Path)
}

// entry is one line of the file, counted from 0.
type entry struct {
	row, col int32
	value    float32
}

func readEntry(t *format.Text, h header) (entry, error) {
	row, err := t.Natural("row", 1, h.nodes)
	if err != nil {
		return entry{}, err
	}
	col, err := t.Natural("column", 1, h.nodes)
	if err != nil {
		return entry{}, err
	}
	e := entry{row: int32(row - 1), col: int32(col - 1), value: 1}
	if !h.pattern {
		if e.value, err = t.Float32("value"); err != nil {
			return entry{}, err
		}
	}
	if t.More() {
		return entry{}, t.Corrupt("entry", "more columns", "row, column and value; of a pattern, row and column", "")
	}
	return e, t.Err()
}

// add appends an entry to g, and its mirror image where there is one.
func (h header) add(g *format.Graph, e entry) {
	g.Src, g.Dst = append(g.Src, e.row), append(g.Dst, e.col)
	if g.Weights != nil {
		g.Weights = append(g.Weights, e.value)
	}
	if !h.symmetric || e.row == e.col {
		return
	}
	g.Src, g.Dst = append(g.Src, e.col), append(g.Dst, e.row)
	if h.skew {
		e.value = -e.value
	}
	if g.Weights != nil {
		g.Weights = append(g.Weights, e.value)
	}
}
