package kcore

import (
	"errors"
	"slices"
	"sync/atomic"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// FromPairs makes a graph of pairs, ids[2i] and ids[2i+1] the ends of each, in any order and number. With declared > 0
// the vertices are 0 … declared−1, otherwise those that occur. The graph does not depend on the order of the pairs, nor
// on the pool.
func FromPairs(ids []int64, declared int64, pool *kernel.Pool) (*Graph, error) {
	bags := make([]bag, 1)
	if err := bags[0].add(ids); err != nil {
		return nil, errors.Join(err, closeBags(bags))
	}
	return build(bags, declared, pool)
}

// build makes a graph of pairs, and closes the bags.
//
// Rows come out sorted without sorting: pairs are first thrown into the rows of both their ends, in any order; then these
// rows are walked from the first vertex to the last, and each vertex thrown into the rows of its neighbours.
func build(bags []bag, declared int64, pool *kernel.Pool) (g *Graph, err error) {
	defer func() {
		if err = errors.Join(err, closeBags(bags)); err != nil && g != nil {
			g.Close()
			g = nil
		}
	}()
	g = &Graph{}
	if g.Names, err = number(bags, declared, pool); err != nil {
		return g, err
	}
	if g.Nodes == 0 {
		return g, errEmpty
	}
	b := &builder{Graph: g, segments: segmentsOf(bags)}
	b.cut(pool.Workers())
	rows := b.arena(2 * b.pairs())
	defer func() { err = errors.Join(err, rows.close()) }()
	if rows.err != nil {
		return g, rows.err
	}
	b.rows = rows
	pool.For(len(b.cuts)-1, 1, byOwner{b.cuts, b.count})
	rows.begin()
	pool.For(len(b.cuts)-1, 1, byOwner{b.cuts, b.throw})
	b.Duplicates = b.pairs() - b.Loops
	if err := closeBags(bags); err != nil {
		return g, err
	}
	sorted := b.arena(rows.ends[g.Nodes])
	if sorted.err != nil {
		return g, sorted.err
	}
	copy(sorted.ends[1:], rows.ends)
	b.sorted = sorted
	pool.For(len(b.cuts)-1, 1, byOwner{b.cuts, b.throwBack})
	return g, b.closeGaps()
}

// builder is a graph being made.
type builder struct {
	*Graph
	segments []*segment
	cuts     []int32 // ranges of vertices with about as many ends each, one a worker
	rows     *rows
	sorted   *rows
}

// rows are the rows of a graph being filled: ends[v] is where the next entry of row v goes.
type rows struct {
	arena   *memory.Arena
	ends    []int64
	entries []int32
	err     error
}

// arena makes rows for the vertices of the graph.
func (b *builder) arena(entries int64) *rows {
	r := &rows{}
	if r.arena, r.err = memory.NewArena(8*int64(b.Nodes+1) + 4*entries); r.err == nil {
		r.ends = r.arena.Int64s(0, b.Nodes+1)
		r.entries = r.arena.Int32s(8*int64(b.Nodes+1), int(entries))
	}
	return r
}

func (r *rows) close() error {
	if r.arena == nil {
		return nil
	}
	return r.arena.Close()
}

// begin turns the lengths of rows into their beginnings.
func (r *rows) begin() {
	sum := int64(0)
	for v, n := range r.ends {
		r.ends[v] = sum
		sum += n
	}
}

func (b *builder) pairs() (sum int64) {
	for _, s := range b.segments {
		sum += int64(s.ids / 2)
	}
	return sum
}

// cut finds the ranges from a sample of ends. They begin at multiples of 64, for the bitmap of self-loops.
func (b *builder) cut(workers int) {
	var sample []int32
	for _, s := range b.segments {
		ids := s.narrow()
		for i := 0; i < len(ids); i += 509 {
			sample = append(sample, ids[i])
		}
	}
	slices.Sort(sample)
	b.cuts = append(b.cuts, 0)
	for w := 1; w < workers && len(sample) > 0; w++ {
		b.cuts = append(b.cuts, max(b.cuts[w-1], sample[w*len(sample)/workers]&^63))
	}
	b.cuts = append(b.cuts, int32(b.Nodes))
}

// byOwner is a task whose units are ranges of vertices: every worker looks at everything and writes what belongs to its range.
// So nothing is written by two, without atomics, and counters of hubs do not travel between processors.
type byOwner struct {
	cuts []int32
	work func(lo, hi int32)
}

// Do works on ranges first to end.
func (t byOwner) Do(_, first, end int) {
	for i := first; i < end; i++ {
		t.work(t.cuts[i], t.cuts[i+1])
	}
}

// count counts the ends of vertices lo … hi−1, and notes their self-loops.
func (b *builder) count(lo, hi int32) {
	size, counts, loops := uint32(hi-lo), b.rows.ends[lo:hi], int64(0)
	for _, s := range b.segments {
		ids := s.narrow()
		for i := 0; i+1 < len(ids); i += 2 {
			u, v := uint32(ids[i]-lo), uint32(ids[i+1]-lo)
			if u == v {
				if u < size {
					b.note(int(lo) + int(u))
					loops++
				}
				continue
			}
			if u < size {
				counts[u]++
			}
			if v < size {
				counts[v]++
			}
		}
	}
	atomic.AddInt64(&b.Loops, loops)
}

// throw puts the other ends into the rows of vertices lo … hi−1.
func (b *builder) throw(lo, hi int32) {
	size, ends, entries := uint32(hi-lo), b.rows.ends[lo:hi], b.rows.entries
	for _, s := range b.segments {
		ids := s.narrow()
		for i := 0; i+1 < len(ids); i += 2 {
			u, v := ids[i], ids[i+1]
			if u == v {
				continue
			}
			if at := uint32(u - lo); at < size {
				entries[ends[at]] = v
				ends[at]++
			}
			if at := uint32(v - lo); at < size {
				entries[ends[at]] = u
				ends[at]++
			}
		}
	}
}

// throwBack puts every vertex, in ascending order, into the rows of those of its neighbours that are lo … hi−1.
func (b *builder) throwBack(lo, hi int32) {
	size, ends, entries := uint32(hi-lo), b.sorted.ends[lo:hi], b.sorted.entries
	begin := int64(0)
	for u, end := range b.rows.ends[:b.Nodes] {
		for _, v := range b.rows.entries[begin:end] {
			if at := uint32(v - lo); at < size {
				entries[ends[at]] = int32(u)
				ends[at]++
			}
		}
		begin = end
	}
}

// closeGaps drops duplicates, which stand beside each other now, and makes the graph of the rows.
func (b *builder) closeGaps() error {
	r := b.sorted
	begin, kept := int64(0), int64(0)
	for v := range b.Nodes {
		end := r.ends[v]
		r.ends[v] = kept
		before := int32(-1)
		for _, u := range r.entries[begin:end] {
			if u != before {
				r.entries[kept] = u
				kept++
			}
			before = u
		}
		if begin < end {
			b.note(v)
		}
		begin = end
	}
	r.ends[b.Nodes] = kept
	b.Graph.arena, b.Indptr, b.Indices = r.arena, r.ends, r.entries[:kept:kept]
	b.Edges = kept / 2
	b.Duplicates -= b.Edges
	from := 8*int64(b.Nodes+1) + 4*kept
	return r.arena.Release(from, r.arena.Size()-from)
}
