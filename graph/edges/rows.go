package edges

import (
	"context"
	"errors"
)

// Rows calls f with the rows of the adjacency matrix, u ascending and each row ascending, and returns the counts. An id that
// is in loops alone has an empty row, unless Keep makes them entries; ids that are in no pair have none. A row longer than [Options.Row] comes in pieces:
// calls for the same u that follow each other. The slice is valid until f returns. An error of f ends the calls. No pair can
// be added any more; Rows may be called again.
func (s *Sorter) Rows(ctx context.Context, f func(u uint64, neighbours []uint64) error) (Counts, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = s.finish(ctx)
	}
	if s.err != nil {
		return s.counts, s.err
	}
	n := s.layout.row / 8
	e := emitter{f: f, loops: s.Keep, row: s.arena.Uint64s(s.layout.rowAt(), int(n))[:0], counts: s.counts}
	if err := s.eachBlock(ctx, e.add); err != nil {
		return e.counts, err
	}
	if err := e.end(); err != nil {
		return e.counts, err
	}
	c := &e.counts
	edges := c.Entries
	if s.Symmetric {
		edges /= 2
	}
	if !s.Keep {
		c.Duplicates = c.Pairs - c.Loops - edges
	}
	return *c, nil
}

// Row is the length of the longest row that is given in one piece.
func (o Options) Row() int {
	l := newLayout(blocks(o.Memory))
	return int(l.row / 8)
}

// finish ends the collection of pairs.
func (s *Sorter) finish(ctx context.Context) error {
	if !s.done {
		s.done = true
		s.sortKeys()
		if len(s.runs) > 0 && len(s.keys) > 0 {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return s.reduce(ctx)
}

// eachBlock calls f with all keys, some at a time.
func (s *Sorter) eachBlock(ctx context.Context, f func(keys []uint64, words int) error) error {
	if len(s.runs) == 0 {
		const block = 1 << 16
		for lo := 0; lo < len(s.keys); lo += block {
			if err := errors.Join(ctx.Err(), f(s.keys[lo:min(lo+block, len(s.keys))], s.words)); err != nil {
				return err
			}
		}
		return nil
	}
	m := s.newMerger(s.runs)
	for {
		keys, err := m.next()
		if err := errors.Join(err, ctx.Err()); err != nil || len(keys) == 0 {
			return err
		}
		if err := f(keys, s.words); err != nil {
			return err
		}
	}
}

// emitter makes rows of keys.
type emitter struct {
	f      func(u uint64, neighbours []uint64) error
	loops  bool // are entries
	open   bool // there is a row
	u      uint64
	row    []uint64
	given  int64 // entries of the row before those
	counts Counts
}

func (e *emitter) add(keys []uint64, words int) error {
	for i := 0; i < len(keys); i += words {
		u, v := split(keys[i:], words)
		if u != e.u || !e.open {
			if err := e.end(); err != nil {
				return err
			}
			e.u, e.open = u, true
		}
		if u == v && !e.loops {
			continue
		}
		if len(e.row) == cap(e.row) {
			if err := e.give(); err != nil {
				return err
			}
		}
		e.row = append(e.row, v)
	}
	return nil
}

// give gives what there is of the row.
func (e *emitter) give() error {
	e.given += int64(len(e.row))
	err := e.f(e.u, e.row)
	e.row = e.row[:0]
	return err
}

// end ends the row.
func (e *emitter) end() error {
	if !e.open {
		return nil
	}
	if len(e.row) > 0 || e.given == 0 {
		if err := e.give(); err != nil {
			return err
		}
	}
	e.counts.Rows++
	e.counts.Entries += e.given
	e.counts.Longest = max(e.counts.Longest, e.given)
	e.open, e.given = false, 0
	return nil
}
