package kcore

import (
	"errors"
	"slices"
	"sync/atomic"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/graph/edges"
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
// Rows come out sorted without sorting. Every pair is thrown into the row of its smaller end, in any order. These rows are
// walked from the first vertex to the last, and each vertex thrown into the rows of its larger neighbours: so all have their
// smaller neighbours in ascending order, duplicates beside each other. Walked in their turn, these rows give every vertex
// its smaller neighbours when it is its own turn, and the larger ones after it.
func build(bags []bag, declared int64, pool *kernel.Pool) (g *Graph, err error) {
	b := &builder{Graph: &Graph{}}
	defer func() {
		if err = errors.Join(err, closeBags(bags), b.upper.close(), b.lower.close()); err != nil {
			b.full.close()
			g = nil
		}
	}()
	if b.Names, err = number(bags, declared, pool); err != nil {
		return nil, err
	}
	if b.Nodes == 0 {
		return nil, errEmpty
	}
	b.segments = segmentsOf(bags)
	pairs := b.pairs()
	if err := errors.Join(b.upper.open(b.Nodes, pairs), b.lower.open(b.Nodes, pairs)); err != nil {
		return nil, err
	}
	b.each(b.sampled(pool.Workers()), pool, b.count)
	b.each(b.upper.begin(pool.Workers()), pool, b.throw)
	if err := closeBags(bags); err != nil {
		return nil, err
	}
	owners := b.lower.begin(pool.Workers())
	b.each(owners, pool, b.throwBack)
	if err := errors.Join(b.upper.close(), b.full.open(b.Nodes, 2*b.lower.filled())); err != nil {
		return nil, err
	}
	b.each(owners, pool, b.measure)
	b.each(b.full.begin(pool.Workers()), pool, b.fill)
	b.finish(pairs)
	return b.Graph, nil
}

// builder is a graph being made.
type builder struct {
	*Graph
	segments []*segment
	upper    rows // of every vertex, its larger neighbours
	lower    rows // its smaller ones
	full     rows
}

// rows are the rows of a graph being filled: row v is entries[indptr[v]:indptr[v+1]] in the end. Before, next[v] is first its length,
// then where the next entry goes; next is indptr from the second value on, as where a row ends the next one begins.
type rows struct {
	arena   *memory.Arena
	indptr  []int64
	next    []int64
	entries []int32
}

// open makes room for that many entries.
func (r *rows) open(nodes int, entries int64) (err error) {
	if r.arena, err = memory.NewArena(8*int64(nodes+1) + 4*entries); err != nil {
		return err
	}
	r.indptr = r.arena.Int64s(0, nodes+1)
	r.next = r.indptr[1:]
	r.entries = r.arena.Int32s(8*int64(nodes+1), int(entries))
	return nil
}

func (r *rows) close() error {
	if r.arena == nil {
		return nil
	}
	return r.arena.Close()
}

// begin turns the lengths of rows into their beginnings, and divides the vertices among workers.
func (r *rows) begin(workers int) (cuts []int32) {
	sum := int64(0)
	for v, n := range r.next {
		r.next[v] = sum
		sum += n
	}
	return edges.Ranges(r.next, sum, 0, workers)
}

// filled is how many entries there are, when all are.
func (r *rows) filled() int64 { return r.indptr[len(r.indptr)-1] }

// put appends to row v.
func (r *rows) put(v, u int32) {
	r.entries[r.next[v]] = u
	r.next[v]++
}

func (b *builder) pairs() (sum int64) {
	for _, s := range b.segments {
		sum += int64(s.ids / 2)
	}
	return sum
}

// sampled finds ranges with about as many ends each from a sample of these. They begin at multiples of 64, for the bitmap of
// self-loops.
func (b *builder) sampled(workers int) (cuts []int32) {
	var sample []int32
	for _, s := range b.segments {
		ids := s.narrow()
		for i := 0; i < len(ids); i += 509 {
			sample = append(sample, ids[i])
		}
	}
	slices.Sort(sample)
	cuts = append(cuts, 0)
	for w := 1; w < workers && len(sample) > 0; w++ {
		cuts = append(cuts, max(cuts[w-1], sample[w*len(sample)/workers]&^63))
	}
	return append(cuts, int32(b.Nodes))
}

// each calls work with every range of vertices. Every worker looks at everything and writes what belongs to its range: so
// nothing is written by two, without atomics, and counters of hubs do not travel between processors.
func (b *builder) each(cuts []int32, pool *kernel.Pool, work func(lo, hi int32)) {
	pool.For(len(cuts)-1, 1, byOwner{cuts, work})
}

// byOwner is a task whose units are ranges of vertices.
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

// count counts the larger and the smaller neighbours of vertices lo … hi−1, and notes their self-loops.
func (b *builder) count(lo, hi int32) {
	size, upper, lower, loops := uint32(hi-lo), b.upper.next[lo:hi], b.lower.next[lo:hi], int64(0)
	for _, s := range b.segments {
		ids := s.narrow()
		for i := 0; i+1 < len(ids); i += 2 {
			u, v := min(ids[i], ids[i+1]), max(ids[i], ids[i+1])
			if u == v {
				if at := uint32(u - lo); at < size {
					b.note(int(u))
					loops++
				}
				continue
			}
			if at := uint32(u - lo); at < size {
				upper[at]++
			}
			if at := uint32(v - lo); at < size {
				lower[at]++
			}
		}
	}
	atomic.AddInt64(&b.Loops, loops)
}

// throw puts the larger ends into the rows of vertices lo … hi−1.
func (b *builder) throw(lo, hi int32) {
	for _, s := range b.segments {
		ids := s.narrow()
		for i := 0; i+1 < len(ids); i += 2 {
			u, v := min(ids[i], ids[i+1]), max(ids[i], ids[i+1])
			if uint32(u-lo) < uint32(hi-lo) && u != v {
				b.upper.put(u, v)
			}
		}
	}
}

// throwBack puts every vertex, in ascending order, into the rows of those of its larger neighbours that are lo … hi−1.
func (b *builder) throwBack(lo, hi int32) {
	begin := int64(0)
	for u, end := range b.upper.next {
		for _, v := range b.upper.entries[begin:end] {
			if uint32(v-lo) < uint32(hi-lo) {
				b.lower.put(v, int32(u))
			}
		}
		begin = end
	}
}

// measure counts all neighbours of vertices lo … hi−1.
func (b *builder) measure(lo, hi int32) {
	begin := int64(0)
	for v, end := range b.lower.next {
		before, n := int32(-1), int64(0)
		for _, u := range b.lower.entries[begin:end] {
			if u == before {
				continue
			}
			n++
			if uint32(u-lo) < uint32(hi-lo) {
				b.full.next[u]++
			}
			before = u
		}
		if int32(v) >= lo && int32(v) < hi {
			b.full.next[v] += n
		}
		begin = end
	}
}

// fill fills the rows of vertices lo … hi−1.
func (b *builder) fill(lo, hi int32) {
	begin := int64(0)
	for v, end := range b.lower.next {
		mine, before := int32(v) >= lo && int32(v) < hi, int32(-1)
		for _, u := range b.lower.entries[begin:end] {
			if u == before {
				continue
			}
			if mine {
				b.full.put(int32(v), u)
			}
			if uint32(u-lo) < uint32(hi-lo) {
				b.full.put(u, int32(v))
			}
			before = u
		}
		begin = end
	}
}

// finish makes the graph of the full rows of so many pairs.
func (b *builder) finish(pairs int64) {
	entries := b.full.filled()
	b.Graph.arena, b.Indptr, b.Indices = b.full.arena, b.full.indptr, b.full.entries[:entries:entries]
	b.Edges = entries / 2
	b.Duplicates = pairs - b.Loops - b.Edges
	for v := range b.Nodes {
		if b.Degree(v) > 0 {
			b.note(v)
		}
	}
}
