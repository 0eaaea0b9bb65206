package edges

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/seraph-ml/seraph/engine/memory"
)

// run is sorted keys, compressed: for each key uvarint((u − u') << 1 | 1) and uvarint(v) where its row
// differs from that of the key before, (u', v'), or it is the first, with u' = 0; else uvarint((v − v') << 1).
type run struct {
	keys  int64
	bytes int64
	kept  []byte       // where it is in memory
	file  *memory.File // where it is on disk
}

func (r *run) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// mostKey bounds the bytes of a key in a run.
const mostKey = 16

// flush writes the keys, which are sorted, as a run, and empties the buffer.
func (s *Sorter) flush() error {
	r := &run{bytes: encodedBytes(s.keys, s.words)}
	e := encoder{run: r}
	if r.bytes <= s.layout.kept-s.kept {
		r.kept = s.arena.Bytes(s.layout.keptAt()+s.kept, int(r.bytes))
		e.buf = r.kept
		s.kept += r.bytes
	} else if err := s.place(&e); err != nil {
		return err
	}
	s.runs = append(s.runs, r)
	s.counts.Runs++
	if err := e.add(s.keys, s.words); err != nil {
		return err
	}
	s.keys = s.keys[:0]
	return e.end()
}

// place makes the file of a run, whose bytes bound it.
func (s *Sorter) place(e *encoder) (err error) {
	if s.Spill == nil {
		return fmt.Errorf("sort edges: %s are too little for more than %d pairs; give --disk, or a larger --memory", memory.FormatSize(s.Memory), s.counts.Pairs)
	}
	e.buf = s.arena.Bytes(s.layout.stagingAt(), int(s.layout.staging))
	e.run.file, err = s.Spill.Create("a run of edges", e.run.bytes)
	return err
}

// split returns the ids of the first key.
func split(keys []uint64, words int) (u, v uint64) {
	if words == 1 {
		return keys[0] >> 32, keys[0] & (1<<32 - 1)
	}
	return keys[0], keys[1]
}

// encodedBytes is how long keys are as a run.
func encodedBytes(keys []uint64, words int) int64 {
	u, v := split(keys, words)
	n := uvarintLen(u<<1|1) + uvarintLen(v)
	for i := words; i < len(keys); i += words {
		a, b := split(keys[i:], words)
		if a == u {
			n += uvarintLen((b - v) << 1)
		} else {
			n += uvarintLen((a-u)<<1|1) + uvarintLen(b)
		}
		u, v = a, b
	}
	return n
}

func uvarintLen(x uint64) int64 { return int64(bits.Len64(x|1)+6) / 7 }

// encoder appends keys to a run.
type encoder struct {
	run  *run
	buf  []byte // all of a run in memory; of one on disk what is not written yet
	n    int    // bytes in it
	off  int64  // of it in the file
	u, v uint64 // the key before
}

// add appends keys, which follow those before.
func (e *encoder) add(keys []uint64, words int) error {
	for i := 0; i < len(keys); i += words {
		if e.run.file != nil && e.n > len(e.buf)-mostKey {
			if err := e.write(e.n / memory.BlockSize * memory.BlockSize); err != nil {
				return err
			}
		}
		u, v := split(keys[i:], words)
		if u == e.u && (i > 0 || e.run.keys > 0) {
			e.put((v - e.v) << 1)
		} else {
			e.put((u-e.u)<<1 | 1)
			e.put(v)
		}
		e.u, e.v = u, v
	}
	e.run.keys += int64(len(keys) / words)
	return nil
}

func (e *encoder) put(x uint64) {
	for x >= 0x80 {
		e.buf[e.n] = byte(x) | 0x80
		e.n++
		x >>= 7
	}
	e.buf[e.n] = byte(x)
	e.n++
}

// write writes the first n bytes of the buffer, and moves the others to its front.
func (e *encoder) write(n int) error {
	if _, err := e.run.file.WriteAt(e.buf[:n], e.off); err != nil {
		return fmt.Errorf("sort edges: %w", err)
	}
	e.off += int64(n)
	e.n = copy(e.buf, e.buf[n:e.n])
	return nil
}

// end ends the run.
func (e *encoder) end() error {
	if e.run.file == nil {
		return nil
	}
	err := e.write(e.n)
	e.run.bytes = e.off
	return err
}

// stream decodes a run, a block of keys at a time.
type stream struct {
	run  *run
	left int64    // keys that are not decoded yet
	off  int64    // bytes of the file that were read
	buf  []byte   // for a run on disk: a block for what the last read left, and those that are read at once
	raw  []byte   // encoded keys at hand
	u, v uint64   // the key decoded last
	keys []uint64 // decoded keys, as many as there is room for
	err  error
}

func (t *stream) open(r *run) {
	t.run, t.left = r, r.keys
	if r.file == nil {
		t.raw = r.kept
	}
}

// advance forgets the first n words of keys, and decodes others into the room.
func (t *stream) advance(n, words int) {
	t.keys = t.keys[:copy(t.keys, t.keys[n:])]
	for t.left > 0 && len(t.keys) < cap(t.keys) && t.err == nil {
		if len(t.raw) < mostKey {
			t.err = t.load()
		}
		t.decode(words)
	}
}

// decode decodes keys that are surely whole.
func (t *stream) decode(words int) {
	raw, u, v, left, keys := t.raw, t.u, t.v, t.left, t.keys
	last := t.run.file == nil || t.off >= t.run.bytes
	for left > 0 && len(keys) < cap(keys) && (len(raw) >= mostKey || last) {
		x, n := uvarint(raw)
		if x&1 == 0 {
			v += x >> 1
		} else {
			var m int
			v, m = uvarint(raw[n:])
			u, n = u+x>>1, n+m
		}
		if n == 0 || n > len(raw) {
			t.err = errors.New("sort edges: a run on disk does not hold what was written")
			break
		}
		raw = raw[n:]
		if words == 1 {
			keys = append(keys, u<<32|v)
		} else {
			keys = append(keys, u, v)
		}
		left--
	}
	t.raw, t.u, t.v, t.left, t.keys = raw, u, v, left, keys
}

// uvarint reads a number; 0 bytes of it when there is none.
func uvarint(p []byte) (x uint64, n int) {
	for shift := uint(0); n < len(p); shift += 7 {
		b := p[n]
		n++
		x |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return x, n
		}
	}
	return 0, 0
}

// load reads on behind what is left of the last read, so that reads begin at blocks in memory and in the file.
func (t *stream) load() error {
	if t.run.file == nil || t.off >= t.run.bytes {
		return nil
	}
	front := memory.BlockSize - copy(t.buf[memory.BlockSize-len(t.raw):], t.raw)
	n := int(min(int64(len(t.buf)-memory.BlockSize), t.run.bytes-t.off))
	if _, err := t.run.file.ReadAt(t.buf[memory.BlockSize:memory.BlockSize+n], t.off); err != nil {
		return fmt.Errorf("sort edges: %w", err)
	}
	t.off += int64(n)
	t.raw = t.buf[front : memory.BlockSize+n]
	return nil
}
