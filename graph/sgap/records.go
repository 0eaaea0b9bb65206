package sgap

import (
	"errors"
	"fmt"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/graph"
)

// records are rows on disk, each with everything that a training reads of its node side by side: its rows of all matrices, and
// its label.
type records struct {
	file  *memory.File
	count int
}

// recordAlign is what a record begins at a multiple of, in bytes; so flushRecords of them are whole disk blocks.
const (
	recordAlign  = 64
	flushRecords = memory.BlockSize / recordAlign
)

// recordBytes is the size of a record: matrices, label, and what is left of a multiple of recordAlign.
func recordBytes(l layout) int {
	n := 1
	for i := range l.matrices() {
		n += l.width(i)
	}
	return (4*n + recordAlign - 1) / recordAlign * recordAlign
}

// shelf is what a training on rows on disk holds in memory: two shards of records, one that is worked on and one that is on its
// way.
type shelf struct {
	arena      *memory.Arena
	layout     layout
	size       int        // bytes of a record
	shards     [2]shard   // by turns
	turn       int        // the one that is worked on
	coming     chan error // from who reads into the other one; nil when nobody does
	train, val *records   // train is nil where those rows make one step: they are in memory
}

// shard is a buffer for records.
type shard struct {
	raw    []byte
	floats []float32
	ints   []int32
	of     *records
	first  int // record
}

// shelfRecords is the number of records that the buffers of a shelf hold for so many rows each. While records are written, they
// hold some of every shard that trains, and of the rows that validate.
func shelfRecords(train, val int) int {
	shards := (train+shardRows-1)/shardRows + 1
	n := max(min(max(train, val), shardRows), (shards+1)/2*flushRecords)
	return (n + flushRecords - 1) / flushRecords * flushRecords
}

// shelfBytes is the memory of a shelf.
func shelfBytes(train, val int, l layout) int64 {
	return 2*int64(shelfRecords(train, val))*int64(recordBytes(l)) + memory.BlockSize
}

// recordsBytes is what rows take on disk.
func recordsBytes(rows int, l layout) int64 {
	return int64((rows+flushRecords-1)/flushRecords*flushRecords) * int64(recordBytes(l))
}

// newShelf sets memory and disk aside for so many rows.
func newShelf(train, val int, l layout, spill *memory.Spill) (*shelf, error) {
	s := &shelf{layout: l, size: recordBytes(l)}
	var err error
	if s.arena, err = memory.NewArena(shelfBytes(train, val, l)); err != nil {
		return nil, err
	}
	bytes := shelfRecords(train, val) * s.size
	for i := range s.shards {
		at := int64(i * bytes)
		s.shards[i] = shard{raw: s.arena.Bytes(at, bytes), floats: s.arena.Float32s(at, bytes/4), ints: s.arena.Int32s(at, bytes/4)}
	}
	for _, r := range []struct {
		name string
		to   **records
		rows int
	}{{"rows that train", &s.train, train}, {"rows that validate", &s.val, val}} {
		if r.rows == 0 {
			continue
		}
		file, err := spill.Create(r.name, recordsBytes(r.rows, l))
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		*r.to = &records{file: file}
	}
	return s, nil
}

func (s *shelf) close() error {
	if s == nil {
		return nil
	}
	err := s.wait()
	for _, r := range []*records{s.train, s.val} {
		if r != nil {
			err = errors.Join(err, r.file.Close())
		}
	}
	return errors.Join(err, s.arena.Close())
}

// wait returns when nobody reads any more.
func (s *shelf) wait() error {
	if s.coming == nil {
		return nil
	}
	err := <-s.coming
	s.coming = nil
	return err
}

// open returns the records of a shard, and begins to read those of another one (next nil: none), which will be asked for after
// it.
func (s *shelf) open(of *records, first int, next *records, nextFirst int) (*shard, error) {
	if b := &s.shards[s.turn]; b.of == of && b.first == first {
		return b, nil
	}
	if err := s.wait(); err != nil {
		return nil, err
	}
	s.turn = 1 - s.turn
	b, other := &s.shards[s.turn], &s.shards[1-s.turn]
	if b.of != of || b.first != first {
		if err := s.fetch(b, of, first); err != nil {
			return nil, err
		}
	}
	if next != nil && (other.of != next || other.first != nextFirst) {
		coming := make(chan error, 1)
		s.coming = coming
		go func() { coming <- s.fetch(other, next, nextFirst) }()
	}
	return b, nil
}

// take fills a batch with the records at some of the places of an epoch. Validation comes after the last.
func (s *shelf) take(order []int32, lo, hi int, batch *buffer, into *Rows) error {
	into.allot(batch, hi-lo)
	for i := lo; i < hi; {
		first := int(order[i]) / shardRows * shardRows
		in := func(j int) bool { return int(order[j])/shardRows*shardRows == first }
		after := i + 1 // of the shard
		for after < len(order) && in(after) {
			after++
		}
		next, nextFirst := s.val, 0
		if after < len(order) {
			next, nextFirst = s.train, int(order[after])/shardRows*shardRows
		}
		b, err := s.open(s.train, first, next, nextFirst)
		if err != nil {
			return err
		}
		for ; i < min(after, hi); i++ {
			into.Labels = append(into.Labels, s.unpack(b, int(order[i])-first, batch, i-lo))
		}
	}
	return nil
}

// blocks yields the rows that validate in their order, as many at a time as a buffer takes or fewer.
func (s *shelf) blocks(rows int, buf *buffer, into *Rows, yield func() error) error {
	for first := 0; first < s.val.count; first += shardRows {
		next := s.val
		if first+shardRows >= s.val.count {
			next = nil
		}
		b, err := s.open(s.val, first, next, first+shardRows)
		if err != nil {
			return err
		}
		n := min(shardRows, s.val.count-first)
		for lo := 0; lo < n; lo += rows {
			hi := min(lo+rows, n)
			into.allot(buf, hi-lo)
			for i := lo; i < hi; i++ {
				into.Labels = append(into.Labels, s.unpack(b, i, buf, i-lo))
			}
			if err := yield(); err != nil {
				return err
			}
		}
	}
	return nil
}

// fetch reads the shard that begins at a record.
func (s *shelf) fetch(b *shard, of *records, first int) error {
	b.of = nil
	n := min(shardRows, of.count-first)
	n = (n + flushRecords - 1) / flushRecords * flushRecords
	if _, err := of.file.ReadAt(b.raw[:n*s.size], int64(first)*int64(s.size)); err != nil {
		return fmt.Errorf("read rows from disk: %w", err)
	}
	b.of, b.first = of, first
	return nil
}

// unpack copies record i of a shard into row `to` of a buffer, and returns its label.
func (s *shelf) unpack(b *shard, i int, into *buffer, to int) (label int32) {
	at := i * s.size / 4
	for m, h := range into.hops {
		w := s.layout.width(m)
		copy(h[to*w:(to+1)*w], b.floats[at:])
		at += w
	}
	return b.ints[at]
}

// pack is unpack's inverse, from the rows that a buffer has gathered.
func (s *shelf) pack(b *shard, i int, rows *Rows, from int) {
	at := i * s.size / 4
	for m := range rows.Hops {
		w := s.layout.width(m)
		copy(b.floats[at:at+w], rows.Hops[m].Dense[from*w:])
		at += w
	}
	b.ints[at] = rows.Labels[from]
}

// fill writes the rows of a split: those that train as they were dealt, those that validate as they come. They pass through a
// buffer, a few of its rows at a time, in the order of the hops: what is on disk is read once. room is working memory for one
// number of each row that trains.
func (s *shelf) fill(w *workshop, from *store, split graph.Split, dealt, room []int32) error {
	if err := s.wait(); err != nil {
		return err
	}
	s.shards[0].of, s.shards[1].of = nil, nil
	s.val.count = len(split.Val)
	val := toShelve{from, split.Val, split.Val, nil}
	if s.train == nil {
		return s.newPacking(0).pass(w, toShelve{}, val)
	}
	s.train.count = len(split.Train)
	for place, row := range dealt {
		room[row] = int32(place / shardRows)
	}
	own, rows, err := from.thatTrain(split.Train)
	if err != nil {
		return err
	}
	train, p := toShelve{own, rows, split.Train, room}, s.newPacking(len(split.Train))
	if own == from {
		return p.pass(w, train, val)
	}
	return errors.Join(p.pass(w, train, toShelve{}), s.newPacking(0).pass(w, toShelve{}, val))
}

// toShelve is rows of a store that go to disk.
type toShelve struct {
	from  *store
	rows  []int32 // as the store names them
	nodes []int32 // theirs
	shard []int32 // of each; nil: they validate
}

// packing is records on their way to disk: the buffers of a shelf hold some of every shard that trains, and of those that
// validate.
type packing struct {
	*shelf
	shards     int // that train
	half, room int // shards in a buffer, records of each
	held, done []int
}

func (s *shelf) newPacking(train int) *packing {
	shards := (train + shardRows - 1) / shardRows
	half := (shards + 2) / 2
	return &packing{
		shelf: s, shards: shards, half: half, room: len(s.shards[0].raw) / s.size / half / flushRecords * flushRecords,
		held: make([]int, shards+1), done: make([]int, shards+1),
	}
}

// pass gathers the rows of two lists, of one store unless a list is empty, in the order of that store where each ascends, and
// appends each to its shard.
func (p *packing) pass(w *workshop, train, val toShelve) error {
	from := train.from
	if from == nil {
		from = val.from
	}
	lists, at := [2]*toShelve{&train, &val}, [2]int{}
	var part, labels, shards []int32
	for at[0] < len(train.rows) || at[1] < len(val.rows) {
		part, labels, shards = part[:0], labels[:0], shards[:0]
		for len(part) < w.sizes.Eval && (at[0] < len(train.rows) || at[1] < len(val.rows)) {
			which, shard := 1, int32(p.shards)
			if at[1] == len(val.rows) || at[0] < len(train.rows) && from.row(train.rows[at[0]]) < from.row(val.rows[at[1]]) {
				which, shard = 0, train.shard[at[0]]
			}
			list, i := lists[which], at[which]
			part, labels, shards = append(part, list.rows[i]), append(labels, w.data.Labels[list.nodes[i]]), append(shards, shard)
			at[which]++
		}
		rows, err := w.testRows.gather(from, part, labels, w.design.FirstHop(), nil)
		if err != nil {
			return err
		}
		for i, shard := range shards {
			if err := p.put(int(shard), rows, i); err != nil {
				return err
			}
		}
	}
	for shard := range p.held {
		if err := p.flush(shard); err != nil {
			return err
		}
	}
	return nil
}

// put appends row i to a shard.
func (p *packing) put(shard int, rows *Rows, i int) error {
	p.pack(&p.shelf.shards[shard/p.half], shard%p.half*p.room+p.held[shard], rows, i)
	if p.held[shard]++; p.held[shard] == p.room {
		return p.flush(shard)
	}
	return nil
}

// flush writes what is held of a shard.
func (p *packing) flush(shard int) error {
	if p.held[shard] == 0 {
		return nil
	}
	n := (p.held[shard] + flushRecords - 1) / flushRecords * flushRecords
	b, at := &p.shelf.shards[shard/p.half], shard%p.half*p.room
	to, first := p.train, shard*shardRows
	if shard == p.shards {
		to, first = p.val, 0
	}
	_, err := to.file.WriteAt(b.raw[at*p.size:(at+n)*p.size], int64(first+p.done[shard])*int64(p.size))
	p.done[shard] += p.held[shard]
	p.held[shard] = 0
	return err
}
