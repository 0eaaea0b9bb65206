package graph

import (
	"errors"

	"github.com/seraph-ml/seraph/engine/memory"
)

// stepTable has a row of numbers, one a node, for every step. Rows are worked on in their order, once for each block of columns: in
// memory, or on disk with two of them in memory, one of which is worked on while the other is written and what follows is read.
type stepTable struct {
	rows  [][]float64
	raw   [][]byte // the same memory, where it may pass to and from the disk
	at    int      // rows that have been worked on
	kmax  int
	total int          // rows that will have been in the end
	file  *memory.File // nil: all rows are in memory
	busy  chan error   // nil when there is nothing to wait for
}

// newTable makes the table of distances. What it returns has to be closed even after an error.
func (s *Smoothing) newTable(w Way, b *bump, spill *memory.Spill) (*stepTable, error) {
	t := &stepTable{kmax: s.Kmax, total: s.Kmax * s.blocks(s.stepsWidth(w))}
	for range s.tableInMemory(w) {
		raw, row := b.doubles(padRows(s.Graph.Nodes))
		t.rows, t.raw = append(t.rows, row[:s.Graph.Nodes]), append(t.raw, raw)
	}
	var err error
	if disk := s.tableDisk(w); disk > 0 {
		t.file, err = spill.Create("distances", disk)
	}
	return t, err
}

// row is the one to work on next: of the first block of columns with whatever is in it, else as it was left.
func (t *stepTable) row() []float64 { return t.rows[t.at%len(t.rows)] }

// done ends the work on the row.
func (t *stepTable) done() error {
	at := t.at
	t.at++
	if t.file == nil {
		return nil
	}
	if err := t.wait(); err != nil {
		return err
	}
	busy := make(chan error, 1)
	go func() { busy <- t.swap(at) }()
	t.busy = busy
	return nil
}

// swap writes the row that was worked on as the at-th, unless nobody will read it, and reads into its memory the one after the next,
// unless nothing is in it yet.
func (t *stepTable) swap(at int) error {
	raw := t.raw[at%len(t.raw)]
	offset := func(at int) int64 { return int64(at%t.kmax) * int64(len(raw)) }
	if at+t.kmax < t.total {
		if _, err := t.file.WriteAt(raw, offset(at)); err != nil {
			return err
		}
	}
	if next := at + len(t.raw); next >= t.kmax && next < t.total {
		if _, err := t.file.ReadAt(raw, offset(next)); err != nil {
			return err
		}
	}
	return nil
}

// wait returns when nothing is being written or read any more.
func (t *stepTable) wait() error {
	if t.busy == nil {
		return nil
	}
	busy := t.busy
	t.busy = nil
	return <-busy
}

func (t *stepTable) close() error {
	err := t.wait()
	if t.file != nil {
		err = errors.Join(err, t.file.Close())
	}
	return err
}
