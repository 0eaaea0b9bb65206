package graph

import (
	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/graph/edges"
)

// ranks are what a propagation is divided among: each owns the nodes of a range, keeps the rows of Â for them, and computes their rows of
// every hop. Before a hop it gets from the others the rows of the hop before that its own rows have entries for, once each. A row's entries
// stay in their order, so that its bits are those of the whole product. Ranks are in this process here, one after the other at work, each with
// all threads; what they exchange is what ranks on several machines would.
//
// Not counted is what else these would tell each other: for ScaleRMS the sums of squares, a number a column and range.
type ranks struct {
	arena     *memory.Arena
	parts     []part
	exchanged int64 // bytes of rows
}

// part is one rank.
type part struct {
	lo, hi int        // its nodes
	halo   []int32    // those of others that it has entries for, ascending
	a      kernel.CSR // its rows, columns counted among its nodes and, behind them, the halo
	x      []float32  // rows of its nodes and of the halo, of a block of columns
}

// perNode is how many entries the work beside its entries is worth that a node makes.
const perNode = 8

// ranksBytes bounds what n ranks take for blocks of so many columns: indptr, columns and blocks of each, a halo being at most all
// other nodes and an entry each; and the place of each node among those of a rank.
func ranksBytes(n, nodes int, entries int64, width int) int64 {
	if n < 2 {
		return 0
	}
	halo := min(entries, int64(n-1)*int64(nodes))
	return 8*int64(nodes+n) + 4*entries + 4*halo + 4*int64(width)*(int64(nodes)+halo) + 4*int64(nodes) + int64(4*n+1)*memory.Align
}

// newRanks divides a matrix among n ranks.
func newRanks(a *kernel.CSR, n, width int) (*ranks, error) {
	arena, err := memory.NewArena(ranksBytes(n, a.Rows, a.Indptr[a.Rows], width))
	if err != nil {
		return nil, err
	}
	b := &bump{arena: arena}
	place := b.int32s(a.Rows)
	cuts := edges.Ranges(a.Indptr[:a.Rows], a.Indptr[a.Rows], perNode, n)
	r := &ranks{arena: arena}
	for i := range n {
		r.parts = append(r.parts, newPart(a, int(cuts[i]), int(cuts[i+1]), width, place, b))
	}
	return r, nil
}

// newPart makes the rank of nodes lo … hi−1. place is for as many numbers as there are nodes.
func newPart(a *kernel.CSR, lo, hi, width int, place []int32, b *bump) part {
	clear(place)
	first, end := a.Indptr[lo], a.Indptr[hi]
	others := 0
	for _, v := range a.Indices[first:end] {
		if u := int(v); (u < lo || u >= hi) && place[u] == 0 {
			place[u] = 1
			others++
		}
	}
	p := part{lo: lo, hi: hi, halo: b.int32s(others)[:0]}
	for v, is := range place {
		if is != 0 {
			place[v] = int32(hi - lo + len(p.halo))
			p.halo = append(p.halo, int32(v))
		}
	}
	for u := lo; u < hi; u++ {
		place[u] = int32(u - lo)
	}
	p.a = kernel.CSR{Rows: hi - lo, Cols: hi - lo + others, Indptr: b.int64s(hi - lo + 1), Indices: b.int32s(int(end - first))}
	if a.Values != nil {
		p.a.Values = a.Values[first:end]
	}
	for i := range p.a.Indptr {
		p.a.Indptr[i] = a.Indptr[lo+i] - first
	}
	for e, v := range a.Indices[first:end] {
		p.a.Indices[e] = place[v]
	}
	p.x = b.float32s(p.a.Cols * width)
	return p
}

// multiply makes y = Â x of so many columns.
func (r *ranks) multiply(x, y strip, width int, pool *kernel.Pool) {
	for i := range r.parts {
		p := &r.parts[i]
		own := pickRange{dst: strip{data: p.x, stride: width}, src: x, lo: p.lo, width: width}
		pool.For(p.hi-p.lo, 64, &own)
		got := pickRows{dst: strip{data: p.x[(p.hi-p.lo)*width:], stride: width}, src: x, pick: p.halo, width: width}
		pool.For(len(p.halo), 64, &got)
		r.exchanged += 4 * int64(len(p.halo)) * int64(width)
		if p.hi == p.lo {
			continue
		}
		product := kernel.SpMM{A: p.a, X: p.x, Y: y.data[p.lo*y.stride:], XStride: width, YStride: y.stride, Width: width}
		product.Run(pool)
	}
}

// pickRange copies rows from lo on, as a task: a unit is a row.
type pickRange struct {
	dst, src  strip
	lo, width int
}

// Do copies rows first to end.
func (p *pickRange) Do(_, first, end int) {
	for i := first; i < end; i++ {
		copy(p.dst.data[i*p.dst.stride:][:p.width], p.src.data[(p.lo+i)*p.src.stride:])
	}
}

// close gives the memory back; r may be nil.
func (r *ranks) close() error {
	if r == nil {
		return nil
	}
	return r.arena.Close()
}
