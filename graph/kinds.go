package graph

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/run"
)

// RelationSet is a set of relations of a heterogeneous graph: bit r stands for Relations[r].
type RelationSet int32

// MostRelations is how many relations a graph may have.
const MostRelations = 31

// checkKinds refuses heterogeneous graphs beyond what is supported.
func checkKinds(raw *format.Graph, c Component) error {
	switch {
	case raw.Kinds == nil:
		return nil
	case len(raw.Relations) > MostRelations:
		return run.Usagef("%s has %d relations; up to %d are supported", raw.Name, len(raw.Relations), MostRelations)
	case c == Largest:
		return run.Usagef("component %s: %s has several kinds of nodes, of which all are kept", c, raw.Name)
	}
	return nil
}

// relationOf returns a function that says of which relation an edge is, to be asked in ascending order.
func relationOf(raw *format.Graph) func(i int) int {
	r, end := -1, 0
	return func(i int) int {
		for i >= end {
			r++
			end += raw.Relations[r].Edges
		}
		return r
	}
}

// choose sets the weights of the entries: 1 of the edges that some relations have, 0 of the others.
func (g *Graph) choose(set RelationSet, weights []float32) error {
	if g.within == nil {
		return fmt.Errorf("relations of the graph %s, all of whose edges are of one kind", g.Name)
	}
	for i, of := range g.within {
		weights[i] = 0
		if RelationSet(of)&set != 0 {
			weights[i] = 1
		}
	}
	return nil
}

// Classified returns the nodes of a heterogeneous graph that have labels, as a view of the same memory that needs no Close: their
// ids, features, labels and split. Degrees count neighbours of all kinds; which they are is left out.
func (g *Graph) Classified() *Graph {
	n := g.Kinds[0].Nodes
	h := &Graph{
		Name: g.Name, Format: g.Format, Nodes: n, IDs: g.IDs[:n], Indptr: g.Indptr[:n+1], Classes: g.Classes, ClassNames: g.ClassNames,
		Features: Features{Rows: n, Cols: g.Features.Cols}, Public: g.Public, Notes: g.Notes,
	}
	if g.Features.Dense != nil {
		h.Features.Dense = g.Features.Dense[:n*g.Features.Cols]
	}
	if g.Labels != nil {
		h.Labels = g.Labels[:n]
	}
	return h
}

// starts are the first nodes of the kinds, and the number of all nodes.
func (g *Graph) starts() []int {
	list := []int{0}
	for i, k := range g.Kinds {
		list = append(list, list[i]+k.Nodes)
	}
	return list
}

// projectionStream is that of the matrices that widen features.
const projectionStream = 0x6b696e6473 // "kinds"

// widest is the largest number of features of any kind.
func widest(raw *format.Graph) (cols int) {
	for i := range raw.Kinds {
		cols = max(cols, raw.Kinds[i].Features.Cols)
	}
	return cols
}

// kindBytes bounds what the kinds take: the features of all nodes, a label for those of the other kinds, and while features are
// made the largest matrix that widens some.
func kindBytes(raw *format.Graph) int64 {
	cols, nodes := int64(widest(raw)), int64(raw.Nodes)
	return 4*nodes*(cols+1) + 4*cols*cols + 2*memory.Align
}

// unite makes features of all nodes of those of the kinds, as many columns as the widest has. Narrower ones are multiplied by a
// random matrix, whose elements are uniform in −½ … ½ and always the same (as the program of NARS does; Yu et al., 2020). A
// node of a kind without features gets the mean over its neighbours of kinds that have some; then kinds without next to those
// have their turn, and so on. What no such path reaches has features of 0.
func (g *Graph) unite(raw *format.Graph, b *bump) Features {
	f := Features{Rows: g.Nodes, Cols: widest(raw)}
	if f.Cols == 0 {
		return f
	}
	f.Dense = b.float32s(g.Nodes * f.Cols)
	starts := g.starts()
	has := make([]bool, len(g.Kinds))
	for i := range raw.Kinds {
		from := &raw.Kinds[i].Features
		if has[i] = from.Cols > 0; !has[i] {
			continue
		}
		rows := f.Dense[starts[i]*f.Cols : starts[i+1]*f.Cols]
		if from.Cols == f.Cols {
			copy(rows, from.Dense)
			continue
		}
		matrix := make([]float32, from.Cols*f.Cols)
		(&kernel.Uniform{Dst: matrix, Lo: -0.5, Hi: 0.5, Key: kernel.Key{Stream: projectionStream + uint64(i)}}).Run(nil)
		n := raw.Kinds[i].Nodes
		(&kernel.MatMul{A: kernel.RowMajor(from.Dense, n, from.Cols), B: kernel.RowMajor(matrix, from.Cols, f.Cols), C: kernel.RowMajor(rows, n, f.Cols)}).Run(nil)
		g.note("the %d features of %s are projected to %d columns, as many as others have, by a random matrix", from.Cols, g.Kinds[i].Name, f.Cols)
	}
	for g.spread(&f, starts, has) {
	}
	for i, k := range g.Kinds {
		if !has[i] && k.Nodes > 0 {
			g.note("%s has no features, nor neighbours to take them from: they are 0", k.Name)
		}
	}
	return f
}

// spread gives features to the kinds without that are next to kinds with some, and says whether there were any.
func (g *Graph) spread(f *Features, starts []int, has []bool) bool {
	var turn []int
	for i := range g.Kinds {
		next := slices.ContainsFunc(g.Relations, func(r format.Relation) bool {
			return r.Edges > 0 && (r.From == i && has[r.To] || r.To == i && has[r.From])
		})
		if !has[i] && next {
			turn = append(turn, i)
		}
	}
	for _, i := range turn {
		for u := starts[i]; u < starts[i+1]; u++ {
			g.average(f.Dense[u*f.Cols:(u+1)*f.Cols], u, f, starts, has)
		}
		g.note("features of %s are means over neighbours: there are none of its own", g.Kinds[i].Name)
	}
	for _, i := range turn {
		has[i] = true
	}
	return len(turn) > 0
}

// average makes a row the mean over the neighbours of a node that have features; 0 where there are none.
func (g *Graph) average(row []float32, u int, f *Features, starts []int, has []bool) {
	count, kind := 0, 0
	for _, v := range g.Indices[g.Indptr[u]:g.Indptr[u+1]] { // ascending, as kinds are
		for int(v) >= starts[kind+1] {
			kind++
		}
		if !has[kind] {
			continue
		}
		count++
		for j, x := range f.Dense[int(v)*f.Cols : (int(v)+1)*f.Cols] {
			row[j] += x
		}
	}
	for j := range row {
		row[j] /= float32(max(count, 1))
	}
}

// relationName returns the name of a relation: its own where no other has it, else with those of its kinds.
func (g *Graph) relationName(r int) string {
	name := g.Relations[r].Name
	for i := range g.Relations {
		if i != r && g.Relations[i].Name == name {
			return g.Relations[r].FullName(g.Kinds)
		}
	}
	return name
}

// touching are the relations that have edges of the nodes that are classified.
func (g *Graph) touching() (set RelationSet) {
	for r := range g.Relations {
		if g.Relations[r].From == 0 || g.Relations[r].To == 0 {
			set |= 1 << r
		}
	}
	return set
}

// RelationNames writes sets of relations as ParseRelations reads them.
func (g *Graph) RelationNames(sets []RelationSet) string {
	var list []string
	for _, set := range sets {
		var names []string
		for r := range g.Relations {
			if set&(1<<r) != 0 {
				names = append(names, g.relationName(r))
			}
		}
		list = append(list, strings.Join(names, "+"))
	}
	return strings.Join(list, ",")
}

// ParseRelations reads sets of relations: "writes+cites,cites" are two. A relation is named by its own name or, with those of its
// kinds, author___writes___paper. Each set has to have edges of the nodes that are classified, and differ from the others.
func (g *Graph) ParseRelations(text string) ([]RelationSet, error) {
	var known []string
	for r := range g.Relations {
		known = append(known, g.relationName(r))
	}
	var sets []RelationSet
	for part := range strings.SplitSeq(text, ",") {
		var set RelationSet
		for name := range strings.SplitSeq(part, "+") {
			name = strings.TrimSpace(name)
			r := slices.IndexFunc(g.Relations, func(r format.Relation) bool { return r.FullName(g.Kinds) == name })
			if r < 0 {
				r = slices.Index(known, name)
			}
			if r < 0 {
				hint := ""
				if near, ok := run.Nearest(name, known); ok {
					hint = fmt.Sprintf("; did you mean %s?", near)
				}
				return nil, run.Usagef("relation %q: %s has %s%s", name, g.Name, strings.Join(known, ", "), hint)
			}
			set |= 1 << r
		}
		switch {
		case set&g.touching() == 0:
			return nil, run.Usagef("relations %s: none of them has edges of %s, whose classes are to be learned", strings.TrimSpace(part), g.Kinds[0].Name)
		case slices.Contains(sets, set):
			return nil, run.Usagef("relations %s are given twice", strings.TrimSpace(part))
		}
		sets = append(sets, set)
	}
	return sets, nil
}

// relationStream is that of the sets that DrawRelations draws.
const relationStream = 0x72656c6174696f6e // "relation"

// DrawRelations draws n different sets of relations by a seed, each as likely as any other that has edges of the nodes that are
// classified; all of them, where there are no more.
func (g *Graph) DrawRelations(n int, seed uint64) []RelationSet {
	touching, count := g.touching(), len(g.Relations)
	most := int64(1)<<count - int64(1)<<(count-bits.OnesCount32(uint32(touching)))
	random := kernel.Key{Seed: seed, Stream: relationStream}.Draw()
	var sets []RelationSet
	for int64(len(sets)) < min(int64(n), most) {
		if set := RelationSet(random.Below(uint64(1) << count)); set&touching != 0 && !slices.Contains(sets, set) {
			sets = append(sets, set)
		}
	}
	return sets
}
