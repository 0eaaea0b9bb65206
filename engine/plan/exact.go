package plan

import (
	"cmp"
	"fmt"
	"slices"
)

// exactSteps bounds the search of PackExact: some seconds.
const exactSteps = 50_000_000

// PackExact places blocks like [Pack], with the smallest peak that any placement has. The time grows exponentially with
// the number of blocks that are not apart in time; around 20 are well within reach. It gives up with an error otherwise.
func PackExact(blocks []Block, align int64) (Placement, error) {
	all := live(blocks, align)
	p := Placement{Offsets: make([]int64, len(blocks)), LowerBound: lowerBound(all), Order: "exact"}
	for _, part := range parts(all) {
		peak, done := packExactly(part, lowerBound(part), 1<<62, exactSteps)
		if !done {
			return Placement{}, fmt.Errorf("pack %d blocks exactly: not decided after %d steps; Pack places any number", len(part), exactSteps)
		}
		p.Peak = max(p.Peak, peak)
		for i := range part {
			p.Offsets[part[i].index] = part[i].offset
		}
	}
	return p, nil
}

// exactSearch looks for the placement of smallest peak. It rests on this: push every block of a placement down until it
// touches 0 or another block that is live with it. Then each block lies at the highest end of those below it that it meets,
// so that placing blocks in order of address, each on top of those it meets, finds every pushed placement, among them one
// of smallest peak.
type exactSearch struct {
	pieces []piece // by size, so that large ones are tried first
	slots  [][]int // of each piece: the moments it covers; only moments at which some piece begins are looked at
	height []int64 // of each moment: where the pieces placed there end
	rest   []int64 // of each moment: bytes yet to be placed there
	placed []bool
	same   []int // of each piece: the one before it with the same size and life, or -1

	peak   int64 // the best found, or the one to beat
	best   []int64
	target int64
	steps  int
}

// packExactly places the pieces with the smallest peak below limit and sets their offsets; when there is none it returns
// limit and the offsets mean nothing. It stops early at target. It reports false when steps did not suffice to decide.
func packExactly(part []piece, target, limit int64, steps int) (peak int64, done bool) {
	slices.SortFunc(part, bySize)
	s := &exactSearch{pieces: part, placed: make([]bool, len(part)), peak: limit, target: target, steps: steps}
	var moments []int32
	for i := range part {
		moments = append(moments, part[i].first)
	}
	slices.Sort(moments)
	moments = slices.Compact(moments)
	s.height, s.rest = make([]int64, len(moments)), make([]int64, len(moments))
	for i := range part {
		var slots []int
		for m, at := range moments {
			if part[i].first <= at && at <= part[i].last {
				slots = append(slots, m)
				s.rest[m] += part[i].size
			}
		}
		s.slots = append(s.slots, slots)
		same := -1
		if i > 0 && part[i-1].size == part[i].size && part[i-1].first == part[i].first && part[i-1].last == part[i].last {
			same = i - 1
		}
		s.same = append(s.same, same)
	}
	s.place(0, -1, len(part))
	for i, offset := range s.best {
		part[i].offset = offset
	}
	return s.peak, s.steps > 0
}

// place goes on after a piece at address floor was placed; pieces at the same address come by number.
func (s *exactSearch) place(floor int64, number, left int) {
	if s.steps--; s.steps <= 0 {
		return
	}
	var reach int64
	for m, rest := range s.rest {
		top := s.height[m]
		if rest > 0 {
			top = max(top, floor) + rest
		}
		reach = max(reach, top)
	}
	if reach >= s.peak {
		return
	}
	if left == 0 {
		s.peak, s.best = reach, s.best[:0]
		for i := range s.pieces {
			s.best = append(s.best, s.pieces[i].offset)
		}
		return
	}
	type choice struct {
		at int64
		i  int
	}
	var choices []choice
	for i := range s.pieces {
		if s.placed[i] || s.same[i] >= 0 && !s.placed[s.same[i]] {
			continue
		}
		var at int64
		for _, m := range s.slots[i] {
			at = max(at, s.height[m])
		}
		if at > floor || at == floor && i > number {
			choices = append(choices, choice{at, i})
		}
	}
	slices.SortFunc(choices, func(a, b choice) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.i, b.i)) })
	before := make([]int64, 0, len(s.height))
	for _, c := range choices {
		before = before[:0]
		for _, m := range s.slots[c.i] {
			before = append(before, s.height[m])
			s.height[m] = c.at + s.pieces[c.i].size
			s.rest[m] -= s.pieces[c.i].size
		}
		s.placed[c.i], s.pieces[c.i].offset = true, c.at
		s.place(c.at, c.i, left-1)
		s.placed[c.i] = false
		for k, m := range s.slots[c.i] {
			s.height[m] = before[k]
			s.rest[m] += s.pieces[c.i].size
		}
		if s.peak <= s.target || s.steps <= 0 {
			return
		}
	}
}
