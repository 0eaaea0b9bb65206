package graph

import (
	"errors"
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/run"
)

// Norm names a normalisation of the adjacency matrix: Â = D̃^(r−1) Ã D̃^(−r), where Ã = A + I with SelfLoops and Ã = A
// without, and D̃ is the diagonal matrix of the row sums of Ã. Element (u, v) is w_uv · d̃_u^(r−1) · d̃_v^(−r).
//
//	r = ½  symmetric: GCN, SGC, SIGN
//	r = 0  random walk, D̃⁻¹Ã: rows sum to 1, a hop is the mean over neighbours
//	r = 1  ÃD̃⁻¹: columns sum to 1, its powers spread a unit of mass
//
// With Triangles, A_tri = A ∘ (A·A) takes the place of A: of an edge without weight, the number of triangles through it
// (the triangle-induced adjacency matrix of GMLP and PaSca, there with r = 0 and without self-loops). A node in no triangle
// then keeps its message: its row is 1 on the diagonal, with and without SelfLoops.
//
// With Relations, A has the edges of a heterogeneous graph that these relations have, in both directions, each once.
type Norm struct {
	R         float64 // 0 … 1
	SelfLoops bool    // add 1 to the diagonal
	Triangles bool    // of the triangles through each edge
	Relations RelationSet
}

// Symmetric is the normalisation of SGC: r = ½ with self-loops.
var Symmetric = Norm{R: 0.5, SelfLoops: true}

// Adjacency is a normalised adjacency matrix Â, Nodes × Nodes. It is valid until Close. Of a graph on disk it has no
// entries, and Indptr counts those of the graph.
type Adjacency struct {
	kernel.CSR
	Norm  Norm
	arena *memory.Arena
	bytes int64

	graph       *Graph    // that is on disk; else nil
	left, right []float64 // by the number of neighbours: d̃^(r−1) and d̃^(−r)
}

// Bytes is the memory that the matrix takes.
func (a *Adjacency) Bytes() int64 { return a.bytes }

// weighs says whether edges get weights before they are normalised, 0 for those that are left out.
func (m Norm) weighs() bool { return m.Triangles || m.Relations != 0 }

// entries is the most entries that an Adjacency of g has.
func (m Norm) entries(g *Graph) int {
	if m.SelfLoops || m.weighs() {
		return int(g.Indptr[g.Nodes]) + g.Nodes
	}
	return int(g.Indptr[g.Nodes])
}

// Bytes is the memory that making an Adjacency of g takes; 16 bytes a node of it are needed only meanwhile. Edges that Triangles
// and Relations leave out are counted.
func (m Norm) Bytes(g *Graph) int64 {
	if g.OnDisk() {
		return 16*(g.stored.file.MaxDegree+1) + 2*memory.Align
	}
	entries := int64(m.entries(g))
	return 8*int64(g.Nodes+1) + 8*entries + 16*int64(g.Nodes) + 5*memory.Align
}

// Normalize returns Â. Its elements are computed in float64 and rounded to float32 once. The row of a node without
// neighbours is empty without self-loops, and 1 on the diagonal with them. With Triangles, elements of A_tri are rounded to
// float32, too, which is exact without weights; an error where they are too large for it.
func (g *Graph) Normalize(m Norm) (*Adjacency, error) {
	if !(m.R >= 0 && m.R <= 1) {
		return nil, fmt.Errorf("normalise the adjacency matrix: r = %v, expected 0 … 1", m.R)
	}
	arena, err := memory.NewArena(m.Bytes(g))
	if err != nil {
		return nil, fmt.Errorf("normalise the adjacency matrix: %w", err)
	}
	b := &bump{arena: arena}
	if g.OnDisk() {
		return m.byDegree(g, b)
	}
	entries := m.entries(g)
	a := &Adjacency{Norm: m, arena: arena, CSR: kernel.CSR{
		Rows: g.Nodes, Cols: g.Nodes, Indptr: b.int64s(g.Nodes + 1), Indices: b.int32s(entries), Values: b.float32s(entries),
	}}
	weights := g.Weights
	if m.weighs() {
		weights = a.Values[g.Nodes:] // fill reads each before a value takes its place
		var err error
		if m.Triangles {
			err = g.triangles(weights)
		} else {
			err = g.choose(m.Relations, weights)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("normalise the adjacency matrix: %w", err), a.Close())
		}
	}
	powers := b.next
	left, right := b.float64s(g.Nodes), b.float64s(g.Nodes) // d̃^(r−1) and d̃^(−r)
	for u := range g.Nodes {
		d := g.degree(u, weights, m)
		if d == 0 && m.Triangles {
			d = 1
		}
		left[u], right[u] = math.Pow(d, m.R-1), math.Pow(d, -m.R)
	}
	a.fill(g, weights, left, right)
	if err := b.release(powers, b.next-powers, 0); err != nil {
		return nil, errors.Join(fmt.Errorf("normalise the adjacency matrix: %w", err), a.Close())
	}
	a.bytes = b.next - b.released
	return a, nil
}

// Shape describes Â to plans: it has rows and a number of entries, and none of them.
func (g *Graph) Shape(m Norm) *Adjacency {
	a := &Adjacency{Norm: m, CSR: kernel.CSR{Rows: g.Nodes, Cols: g.Nodes, Indptr: g.Indptr}}
	if g.OnDisk() {
		a.graph = g
	}
	return a
}

// byDegree returns Â of a graph on disk.
func (m Norm) byDegree(g *Graph, b *bump) (*Adjacency, error) {
	degrees := int(g.stored.file.MaxDegree) + 1
	a := g.Shape(m)
	a.arena, a.left, a.right = b.arena, b.float64s(degrees), b.float64s(degrees)
	a.bytes = b.next
	if m.Triangles {
		return nil, errors.Join(run.Usagef("the graph %s is too large for --memory, and triangles are counted in memory; give more", g.Name), a.Close())
	}
	for k := range degrees {
		d := float64(k)
		if m.SelfLoops {
			d++
		}
		a.left[k], a.right[k] = math.Pow(d, m.R-1), math.Pow(d, -m.R)
	}
	return a, nil
}

// multiply computes y = Â·x in width columns.
func (a *Adjacency) multiply(x, y strip, width int, pool *kernel.Pool) error {
	if a.graph != nil {
		return a.stream(x, y, width, pool)
	}
	product := kernel.SpMM{A: a.CSR, X: x.data, Y: y.data, XStride: x.stride, YStride: y.stride, Width: width}
	product.Run(pool)
	return nil
}

// fill computes the entries of Â from those of A, which have the given weights (nil: all 1), and the powers of degrees.
func (a *Adjacency) fill(g *Graph, weights []float32, left, right []float64) {
	at := 0
	for u := range g.Nodes {
		// The two powers are multiplied first, so that Â is symmetric to the bit for r = ½.
		put := func(v int32, w float64) {
			a.Indices[at] = v
			a.Values[at] = float32(w * (left[u] * right[v]))
			at++
		}
		diagonal := a.Norm.SelfLoops || a.Norm.Triangles && g.degree(u, weights, a.Norm) == 0
		for i := g.Indptr[u]; i < g.Indptr[u+1]; i++ {
			v := g.Indices[i]
			if diagonal && v > int32(u) {
				put(int32(u), 1)
				diagonal = false
			}
			if w := weightOf(weights, i); w > 0 {
				put(v, w)
			}
		}
		if diagonal {
			put(int32(u), 1)
		}
		a.Indptr[u+1] = int64(at)
	}
	a.Indices, a.Values = a.Indices[:at], a.Values[:at]
}

// degree is d̃ of a node: its row sum in Ã, of entries with the given weights (nil: all 1).
func (g *Graph) degree(u int, weights []float32, m Norm) float64 {
	sum := 0.0
	if m.SelfLoops {
		sum = 1
	}
	for i := g.Indptr[u]; i < g.Indptr[u+1]; i++ {
		sum += weightOf(weights, i)
	}
	return sum
}

// weightOf is the weight of an entry; nil stands for weights of 1.
func weightOf(weights []float32, i int64) float64 {
	if weights == nil {
		return 1
	}
	return float64(weights[i])
}

// Close gives the memory back.
func (a *Adjacency) Close() error {
	arena := a.arena
	*a = Adjacency{}
	if arena == nil {
		return nil
	}
	return arena.Close()
}
