package kcore

import (
	"errors"
	"io"
	"io/fs"
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/format/edgelist"
	"github.com/seraph-ml/seraph/run"
)

// Options say how to read a graph.
type Options struct {
	Vertices int64   // the vertices are 0 … Vertices−1; 0: those that a header declares or the files name
	IDs      IDs     // Numbers or Texts; "" is Numbers
	Also     []int64 // ids that are vertices even if no file names them
	Stdin    io.Reader
}

// Read makes a graph of files of edges, whose edges are those of all of them together: lists of edges (text, arrays and tables of pairs), "-" for one
// on Stdin, or one file of another format.
func Read(paths []string, o Options, pool *kernel.Pool) (*Graph, error) {
	if o.IDs == Texts {
		return readNamed(paths, o, pool)
	}
	bags := make([]bag, pool.Workers())
	emit := func(worker int, ids []int64) error { return bags[worker].add(ids) }
	var longer int64
	for _, path := range paths {
		counts, g, err := readOne(path, len(paths) == 1, o, pool, emit)
		if g != nil || err != nil {
			return g, errors.Join(err, closeBags(bags))
		}
		longer += counts.Longer
	}
	for _, id := range o.Also {
		if err := bags[0].add([]int64{id, id}); err != nil {
			return nil, errors.Join(err, closeBags(bags))
		}
	}
	g, err := build(bags, o.Vertices, pool)
	if err != nil {
		return nil, err
	}
	g.Longer = longer
	g.Loops -= int64(len(o.Also))
	return g, nil
}

// readOne emits the edges of a list, or makes the graph of a file of another format.
func readOne(path string, alone bool, o Options, pool *kernel.Pool, emit func(int, []int64) error) (edgelist.PairCounts, *Graph, error) {
	if path == "-" {
		counts, err := edgelist.ReadPairsFrom("standard input", o.Stdin, pool.Workers(), emit)
		return counts, nil, err
	}
	kind, list, err := recognise(path, Numbers)
	if err != nil {
		return edgelist.PairCounts{}, nil, err
	}
	if list {
		counts, err := readPairs(path, kind, pool.Workers(), emit)
		return counts, nil, err
	}
	if !alone {
		return edgelist.PairCounts{}, nil, run.Usagef("%s is a %s; several files are read as one graph where all are lists of edges", path, kind.Title)
	}
	g, err := readOther(path, kind, o, pool)
	return edgelist.PairCounts{}, g, err
}

// recognise says what a file is, and whether it is read as a list of edges: any text is, whose mistakes then have a place, arrays and
// tables of pairs, and where ids are texts any file of unknown format.
func recognise(path string, ids IDs) (kind detect.Kind, list bool, err error) {
	kind, err = detect.Recognise(path)
	if pairs, ok := recognisePairs(path, kind); ok && !errors.Is(err, fs.ErrNotExist) {
		return pairs, ids != Texts || pairs.Name == "parquet", nil
	}
	var unknown *format.CorruptError
	switch {
	case err == nil && kind.Class == detect.Text,
		ids == Texts && (errors.As(err, &unknown) || kind.Class == detect.Table && kind.Name == "csv"):
		return kind, true, nil
	case ids == Texts:
		return kind, kind.Name == "edgelist", err
	}
	kind, err = detect.RecogniseGraph(path)
	return kind, kind.Name == "edgelist", err
}

// readOther reads a graph of any format through package detect. Its vertices are those that the file declares, by their ids if it has such.
func readOther(path string, kind detect.Kind, o Options, pool *kernel.Pool) (g *Graph, err error) {
	raw, err := detect.ReadGraph(path, detect.Options{})
	if err != nil {
		return nil, err
	}
	declared := max(int64(raw.Nodes), o.Vertices)
	id := func(v int32) int64 { return int64(v) }
	alone := make([]bool, 0) // by number, where vertices have ids
	if raw.IDs != nil {
		declared = o.Vertices
		id = func(v int32) int64 { return raw.IDs[v] }
		alone = slices.Repeat([]bool{true}, raw.Nodes)
	}
	bags := make([]bag, 1)
	block := make([]int64, 0, 1<<12)
	put := func(u, v int64) {
		if err == nil {
			if block = append(block, u, v); len(block) == cap(block) {
				err = bags[0].add(block)
				block = block[:0]
			}
		}
	}
	for i, u := range raw.Src {
		v := raw.Dst[i]
		if raw.IDs != nil {
			alone[u], alone[v] = false, false
		}
		if u <= v || kind.Name != "metis" { // where each edge stands twice
			put(id(u), id(v))
		}
	}
	loops := int64(0) // that stand for vertices without edges
	for v, is := range alone {
		if is {
			put(raw.IDs[v], raw.IDs[v])
			loops++
		}
	}
	if err == nil {
		err = bags[0].add(block)
	}
	if err != nil {
		return nil, errors.Join(err, closeBags(bags))
	}
	raw.Src, raw.Dst = nil, nil
	if g, err = build(bags, declared, pool); err != nil {
		return nil, err
	}
	g.Loops -= loops
	if kind.Name == "metis" || kind.Name == "matrixmarket" {
		g.base = 1 // as in the file
	}
	return g, nil
}
