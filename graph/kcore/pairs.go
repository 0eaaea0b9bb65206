package kcore

import (
	"errors"
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/memory"
)

// segmentBytes is what pairs are collected in: 8 bytes a pair, or 16 where an id needs more than 31 bits.
const segmentBytes = 2 << 20

// bag collects pairs of ids, one a worker. Ids stay as they are until all are known.
type bag struct {
	segments []*segment
	pairs    int64
	greatest int64
}

// segment is a part of a bag.
type segment struct {
	arena *memory.Arena
	wide  bool
	ids   int // of them, two a pair
}

func (s *segment) narrow() []int32 { return s.arena.Int32s(0, s.ids) }
func (s *segment) whole() []int64  { return s.arena.Int64s(0, s.ids) }

// add keeps pairs, ids[2i] and ids[2i+1] each.
func (b *bag) add(ids []int64) error {
	all := int64(0)
	for _, id := range ids {
		all |= id
		b.greatest = max(b.greatest, id)
	}
	if all < 0 {
		return fmt.Errorf("a negative id; expected 0 … %d", int64(math.MaxInt64))
	}
	b.pairs += int64(len(ids) / 2)
	wide := all > math.MaxInt32
	for len(ids) > 0 {
		s, room, err := b.room(wide)
		if err != nil {
			return err
		}
		n := min(len(ids), room-s.ids)
		from := s.ids
		s.ids += n
		if wide {
			copy(s.whole()[from:], ids[:n])
		} else {
			to := s.narrow()[from:]
			for i, id := range ids[:n] {
				to[i] = int32(id)
			}
		}
		ids = ids[n:]
	}
	return nil
}

// room is a segment that is not full, and how many ids it holds.
func (b *bag) room(wide bool) (*segment, int, error) {
	most := segmentBytes / 4
	if wide {
		most = segmentBytes / 8
	}
	for i := len(b.segments) - 1; i >= max(0, len(b.segments)-2); i-- {
		if s := b.segments[i]; s.wide == wide && s.ids < most {
			return s, most, nil
		}
	}
	arena, err := memory.NewArena(segmentBytes)
	if err != nil {
		return nil, 0, err
	}
	s := &segment{arena: arena, wide: wide}
	b.segments = append(b.segments, s)
	return s, most, nil
}

func closeBags(bags []bag) (err error) {
	for i := range bags {
		for _, s := range bags[i].segments {
			err = errors.Join(err, s.arena.Close())
		}
		bags[i].segments = nil
	}
	return err
}

// segmentsOf are the segments of all bags.
func segmentsOf(bags []bag) (all []*segment) {
	for i := range bags {
		all = append(all, bags[i].segments...)
	}
	return all
}
