package sgraph

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/seraph-ml/seraph/format"
)

// workBytes is the working memory of the readers of whole files.
const workBytes = 1 << 20

// Options say how to read a graph.
type Options struct {
	Weights bool // keep the weights of the edges; where the file has none that is an error
}

// Read reads a whole graph into memory. Its entries are in the order of the rows.
func Read(path string, o Options) (*format.Graph, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.read(o)
}

func (f *File) read(o Options) (*format.Graph, error) {
	path := f.source.Path
	if f.Nodes > format.MaxNodes {
		return nil, format.CorruptAt(path, -1, "number of nodes", fmt.Sprint(f.Nodes), "fewer than 2^31 to read it into memory")
	}
	if o.Weights && !f.Weights {
		return nil, format.CorruptAt(path, -1, "edge weights", "none", "some").WithHint("leave out --weights")
	}
	r, err := f.Reader(make([]byte, workBytes))
	if err != nil {
		return nil, err
	}
	g := &format.Graph{Name: format.BaseName(path), Format: "sgraph", Nodes: int(f.Nodes), Classes: int(f.Classes)}
	if f.Weights && !o.Weights {
		g.Note("the weights of the %d edge entries are ignored (--weights keeps them)", f.Entries)
	}
	indptr, columns, weights, err := readAll(r, f.edges(), o.Weights)
	if err != nil {
		return nil, err
	}
	g.Dst, g.Weights, g.Src = columns, weights, make([]int32, len(columns))
	for u := range g.Nodes {
		for e := indptr[u]; e < indptr[u+1]; e++ {
			g.Src[e] = int32(u)
		}
	}
	if err := f.readNodes(r, g); err != nil {
		return nil, err
	}
	return g, g.Validate(path)
}

// readAll reads all rows of a matrix.
func readAll(r *Reader, m *matrix, values bool) ([]int64, []int32, []float32, error) {
	rows := Rows[int32]{Indptr: make([]int64, 0, m.rows+1), Columns: make([]int32, 0, m.entries)}
	if values {
		rows.Values = make([]float32, 0, m.entries)
	}
	if err := readRows(r, m, 0, m.rows, &rows); err != nil {
		return nil, nil, nil, err
	}
	if int64(rows.Len()) != m.rows || int64(len(rows.Columns)) != m.entries {
		return nil, nil, nil, r.f.source.Corrupt(fileOffset(m.place.at), m.name, fmt.Sprintf("%d entries in %d rows", len(rows.Columns), rows.Len()), fmt.Sprintf("%d in %d", m.entries, m.rows))
	}
	return rows.Indptr, rows.Columns, rows.Values, nil
}

// readNodes reads what belongs to nodes: features, labels, ids, names, split.
func (f *File) readNodes(r *Reader, g *format.Graph) error {
	g.Features.Cols = int(f.Features)
	if f.table[featureRows].there {
		indptr, columns, values, err := readAll(r, f.sparse(), true)
		if err != nil {
			return err
		}
		g.Features.Sparse = &format.Sparse{Rows: g.Nodes, Cols: g.Features.Cols, Indptr: indptr, Indices: columns, Values: values}
	}
	if p := f.table[denseFeatures]; p.there {
		g.Features.Dense = make([]float32, p.size/4)
		if err := r.ReadFeatures(0, g.Features.Dense); err != nil {
			return err
		}
	}
	if f.table[labels].there {
		g.Labels = make([]int32, f.Nodes)
		if err := r.ReadLabels(0, g.Labels); err != nil {
			return err
		}
	}
	if f.table[ids].there {
		g.IDs = make([]int64, f.Nodes)
		if err := r.ReadIDs(0, g.IDs); err != nil {
			return err
		}
	}
	var err error
	if g.ClassNames, err = r.ClassNames(); err != nil || !f.table[train].there {
		return err
	}
	p := f.Parts()
	for i, to := range []*[]int32{&g.Train, &g.Val, &g.Test} {
		*to = make([]int32, []int64{p.Train, p.Val, p.Test}[i])
		if err := r.ReadSplit(i, *to); err != nil {
			return err
		}
	}
	return nil
}

// ReadSplit fills dst with the nodes of a part of the split, 0 for those that train, 1 validate, 2 test. It has room for all.
func (r *Reader) ReadSplit(part int, dst []int32) error {
	kind := train + section(part)
	p := r.f.table[kind]
	if p.size/8 != int64(len(dst)) {
		return fmt.Errorf("read %s: room for %d of the %d %s", r.f.source.Path, len(dst), p.size/8, sectionNames[kind])
	}
	wide := make([]int64, min(len(dst), 1<<13))
	for first := 0; first < len(dst); first += len(wide) {
		wide = wide[:min(len(wide), len(dst)-first)]
		if err := column(r, kind, int64(first), wide); err != nil {
			return err
		}
		for i, u := range wide {
			if u < 0 || u >= r.f.Nodes || u > math.MaxInt32 {
				return r.f.source.Corrupt(fileOffset(p.at+8*int64(first+i)), sectionNames[kind], fmt.Sprint(u), fmt.Sprintf("0 … %d", r.f.Nodes-1))
			}
			dst[first+i] = int32(u)
		}
	}
	return nil
}

// ClassNames reads the names of the classes, nil where there are none.
func (r *Reader) ClassNames() ([]string, error) {
	p := r.f.table[classNames]
	if !p.there {
		return nil, nil
	}
	raw := make([]byte, p.size)
	if err := r.f.copyOut(&r.data, raw, p.at); err != nil {
		return nil, err
	}
	names := make([]string, 0, r.f.Classes)
	for range r.f.Classes {
		size, n := binary.Uvarint(raw)
		if n <= 0 || size > uint64(len(raw)-n) || !utf8.Valid(raw[n:n+int(size)]) {
			return nil, r.f.source.Corrupt(fileOffset(p.end()-int64(len(raw))), fmt.Sprintf("name of class %d", len(names)), "bytes that are none", "a length and UTF-8")
		}
		names = append(names, string(raw[n:n+int(size)]))
		raw = raw[n+int(size):]
	}
	if len(raw) > 0 {
		return nil, r.f.source.Corrupt(fileOffset(p.end()-int64(len(raw))), "class names", fmt.Sprintf("%d bytes more", len(raw)), "the end of the section")
	}
	return names, nil
}

// Write writes a graph that is in memory. Entries are sorted by row and column; those of the same two nodes keep their order.
func Write(path string, g *format.Graph) error {
	c := Counts{Nodes: int64(g.Nodes), Weights: g.Weights != nil, Features: int64(g.Features.Cols), Classes: int64(g.Classes)}
	if g.Features.Sparse == nil && g.Features.Dense == nil {
		c.Features = 0
	}
	c.Values = HasValues(g)
	w, err := Create(path, c)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.writeEdges(g); err != nil {
		return err
	}
	if err := w.WriteNodes(g); err != nil {
		return err
	}
	return w.Commit()
}

// HasValues says whether a graph has sparse features other than 1, for [Counts].
func HasValues(g *format.Graph) bool {
	s := g.Features.Sparse
	return s != nil && slices.ContainsFunc(s.Values, func(v float32) bool { return v != 1 })
}

// writeEdges sorts the entries by counting, and writes them.
func (w *Writer) writeEdges(g *format.Graph) error {
	next := make([]int64, g.Nodes+1)
	for _, u := range g.Src {
		next[u+1]++
	}
	for u := range g.Nodes {
		next[u+1] += next[u]
	}
	s := &format.Sparse{Indptr: slices.Clone(next), Indices: make([]int32, len(g.Src))}
	if w.Weights {
		s.Values = make([]float32, len(g.Src))
	}
	for i, u := range g.Src {
		s.Indices[next[u]] = g.Dst[i]
		if w.Weights {
			s.Values[next[u]] = g.Weights[i]
		}
		next[u]++
	}
	return eachRow(s, g.Nodes, func(columns []int32, values []float32) error { return AppendRow(w, columns, values) })
}

// eachRow calls f with every row, sorted by column; equal columns keep their order.
func eachRow(s *format.Sparse, n int, f func(columns []int32, values []float32) error) error {
	var order []int
	var columns []int32
	var values []float32
	for i := range n {
		row := s.Indices[s.Indptr[i]:s.Indptr[i+1]]
		order, columns, values = order[:0], columns[:0], values[:0]
		for e := range row {
			order = append(order, e)
		}
		slices.SortStableFunc(order, func(a, b int) int { return int(row[a]) - int(row[b]) })
		for _, e := range order {
			columns = append(columns, row[e])
			if s.Values != nil {
				values = append(values, s.Values[s.Indptr[i]+int64(e)])
			}
		}
		if s.Values == nil {
			values = nil
		}
		if err := f(columns, values); err != nil {
			return err
		}
	}
	return nil
}

// WriteNodes writes what else there is of a graph in memory, behind its edges: features, labels, ids, names of classes, split.
func (w *Writer) WriteNodes(g *format.Graph) error {
	if s := g.Features.Sparse; s != nil && w.Features > 0 {
		if !w.Values {
			s = &format.Sparse{Indptr: s.Indptr, Indices: s.Indices}
		}
		if err := eachRow(s, g.Nodes, func(columns []int32, values []float32) error { return AppendFeatures(w, columns, values) }); err != nil {
			return err
		}
	}
	if g.Features.Dense != nil {
		w.WriteFeatures(g.Features.Dense)
	}
	if g.Labels != nil {
		w.WriteLabels(g.Labels)
	}
	if g.IDs != nil {
		w.WriteIDs(g.IDs)
	}
	if g.ClassNames != nil && g.Labels != nil {
		w.WriteClassNames(g.ClassNames)
	}
	if g.Train != nil {
		WriteSplit(w, [3][]int32{g.Train, g.Val, g.Test})
	}
	return w.err
}

// ImportBytes bounds the memory that Read allocates in all, from head and foot alone.
func ImportBytes(path string) (int64, error) {
	f, err := Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	sum := int64(2<<20) + 12*f.Entries + 16*(f.Nodes+1) + 8*f.Nonzeros
	for _, kind := range []section{denseFeatures, labels, ids, train, val, test} {
		sum += 2 * f.table[kind].size
	}
	return sum + 24*f.Classes + 2*f.table[classNames].size, nil
}

// Describe tells what the foot says.
func Describe(path string) (format.Description, error) {
	f, err := Open(path)
	if err != nil {
		return format.Description{}, err
	}
	defer f.Close()
	d := format.Description{Format: "sgraph", Path: path, Title: fmt.Sprintf("Seraph graph, version %d", version), Columns: []string{"section", "offset", "bytes"}}
	d.Add("nodes", f.Nodes)
	d.Add("edge entries", f.Entries)
	d.Add("largest degree", f.MaxDegree)
	d.Add("edge weights", f.Weights)
	d.Add("simple and undirected", f.Undirected)
	if f.Features > 0 {
		d.Add("feature columns", f.Features)
	}
	if f.table[labels].there {
		d.Add("classes", f.Classes)
	}
	for kind, p := range f.table {
		if p.there {
			d.Rows = append(d.Rows, []string{sectionNames[kind], fmt.Sprint(fileOffset(p.at)), fmt.Sprint(p.size)})
		}
	}
	return d, nil
}
