package kcore

import (
	"fmt"
	"io"
	"slices"

	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/format/parquet"
	"github.com/seraph-ml/seraph/format/table"
)

// Result is what a decomposition came to.
type Result struct {
	Vertices   int    `json:"vertices"`
	Edges      int64  `json:"edges"`
	Loops      int64  `json:"self_loops_dropped"`
	Duplicates int64  `json:"duplicates_dropped"`
	Degeneracy int32  `json:"degeneracy"`
	Innermost  int    `json:"innermost_vertices"`
	SHA256     string `json:"coreness_sha256"`
}

// Summarise counts and hashes.
func Summarise(g *Graph, core []int32) Result {
	r := Result{Vertices: g.Vertices(), Edges: g.Edges(), Loops: g.Loops, Duplicates: g.Duplicates, SHA256: Hash(g, core)}
	if len(core) > 0 {
		r.Degeneracy = slices.Max(core)
	}
	for v, k := range core {
		if k == r.Degeneracy && g.Present(v) {
			r.Innermost++
		}
	}
	return r
}

// WriteNPY writes the core numbers as uint32: [n] where the vertices are declared, else (id, core) rows of int64.
func WriteNPY(path string, g *Graph, core []int32) error {
	var array *npy.Array
	var err error
	if g.Declared() {
		values := make([]uint32, len(core))
		for v, k := range core {
			values[v] = uint32(k)
		}
		array, err = npy.New(values, len(values))
	} else {
		var rows []int64
		for v, k := range core {
			if g.Present(v) {
				rows = append(rows, g.ID(v), int64(k))
			}
		}
		array, err = npy.New(rows, len(rows)/2, 2)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return npy.Write(path, array)
}

// parquetRows is how many rows of Parquet are made at a time.
const parquetRows = 1 << 16

// WriteParquet writes the columns id and core, by ascending id.
func WriteParquet(w io.Writer, g *Graph, core []int32) error {
	out := parquet.NewWriter(w)
	ids, cores := make([]int64, 0, parquetRows), make([]int64, 0, parquetRows)
	flush := func() error {
		t := &table.Table{Rows: len(ids), Columns: []table.Column{{Name: "id", Kind: table.Int, Ints: ids}, {Name: "core", Kind: table.Int, Ints: cores}}}
		ids, cores = ids[:0], cores[:0]
		return out.Write(t)
	}
	for v, k := range core {
		if !g.Present(v) {
			continue
		}
		if ids, cores = append(ids, g.ID(v)), append(cores, int64(k)); len(ids) == parquetRows {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return out.Close()
}

// WriteCore writes the vertices of the k-core, an id a line, by ascending id.
func WriteCore(w io.Writer, g *Graph, core []int32, k int32) error {
	return writeRows(w, func(line []byte, v int) []byte {
		if !g.Present(v) || core[v] < k {
			return line
		}
		return appendID(line, g, int32(v), '\n')
	}, g.Nodes)
}

// WriteCoreEdges writes the edges of the k-core, "u\tv" a line, each once, the smaller id first.
func WriteCoreEdges(w io.Writer, g *Graph, core []int32, k int32) error {
	return writeRows(w, func(line []byte, v int) []byte {
		if core[v] < k {
			return line
		}
		for _, u := range g.Neighbours(v) {
			if int(u) > v && core[u] >= k {
				line = appendID(appendID(line, g, int32(v), '\t'), g, u, '\n')
			}
		}
		return line
	}, g.Nodes)
}

// WriteOrder writes a degeneracy order, an id a line.
func WriteOrder(w io.Writer, g *Graph, order []int32) error {
	return writeRows(w, func(line []byte, i int) []byte {
		if v := order[i]; g.Present(int(v)) {
			return appendID(line, g, v, '\n')
		}
		return line
	}, len(order))
}
