package graph

import (
	"math"

	"github.com/seraph-ml/seraph/engine/memory"
)

// limit is what the hops of Â = D̃^(r−1) Ã D̃^(−r) tend to, made when it is read. Of node i of component c it is
//
//	(Â^∞ X)_i = d̃_i^r / Σ_{v∈c} d̃_v · Σ_{j∈c} d̃_j^(1−r) x_j
//
// (GAMLP, arXiv 2108.10097, 3.2.2), the sums in float64 over the nodes in ascending order. Without self-loops a component
// that is bipartite has none, and this is the mean of what it swings between.
type limit struct {
	*groups
	shares  []float64 // d̃_i^r / Σ d̃_v of node i; of a node that is alone 1, or 0 where it has no self-loop either
	sums    []float64 // count × columns: Σ_j d̃_j^(1−r) x_j
	squares float64   // of all rows of the limit
}

// newLimit adds up the features of all nodes. It keeps memory of b; work is needed until it returns.
func (h *Hops) newLimit(p *Propagation, b, work *bump) (*limit, error) {
	n, cols, norm := p.Graph.Nodes, h.Cols, p.Adjacency.Norm
	l := &limit{groups: p.Graph.componentGroups()}
	l.shares, l.sums = b.float64s(n), b.float64s(l.count*cols)
	block := limitBlock(&p.Graph.Features)
	rows := work.float32s(block * cols)
	mass, shares := make([]float64, l.count), make([]float64, l.count) // Σ d̃_v and Σ d̃_v^2r
	for lo := 0; lo < n; lo += block {
		hi := min(lo+block, n)
		if h.source.tiles == nil {
			h.source.row(rows, lo, 0, cols)
		} else if err := h.source.tiles.readRows(rows, lo, hi, &h.staging); err != nil {
			return nil, err
		}
		for u := lo; u < hi; u++ {
			row, c, degree := rows[(u-lo)*cols:][:cols], int(l.group(u)), p.Graph.degree(u, p.Graph.Weights, norm)
			if c == alone {
				if degree > 0 {
					l.shares[u] = 1
					l.squares += sumSquares(row)
				}
				continue
			}
			l.shares[u] = math.Pow(degree, norm.R)
			mass[c] += degree
			shares[c] += float64(l.shares[u] * l.shares[u])
			weight, sums := math.Pow(degree, 1-norm.R), l.sums[c*cols:][:cols]
			for j, x := range row {
				sums[j] += float64(weight * float64(x))
			}
		}
	}
	for u := range l.shares {
		if c := l.group(u); c != alone {
			l.shares[u] /= mass[c]
		}
	}
	for c := range l.count {
		sum := 0.0
		for _, s := range l.sums[c*cols:][:cols] {
			sum += float64(s * s)
		}
		l.squares += sum * shares[c] / (mass[c] * mass[c])
	}
	return l, nil
}

// limitBlock is the number of rows of features that newLimit takes at a time: of those on disk whole shards.
func limitBlock(f *Features) int {
	if f.Read != nil {
		return shardRows
	}
	return 1
}

// limitBytes is what newLimit keeps, what it works with, and what finding the components takes on the Go heap.
func (p *Propagation) limitBytes() (kept, work, heap int64) {
	if !p.Limit {
		return 0, 0, 0
	}
	n, cols := int64(p.Graph.Nodes), int64(p.Graph.Features.Cols)
	groups := int64(p.Graph.componentGroups().count)
	return 8*n + 8*groups*cols + 2*memory.Align, 4*int64(limitBlock(&p.Graph.Features))*cols + memory.Align, p.Graph.componentBytes()
}

// limitRows fills dst with rows of the limit: those of n nodes. A node that is alone has its features.
func (h *Hops) limitRows(l *limit, n int, node func(i int) int, dst []float32) error {
	if h.source.tiles != nil {
		nodes, lonely := make([]int32, n), false
		for i := range nodes {
			nodes[i] = int32(node(i))
			lonely = lonely || l.group(node(i)) == alone
		}
		if lonely {
			if err := h.gather(h.source.tiles, nodes, dst); err != nil {
				return err
			}
		}
	}
	for i := range n {
		u, row := node(i), dst[i*h.Cols:][:h.Cols]
		share, c := l.shares[u], int(l.group(u))
		switch {
		case c != alone:
			for j, s := range l.sums[c*h.Cols:][:h.Cols] {
				row[j] = float32(share * s)
			}
		case share == 0:
			clear(row)
		case h.source.tiles == nil:
			h.source.row(row, u, 0, h.Cols)
		}
	}
	return nil
}
