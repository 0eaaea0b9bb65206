package kcore

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/run"
)

// number gives the ids numbers below nodes. Ids that are not much larger than there are pairs are their own numbers; others
// are replaced by their ranks in the segments, which are all narrow then.
func number(bags []bag, declared int64, pool *kernel.Pool) (n Names, err error) {
	pairs, greatest := int64(0), int64(-1)
	for i := range bags {
		pairs += bags[i].pairs
		if bags[i].pairs > 0 {
			greatest = max(greatest, bags[i].greatest)
		}
	}
	switch {
	case declared > 0 && greatest >= declared:
		return n, beyondDeclared(greatest, declared)
	case declared > 0:
		return Names{Nodes: int(declared), declared: true}, nil
	case areNumbers(greatest, pairs):
		nodes := int(greatest + 1)
		return Names{Nodes: nodes, present: newPresence(nodes)}, nil
	}
	segments := segmentsOf(bags)
	table, err := newIDTable()
	if err != nil {
		return n, err
	}
	defer table.close()
	for _, s := range segments {
		if err := s.each(func(_ int, id int64) error { return table.add(id) }); err != nil {
			return n, err
		}
	}
	if n.ids = table.finish(); len(n.ids) > math.MaxInt32 {
		return n, fmt.Errorf("%d different vertices; expected fewer than 2^31", len(n.ids))
	}
	pool.For(len(segments), 1, &ranking{segments, table})
	n.Nodes = len(n.ids)
	return n, nil
}

func beyondDeclared(greatest, declared int64) error {
	return run.Usagef("the graph has a vertex %d, and %d vertices were declared: 0 … %d", greatest, declared, declared-1)
}

// areNumbers says whether ids are so dense that they are their own numbers.
func areNumbers(greatest, pairs int64) bool {
	return greatest < math.MaxInt32 && greatest/4 <= pairs+1<<14
}

// each calls do with every id of the segment and its place, in order.
func (s *segment) each(do func(i int, id int64) error) error {
	if s.wide {
		for i, id := range s.whole() {
			if err := do(i, id); err != nil {
				return err
			}
		}
		return nil
	}
	for i, id := range s.narrow() {
		if err := do(i, int64(id)); err != nil {
			return err
		}
	}
	return nil
}

// ranking replaces ids by ranks, as a task: a unit is a segment.
type ranking struct {
	segments []*segment
	table    *idTable
}

// Do replaces those of segments lo to hi. A rank is written where ids have been read already: it is no longer than one.
func (t *ranking) Do(_, lo, hi int) {
	for _, s := range t.segments[lo:hi] {
		ranks := s.narrow()
		s.each(func(i int, id int64) error { ranks[i] = t.table.rank(id); return nil }) // no error to be had
		s.wide = false
	}
}

// idTable tells different ids apart: a hash table with open addressing.
type idTable struct {
	arena *memory.Arena
	keys  []int64 // id + 1, 0 where there is none
	ranks []int32
	used  int
	shift int
}

func newIDTable() (*idTable, error) {
	t := &idTable{}
	return t, t.grow(16)
}

// grow makes room for 2^log keys.
func (t *idTable) grow(log int) error {
	arena, err := memory.NewArena(12 << log)
	if err != nil {
		return err
	}
	old := *t
	t.arena, t.keys, t.ranks, t.shift = arena, arena.Int64s(0, 1<<log), arena.Int32s(8<<log, 1<<log), 64-log
	for _, key := range old.keys {
		if key != 0 {
			t.keys[t.find(key)] = key
		}
	}
	return old.close()
}

func (t *idTable) close() error {
	if t.arena == nil {
		return nil
	}
	return t.arena.Close()
}

// find is the place of a key, or where it would be.
func (t *idTable) find(key int64) int {
	at := int(uint64(key) * 0x9E3779B97F4A7C15 >> t.shift)
	for t.keys[at] != key && t.keys[at] != 0 {
		at = (at + 1) & (len(t.keys) - 1)
	}
	return at
}

func (t *idTable) add(id int64) error {
	key := int64(uint64(id) + 1) // the largest id becomes the smallest number, which is none
	at := t.find(key)
	if t.keys[at] == key {
		return nil
	}
	t.keys[at] = key
	if t.used++; 2*t.used <= len(t.keys) {
		return nil
	}
	return t.grow(bits.Len(uint(len(t.keys))))
}

// finish returns the ids in ascending order; then there are ranks.
func (t *idTable) finish() []int64 {
	ids := make([]int64, 0, t.used)
	for _, key := range t.keys {
		if key != 0 {
			ids = append(ids, int64(uint64(key)-1))
		}
	}
	slices.Sort(ids)
	for rank, id := range ids {
		t.ranks[t.find(int64(uint64(id)+1))] = int32(rank)
	}
	return ids
}

func (t *idTable) rank(id int64) int32 { return t.ranks[t.find(int64(uint64(id)+1))] }

var errEmpty = errors.New("no vertex: neither an edge nor a declared number of vertices")
