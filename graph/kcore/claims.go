package kcore

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/edgelist"
	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/format/parquet"
	"github.com/seraph-ml/seraph/format/table"
)

// Find is the vertex that the files call so.
func (n *Names) Find(id int64) (v int, ok bool) {
	if n.ids != nil {
		return slices.BinarySearch(n.ids, id)
	}
	v = int(id - n.base)
	return v, id >= n.base && id-n.base < int64(n.Nodes) && n.Present(v)
}

// ReadCores reads core numbers as they are written: lines "id core", npy or Parquet. Each vertex must have one, but for those that
// are new, and nobody else; core has room for Nodes values, and the others get 0.
func ReadCores(path string, n *Names, fresh []int64, core []int32) error {
	for v := range core {
		core[v] = -1
	}
	seen := 0
	setAt := func(v int, ok bool, id any, k int64, row int) error {
		switch {
		case !ok:
			return claimError(path, row, fmt.Sprintf("vertex %v, which the graph has not", id), "a vertex of the graph")
		case core[v] >= 0:
			return claimError(path, row, fmt.Sprintf("vertex %v once more", id), "each vertex once")
		case k < 0 || k > math.MaxInt32:
			return claimError(path, row, fmt.Sprintf("%d for vertex %v", k, id), "a core number")
		}
		core[v] = int32(k)
		seen++
		return nil
	}
	set := func(id, k int64, row int) error {
		v, ok := n.Find(id)
		return setAt(v, ok, id, k, row)
	}
	setText := func(id []byte, k int64, row int) error {
		v, ok := n.labels.find(id)
		return setAt(v, ok, labelled(id), k, row)
	}
	var err error
	switch ext := filepath.Ext(path); {
	case ext == ".npy" && n.Texts():
		return errNamedNPY
	case ext == ".npy":
		err = readNPYCores(path, n, set)
	case ext == ".parquet":
		err = readParquetCores(path, n, set, setText)
	case n.Texts():
		err = readNamedCores(path, setText)
	default:
		row := 0
		_, err = edgelist.ReadPairs(path, 1, func(_ int, pairs []int64) error {
			for i := 0; i+1 < len(pairs); i += 2 {
				row++
				if err := set(pairs[i], pairs[i+1], row); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return err
	}
	for _, id := range fresh {
		if v, ok := n.Find(id); ok && core[v] < 0 {
			core[v] = 0
			seen++
		}
	}
	if vertices := n.Vertices(); seen < vertices {
		return claimError(path, 0, fmt.Sprintf("core numbers of %d vertices", seen), fmt.Sprint(vertices))
	}
	for v, k := range core {
		core[v] = max(k, 0)
	}
	return nil
}

func claimError(path string, row int, found, expected string) error {
	what := "core numbers"
	if row > 0 {
		what = fmt.Sprintf("core number %d", row)
	}
	return format.CorruptAt(path, -1, what, found, expected)
}

func readNPYCores(path string, n *Names, set func(id, k int64, row int) error) error {
	f, err := npy.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	width := 1
	switch {
	case len(f.Shape) == 2 && f.Shape[1] == 2:
		width = 2
	case len(f.Shape) != 1:
		return claimError(path, 0, "shape "+npy.ShapeString(f.Shape), "(n,) or (n, 2)")
	}
	for lo := 0; lo < f.Rows(); lo += parquetRows {
		a, err := f.ReadRows(lo, min(lo+parquetRows, f.Rows()))
		if err != nil {
			return err
		}
		values, err := a.Int64s()
		if err != nil {
			return err
		}
		for i := 0; i+width <= len(values); i += width {
			row := lo + i/width
			id, k := n.ID(min(row, n.Nodes-1))+int64(max(0, row-n.Nodes+1)), values[i]
			if width == 2 {
				id, k = values[i], values[i+1]
			}
			if err := set(id, k, row+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// labelled is an id that is a text, as errors print it.
type labelled []byte

func (l labelled) String() string { return fmt.Sprintf("%.40q", []byte(l)) }

// readNamedCores reads lines "id core" whose ids are texts; none is a comment.
func readNamedCores(path string, set func(id []byte, k int64, row int) error) error {
	text, err := format.OpenText(path)
	if err != nil {
		return err
	}
	defer text.Close()
	var id []byte
	for text.Next() {
		if !text.More() {
			continue
		}
		field, _ := text.Field()
		id = append(id[:0], field...) // the next field may take its place
		k, err := text.Natural("core number", 0, math.MaxInt32)
		if err != nil {
			return err
		}
		if err := set(id, k, text.Line); err != nil {
			return err
		}
	}
	return text.Err()
}

func readParquetCores(path string, n *Names, set func(id, k int64, row int) error, setText func(id []byte, k int64, row int) error) error {
	f, err := parquet.Open(path, table.Options{})
	if err != nil {
		return err
	}
	row := 0
	for t, err := range f.Blocks(parquetRows) {
		if err != nil {
			return err
		}
		kind := table.Int
		if n.Texts() {
			kind = table.Text
		}
		if len(t.Columns) != 2 || t.Columns[0].Kind != kind || t.Columns[1].Kind != table.Int {
			return claimError(path, 0, fmt.Sprintf("%d columns", len(t.Columns)), fmt.Sprintf("columns id and core, %s and %s", kind, table.Int))
		}
		ids, cores := t.Columns[0], t.Columns[1].Ints
		for i, k := range cores {
			row++
			var err error
			if kind == table.Int {
				err = set(ids.Ints[i], k, row)
			} else if code := ids.Codes[i]; code < 0 {
				err = claimError(path, row, "no id", "a vertex of the graph")
			} else {
				err = setText([]byte(ids.Values[code]), k, row)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// ReadOrder reads a degeneracy order, an id a line, of all vertices; numbers that are no vertices come first.
func ReadOrder(path string, n *Names, order []int32) error {
	at := 0
	for v := range n.Nodes {
		if !n.Present(v) {
			order[at] = int32(v)
			at++
		}
	}
	return eachInOrder(path, n, func(v, line int) error {
		if at == len(order) {
			return orderError(path, n, v, line)
		}
		order[at] = int32(v)
		at++
		return nil
	})
}

// ReadPlaces reads a degeneracy order of vertices with these core numbers, as far as it can be judged without the edges: each vertex
// has its place, behind those of lower core numbers. Numbers that are no vertices have −1.
func ReadPlaces(path string, n *Names, core, place []int32) error {
	for v := range place {
		place[v] = -1
	}
	at, last := int32(0), int32(0)
	return eachInOrder(path, n, func(v, line int) error {
		if place[v] >= 0 {
			return orderError(path, n, v, line)
		}
		if core[v] < last {
			return format.CorruptLine(path, line, "degeneracy order", fmt.Sprintf("vertex %s of core number %d", n.Label(v), core[v]), fmt.Sprintf("%d or more, as before it", last))
		}
		place[v], last = at, core[v]
		at++
		return nil
	})
}

func orderError(path string, n *Names, v, line int) error {
	return format.CorruptLine(path, line, "degeneracy order", fmt.Sprintf("vertex %s once more", n.Label(v)), "each vertex of the graph once")
}

// eachInOrder calls do with the vertices of an order, which must be as many as there are.
func eachInOrder(path string, n *Names, do func(v, line int) error) error {
	text, err := format.OpenText(path)
	if err != nil {
		return err
	}
	defer text.Close()
	left := n.Vertices()
	for ; text.Next(); left-- {
		v, err := n.next(text)
		if err != nil {
			return err
		}
		if err := do(v, text.Line); err != nil {
			return err
		}
	}
	err = text.Err()
	if err == nil && left > 0 {
		err = format.CorruptAt(path, -1, "degeneracy order", fmt.Sprintf("%d vertices too few", left), "each vertex once")
	}
	return err
}

// next is the vertex that the next field of a text names.
func (n *Names) next(text *format.Text) (v int, err error) {
	var id any
	ok := false
	if n.Texts() {
		field, _ := text.Field()
		v, ok = n.labels.find(field)
		id = labelled(field)
	} else {
		number, err := text.Natural("vertex", 0, math.MaxInt64)
		if err != nil {
			return 0, err
		}
		v, ok = n.Find(number)
		id = number
	}
	if !ok {
		return 0, format.CorruptLine(text.Path, text.Line, "degeneracy order", fmt.Sprintf("vertex %v, which the graph has not", id), "each vertex of the graph once")
	}
	return v, nil
}
