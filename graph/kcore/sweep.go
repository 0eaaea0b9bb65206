package kcore

import (
	"context"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/graph/kcore/rowfile"
)

// sweeping passes over the rows and lowers estimates (Wen et al., ICDE 2016; Montresor et al.): while no estimate is below the core
// number of its vertex, neither is
//
//	x(v) ← the largest h ≤ x(v) such that h neighbours u have x(u) ≥ h
//
// and where it changes nothing any more the estimates are the core numbers. New estimates are seen by later rows of the same
// block at once, and by other blocks when all that were read together are done: so they are the same for any number of workers.
type sweeping struct {
	rows    *rowfile.File
	core    []int32 // estimates
	workers []sweeper
	arena   *memory.Arena
}

// sweeper is what a worker works in.
type sweeper struct {
	counts []int32 // of neighbours by estimate, all 0
	fresh  []int32 // estimates of the block at hand
	chunk  []int32 // neighbours
	first  int32   // vertex of fresh
}

const (
	chunkLen = 1024    // neighbours that are decoded at a time
	spanLen  = 1 << 16 // vertices of a block at most
)

func sweepingBytes(x *rowfile.Index, workers int) int64 {
	return int64(workers) * 4 * (int64(x.Longest) + 2 + spanLen + chunkLen)
}

func newSweeping(rows *rowfile.File, core []int32, workers int) (*sweeping, error) {
	arena, err := memory.NewArena(sweepingBytes(&rows.Index, workers))
	if err != nil {
		return nil, err
	}
	s := &sweeping{rows: rows, core: core, arena: arena, workers: make([]sweeper, workers)}
	at := int64(0)
	take := func(n int) []int32 {
		part := arena.Int32s(at, n)
		at += 4 * int64(n)
		return part
	}
	for i := range s.workers {
		s.workers[i] = sweeper{counts: take(rows.Longest + 2), fresh: take(spanLen), chunk: take(chunkLen)}
	}
	return s, nil
}

// sweep passes once over the vertices with estimates of 2 … above, and returns how many it lowered. An estimate of 1 is right, as
// there is a neighbour, and those beyond above are known to be.
func (s *sweeping) sweep(ctx context.Context, pool *kernel.Pool, above int32) (changed int64, err error) {
	err = s.rows.Pass(ctx, pool,
		func(first, end int32) bool { return anyWithin(s.core[first:end], 1, above) },
		func(worker int, b *rowfile.Block) error { return s.workers[worker].work(s.core, b, above) },
		func(b *rowfile.Block) error {
			r := b.Rows()
			for r.Next() {
				s.core[r.Vertex] = int32(r.Degree)
				changed++
			}
			return nil
		})
	return changed, err
}

// anyWithin says whether there is an estimate e with t < e ≤ above.
func anyWithin(core []int32, t, above int32) bool {
	for _, e := range core {
		if t < e && e <= above {
			return true
		}
	}
	return false
}

// work leaves of a block a row without neighbours for each vertex whose estimate falls: the new one stands as its degree.
func (s *sweeper) work(core []int32, b *rowfile.Block, above int32) error {
	s.first = b.First
	fresh := s.fresh[:copy(s.fresh, core[b.First:b.End])]
	return b.Rewrite(func(r *rowfile.Rows) (int, []byte, bool) {
		x := fresh[r.Vertex-b.First]
		if x <= 1 || x > above {
			return 0, nil, false
		}
		h := s.hIndex(core, fresh, r.Neighbours, x)
		fresh[r.Vertex-b.First] = h
		return int(h), nil, h < x
	})
}

// hIndex is the largest h ≤ x such that h neighbours have estimates of at least h.
func (s *sweeper) hIndex(core, fresh []int32, packed []byte, x int32) int32 {
	n, rest, last := 0, packed, uint32(0)
	for len(rest) > 0 && s.counts[x] < x { // mostly x of them have x, after some sweeps
		n, rest, last = rowfile.Unpack(s.chunk, rest, last)
		for _, u := range s.chunk[:n] {
			e := core[u]
			if at := u - s.first; uint32(at) < uint32(len(fresh)) {
				e = fresh[at]
			}
			s.counts[min(e, x)]++
		}
	}
	h, sum := x, int32(0)
	for ; h > 0; h-- {
		if sum += s.counts[h]; sum >= h {
			break
		}
	}
	clear(s.counts[:x+1])
	return h
}

// Close gives the memory back.
func (s *sweeping) Close() error { return s.arena.Close() }
