package edgelist

import (
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/format"
)

// comments begin with one of these characters.
const comments = "#%"

// Options say how to read a list.
type Options struct {
	Weights int // the column, from 1 on, that holds the weight of an edge; 0: no weights. The ids are columns 1 and 2.
}

// Read reads the graph. Edges are in the order of the file.
func Read(path string, opts Options) (*format.Graph, error) {
	most, err := countEdges(path)
	if err != nil {
		return nil, err
	}
	t, err := format.OpenText(path)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	return read(t, most, opts)
}

// read reads the edges of t; at most that many are expected.
func read(t *format.Text, most int64, opts Options) (*format.Graph, error) {
	if opts.Weights < 0 || opts.Weights == 1 || opts.Weights == 2 {
		return nil, fmt.Errorf("read %s: weights in column %d: columns 1 and 2 hold the node ids; weights may be in column 3 or a later one", t.Path, opts.Weights)
	}
	t.Skip = comments
	e := newEdges(most, opts.Weights > 0)
	g := &format.Graph{Name: format.BaseName(t.Path), Format: "edgelist"}
	ignored := 0 // values in other columns
	header := false
	for t.Next() {
		if !header && len(e.src) == 0 && hasNames(t) {
			g.Note("line %d is taken for a header and skipped", t.Line)
			header = true
			continue
		}
		more, err := e.readLine(t, opts.Weights)
		if err != nil {
			return nil, err
		}
		ignored += more
	}
	if err := t.Err(); err != nil {
		return nil, err
	}
	if len(e.src) == 0 {
		return nil, t.Corrupt("edge list", "no edge", "lines of two node ids", "")
	}
	if ignored > 0 {
		g.Note("%d values in columns behind the node ids are ignored (--weights COLUMN makes one the weight of the edge)", ignored)
	}
	if err := e.number(g, t.Path); err != nil {
		return nil, err
	}
	return g, g.Validate(t.Path)
}

// hasNames says whether the current line begins with a name.
func hasNames(t *format.Text) bool {
	c, ok := t.Peek()
	return ok && beginsName(c)
}

// beginsName says whether a name, rather than an id, begins with c.
func beginsName(c byte) bool {
	return c == '"' || c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// readLine reads one line: an edge, or nothing. It returns how many values of the line are ignored.
func (e *edges) readLine(t *format.Text, weights int) (ignored int, err error) {
	if !t.More() {
		return 0, nil
	}
	u, err := t.Natural("node id", 0, math.MaxInt64)
	if err != nil {
		return 0, err
	}
	v, err := t.Natural("second node id", 0, math.MaxInt64)
	if err != nil {
		return 0, err
	}
	e.add(u, v)
	for column := 3; t.More(); column++ {
		if column == weights {
			w, err := t.Float32("edge weight")
			if err != nil {
				return 0, err
			}
			e.weights = append(e.weights, w)
		} else if _, ok := t.Field(); ok {
			ignored++
		}
	}
	if weights > 0 && len(e.weights) < len(e.src) {
		return 0, t.Corrupt("edge weight", "the end of the line", fmt.Sprintf("a number in column %d", weights), "")
	}
	return ignored, t.Err()
}
