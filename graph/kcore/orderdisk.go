package kcore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/graph/kcore/rowfile"
)

// Place fills place with where each vertex stands in the order of [Order], for a store whose estimates are core numbers. It works
// in so many bytes, and partBytes.
//
// The order is by core number, layer and number. A vertex of shell k needs to see
//
//	need(v) = |{u ∈ N(v) : c(u) ≥ k}| − k
//
// of its neighbours in the shell go before it can, so its layer is
//
//	l(v) = 0 where need(v) ≤ 0, else 1 + the need(v)-th smallest l(u) of the neighbours u in the shell
//
// and nothing but edges within shells counts, mostly few of all. One pass finds out what needs there are and how large each shell is;
// as many shells as there is room for are then read together and peeled. The layers of a shell that has no room are found by passes
// that begin with l(v) = ∞ and lower it until nothing changes: l is the only fixed point, whatever the order of the steps. Long thin
// shells take as many passes as they have layers, and a *RoomError after some.
func (s *Store) Place(ctx context.Context, place []int32, bytes int64, pool *kernel.Pool) (err error) {
	p, err := newPart(s.Core, bytes, pool)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	l := &layering{part: p, store: s, layer: place}
	if err := l.survey(ctx, pool); err != nil {
		return err
	}
	for hi := int32(len(l.shells)) - 1; hi >= 0; {
		lo := l.fitting(hi)
		if lo < hi {
			err = l.peelShells(ctx, pool, lo, hi)
		} else {
			lo--
			err = l.sweepShell(ctx, pool, hi)
		}
		if err != nil {
			return err
		}
		hi = lo
	}
	return l.places()
}

// layering finds layers.
type layering struct {
	*part
	store *Store
	layer []int32 // that of a vertex; as long as it is not known, how many neighbours must go first, less than 0
	// shells are how large each shell is, those in layer 0 included as they are read with the others.
	shells []shellSize
}

// shellSize is what a shell takes in memory.
type shellSize struct {
	vertices, bytes int64
	open            bool // not everybody is in layer 0
}

// room is what the shell takes in a part.
func (s shellSize) room() int64 { return s.bytes + partVertex*s.vertices + 4 }

// survey finds what every vertex needs.
func (l *layering) survey(ctx context.Context, pool *kernel.Pool) error {
	clear(l.layer)
	levels := max(0, int(slices.Max(l.core))) + 1
	found := make([][]shellSize, pool.Workers())
	for w := range found {
		found[w] = make([]shellSize, levels)
	}
	err := l.store.scan(ctx, pool, func(worker int, r *rowfile.Rows) error {
		k := l.core[r.Vertex]
		row, same, beyond := l.sameShell(r.Neighbours, k, l.chunks[worker])
		size := &found[worker][k]
		size.vertices++
		size.bytes += int64(len(row))
		if need := int32(same+beyond) - k; need > 0 {
			l.layer[r.Vertex] = -need
			size.open = true
		}
		return nil
	})
	l.shells = found[0]
	for _, more := range found[1:] {
		for k, m := range more {
			size := &l.shells[k]
			size.vertices += m.vertices
			size.bytes += m.bytes
			size.open = size.open || m.open
		}
	}
	return err
}

// sameShell leaves the neighbours of core number k where they stand, and counts them and those beyond k.
func (l *layering) sameShell(packed []byte, k int32, chunk []int32) (left []byte, same, beyond int) {
	rest, bytes, n := packed, 0, 0
	last, before := uint32(0), uint32(0)
	for len(rest) > 0 {
		n, rest, last = rowfile.Unpack(chunk, rest, last)
		kept := 0
		for _, u := range chunk[:n] {
			switch c := l.core[u]; {
			case c == k:
				chunk[kept] = u
				kept++
			case c > k:
				beyond++
			}
		}
		var written int
		written, before = rowfile.Pack(packed[bytes:], chunk[:kept], before)
		bytes += written
		same += kept
	}
	return packed[:bytes], same, beyond
}

// fitting is how far down the shells from hi reach that fit together: those of k with lo < k ≤ hi. Closed ones need no room.
func (l *layering) fitting(hi int32) (lo int32) {
	vertices, bytes := int64(0), int64(0)
	for lo = hi; lo >= 0; lo-- {
		if s := l.shells[lo]; s.open {
			vertices += s.vertices
			bytes += s.bytes
		}
		if all := (shellSize{vertices: vertices, bytes: bytes}).room(); all > min(l.size, math.MaxInt32) {
			break
		}
	}
	return lo
}

// open says whether a vertex of core number k is to be read for shells lo < k ≤ hi.
func (l *layering) open(k, lo, hi int32) bool { return lo < k && k <= hi && l.shells[k].open }

func (l *layering) anyOpen(lo, hi int32) func(first, end int32) bool {
	return func(first, end int32) bool {
		return slices.ContainsFunc(l.core[first:end], func(k int32) bool { return l.open(k, lo, hi) })
	}
}

// peelShells reads the shells lo < k ≤ hi, and finds their layers.
func (l *layering) peelShells(ctx context.Context, pool *kernel.Pool, lo, hi int32) error {
	vertices := int64(0)
	for _, s := range l.shells[lo+1 : hi+1] {
		if s.open {
			vertices += s.vertices
		}
	}
	if vertices == 0 {
		return nil
	}
	l.t, l.above, l.n, l.used = lo, hi, 0, 0
	l.raw, l.ids, l.degrees, l.ends = l.layout(int(vertices))
	err := l.store.Rows.Pass(ctx, pool, l.anyOpen(lo, hi), func(worker int, b *rowfile.Block) error {
		b.Tag = l.t
		return b.Rewrite(func(r *rowfile.Rows) (int, []byte, bool) {
			k := l.core[r.Vertex]
			if !l.open(k, lo, hi) {
				return 0, nil, false
			}
			row, same, _ := l.sameShell(r.Neighbours, k, l.chunks[worker])
			return same, row, true
		})
	}, l.append)
	if err != nil {
		return err
	}
	l.number()
	queue, end := l.degrees, 0 // in order of layers
	for _, v := range l.ids[:l.n] {
		if l.layer[v] == 0 {
			queue[end] = v
			end++
		}
	}
	for at := 0; at < end; at++ {
		v := queue[at]
		n, rest, last := 0, l.row(v), uint32(0)
		for len(rest) > 0 {
			n, rest, last = rowfile.Unpack(l.chunks[0], rest, last)
			for _, u := range l.chunks[0][:n] {
				if l.layer[u] >= 0 {
					continue
				}
				if l.layer[u]++; l.layer[u] == 0 {
					l.layer[u] = l.layer[v] + 1
					queue[end] = u
					end++
				}
			}
		}
	}
	return nil
}

// layerPasses is how many passes the layers of a shell may take that would have room in a larger part.
const layerPasses = 256

// sweepShell finds the layers of a shell by passes.
func (l *layering) sweepShell(ctx context.Context, pool *kernel.Pool, k int32) error {
	buffers, err := newSweeping(l.store.Rows, l.core, pool.Workers())
	if err != nil {
		return err
	}
	defer buffers.Close()
	room := l.shells[k].room()
	for changed, passes := true, 0; changed; passes++ {
		if passes == layerPasses && room <= math.MaxInt32 {
			return &RoomError{Short: roundUp(room-l.size, memory.BlockSize), What: fmt.Sprintf("the order within core number %d, of more than %d layers,", k, passes)}
		}
		changed = false
		err := l.store.Rows.Pass(ctx, pool, l.anyOpen(k-1, k), func(worker int, b *rowfile.Block) error {
			return l.lowerLayers(&buffers.workers[worker], b, k)
		}, func(b *rowfile.Block) error {
			r := b.Rows()
			for r.Next() {
				l.layer[r.Vertex] = int32(r.Degree)
				changed = true
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// lowerLayers leaves of a block a row without neighbours for each vertex of shell k whose layer falls: the new one stands as its degree.
func (l *layering) lowerLayers(w *sweeper, b *rowfile.Block, k int32) error {
	fresh := w.fresh[:copy(w.fresh, l.layer[b.First:b.End])]
	return b.Rewrite(func(r *rowfile.Rows) (int, []byte, bool) {
		old := fresh[r.Vertex-b.First]
		if l.core[r.Vertex] != k || old == 0 {
			return 0, nil, false
		}
		gone, need := w.counts[:0], -k // layers of neighbours in the shell, and how many of them must go
		for n, rest, last := 0, r.Neighbours, uint32(0); len(rest) > 0; {
			n, rest, last = rowfile.Unpack(w.chunk, rest, last)
			for _, u := range w.chunk[:n] {
				if l.core[u] < k {
					continue
				}
				need++
				x := l.layer[u]
				if at := u - b.First; uint32(at) < uint32(len(fresh)) {
					x = fresh[at]
				}
				if l.core[u] == k && x >= 0 {
					gone = append(gone, x)
				}
			}
		}
		if int(need) > len(gone) {
			return 0, nil, false
		}
		slices.Sort(gone)
		x := gone[need-1] + 1
		if x >= old && old >= 0 {
			return 0, nil, false
		}
		fresh[r.Vertex-b.First] = x
		return int(x), nil, true
	})
}

// places makes places of the layers, as many layers at a time as the memory has room for. A place that is known stands as its
// complement, which is less than 0, as no layer is.
func (l *layering) places() error {
	begins := make([]int, len(l.shells)+1) // of the layers of a shell
	for v, x := range l.layer {
		if x < 0 {
			return inDenser(&l.store.Names, v, l.core[v])
		}
		k := max(0, l.core[v])
		begins[k+1] = max(begins[k+1], int(x)+1)
	}
	for k := range l.shells {
		begins[k+1] += begins[k]
	}
	layers := begins[len(l.shells)]
	window := int(l.arena.Size() / 4)
	sum := int32(0)
	for lo := 0; lo < layers; lo += window {
		next := l.arena.Int32s(0, min(window, layers-lo)) // places
		clear(next)
		slot := func(v int, x int32) int { return begins[max(0, l.core[v])] + int(x) - lo }
		for v, x := range l.layer {
			if x < 0 {
				continue
			}
			if i := slot(v, x); i < len(next) {
				next[i]++
			}
		}
		for i, n := range next {
			next[i] = sum
			sum += n
		}
		for v, x := range l.layer {
			if x < 0 {
				continue
			}
			if i := slot(v, x); i < len(next) {
				l.layer[v] = ^next[i]
				next[i]++
			}
		}
	}
	for v, x := range l.layer {
		l.layer[v] = ^x
	}
	return nil
}

// WritePlaces writes the order in which the vertices have these places, as WriteOrder does, by looking at all places as often as it
// takes until every window of them was in the room.
func WritePlaces(w io.Writer, n *Names, place, room []int32) error {
	for lo := 0; lo < len(place); lo += len(room) {
		window := room[:min(len(room), len(place)-lo)]
		for v, at := range place {
			if i := int(at) - lo; i >= 0 && i < len(window) {
				window[i] = int32(v)
			}
		}
		if err := WriteOrder(w, n, window); err != nil {
			return err
		}
	}
	return nil
}

// VerifyOrder proves that claimed core numbers c are those of a store as [Verify] does, in one pass over its rows: from the places of
// the vertices in an order along which the claims never decrease, see [ReadPlaces]. The estimates of the store become the claims.
func (s *Store) VerifyOrder(ctx context.Context, claims, place []int32, pool *kernel.Pool) error {
	if err := s.claim(claims); err != nil {
		return err
	}
	return s.bearOut(ctx, place, pool)
}

// bearOut proves the estimates right from places.
func (s *Store) bearOut(ctx context.Context, place []int32, pool *kernel.Pool) error {
	chunks := make([][chunkLen]int32, pool.Workers())
	return s.scan(ctx, pool, func(worker int, r *rowfile.Rows) error {
		v, chunk := r.Vertex, chunks[worker][:]
		k, support, behind := s.Core[v], int32(0), int32(0)
		for n, rest, last := 0, r.Neighbours, uint32(0); len(rest) > 0; {
			n, rest, last = rowfile.Unpack(chunk, rest, last)
			for _, u := range chunk[:n] {
				if s.Core[u] >= k {
					support++
				}
				if place[u] > place[v] {
					behind++
				}
			}
		}
		return witness(&s.Names, int(v), k, support, behind)
	})
}

// WriteCoreEdges is WriteCoreEdges of a graph on disk.
func (s *Store) WriteCoreEdges(ctx context.Context, w io.Writer, k int32, pool *kernel.Pool) error {
	var text []byte
	var chunk [chunkLen]int32
	within := func(first, end int32) bool { return anyWithin(s.Core[first:end], k-1, math.MaxInt32) }
	nothing := func(int, *rowfile.Block) error { return nil }
	return s.Rows.Pass(ctx, pool, within, nothing, func(b *rowfile.Block) error {
		r := b.Rows()
		for r.Next() {
			v := r.Vertex
			if s.Core[v] < k {
				continue
			}
			for n, rest, last := 0, r.Neighbours, uint32(0); len(rest) > 0; {
				n, rest, last = rowfile.Unpack(chunk[:], rest, last)
				for _, u := range chunk[:n] {
					if u > v && s.Core[u] >= k {
						text = appendID(appendID(text, &s.Names, v, '\t'), &s.Names, u, '\n')
					}
				}
				if _, err := w.Write(text); err != nil {
					return err
				}
				text = text[:0]
			}
		}
		if r.Broken() {
			return b.Corrupt()
		}
		return nil
	})
}
