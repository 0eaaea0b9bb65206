package kcore

import (
	"encoding/binary"
	"io"
	"path/filepath"
	"slices"

	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/format/parquet"
	"github.com/seraph-ml/seraph/format/table"
	"github.com/seraph-ml/seraph/run"
)

// Result is what a decomposition came to.
type Result struct {
	Vertices int `json:"vertices"`
	Counts
	Degeneracy int32  `json:"degeneracy"`
	Innermost  int    `json:"innermost_vertices"`
	SHA256     string `json:"coreness_sha256"`
}

// Summarise counts and hashes.
func Summarise(n *Names, counts Counts, core []int32) Result {
	r := Result{Vertices: n.Vertices(), Counts: counts, SHA256: Hash(n, core)}
	if len(core) > 0 {
		r.Degeneracy = slices.Max(core)
	}
	for v, k := range core {
		if k == r.Degeneracy && n.Present(v) {
			r.Innermost++
		}
	}
	return r
}

// WriteNPY writes the core numbers as uint32: [n] where the vertices are declared, else (id, core) rows of int64.
func WriteNPY(w io.Writer, n *Names, core []int32) error {
	if n.Texts() {
		return errNamedNPY
	}
	if n.Declared() {
		if err := npy.WriteHead(w, npy.DType{Kind: 'u', Size: 4}, n.Nodes); err != nil {
			return err
		}
		return writeRows(w, func(b []byte, v int) []byte { return binary.LittleEndian.AppendUint32(b, uint32(core[v])) }, n.Nodes)
	}
	if err := npy.WriteHead(w, npy.DType{Kind: 'i', Size: 8}, n.Vertices(), 2); err != nil {
		return err
	}
	return writeRows(w, func(b []byte, v int) []byte {
		if !n.Present(v) {
			return b
		}
		b = binary.LittleEndian.AppendUint64(b, uint64(n.ID(v)))
		return binary.LittleEndian.AppendUint64(b, uint64(core[v]))
	}, n.Nodes)
}

// parquetRows is how many rows of Parquet are made at a time.
const parquetRows = 1 << 16

var errNamedNPY = run.Usagef("ids that are texts have no place in npy; write .tsv or .parquet")

// WriteParquet writes the columns id and core, by ascending id.
func WriteParquet(w io.Writer, n *Names, core []int32) error {
	out := parquet.NewWriter(w)
	id, cores := table.Column{Name: "id"}, make([]int64, 0, parquetRows)
	if n.Texts() {
		id.Kind = table.Text
	}
	flush := func() error {
		t := &table.Table{Rows: len(cores), Columns: []table.Column{id, {Name: "core", Kind: table.Int, Ints: cores}}}
		id.Ints, id.Codes, id.Values, cores = id.Ints[:0], id.Codes[:0], id.Values[:0], cores[:0]
		return out.Write(t)
	}
	for v, k := range core {
		if !n.Present(v) {
			continue
		}
		if n.Texts() {
			id.Codes, id.Values = append(id.Codes, int32(len(id.Codes))), append(id.Values, n.Label(v))
		} else {
			id.Ints = append(id.Ints, n.ID(v))
		}
		if cores = append(cores, int64(k)); len(cores) == parquetRows {
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
func WriteCore(w io.Writer, n *Names, core []int32, k int32) error {
	return writeRows(w, func(line []byte, v int) []byte {
		if !n.Present(v) || core[v] < k {
			return line
		}
		return appendID(line, n, int32(v), '\n')
	}, n.Nodes)
}

// WriteCoreEdges writes the edges of the k-core, "u\tv" a line, each once, the smaller id first.
func WriteCoreEdges(w io.Writer, g *Graph, core []int32, k int32) error {
	return writeRows(w, func(line []byte, v int) []byte {
		if core[v] < k {
			return line
		}
		for _, u := range g.Neighbours(v) {
			if int(u) > v && core[u] >= k {
				line = appendID(appendID(line, &g.Names, int32(v), '\t'), &g.Names, u, '\n')
			}
		}
		return line
	}, g.Nodes)
}

// WriteOrder writes a degeneracy order, an id a line.
func WriteOrder(w io.Writer, n *Names, order []int32) error {
	return writeRows(w, func(line []byte, i int) []byte {
		if v := order[i]; n.Present(int(v)) {
			return appendID(line, n, v, '\n')
		}
		return line
	}, len(order))
}

// WriteCores writes the core numbers in the format that a path ends in: .npy, .parquet, or lines.
func WriteCores(w io.Writer, path string, n *Names, core []int32) error {
	switch filepath.Ext(path) {
	case ".npy":
		return WriteNPY(w, n, core)
	case ".parquet":
		return WriteParquet(w, n, core)
	}
	return WriteTSV(w, n, core)
}
