package graph

import (
	"errors"
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// Norm names a normalisation of the adjacency matrix: Â = D̃^(r−1) Ã D̃^(−r), where Ã = A + I with SelfLoops and Ã = A
// without, and D̃ is the diagonal matrix of the row sums of Ã. Element (u, v) is w_uv · d̃_u^(r−1) · d̃_v^(−r).
//
//	r = ½  symmetric: GCN, SGC, SIGN
//	r = 0  random walk, D̃⁻¹Ã: rows sum to 1, a hop is the mean over neighbours
//	r = 1  ÃD̃⁻¹: columns sum to 1, its powers spread a unit of mass
type Norm struct {
	R         float64 // 0 … 1
	SelfLoops bool    // add 1 to the diagonal
}

// Symmetric is the normalisation of SGC: r = ½ with self-loops.
var Symmetric = Norm{R: 0.5, SelfLoops: true}

// Adjacency is a normalised adjacency matrix Â, Nodes × Nodes. It is valid until Close.
type Adjacency struct {
	kernel.CSR
	Norm  Norm
	arena *memory.Arena
	bytes int64
}

// Bytes is the memory that the matrix takes.
func (a *Adjacency) Bytes() int64 { return a.bytes }

// Bytes is the memory that making an Adjacency of g takes; 16 bytes a node of it are needed only meanwhile.
func (m Norm) Bytes(g *Graph) int64 {
	entries := int64(len(g.Indices))
	if m.SelfLoops {
		entries += int64(g.Nodes)
	}
	return 8*int64(g.Nodes+1) + 8*entries + 16*int64(g.Nodes) + 5*memory.Align
}

// Normalize returns Â. Its elements are computed in float64 and rounded to float32 once. The row of a node without
// neighbours is empty without self-loops, and 1 on the diagonal with them.
func (g *Graph) Normalize(m Norm) (*Adjacency, error) {
	if !(m.R >= 0 && m.R <= 1) {
		return nil, fmt.Errorf("normalise the adjacency matrix: r = %v, expected 0 … 1", m.R)
	}
	arena, err := memory.NewArena(m.Bytes(g))
	if err != nil {
		return nil, fmt.Errorf("normalise the adjacency matrix: %w", err)
	}
	b := &bump{arena: arena}
	entries := len(g.Indices)
	if m.SelfLoops {
		entries += g.Nodes
	}
	a := &Adjacency{Norm: m, arena: arena, CSR: kernel.CSR{
		Rows: g.Nodes, Cols: g.Nodes, Indptr: b.int64s(g.Nodes + 1), Indices: b.int32s(entries), Values: b.float32s(entries),
	}}
	powers := b.next
	left, right := b.float64s(g.Nodes), b.float64s(g.Nodes) // d̃^(r−1) and d̃^(−r)
	for u := range g.Nodes {
		d := g.degree(u, m)
		left[u], right[u] = math.Pow(d, m.R-1), math.Pow(d, -m.R)
	}
	at := 0
	for u := range g.Nodes {
		// The two powers are multiplied first, so that Â is symmetric to the bit for r = ½.
		put := func(v int32, w float64) {
			a.Indices[at] = v
			a.Values[at] = float32(w * (left[u] * right[v]))
			at++
		}
		diagonal := m.SelfLoops
		for i := g.Indptr[u]; i < g.Indptr[u+1]; i++ {
			v := g.Indices[i]
			if diagonal && v > int32(u) {
				put(int32(u), 1)
				diagonal = false
			}
			put(v, g.weight(i))
		}
		if diagonal {
			put(int32(u), 1)
		}
		a.Indptr[u+1] = int64(at)
	}
	if err := b.release(powers, b.next-powers, 0); err != nil {
		return nil, errors.Join(fmt.Errorf("normalise the adjacency matrix: %w", err), a.Close())
	}
	a.bytes = b.next - b.released
	return a, nil
}

// degree is d̃ of a node: its row sum in Ã.
func (g *Graph) degree(u int, m Norm) float64 {
	sum := 0.0
	if m.SelfLoops {
		sum = 1
	}
	for i := g.Indptr[u]; i < g.Indptr[u+1]; i++ {
		sum += g.weight(i)
	}
	return sum
}

func (g *Graph) weight(i int64) float64 {
	if g.Weights == nil {
		return 1
	}
	return float64(g.Weights[i])
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
