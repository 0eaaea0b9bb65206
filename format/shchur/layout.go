package shchur

import (
	"fmt"
	"strings"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/format/pickle"
)

// layout says under which names an archive keeps its parts.
type layout struct {
	adjacency, attributes matrix
	labels                string
}

// matrix names the arrays of a CSR matrix; where pickled is set it is one object array instead.
type matrix struct {
	data, indices, indptr, shape string
	pickled                      string
}

const classNames = "class_names"

// layouts are the known ones.
var layouts = []layout{
	{adjacency: named("adj_"), attributes: named("attr_"), labels: "labels"},
	{adjacency: named("adj_matrix."), attributes: named("attr_matrix."), labels: "labels"},
	{adjacency: matrix{pickled: "adj_matrix"}, attributes: matrix{pickled: "node_attr"}, labels: "node_label"},
}

func named(prefix string) matrix {
	return matrix{data: prefix + "data", indices: prefix + "indices", indptr: prefix + "indptr", shape: prefix + "shape"}
}

// detect finds the layout of an archive.
func detect(a *npy.Archive) (layout, error) {
	for _, l := range layouts {
		if l.has(a, l.adjacency) && a.Has(l.labels) {
			return l, nil
		}
	}
	return layout{}, format.CorruptAt(a.Path(), -1, "graph archive", fmt.Sprintf("arrays %.200q", strings.Join(a.Names, " ")), "adj_data, adj_matrix.data or adj_matrix, and labels").
		WithHint("`seraph show` lists the arrays of any npz file")
}

// arrays are the names that m consists of.
func (m matrix) arrays() []string {
	if m.pickled != "" {
		return []string{m.pickled}
	}
	return []string{m.data, m.indices, m.indptr, m.shape}
}

// names are all that the layout reads.
func (l layout) names() []string {
	names := append(l.adjacency.arrays(), l.attributes.arrays()...)
	return append(names, "attr_matrix", l.labels, classNames)
}

func (l layout) has(a *npy.Archive, m matrix) bool {
	for _, name := range m.arrays() {
		if !a.Has(name) {
			return false
		}
	}
	return true
}

// dense names the array that holds the attributes as a plain matrix, if there may be one.
func (l layout) dense(a *npy.Archive) string {
	for _, name := range []string{l.attributes.pickled, "attr_matrix"} {
		if name != "" && a.Has(name) {
			return name
		}
	}
	return ""
}

// sparse reads a matrix.
func (l layout) sparse(a *npy.Archive, m matrix) (*format.Sparse, error) {
	if m.pickled != "" {
		return unpickle(a, m.pickled)
	}
	shape, err := integers(a, m.shape, (*npy.Array).Int64s)
	if err != nil {
		return nil, err
	}
	if len(shape) != 2 || shape[0] < 0 || shape[0] > format.MaxNodes || shape[1] < 0 || shape[1] > format.MaxNodes {
		return nil, corrupt(a, m.shape, fmt.Sprint(shape[:min(len(shape), 8)]), fmt.Sprintf("rows and columns, each 0 … %d", format.MaxNodes))
	}
	s := &format.Sparse{Rows: int(shape[0]), Cols: int(shape[1])}
	if s.Indptr, err = integers(a, m.indptr, (*npy.Array).Int64s); err != nil {
		return nil, err
	}
	if s.Indices, err = integers(a, m.indices, (*npy.Array).Int32s); err != nil {
		return nil, err
	}
	if s.Values, err = integers(a, m.data, (*npy.Array).Float32s); err != nil {
		return nil, err
	}
	return s, s.Validate(a.Path(), strings.TrimRight(strings.TrimSuffix(m.data, "data"), "_.")+" matrix")
}

// integers reads one array and converts it.
func integers[T any](a *npy.Archive, name string, convert func(*npy.Array) ([]T, error)) ([]T, error) {
	array, err := a.Read(name)
	if err != nil {
		return nil, err
	}
	values, err := convert(array)
	if err != nil {
		return nil, corrupt(a, name, "", "").WithCause(err)
	}
	return values, nil
}

// unpickle reads a csr_matrix that NumPy saved as an array of one object.
func unpickle(a *npy.Archive, name string) (*format.Sparse, error) {
	array, err := a.Read(name)
	if err != nil {
		return nil, err
	}
	path := a.MemberPath(name)
	if array.DType.Kind != 'O' || array.Len() != 1 {
		return nil, corrupt(a, name, fmt.Sprintf("%s of %s", npy.ShapeString(array.Shape), array.DType), "one object")
	}
	v, err := pickle.Parse(path, array.Offset, array.Data)
	if err != nil {
		return nil, err
	}
	objects, ok := v.(*pickle.Array)
	if !ok || len(objects.Objects) != 1 {
		return nil, corrupt(a, name, fmt.Sprintf("%T", v), "an array of one object")
	}
	m, ok := objects.Objects[0].(*pickle.CSR)
	if !ok || m.Data == nil {
		return nil, corrupt(a, name, fmt.Sprintf("%T", objects.Objects[0]), "a csr_matrix")
	}
	return m.Sparse(path, "csr_matrix")
}

func corrupt(a *npy.Archive, array, found, expected string) *format.CorruptError {
	return format.CorruptAt(a.MemberPath(array), -1, "array "+array, found, expected)
}
