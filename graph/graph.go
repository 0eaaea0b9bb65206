package graph

import (
	"errors"
	"fmt"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/run"
)

// Graph is an undirected graph without self-loops and duplicate edges, with the features and labels of its nodes. Its
// large arrays lie in an arena: they are valid until Close.
type Graph struct {
	Name   string
	Format string // the reader it came from
	Nodes  int
	IDs    []int64 // the original id of each node: its number in the file, or the file's own id where it has some; nil = 0 … n−1

	// The adjacency matrix in CSR form: the neighbours of u are Indices[Indptr[u]:Indptr[u+1]], ascending, and every edge
	// stands in the rows of both its ends. Indices is nil while the edges stay in a file (OpenStored).
	Indptr  []int64
	Indices []int32
	Weights []float32 // one per entry of Indices, positive; nil when all are 1

	Features   Features
	Labels     []int32 // class of each node, −1 = none; nil when there are no labels
	Classes    int
	ClassNames []string // nil, or one per class

	// Of a heterogeneous graph, whose nodes are numbered kind after kind: those of the first kind have labels, and are all that
	// [Graph.Classified] has. nil where all nodes are of one kind.
	Kinds     []format.Kind // their features are among Features
	Relations []format.Relation

	Public *Split // the split that the data set comes with, nil when there is none

	Notes []string // what was dropped, merged or ignored, the reader's notes included

	arena   *memory.Arena
	bytes   int64     // of the arena that are in use
	stored  *stored   // nil but for OpenStored
	grouped *grouping // the components
	within  []int32   // of each entry of Indices: bit r says that relation r has the edge; nil without relations
}

// Component says which part of a graph is kept.
type Component string

// The choices.
const (
	All     Component = "all"     // every node
	Largest Component = "largest" // the largest connected component; of several, the one with the lowest node
)

// DefaultComponent is what a data set of that format is usually measured on: the largest component of the sets of Shchur
// et al., else all nodes.
func DefaultComponent(format string) Component {
	if format == "shchur" {
		return Largest
	}
	return All
}

// New cleans a graph as read from a file. The adjacency matrix is made symmetric, max(A, Aᵀ): an edge that is stored more
// than once, in either direction, is one edge with the largest of its weights. Self-loops are dropped. Weights that are
// not positive and finite are a *format.CorruptError. Nothing of raw is kept. See [BuildBytes] for the memory it takes.
func New(raw *format.Graph, c Component) (*Graph, error) {
	if c != All && c != Largest {
		return nil, run.Usagef("component %q: expected %s or %s", c, All, Largest)
	}
	if err := errors.Join(checkWeights(raw), checkKinds(raw, c)); err != nil {
		return nil, err
	}
	arena, err := memory.NewArena(arenaBytes(raw))
	if err != nil {
		return nil, fmt.Errorf("build the graph %s: %w", raw.Name, err)
	}
	g := &Graph{
		Name: raw.Name, Format: raw.Format, Nodes: raw.Nodes, Classes: raw.Classes, ClassNames: raw.ClassNames, arena: arena, grouped: &grouping{},
		Relations: raw.Relations,
	}
	for _, k := range raw.Kinds {
		g.Kinds = append(g.Kinds, format.Kind{Name: k.Name, Nodes: k.Nodes})
	}
	g.Notes = append(g.Notes, raw.Notes...)
	b := &bump{arena: arena}
	room := g.connect(raw, b)
	var kept []int32 // all
	if c == Largest {
		kept = g.largest()
		g.restrict(kept)
	}
	if err := errors.Join(room.trim(g, b), g.attach(raw, kept, b)); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	g.bytes = b.next - b.released
	return g, nil
}

// Bytes is the memory that the graph takes, its features included.
func (g *Graph) Bytes() int64 { return g.bytes }

// Close gives the memory of the graph back. The slices must not be used any more.
func (g *Graph) Close() error {
	if g.arena == nil {
		if g.stored == nil {
			return nil
		}
		return g.stored.close()
	}
	arena, stored := g.arena, g.stored
	*g = Graph{Name: g.Name}
	err := arena.Close()
	if stored != nil {
		err = errors.Join(err, stored.close())
	}
	return err
}

// Edges is the number of undirected edges.
func (g *Graph) Edges() int { return int(g.Indptr[g.Nodes] / 2) }

// ID is the original id of node u.
func (g *Graph) ID(u int) int64 {
	if g.IDs == nil {
		return int64(u)
	}
	return g.IDs[u]
}

// OnDisk says whether the edges are in a file.
func (g *Graph) OnDisk() bool { return g.stored != nil && g.Indices == nil }

// Degree is the number of neighbours of node u.
func (g *Graph) Degree(u int) int { return int(g.Indptr[u+1] - g.Indptr[u]) }

// Homophily is the share of edges between nodes of the same class, among those whose two ends have a label; 0 when there
// are none.
func (g *Graph) Homophily() float64 {
	if g.Labels == nil {
		return 0
	}
	same, counted := 0, 0
	for u := range g.Nodes {
		for _, v := range g.Indices[g.Indptr[u]:g.Indptr[u+1]] {
			if g.Labels[u] < 0 || g.Labels[v] < 0 {
				continue
			}
			counted++
			if g.Labels[u] == g.Labels[v] {
				same++
			}
		}
	}
	if counted == 0 {
		return 0
	}
	return float64(same) / float64(counted)
}

// note adds a formatted line to g.Notes.
func (g *Graph) note(message string, args ...any) {
	g.Notes = append(g.Notes, fmt.Sprintf(message, args...))
}
