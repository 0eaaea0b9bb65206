package edges

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sort"

	"github.com/seraph-ml/seraph/engine/memory"
)

// merger gives the keys of several runs in order.
type merger struct {
	s       *Sorter
	streams []stream
	keys    []uint64 // of this turn
	spare   []uint64
	used    []int // of each stream: words of this turn
}

// fewKeys are decoded as fast by one worker.
const fewKeys = 4096

// newMerger begins to merge runs, in the memory that pairs were collected in.
func (s *Sorter) newMerger(runs []*run) *merger {
	m := &merger{s: s, streams: make([]stream, len(runs)), used: make([]int, len(runs))}
	buffer, keys := s.layout.share(len(runs), onDisk(runs), s.words)
	at := int64(0)
	for i, r := range runs {
		if r.file != nil {
			m.streams[i].buf = s.arena.Bytes(at, int(memory.BlockSize+buffer))
			at += memory.BlockSize + buffer
		}
	}
	take := func(words int) []uint64 {
		part := s.arena.Uint64s(at, words)
		at += 8 * int64(words)
		return part
	}
	for i, r := range runs {
		m.streams[i].keys = take(keys * s.words)[:0]
		m.streams[i].open(r)
	}
	m.keys, m.spare = take(len(runs) * keys * s.words)[:0], take(len(runs)*keys*s.words)
	return m
}

// onDisk counts the runs on disk.
func onDisk(runs []*run) int {
	n := 0
	for _, r := range runs {
		if r.file != nil {
			n++
		}
	}
	return n
}

// next returns the next keys, without duplicates unless they are kept; none at the end. They are valid until the next call.
func (m *merger) next() ([]uint64, error) {
	words := m.s.words
	m.s.pool.For(len(m.streams), 1+fewKeys/cap(m.streams[0].keys), (*decodeTask)(m))
	var last []uint64 // the largest key below which all are decoded; nil: all are
	for i := range m.streams {
		t := &m.streams[i]
		if t.err != nil {
			return nil, t.err
		}
		if t.left > 0 {
			if end := t.keys[len(t.keys)-words:]; last == nil || slices.Compare(end, last) < 0 {
				last = end
			}
		}
	}
	m.keys = m.keys[:0]
	sources := 0
	for i := range m.streams {
		t := &m.streams[i]
		n := len(t.keys)
		if last != nil {
			n = words * sort.Search(n/words, func(k int) bool { return slices.Compare(t.keys[k*words:(k+1)*words], last) > 0 })
		}
		m.keys = append(m.keys, t.keys[:n]...)
		m.used[i] = n
		if n > 0 {
			sources++
		}
	}
	if sources > 1 {
		m.s.radix.sort(m.s.pool, m.keys, m.spare[:len(m.keys)], words)
	}
	return m.s.compact(m.keys), nil
}

// decodeTask drops the keys of the turn before and decodes others: a unit is a stream.
type decodeTask merger

// Do works on streams lo to hi.
func (m *decodeTask) Do(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		m.streams[i].advance(m.used[i], m.s.words)
	}
}

// reduce merges runs on disk until there is memory to merge all that are left into rows.
func (s *Sorter) reduce(ctx context.Context) error {
	for {
		n := s.layout.pass(len(s.runs), onDisk(s.runs), s.words)
		if n == 0 {
			return nil
		}
		// The smallest ones of those on disk, behind those in memory.
		slices.SortStableFunc(s.runs, func(a, b *run) int {
			return cmp.Or(cmp.Compare(onDisk([]*run{a}), onDisk([]*run{b})), cmp.Compare(a.bytes, b.bytes))
		})
		first := len(s.runs) - onDisk(s.runs)
		if err := s.mergeRuns(ctx, first, first+n); err != nil {
			return err
		}
	}
}

// mergeRuns puts one run on disk in the place of some.
func (s *Sorter) mergeRuns(ctx context.Context, first, end int) error {
	r := &run{}
	for _, from := range s.runs[first:end] {
		r.bytes += from.bytes // keys between others only shorten differences
	}
	e := encoder{run: r}
	if err := s.place(&e); err != nil {
		return err
	}
	m := s.newMerger(s.runs[first:end])
	s.runs = append(s.runs, r)
	s.counts.Runs++
	for {
		keys, err := m.next()
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if len(keys) == 0 {
			break
		}
		if err := e.add(keys, s.words); err != nil {
			return err
		}
	}
	errs := []error{e.end()}
	for _, from := range s.runs[first:end] {
		errs = append(errs, from.close())
	}
	s.runs = slices.Delete(s.runs, first, end)
	return errors.Join(errs...)
}
