package metis

import "github.com/seraph-ml/seraph/format"

// Options say how to read a graph.
type Options struct {
	Weights bool // keep the weights of the edges; where the file has none that is an error
}

// Read reads the graph. Each edge gives two entries, in the order of the file; node i of the file is node i − 1.
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
	if opts.Weights && !h.edgeWeights {
		return nil, t.Corrupt("edge weights", "a header without them", "format 1, 11, 101 or 111", "leave out --weights")
	}
	r := newReader(t, h, opts.Weights)
	if err := r.readAll(); err != nil {
		return nil, err
	}
	g := &format.Graph{Name: format.BaseName(t.Path), Format: "metis", Nodes: int(h.nodes), Src: r.src, Dst: r.dst, Weights: r.weights}
	if h.ignored > 0 {
		g.Note("sizes and weights of nodes, %d a node, are ignored", h.ignored)
	}
	if h.edgeWeights && !opts.Weights {
		g.Note("the weights of the %d edge entries are ignored (--weights keeps them)", len(r.src))
	}
	return g, g.Validate(t.Path)
}
