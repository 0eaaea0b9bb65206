package planetoid

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/format/pickle"
)

// validationNodes is the size of the public validation split.
const validationNodes = 500

// Is says whether prefix is that of a planetoid data set, by the files that are there.
func Is(prefix string) bool {
	for _, ext := range []string{".x", ".allx", ".graph", ".test.index"} {
		if info, err := os.Stat(prefix + ext); err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

// Read reads the data set with this prefix, for example "data/ind.cora". Edges are the raw entries of .graph, in the
// order of the file.
func Read(prefix string) (*format.Graph, error) {
	f, err := readFiles(prefix, format.ReadFile)
	if err != nil {
		return nil, err
	}
	return f.assemble(prefix)
}

// assemble puts the eight files together.
func (f *files) assemble(prefix string) (g *format.Graph, err error) {
	g = &format.Graph{Name: name(prefix), Format: "planetoid"}
	trained, known := f.x.Rows, f.allx.Rows
	if g.Nodes, err = f.nodes(prefix); err != nil {
		return nil, err
	}
	g.Features = format.Features{Cols: f.allx.Cols, Sparse: stack(f.allx, f.tx, f.index, g.Nodes)}
	g.Labels = slices.Repeat([]int32{-1}, g.Nodes)
	g.Classes = f.ally.classes
	copy(g.Labels, f.ally.of)
	for row, id := range f.index {
		g.Labels[id] = f.ty.of[row]
	}
	if g.Src, g.Dst, err = edges(prefix+".graph", f.graph, g.Nodes); err != nil {
		return nil, err
	}
	g.Train = span(0, trained)
	g.Val = span(trained, min(trained+validationNodes, known))
	g.Test = slices.Sorted(slices.Values(f.index))
	if missing := g.Nodes - known - len(f.index); missing > 0 {
		g.Note("%d nodes are missing from test.index: they keep their edges, have no features and no label, and are in no split", missing)
	}
	if len(g.Val) < validationNodes {
		g.Note("only %d nodes are left for validation, expected %d", len(g.Val), validationNodes)
	}
	return g, g.Validate(prefix)
}

// name returns "cora" for "…/ind.cora".
func name(prefix string) string { return strings.TrimPrefix(filepath.Base(prefix), "ind.") }

// span returns lo … hi−1.
func span(lo, hi int) []int32 {
	ids := make([]int32, hi-lo)
	for i := range ids {
		ids[i] = int32(lo + i)
	}
	return ids
}

// stack puts the test rows at their ids below the other rows; rows that have no id stay empty.
func stack(known, test *format.Sparse, index []int32, nodes int) *format.Sparse {
	rowOf := slices.Repeat([]int32{-1}, nodes) // row of test for each node, −1 = none
	for row, id := range index {
		rowOf[id] = int32(row)
	}
	all := &format.Sparse{Rows: nodes, Cols: known.Cols}
	all.Indptr = append(make([]int64, 0, nodes+1), known.Indptr...)
	all.Indices = append(make([]int32, 0, len(known.Indices)+len(test.Indices)), known.Indices...)
	all.Values = append(make([]float32, 0, len(known.Values)+len(test.Values)), known.Values...)
	for id := known.Rows; id < nodes; id++ {
		if row := rowOf[id]; row >= 0 {
			lo, hi := test.Indptr[row], test.Indptr[row+1]
			all.Indices = append(all.Indices, test.Indices[lo:hi]...)
			all.Values = append(all.Values, test.Values[lo:hi]...)
		}
		all.Indptr = append(all.Indptr, int64(len(all.Indices)))
	}
	return all
}

// edges lists the entries u → v of the dict.
func edges(path string, graph *pickle.Dict, nodes int) (src, dst []int32, err error) {
	lists, entries, err := neighbours(path, graph)
	if err != nil {
		return nil, nil, err
	}
	id := func(v any) (int32, bool) {
		n, ok := v.(int64)
		return int32(n), ok && n >= 0 && n < int64(nodes)
	}
	bad := func(what string, v any) error {
		return format.CorruptAt(path, -1, what, fmt.Sprint(v), fmt.Sprintf("a node 0 … %d", nodes-1))
	}
	src, dst = make([]int32, 0, entries), make([]int32, 0, entries)
	for i, key := range graph.Keys {
		u, ok := id(key)
		if !ok {
			return nil, nil, bad("node", key)
		}
		for _, neighbour := range lists[i] {
			v, ok := id(neighbour)
			if !ok {
				return nil, nil, bad(fmt.Sprintf("neighbour of node %d", u), neighbour)
			}
			src, dst = append(src, u), append(dst, v)
		}
	}
	return src, dst, nil
}

// neighbours returns the list of each key and how many entries they have together. A list that is shared by keys is
// refused: fetched from the pickle's memo again and again, a long one would multiply.
func neighbours(path string, graph *pickle.Dict) (lists [][]any, entries int, err error) {
	owner := make(map[*pickle.List]any, len(graph.Keys))
	lists = make([][]any, len(graph.Keys))
	for i, key := range graph.Keys {
		what := func() string { return fmt.Sprintf("neighbours of node %v", key) }
		list, ok := graph.Values[i].(*pickle.List)
		if !ok {
			return nil, 0, format.CorruptAt(path, -1, what(), fmt.Sprintf("%T", graph.Values[i]), "a list")
		}
		if other, shared := owner[list]; shared {
			return nil, 0, format.CorruptAt(path, -1, what(), fmt.Sprintf("the list of node %v", other), "a list of its own")
		}
		owner[list] = key
		lists[i] = list.Items
		entries += len(list.Items)
	}
	return lists, entries, nil
}

// Describe tells what the data set holds; it reads all of it.
func Describe(prefix string) (format.Description, error) {
	g, err := Read(prefix)
	if err != nil {
		return format.Description{}, err
	}
	return g.Describe(prefix), nil
}

// Check reads the data set and verifies it; what Read does not need, that .x and .y are the first rows of .allx and
// .ally, is compared too.
func Check(prefix string) error {
	return check(prefix, format.ReadFile)
}

func check(prefix string, load loader) error {
	f, err := readFiles(prefix, load)
	if err != nil {
		return err
	}
	for row, want := range f.y.of {
		if got := f.ally.of[row]; got != want {
			return format.CorruptAt(prefix+".ally", -1, fmt.Sprintf("label of row %d", row), fmt.Sprint(got), fmt.Sprintf("%d as in .y", want))
		}
	}
	for row := range f.x.Rows {
		if !slices.Equal(rowOf(f.x, row), rowOf(f.allx, row)) {
			return format.CorruptAt(prefix+".allx", -1, fmt.Sprintf("row %d", row), "other columns", "the columns of .x")
		}
	}
	_, err = f.assemble(prefix)
	return err
}

func rowOf(m *format.Sparse, row int) []int32 { return m.Indices[m.Indptr[row]:m.Indptr[row+1]] }

// oneHot are labels that were one-hot rows.
type oneHot struct {
	classes int
	of      []int32 // class of each row, −1 where the row is zero
}

// argmax turns one-hot rows (rows × classes) into classes.
func argmax(path string, a *npy.Array) (oneHot, error) {
	if len(a.Shape) != 2 {
		return oneHot{}, format.CorruptAt(path, -1, "labels", "shape "+npy.ShapeString(a.Shape), "rows × classes")
	}
	values, err := a.Int32s()
	if err != nil {
		return oneHot{}, format.CorruptAt(path, -1, "labels", "", "").WithCause(err)
	}
	rows, classes := a.Shape[0], a.Shape[1]
	if len(values) == 0 { // without values the number of classes would be an unverified claim
		return oneHot{}, format.CorruptAt(path, -1, "labels", "shape "+npy.ShapeString(a.Shape), "at least one row and one class")
	}
	labels := oneHot{classes: classes, of: make([]int32, rows)}
	for row := range rows {
		labels.of[row] = -1
		for class, v := range values[row*classes : (row+1)*classes] {
			switch {
			case v == 0:
			case v == 1 && labels.of[row] < 0:
				labels.of[row] = int32(class)
			default:
				return oneHot{}, format.CorruptAt(path, -1, fmt.Sprintf("label of row %d", row), fmt.Sprintf("%d for class %d", v, class), "one 1 and zeros")
			}
		}
	}
	return labels, nil
}
