package graph

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
)

// arenaBytes is what a Graph takes in its arena before edges are merged and components dropped.
func arenaBytes(raw *format.Graph) int64 {
	const arrays = 16 // each begins on a cache line
	nodes, entries := int64(raw.Nodes), 2*int64(len(raw.Src))
	sum := 8*(nodes+1) + 4*entries + 8*nodes + arrays*memory.Align // adjacency matrix, ids
	sum += 4 * int64(len(raw.Weights)*2+len(raw.Labels)+len(raw.Train)+len(raw.Val)+len(raw.Test)+len(raw.Features.Dense))
	if s := raw.Features.Sparse; s != nil {
		sum += 8 * (nodes + 1 + int64(len(s.Values)))
	}
	if raw.Kinds != nil {
		sum += 4*entries + kindBytes(raw)
	}
	return sum
}

// BuildBytes is an upper bound of the memory that New takes beside raw itself: the graph, and what it needs while it
// builds.
func BuildBytes(raw *format.Graph, c Component) int64 {
	working := int64(0)
	if c == Largest {
		working = 16 * int64(raw.Nodes) // the component of each node, a queue, the nodes that are kept, their new numbers
	}
	return arenaBytes(raw) + working
}

// bump hands out the arena from the front.
type bump struct {
	arena    *memory.Arena
	next     int64
	released int64 // bytes that were handed out and given back
}

func (b *bump) take(bytes int64) int64 {
	at := b.next
	b.next = (at + bytes + memory.Align - 1) / memory.Align * memory.Align
	return at
}

// release gives back all but the first used bytes of what was taken at an offset.
func (b *bump) release(at, taken, used int64) error {
	if used == taken {
		return nil
	}
	b.released += max(0, taken-used-2*memory.BlockSize) // only whole pages go
	return b.arena.Release(at+used, taken-used)
}

func (b *bump) int64s(n int) []int64     { return b.arena.Int64s(b.take(8*int64(n)), n) }
func (b *bump) int32s(n int) []int32     { return b.arena.Int32s(b.take(4*int64(n)), n) }
func (b *bump) float32s(n int) []float32 { return b.arena.Float32s(b.take(4*int64(n)), n) }
func (b *bump) float64s(n int) []float64 { return b.arena.Float64s(b.take(8*int64(n)), n) }

// staging takes a buffer for transfers to and from the disk: it begins at a block.
func (b *bump) staging(bytes int) staging {
	b.next = (b.next + memory.BlockSize - 1) / memory.BlockSize * memory.BlockSize
	at := b.take(int64(bytes))
	return staging{b.arena.Bytes(at, bytes), b.arena.Float32s(at, bytes/4)}
}

// doubles takes numbers for transfers to and from the disk, of which so many are whole blocks.
func (b *bump) doubles(n int) (raw []byte, x []float64) {
	b.next = (b.next + memory.BlockSize - 1) / memory.BlockSize * memory.BlockSize
	at := b.take(8 * int64(n))
	return b.arena.Bytes(at, 8*n), b.arena.Float64s(at, n)
}

// checkWeights refuses edge weights that Â cannot be made of.
func checkWeights(raw *format.Graph) error {
	for i, w := range raw.Weights {
		if !(w > 0) || math.IsInf(float64(w), 0) {
			what := fmt.Sprintf("weight of edge %d (%d → %d)", i, raw.Src[i], raw.Dst[i])
			return format.CorruptAt(raw.Name, -1, what, fmt.Sprint(w), "a positive, finite number")
		}
	}
	return nil
}

// connect builds the adjacency matrix by a counting sort of the entries, both directions of each, and merges what is equal.
// It returns the room that entries have been given.
func (g *Graph) connect(raw *format.Graph, b *bump) entryRoom {
	n := raw.Nodes
	indptr := b.int64s(n + 1)
	loops := 0
	for i, u := range raw.Src {
		v := raw.Dst[i]
		if u == v {
			loops++
			continue
		}
		indptr[u+1]++
		indptr[v+1]++
	}
	for u := range n {
		indptr[u+1] += indptr[u]
	}
	entries := int(indptr[n])
	room := entryRoom{at: b.next, entries: int64(entries)}
	indices := b.int32s(entries)
	var weights []float32
	var within []int32
	switch {
	case raw.Relations != nil:
		within = b.int32s(entries)
	case raw.Weights != nil:
		weights = b.float32s(entries)
	}
	// While filling, indptr[u] is where the next neighbour of u goes; afterwards it is where row u+1 begins.
	relation := relationOf(raw)
	put := func(u, v int32, i int) {
		at := indptr[u]
		indptr[u]++
		indices[at] = v
		switch {
		case within != nil:
			within[at] = 1 << relation(i)
		case weights != nil:
			weights[at] = raw.Weights[i]
		}
	}
	for i, u := range raw.Src {
		if v := raw.Dst[i]; u != v {
			put(u, v, i)
			put(v, u, i)
		}
	}
	copy(indptr[1:], indptr[:n])
	indptr[0] = 0
	g.Indptr, g.Indices, g.Weights, g.within = indptr, indices, weights, within
	g.merge()
	if len(raw.Src) == 0 {
		return room // a table, say
	}
	g.note("%d edge entries are %d undirected edges; directions and duplicates are merged, self-loops dropped: %d", len(raw.Src), g.Edges(), loops)
	return room
}

// entryRoom is where indices, and behind them weights or relations, have been given room for so many entries.
type entryRoom struct{ at, entries int64 }

// trim gives back the room that is not used.
func (r entryRoom) trim(g *Graph, b *bump) error {
	used := 4 * int64(len(g.Indices))
	err := b.release(r.at, 4*r.entries, used)
	if g.Weights != nil || g.within != nil {
		weights := (r.at + 4*r.entries + memory.Align - 1) / memory.Align * memory.Align
		err = errors.Join(err, b.release(weights, 4*r.entries, used))
	}
	return err
}

// merge sorts each row and keeps one of equal entries, the one with the largest weight; it is of all relations that they are
// of. Rows move to the front.
func (g *Graph) merge() {
	switch {
	case g.within != nil:
		g.within = mergeRows(g, g.within, func(a, b int32) int32 { return a | b })
	case g.Weights != nil:
		g.Weights = mergeRows(g, g.Weights, func(a, b float32) float32 { return max(a, b) })
	default:
		end := int64(0) // of the merged entries
		for u := range g.Nodes {
			row := g.Indices[g.Indptr[u]:g.Indptr[u+1]]
			g.Indptr[u] = end
			slices.Sort(row)
			end += int64(copy(g.Indices[end:], slices.Compact(row)))
		}
		g.Indptr[g.Nodes] = end
		g.Indices = g.Indices[:end]
	}
}

// mergeRows is merge where entries have values, of which equal ones are joined.
func mergeRows[T any](g *Graph, values []T, join func(a, b T) T) []T {
	var sorter rowSorter[T]
	end := int64(0)
	for u := range g.Nodes {
		lo, hi := g.Indptr[u], g.Indptr[u+1]
		g.Indptr[u] = end
		sorter.sort(g.Indices[lo:hi], values[lo:hi])
		first := end
		for i := lo; i < hi; i++ {
			if end > first && g.Indices[end-1] == g.Indices[i] {
				values[end-1] = join(values[end-1], values[i])
				continue
			}
			g.Indices[end], values[end] = g.Indices[i], values[i]
			end++
		}
	}
	g.Indptr[g.Nodes] = end
	g.Indices = g.Indices[:end]
	return values[:end]
}

// attach gives the nodes that were kept (nil = all; ascending numbers in raw) their ids, labels, features and split.
func (g *Graph) attach(raw *format.Graph, kept []int32, b *bump) error {
	g.IDs = b.int64s(g.Nodes)
	for i := range g.IDs {
		g.IDs[i] = int64(original(kept, i))
		if raw.IDs != nil {
			g.IDs[i] = raw.IDs[g.IDs[i]]
		}
	}
	if raw.Labels != nil {
		g.Labels = b.int32s(g.Nodes)
		for i := range g.Labels {
			if u := int(original(kept, i)); u < len(raw.Labels) {
				g.Labels[i] = raw.Labels[u]
			} else {
				g.Labels[i] = -1 // of another kind than those that have labels
			}
		}
	}
	if raw.Kinds != nil {
		g.Features = g.unite(raw, b)
	} else {
		g.Features = copyFeatures(&raw.Features, kept, g.Nodes, b)
	}
	if raw.Train == nil || raw.Labels == nil {
		return nil
	}
	unlabelled := 0
	part := func(ids []int32) []int32 {
		all := renumber(ids, kept, b)
		labelled := slices.DeleteFunc(all, func(u int32) bool { return g.Labels[u] < 0 })
		unlabelled += len(all) - len(labelled)
		return labelled
	}
	g.Public = &Split{Train: part(raw.Train), Val: part(raw.Val), Test: part(raw.Test)}
	if unlabelled > 0 {
		g.note("%d nodes of the public split have no label and are left out of it", unlabelled)
	}
	return g.Public.check(g, raw.Name, " of the public split")
}

// original returns the number in the file of node i of the component.
func original(kept []int32, i int) int32 {
	if kept == nil {
		return int32(i)
	}
	return kept[i]
}

// renumber turns numbers in the file into those within the component, ascending; nodes that were not kept fall away.
func renumber(ids, kept []int32, b *bump) []int32 {
	out := b.int32s(len(ids))[:0]
	for _, id := range ids {
		if kept != nil {
			at, ok := slices.BinarySearch(kept, id)
			if !ok {
				continue
			}
			id = int32(at)
		}
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}
