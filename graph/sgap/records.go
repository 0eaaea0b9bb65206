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
// hold some of every shard.
func shelfRecords(train, val int) int {
	shards := (train + shardRows - 1) / shardRows
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
// buffer, a few of its rows at a time. room is working memory for one number of each row that trains.
func (s *shelf) fill(w *workshop, from *store, split graph.Split, dealt, room []int32) error {
	if err := s.wait(); err != nil {
		return err
	}
	s.shards[0].of, s.shards[1].of = nil, nil
	s.val.count = len(split.Val)
	if err := s.write(w, from, s.val, split.Val, nil); err != nil {
		return err
	}
	if s.train == nil {
		return nil
	}
	s.train.count = len(split.Train)
	for place, row := range dealt {
		room[row] = int32(place / shardRows)
	}
	return s.write(w, from, s.train, split.Train, room)
}

// write gathers the rows of nodes, which ascend, and appends each to its shard (nil: all to one): the buffers hold some records
// of every shard, and what is full goes to disk.
func (s *shelf) write(w *workshop, from *store, to *records, nodes, shardOf []int32) error {
	shards := 1
	if shardOf != nil {
		shards = (len(nodes) + shardRows - 1) / shardRows
	}
	half := (shards + 1) / 2
	room := len(s.shards[0].raw) / s.size / half / flushRecords * flushRecords
	held, done := make([]int, shards), make([]int, shards)
	flush := func(shard int) error {
		n := (held[shard] + flushRecords - 1) / flushRecords * flushRecords
		b, at := &s.shards[shard/half], shard%half*room
		_, err := to.file.WriteAt(b.raw[at*s.size:(at+n)*s.size], int64(shard*shardRows+done[shard])*int64(s.size))
		done[shard] += held[shard]
		held[shard] = 0
		return err
	}
	for lo := 0; lo < len(nodes); lo += w.sizes.Eval {
		part := nodes[lo:min(lo+w.sizes.Eval, len(nodes))]
		rows, err := w.testRows.gather(from, part, w.data.labelsOf(part), w.design.FirstHop(), nil)
		if err != nil {
			return err
		}
		for i := range part {
			shard := 0
			if shardOf != nil {
				shard = int(shardOf[lo+i])
			}
			s.pack(&s.shards[shard/half], shard%half*room+held[shard], rows, i)
			if held[shard]++; held[shard] == room {
				if err := flush(shard); err != nil {
					return err
				}
			}
		}
	}
	for shard := range shards {
		if held[shard] > 0 {
			if err := flush(shard); err != nil {
				return err
			}
		}
	}
	return nil
}
