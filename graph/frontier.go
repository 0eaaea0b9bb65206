package graph

import (
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// frontier is what a propagation computes of one hop: the nodes whose rows it needs, and how they come from the hop before.
type frontier struct {
	nodes []int32    // ascending, or Rows itself in the last hop; nil = all nodes
	pick  []int32    // where each kept row stands among nodes; nil = row i is the i-th
	a     kernel.CSR // rows of Â for nodes, its columns counted among the nodes of the hop before; not set for hop 0
	nnz   int64      // entries of a
}

// mostNodes is the share of all nodes from which on a hop is computed for all: leaving out few would cost more memory for
// a copy of their rows of Â than it saves.
const mostNodes = 0.75

// frontiers returns what the hops 0 … K need, without their matrices. A row of hop k−1 is needed when it is kept or next to
// a node needed in hop k.
func (p *Propagation) frontiers() []frontier {
	if p.field != nil {
		return p.field
	}
	n := p.Graph.Nodes
	a := &kernel.CSR{Indptr: []int64{0}} // of no use where hop 0 is all
	if p.K > 0 {
		a = &p.Adjacency.CSR
	}
	field := make([]frontier, p.K+1)
	for k := range field {
		field[k] = frontier{pick: p.Rows, nnz: a.Indptr[len(a.Indptr)-1]}
	}
	whole := p.Rows == nil || p.Scaling == ScaleRMS || // its scale is that of all rows
		p.ranked() || // nodes belong to ranks in their order
		p.K == 0 && p.Graph.Features.Read != nil || // hop 0 is read as a whole
		p.K > 0 && a.Indices == nil // who is next to whom is on disk
	if !whole && float64(len(p.Rows)) <= mostNodes*float64(n) {
		field[p.K] = frontier{nodes: p.Rows}
		if p.K > 0 {
			field[p.K].count(a)
		}
		needed := make([]bool, n)
		for k := p.K - 1; k >= 0; k-- {
			if k == 0 && (p.Graph.Features.Read != nil || p.isThin()) {
				break // it is there as a whole
			}
			if field[k+1].nodes == nil {
				break
			}
			clear(needed)
			for _, u := range field[k+1].nodes {
				for _, v := range a.Indices[a.Indptr[u]:a.Indptr[u+1]] {
					needed[v] = true
				}
			}
			if p.wants(k) {
				for _, u := range p.Rows {
					needed[u] = true
				}
			}
			field[k].take(needed, p.Rows)
			if field[k].nodes == nil {
				break
			}
			field[k].count(a)
		}
	}
	p.field = field
	return field
}

// take makes the frontier of the nodes that are needed, unless that is most of them.
func (f *frontier) take(needed []bool, kept []int32) {
	var nodes []int32
	for u, is := range needed {
		if is {
			nodes = append(nodes, int32(u))
		}
	}
	if float64(len(nodes)) > mostNodes*float64(len(needed)) {
		return
	}
	f.nodes, f.pick = nodes, make([]int32, len(kept))
	for i, u := range kept {
		at, _ := slices.BinarySearch(nodes, u) // only used where the hop is kept: then it is there
		f.pick[i] = int32(at)
	}
}

// count counts the entries of Â in the rows of the nodes.
func (f *frontier) count(a *kernel.CSR) {
	f.nnz = 0
	for _, u := range f.nodes {
		f.nnz += a.Indptr[u+1] - a.Indptr[u]
	}
}

// rows is the number of rows that are computed, of n nodes.
func (f *frontier) rows(n int) int {
	if f.nodes == nil {
		return n
	}
	return len(f.nodes)
}

// frontierBytes is the memory of the parts of Â that attach makes, and of the lists of nodes.
func frontierBytes(field []frontier, nodes int) int64 {
	sum := int64(0)
	for k := range field {
		f := &field[k]
		sum += 4 * int64(len(f.nodes)+len(f.pick))
		if k > 0 && f.nodes != nil {
			sum += 8*int64(len(f.nodes)+1) + 8*f.nnz + 3*memory.Align
		}
	}
	if sum > 0 {
		sum += 4*int64(nodes) + memory.Align
	}
	return sum
}

// attach sets the matrices that make the rows of each hop from those of the hop before.
func attach(field []frontier, a *kernel.CSR, b *bump) {
	var position []int32 // of a node among those of the hop before
	for k := 1; k < len(field); k++ {
		f, before := &field[k], field[k-1].nodes
		if f.nodes == nil { // then so is before
			f.a = *a
			continue
		}
		if position == nil {
			position = b.int32s(a.Rows)
		}
		for i := range position {
			position[i] = int32(i)
		}
		for i, u := range before {
			position[u] = int32(i)
		}
		f.a = kernel.CSR{
			Rows: len(f.nodes), Cols: field[k-1].rows(a.Cols),
			Indptr: b.int64s(len(f.nodes) + 1), Indices: b.int32s(int(f.nnz)), Values: b.float32s(int(f.nnz)),
		}
		end := int64(0)
		for i, u := range f.nodes {
			lo, hi := a.Indptr[u], a.Indptr[u+1]
			copy(f.a.Values[end:], a.Values[lo:hi])
			for _, v := range a.Indices[lo:hi] {
				f.a.Indices[end] = position[v]
				end++
			}
			f.a.Indptr[i+1] = end
		}
	}
}
