package edgelist

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/seraph-ml/seraph/format"
)

// edges are the edges read so far. An id is high · 2^31 + low: the low parts are where the node numbers will be, and the
// high parts exist only once an id has one, which in most files never happens.
type edges struct {
	src, dst         []int32 // low 31 bits of the ids
	highSrc, highDst []uint32
	weights          []float32
	greatest         int64 // id
}

// newEdges has room for n edges.
func newEdges(n int64, weighted bool) *edges {
	e := &edges{src: make([]int32, 0, n), dst: make([]int32, 0, n)}
	if weighted {
		e.weights = make([]float32, 0, n)
	}
	return e
}

func (e *edges) add(u, v int64) {
	e.greatest = max(e.greatest, u, v)
	e.src = append(e.src, int32(u&0x7fffffff))
	e.dst = append(e.dst, int32(v&0x7fffffff))
	if e.highSrc == nil && e.greatest>>31 > 0 {
		e.highSrc = make([]uint32, len(e.src)-1, cap(e.src))
		e.highDst = make([]uint32, len(e.src)-1, cap(e.src))
	}
	if e.highSrc != nil {
		e.highSrc = append(e.highSrc, uint32(u>>31))
		e.highDst = append(e.highDst, uint32(v>>31))
	}
}

// ends are the ids at one end of all edges.
type ends struct {
	low  []int32
	high []uint32
}

func (e ends) id(i int) int64 {
	if e.high == nil {
		return int64(e.low[i])
	}
	return int64(e.high[i])<<31 | int64(e.low[i])
}

// number gives the nodes of g their numbers, in ascending order of the ids, and moves the edges to g.
func (e *edges) number(g *format.Graph, path string) error {
	both := [2]ends{{e.src, e.highSrc}, {e.dst, e.highDst}}
	var set idSet
	if e.greatest/64 < int64(len(e.src)) {
		set = newBitmap(e.greatest)
	} else {
		set = &sortedIDs{ids: make([]int64, 0, 2*len(e.src))}
	}
	for _, end := range both {
		for i := range end.low {
			set.add(end.id(i))
		}
	}
	ids := set.finish()
	if len(ids) > format.MaxNodes {
		return format.CorruptAt(path, -1, "node ids", fmt.Sprintf("%d different ones", len(ids)), fmt.Sprintf("at most %d", format.MaxNodes))
	}
	g.Nodes, g.Src, g.Dst, g.Weights = len(ids), e.src, e.dst, e.weights
	if e.greatest == int64(len(ids))-1 {
		return nil // the ids are 0 … n − 1 already
	}
	g.IDs = ids
	for _, end := range both {
		for i := range end.low {
			end.low[i] = set.rank(end.id(i))
		}
	}
	return nil
}

// idSet tells different ids apart: add all, finish, then ask for ranks.
type idSet interface {
	add(id int64)
	finish() []int64     // the ids in ascending order
	rank(id int64) int32 // how many are smaller
}

// bitmap is an idSet for ids that are not much larger than their number.
type bitmap struct {
	words  []uint64
	before []int32 // ids in the words before each
}

func newBitmap(greatest int64) *bitmap { return &bitmap{words: make([]uint64, greatest/64+1)} }

func (b *bitmap) add(id int64) { b.words[id/64] |= 1 << (id % 64) }

func (b *bitmap) finish() []int64 {
	b.before = make([]int32, len(b.words))
	n := 0
	for i, word := range b.words {
		b.before[i] = int32(n)
		n += bits.OnesCount64(word)
	}
	ids := make([]int64, 0, n)
	for i, word := range b.words {
		for ; word != 0; word &= word - 1 {
			ids = append(ids, int64(64*i+bits.TrailingZeros64(word)))
		}
	}
	return ids
}

func (b *bitmap) rank(id int64) int32 {
	below := b.words[id/64] & (1<<(id%64) - 1)
	return b.before[id/64] + int32(bits.OnesCount64(below))
}

// sortedIDs is an idSet for ids of any size.
type sortedIDs struct{ ids []int64 }

func (s *sortedIDs) add(id int64) { s.ids = append(s.ids, id) }

func (s *sortedIDs) finish() []int64 {
	slices.Sort(s.ids)
	s.ids = slices.Clone(slices.Compact(s.ids)) // a copy of the right size: few ids may have many edges
	return s.ids
}

func (s *sortedIDs) rank(id int64) int32 {
	i, _ := slices.BinarySearch(s.ids, id)
	return int32(i)
}
