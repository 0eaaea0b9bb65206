package plan

import (
	"cmp"
	"math"
	"slices"
)

// Block is a piece of storage with a life-time, to be given an address by [Pack].
type Block struct {
	Name        string
	Bytes       int64
	First, Last int // operations in which it is live, both included; none when Last < First
}

// Placement is the addresses that [Pack] gives: no two blocks that are live at once share a byte.
type Placement struct {
	Offsets    []int64 // of each block; 0 for those without bytes or life
	Peak       int64   // bytes of storage
	LowerBound int64   // most bytes live at once: no placement has a smaller peak
	Order      string  // how the part that sets the peak was found
}

// Pack places blocks in one storage of as few bytes as it finds (offline dynamic storage allocation). Every size counts
// rounded up to a multiple of align, so offsets are multiples of it too. Parts that share no moment are packed on their
// own: first fit in several orders until one reaches the lower bound, then first fit again and again with what sticks out
// going earlier, and for parts of few blocks a bounded exact search. The result depends on nothing but the arguments.
func Pack(blocks []Block, align int64) Placement {
	all := live(blocks, align)
	p := Placement{Offsets: make([]int64, len(blocks)), LowerBound: lowerBound(all)}
	for _, part := range parts(all) {
		peak, order := packPart(part, p.LowerBound)
		if peak > p.Peak || p.Order == "" {
			p.Peak, p.Order = peak, order
		}
		for i := range part {
			p.Offsets[part[i].index] = part[i].offset
		}
	}
	return p
}

// piece is a block with what packing needs of it, in few bytes: packing 10,000 blocks looks at 10^8 of them.
type piece struct {
	size, offset int64
	first, last  int32
	index        int32 // in the blocks given
}

func (p *piece) meets(q *piece) bool { return p.last >= q.first && p.first <= q.last }

func (p *piece) end() int64 { return p.offset + p.size }

// live returns the blocks that need storage, sizes rounded up.
func live(blocks []Block, align int64) []piece {
	align = max(align, 1)
	var all []piece
	for i, b := range blocks {
		if b.Bytes > 0 && b.First <= b.Last {
			size := (b.Bytes + align - 1) / align * align
			all = append(all, piece{size: size, first: int32(b.First), last: int32(b.Last), index: int32(i)})
		}
	}
	return all
}

// lowerBound is the most bytes live at one moment.
func lowerBound(all []piece) int64 {
	type change struct {
		at    int32
		bytes int64
	}
	changes := make([]change, 0, 2*len(all))
	for i := range all {
		changes = append(changes, change{all[i].first, all[i].size}, change{all[i].last + 1, -all[i].size})
	}
	slices.SortFunc(changes, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.bytes, b.bytes)) // what ends goes before what begins
	})
	var now, most int64
	for _, c := range changes {
		now += c.bytes
		most = max(most, now)
	}
	return most
}

// parts sorts the pieces by time and cuts where no life-time crosses.
func parts(all []piece) [][]piece {
	slices.SortFunc(all, byStart)
	var list [][]piece
	begin, last := 0, int32(0)
	for i := range all {
		if i > begin && all[i].first > last {
			list = append(list, all[begin:i])
			begin = i
		}
		last = max(last, all[i].last)
	}
	if begin < len(all) {
		list = append(list, all[begin:])
	}
	return list
}

// orders are the orders of first fit, the most successful first.
var orders = []struct {
	name    string
	compare func(a, b piece) int
}{
	{"size", bySize},
	{"duration", func(a, b piece) int {
		return cmp.Or(cmp.Compare(b.last-b.first, a.last-a.first), bySize(a, b))
	}},
	{"size × duration", func(a, b piece) int {
		return cmp.Or(cmp.Compare(float64(b.size)*float64(b.last-b.first+1), float64(a.size)*float64(a.last-a.first+1)), bySize(a, b))
	}},
	{"start", byStart},
	{"end", func(a, b piece) int {
		return cmp.Or(cmp.Compare(b.last, a.last), bySize(a, b))
	}},
}

func bySize(a, b piece) int {
	return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(b.last-b.first, a.last-a.first), cmp.Compare(a.index, b.index))
}

func byStart(a, b piece) int {
	return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(b.last, a.last), bySize(a, b))
}

// The bounds of what is done for a part for which no order reaches the lower bound: about a tenth of a second each.
const (
	exactPieces = 32
	packSteps   = 1_500_000
	liftRounds  = 400
	liftWork    = 200_000_000 // rounds times pieces squared
)

// packPart places the pieces of one part, whose offsets it sets, aiming at a peak of at most target.
func packPart(part []piece, target int64) (peak int64, order string) {
	best := make([]piece, len(part))
	candidate := make([]piece, len(part))
	peak = math.MaxInt64
	for _, o := range orders {
		copy(candidate, part)
		slices.SortFunc(candidate, o.compare)
		if got, placed := firstFit(candidate, peak); placed == len(part) {
			peak, order = got, o.name
			copy(best, candidate)
		}
		if peak <= target {
			break
		}
	}
	copy(part, best)
	if peak <= target {
		return peak, order
	}
	// Squeaky wheel: what did not fit below the best peak goes first in the next round.
	copy(candidate, best)
	lifted := false
	for range min(liftRounds, liftWork/len(part)/len(part)) {
		got, placed := firstFit(candidate, peak)
		if placed == len(part) {
			peak, lifted = got, true
			copy(part, candidate)
			if peak <= target {
				break
			}
			continue
		}
		squeak := candidate[placed]
		copy(candidate[1:placed+1], candidate[:placed])
		candidate[0] = squeak
	}
	if lifted {
		order += ", lifted"
	}
	if peak > target && len(part) <= exactPieces {
		if got, _ := packExactly(candidate, target, peak, packSteps); got < peak {
			copy(part, candidate)
			return got, "exact search"
		}
	}
	return peak, order
}

// firstFit places the pieces in the order given, each at the lowest address where it meets none placed before. It stops at
// the first that would end at limit or above, and returns the peak and how many were placed.
func firstFit(order []piece, limit int64) (peak int64, placed int) {
	stack := make([]piece, 0, len(order)) // by offset
	for i := range order {
		p := &order[i]
		p.offset = 0
		for j := range stack {
			q := &stack[j]
			if q.offset >= p.end() {
				break
			}
			if q.meets(p) && q.end() > p.offset {
				p.offset = q.end()
			}
		}
		if p.end() >= limit {
			return peak, i
		}
		peak = max(peak, p.end())
		at, _ := slices.BinarySearchFunc(stack, p.offset, func(q piece, offset int64) int { return cmp.Compare(q.offset, offset) })
		stack = slices.Insert(stack, at, *p)
	}
	return peak, len(order)
}
