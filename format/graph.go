package format

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
)

// Graph is a node-classification data set as read from disk, before any cleaning: edges are directed entries exactly as
// stored (duplicates, self-loops and both directions included), features and labels are as in the file.
// Nodes are numbered from 0; Validate holds for every Graph that a reader returns.
type Graph struct {
	Name   string  // for run names and titles: "cora", "amazon-photo"
	Format string  // the package that read it: "planetoid", "shchur", "ogb", "edgelist", ...
	Nodes  int     // number of nodes, below 2^31
	IDs    []int64 // the file's own node ids, nil where they are 0 … Nodes−1

	Src, Dst []int32   // raw directed entries Src[i] → Dst[i]
	Weights  []float32 // one per entry, nil where absent or not asked for

	Features   Features
	Labels     []int32  // class of each node, −1 = none; nil where the file has no labels
	Classes    int      // number of classes; labels are below it
	ClassNames []string // nil, or one per class

	Train, Val, Test []int32 // node ids of the public split where the format has one, else nil

	// Kinds are the kinds of nodes of a heterogeneous graph, whose nodes are numbered kind after kind; nil where all nodes are of
	// one kind. Labels then are those of the first kind alone, and Features those of each kind. Relations are its kinds of edges,
	// which stand in Src and Dst one relation after the other.
	Kinds     []Kind
	Relations []Relation

	Notes []string // what was ignored, counted or repaired: printed to the user and recorded
}

// Kind is a kind of nodes.
type Kind struct {
	Name     string
	Nodes    int
	Features Features // none for a kind without
}

// Relation is a kind of edges, each from a node of one kind to one of another, or of the same.
type Relation struct {
	Name     string
	From, To int // in Kinds
	Edges    int
}

// FullName returns the name with those of the kinds, as OGB writes it: "author___writes___paper".
func (r *Relation) FullName(kinds []Kind) string {
	return kinds[r.From].Name + "___" + r.Name + "___" + kinds[r.To].Name
}

// Features is a Nodes × Cols matrix of float32: at most one of Sparse and Dense is set; neither means no features.
type Features struct {
	Cols   int
	Sparse *Sparse
	Dense  []float32 // row-major
}

// Sparse is a Rows × Cols matrix in CSR form: row i holds entries Indptr[i] … Indptr[i+1]−1. Column indices within a row
// are as in the file: not necessarily sorted.
type Sparse struct {
	Rows, Cols int
	Indptr     []int64 // Rows+1 offsets, from 0 to len(Values), never decreasing
	Indices    []int32
	Values     []float32
}

// MaxNodes is the largest number of nodes (or columns) a Graph can hold: ids are int32.
const MaxNodes = math.MaxInt32

// BaseName returns the name of the graph in a file: "wiki-Vote" for "…/wiki-Vote.txt.gz".
func BaseName(path string) string {
	base := Uncompressed(filepath.Base(path))
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// Note adds a formatted line to g.Notes.
func (g *Graph) Note(message string, args ...any) {
	g.Notes = append(g.Notes, fmt.Sprintf(message, args...))
}

// Validate checks every invariant of g and of its features: lengths, id ranges, finite feature values. Its error is a
// *CorruptError that names path.
func (g *Graph) Validate(path string) error {
	bad := func(what, found, expected string) error { return CorruptAt(path, -1, what, found, expected) }
	if g.Nodes < 1 || g.Nodes > MaxNodes {
		return bad("number of nodes", fmt.Sprint(g.Nodes), fmt.Sprintf("1 … %d", MaxNodes))
	}
	if len(g.Src) != len(g.Dst) {
		return bad("edges", fmt.Sprintf("%d sources and %d targets", len(g.Src), len(g.Dst)), "as many of both")
	}
	if g.Weights != nil && len(g.Weights) != len(g.Src) {
		return bad("edge weights", fmt.Sprint(len(g.Weights)), fmt.Sprintf("%d, one per edge", len(g.Src)))
	}
	if g.IDs != nil && len(g.IDs) != g.Nodes {
		return bad("node ids", fmt.Sprint(len(g.IDs)), fmt.Sprintf("%d, one per node", g.Nodes))
	}
	for _, list := range []struct {
		what string
		ids  []int32
	}{{"source of edge", g.Src}, {"target of edge", g.Dst}, {"training node", g.Train}, {"validation node", g.Val}, {"test node", g.Test}} {
		if i := firstOutside(list.ids, 0, g.Nodes); i >= 0 {
			return bad(fmt.Sprintf("%s %d", list.what, i), fmt.Sprint(list.ids[i]), fmt.Sprintf("0 … %d", g.Nodes-1))
		}
	}
	labelled := g.Nodes
	if len(g.Kinds) > 0 {
		labelled = g.Kinds[0].Nodes
	}
	if g.Labels != nil && len(g.Labels) != labelled {
		return bad("labels", fmt.Sprint(len(g.Labels)), fmt.Sprintf("%d, one per node", labelled))
	}
	if i := firstOutside(g.Labels, -1, g.Classes); i >= 0 {
		return bad(fmt.Sprintf("label of node %d", i), fmt.Sprint(g.Labels[i]), fmt.Sprintf("-1 (none) … %d", g.Classes-1))
	}
	if g.ClassNames != nil && len(g.ClassNames) != g.Classes {
		return bad("class names", fmt.Sprint(len(g.ClassNames)), fmt.Sprintf("%d, one per class", g.Classes))
	}
	if len(g.Kinds) > 0 {
		return g.validateKinds(path)
	}
	return g.Features.validate(path, g.Nodes)
}

// validateKinds checks what a heterogeneous graph has beyond others.
func (g *Graph) validateKinds(path string) error {
	bad := func(what, found, expected string) error { return CorruptAt(path, -1, what, found, expected) }
	first := []int{0}
	for i := range g.Kinds {
		k := &g.Kinds[i]
		if err := k.Features.validate(path, k.Nodes); err != nil {
			return err
		}
		first = append(first, first[i]+k.Nodes)
	}
	if last := first[len(g.Kinds)]; last != g.Nodes || g.Features.Cols > 0 {
		return bad("kinds of nodes", fmt.Sprintf("%d nodes, %d features of all", last, g.Features.Cols), fmt.Sprintf("%d nodes, features by kind", g.Nodes))
	}
	at := 0
	for i := range g.Relations {
		r := &g.Relations[i]
		if r.From < 0 || r.From >= len(g.Kinds) || r.To < 0 || r.To >= len(g.Kinds) || r.Edges < 0 || r.Edges > len(g.Src)-at {
			return bad("relation "+r.Name, fmt.Sprintf("%d edges from kind %d to kind %d", r.Edges, r.From, r.To), "edges and kinds of the graph")
		}
		next := at + r.Edges
		if firstOutside(g.Src[at:next], first[r.From], first[r.From+1]) >= 0 || firstOutside(g.Dst[at:next], first[r.To], first[r.To+1]) >= 0 {
			return bad("relation "+r.Name, "an edge between other kinds of nodes", fmt.Sprintf("edges from %s to %s", g.Kinds[r.From].Name, g.Kinds[r.To].Name))
		}
		at = next
	}
	if at != len(g.Src) {
		return bad("edges", fmt.Sprint(len(g.Src)), fmt.Sprintf("%d, those of the relations", at))
	}
	return nil
}

func (f *Features) validate(path string, nodes int) error {
	bad := func(what, found, expected string) error { return CorruptAt(path, -1, what, found, expected) }
	values := f.Dense
	switch {
	case f.Cols < 0 || f.Cols > MaxNodes:
		return bad("feature columns", fmt.Sprint(f.Cols), fmt.Sprintf("0 … %d", MaxNodes))
	case f.Sparse != nil && f.Dense != nil:
		return bad("features", "sparse and dense ones", "one of both")
	case f.Sparse != nil:
		if f.Sparse.Rows != nodes || f.Sparse.Cols != f.Cols {
			return bad("shape of features", fmt.Sprintf("%d × %d", f.Sparse.Rows, f.Sparse.Cols), fmt.Sprintf("%d × %d", nodes, f.Cols))
		}
		if err := f.Sparse.Validate(path, "features"); err != nil {
			return err
		}
		values = f.Sparse.Values
	case f.Dense != nil:
		if f.Cols == 0 || len(f.Dense)/f.Cols != nodes || len(f.Dense)%f.Cols != 0 {
			return bad("features", fmt.Sprintf("%d values", len(f.Dense)), fmt.Sprintf("%d × %d", nodes, f.Cols))
		}
	}
	for i, v := range values {
		if math.Float32bits(v)&0x7f800000 == 0x7f800000 { // NaN or infinite
			return bad(fmt.Sprintf("feature value %d", i), fmt.Sprint(v), "a finite number")
		}
	}
	return nil
}

// Validate checks that s is a well-formed CSR matrix. Its error is a *CorruptError that names path and what the matrix is.
func (s *Sparse) Validate(path, what string) error {
	bad := func(part, found, expected string) error { return CorruptAt(path, -1, what+": "+part, found, expected) }
	if s.Rows < 0 || s.Rows > MaxNodes || s.Cols < 0 || s.Cols > MaxNodes {
		return bad("shape", fmt.Sprintf("%d × %d", s.Rows, s.Cols), fmt.Sprintf("sizes 0 … %d", MaxNodes))
	}
	if len(s.Indptr) != s.Rows+1 {
		return bad("indptr", fmt.Sprintf("%d entries", len(s.Indptr)), fmt.Sprintf("rows + 1 = %d", s.Rows+1))
	}
	if len(s.Indices) != len(s.Values) {
		return bad("indices", fmt.Sprint(len(s.Indices)), fmt.Sprintf("%d, one per value", len(s.Values)))
	}
	if s.Indptr[0] != 0 || s.Indptr[s.Rows] != int64(len(s.Indices)) {
		return bad("indptr", fmt.Sprintf("%d … %d", s.Indptr[0], s.Indptr[s.Rows]), fmt.Sprintf("0 … %d", len(s.Indices)))
	}
	for i := range s.Rows {
		if s.Indptr[i] > s.Indptr[i+1] {
			return bad(fmt.Sprintf("indptr of row %d", i), fmt.Sprintf("%d after %d", s.Indptr[i+1], s.Indptr[i]), "offsets that never decrease")
		}
	}
	if i := firstOutside(s.Indices, 0, s.Cols); i >= 0 {
		return bad(fmt.Sprintf("column index %d", i), fmt.Sprint(s.Indices[i]), fmt.Sprintf("0 … %d", s.Cols-1))
	}
	return nil
}

// firstOutside returns the position of the first id outside [lo, hi), or −1.
func firstOutside(ids []int32, lo, hi int) int {
	for i, id := range ids {
		if int(id) < lo || int(id) >= hi {
			return i
		}
	}
	return -1
}

// Describe tells what g holds, for `seraph show`.
func (g *Graph) Describe(path string) Description {
	d := Description{Format: g.Format, Path: path, Title: fmt.Sprintf("graph %q", g.Name), Notes: g.Notes}
	d.Add("nodes", g.Nodes)
	for i := range g.Kinds {
		k := &g.Kinds[i]
		features := "no features"
		if k.Features.Cols > 0 {
			features = fmt.Sprintf("%d features", k.Features.Cols)
		}
		d.Add("  "+k.Name, fmt.Sprintf("%d, %s", k.Nodes, features))
	}
	d.Add("edge entries", len(g.Src))
	for i := range g.Relations {
		r := &g.Relations[i]
		d.Add("  "+r.FullName(g.Kinds), r.Edges)
	}
	if len(g.Weights) > 0 {
		d.Add("edge weights", fmt.Sprintf("%g … %g", slices.Min(g.Weights), slices.Max(g.Weights)))
	}
	if g.IDs != nil {
		d.Add("node ids", fmt.Sprintf("%d … %d", slices.Min(g.IDs), slices.Max(g.IDs)))
	}
	if g.Features.Cols > 0 {
		d.Add("feature columns", g.Features.Cols)
	}
	switch {
	case g.Features.Sparse != nil:
		d.Add("feature entries", len(g.Features.Sparse.Values))
	case g.Features.Dense != nil:
		d.Add("feature entries", fmt.Sprintf("%d (dense)", len(g.Features.Dense)))
	}
	if g.Labels != nil {
		d.Title += " for node classification"
		d.Add("classes", g.Classes)
	}
	if g.Train != nil {
		d.Add("public split", fmt.Sprintf("%d train / %d validation / %d test", len(g.Train), len(g.Val), len(g.Test)))
	}
	if g.Labels == nil {
		return d
	}
	counts, none := g.LabelCounts()
	d.Columns = []string{"class", "name", "nodes"}
	for class, n := range counts {
		name := ""
		if g.ClassNames != nil {
			name = g.ClassNames[class]
		}
		d.Rows = append(d.Rows, []string{fmt.Sprint(class), name, fmt.Sprint(n)})
	}
	if none > 0 {
		d.Rows = append(d.Rows, []string{"-1", "no label", fmt.Sprint(none)})
	}
	return d
}

// LabelCounts returns the number of nodes of each class, and of nodes without a label.
func (g *Graph) LabelCounts() (counts []int, none int) {
	counts = make([]int, g.Classes)
	for _, label := range g.Labels {
		if label < 0 {
			none++
		} else {
			counts[label]++
		}
	}
	return counts, none
}
