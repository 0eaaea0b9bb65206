package convert

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/format/ogb"
	"github.com/seraph-ml/seraph/format/sgraph"
)

// blockEntries is how many entries of a graph are written between two looks at the context.
const blockEntries = 1 << 16

func (j *job) readGraph() (*format.Graph, error) {
	g, err := detect.ReadGraph(j.in, detect.Options{Weights: j.Weights})
	if err == nil {
		j.notes = append(j.notes, g.Notes...)
	}
	return g, err
}

// writeOGB writes a graph in the layout of OGB. Entries are kept as they are: where both directions of an edge are in the
// input, both are in the output.
func writeOGB(ctx context.Context, j *job) (err error) {
	g, err := j.readGraph()
	if err != nil {
		return err
	}
	w, err := ogb.NewWriter(j.out, g.Nodes)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(j.out)) // it did not exist before
		}
	}()
	if g.Weights != nil {
		j.note("the weights of edges are left out: the OGB layout has no place for them")
	}
	if g.ClassNames != nil {
		j.note("the names of classes are left out: the OGB layout has numbers alone")
	}
	if g.IDs != nil {
		j.note("nodes are numbered 0 … %d, in ascending order of their ids in %s", g.Nodes-1, j.in)
	}
	err = w.Edges(func(emit func(src, dst []int32) error) error {
		for lo := 0; lo < len(g.Src); lo += blockEntries {
			hi := min(lo+blockEntries, len(g.Src))
			if err := errors.Join(ctx.Err(), emit(g.Src[lo:hi], g.Dst[lo:hi])); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && g.Features.Cols > 0 {
		err = w.Features(g.Features.Cols, func(emit func(block []float32) error) error { return emitRows(ctx, &g.Features, g.Nodes, emit) })
	}
	if err == nil && g.Labels != nil {
		err = w.Labels(g.Labels)
	}
	if err == nil && g.Train != nil {
		err = w.Split("public", g.Train, g.Val, g.Test)
	}
	if err != nil {
		return err
	}
	return w.Finish()
}

// emitRows emits the rows of features, dense, some at a time.
func emitRows(ctx context.Context, f *format.Features, nodes int, emit func(block []float32) error) error {
	rows := max(1, blockEntries/f.Cols)
	block := make([]float32, rows*f.Cols)
	for lo := 0; lo < nodes; lo += rows {
		hi := min(lo+rows, nodes)
		part := block[:(hi-lo)*f.Cols]
		if f.Dense != nil {
			part = f.Dense[lo*f.Cols : hi*f.Cols]
		} else {
			clear(part)
			for i := lo; i < hi; i++ {
				row := part[(i-lo)*f.Cols:][:f.Cols]
				for e := f.Sparse.Indptr[i]; e < f.Sparse.Indptr[i+1]; e++ {
					row[f.Sparse.Indices[e]] += f.Sparse.Values[e]
				}
			}
		}
		if err := errors.Join(ctx.Err(), emit(part)); err != nil {
			return err
		}
	}
	return nil
}

// writeEdgeList writes the entries of a graph, one a line: source, target and, where there are some, weight. Ids are those of
// the input.
func writeEdgeList(ctx context.Context, j *job) error {
	g, err := j.readGraph()
	if err != nil {
		return err
	}
	if g.Features.Cols > 0 || g.Labels != nil {
		j.note("features, labels and split are left out: an edge list holds edges alone")
	}
	if n := g.Nodes - linked(g); n > 0 {
		j.note("%d nodes without an edge are left out: an edge list cannot name them", n)
	}
	id := func(node int32) int64 {
		if g.IDs != nil {
			return g.IDs[node]
		}
		return int64(node)
	}
	return format.WriteFile(j.out, func(to io.Writer) error {
		w := bufio.NewWriter(to)
		var line []byte
		for i := range g.Src {
			line = strconv.AppendInt(line[:0], id(g.Src[i]), 10)
			line = append(line, '\t')
			line = strconv.AppendInt(line, id(g.Dst[i]), 10)
			if g.Weights != nil {
				line = append(line, '\t')
				line = strconv.AppendFloat(line, float64(g.Weights[i]), 'g', -1, 32)
			}
			if _, err := w.Write(append(line, '\n')); err != nil {
				return err
			}
			if i%blockEntries == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return w.Flush()
	})
}

// writeSeraph writes all of a graph, its entries by row.
func writeSeraph(ctx context.Context, j *job) error {
	g, err := j.readGraph()
	if err := errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	return sgraph.Write(j.out, g)
}

// linked is the number of nodes that have an edge.
func linked(g *format.Graph) int {
	seen := make([]bool, g.Nodes)
	n := 0
	for _, ends := range [][]int32{g.Src, g.Dst} {
		for _, u := range ends {
			if !seen[u] {
				seen[u] = true
				n++
			}
		}
	}
	return n
}

// base is the name of a file without its extension.
func base(path string) string {
	name := filepath.Base(path)
	return name[:len(name)-len(filepath.Ext(name))]
}
