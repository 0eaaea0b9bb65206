package planetoid

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/pickle"
)

// files is the content of the eight files, each verified by itself and their shapes against each other.
type files struct {
	x, allx, tx *format.Sparse
	y, ally, ty oneHot
	graph       *pickle.Dict
	index       []int32 // node id of each row of tx
}

// loader returns the content of a file of the set.
type loader func(path string) ([]byte, error)

func readFiles(prefix string, load loader) (*files, error) {
	var f files
	var err error
	for _, part := range []struct {
		ext string
		to  **format.Sparse
	}{{".x", &f.x}, {".allx", &f.allx}, {".tx", &f.tx}} {
		if *part.to, err = readMatrix(load, prefix+part.ext); err != nil {
			return nil, err
		}
	}
	for _, part := range []struct {
		ext string
		to  *oneHot
	}{{".y", &f.y}, {".ally", &f.ally}, {".ty", &f.ty}} {
		if *part.to, err = readLabels(load, prefix+part.ext); err != nil {
			return nil, err
		}
	}
	if f.graph, err = readGraph(load, prefix+".graph"); err != nil {
		return nil, err
	}
	if f.index, err = readIndex(load, prefix+".test.index"); err != nil {
		return nil, err
	}
	return &f, f.agree(prefix)
}

// agree compares the shapes of the files.
func (f *files) agree(prefix string) error {
	for _, part := range []struct {
		ext         string
		found, want int
		what        string
	}{
		{".tx", f.tx.Cols, f.allx.Cols, "columns, as in .allx"},
		{".x", f.x.Cols, f.allx.Cols, "columns, as in .allx"},
		{".y", len(f.y.of), f.x.Rows, "rows, as in .x"},
		{".ally", len(f.ally.of), f.allx.Rows, "rows, as in .allx"},
		{".ty", len(f.ty.of), f.tx.Rows, "rows, as in .tx"},
		{".y", f.y.classes, f.ally.classes, "classes, as in .ally"},
		{".ty", f.ty.classes, f.ally.classes, "classes, as in .ally"},
		{".test.index", len(f.index), f.tx.Rows, "ids, one per row of .tx"},
	} {
		if part.found != part.want {
			return format.CorruptAt(prefix+part.ext, -1, "shape", fmt.Sprint(part.found), fmt.Sprintf("%d %s", part.want, part.what)).
				WithHint("the files of a data set belong together; fetch all of them again")
		}
	}
	if f.x.Rows > f.allx.Rows {
		return format.CorruptAt(prefix+".x", -1, "rows", fmt.Sprint(f.x.Rows), fmt.Sprintf("at most %d, as in .allx", f.allx.Rows))
	}
	return nil
}

// nodes returns the number of nodes: one more than the greatest test id. Every node is vouched for by a row of features
// or by a key of the graph, so that one large id cannot claim memory.
func (f *files) nodes(prefix string) (int, error) {
	path := prefix + ".test.index"
	if len(f.index) == 0 {
		return 0, format.CorruptAt(path, 0, "test nodes", "none", "at least one")
	}
	least, greatest := slices.Min(f.index), slices.Max(f.index)
	if int(least) < f.allx.Rows {
		return 0, format.CorruptAt(path, -1, "least test node", fmt.Sprint(least), fmt.Sprintf("at least %d, the rows of .allx", f.allx.Rows))
	}
	if most := max(f.allx.Rows+len(f.index), len(f.graph.Keys)) - 1; int(greatest) > most {
		return 0, format.CorruptAt(path, -1, "greatest test node", fmt.Sprint(greatest), fmt.Sprintf("at most %d", most))
	}
	sorted := slices.Sorted(slices.Values(f.index))
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return 0, format.CorruptAt(path, -1, "test node", fmt.Sprintf("%d twice", sorted[i]), "each once")
		}
	}
	return int(greatest) + 1, nil
}

func (load loader) pickle(path string) (any, error) {
	content, err := load(path)
	if err != nil {
		return nil, err
	}
	return pickle.Parse(path, 0, content)
}

func readMatrix(load loader, path string) (*format.Sparse, error) {
	v, err := load.pickle(path)
	if err != nil {
		return nil, err
	}
	m, ok := v.(*pickle.CSR)
	if !ok || m.Data == nil {
		return nil, format.CorruptAt(path, 0, "pickle", fmt.Sprintf("%T", v), "a csr_matrix")
	}
	return m.Sparse(path, "csr_matrix")
}

func readLabels(load loader, path string) (oneHot, error) {
	v, err := load.pickle(path)
	if err != nil {
		return oneHot{}, err
	}
	a, ok := v.(*pickle.Array)
	if !ok {
		return oneHot{}, format.CorruptAt(path, 0, "pickle", fmt.Sprintf("%T", v), "an ndarray")
	}
	return argmax(path, &a.Array)
}

func readGraph(load loader, path string) (*pickle.Dict, error) {
	v, err := load.pickle(path)
	if err != nil {
		return nil, err
	}
	d, ok := v.(*pickle.Dict)
	if !ok {
		return nil, format.CorruptAt(path, 0, "pickle", fmt.Sprintf("%T", v), "a dict of lists")
	}
	return d, nil
}

// readIndex reads one number per line; blanks around it, CRLF and empty lines do not matter.
func readIndex(load loader, path string) ([]int32, error) {
	content, err := load(path)
	if err != nil {
		return nil, err
	}
	var ids []int32
	line := 0
	for text := range bytes.Lines(content) {
		line++
		text = bytes.TrimSpace(text)
		if len(text) == 0 {
			continue
		}
		id, err := strconv.ParseUint(string(text), 10, 31)
		if err != nil {
			return nil, format.CorruptLine(path, line, "test node", fmt.Sprintf("%.40q", text), "a number below 2^31")
		}
		ids = append(ids, int32(id))
	}
	return ids, nil
}
