package edges

import (
	"errors"
	"fmt"
	"sync"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// MaxID is the largest id.
const MaxID = 1<<48 - 1

// Options say how to sort.
type Options struct {
	Memory    int64         // bytes to work in, at least Least
	Spill     *memory.Spill // where runs go when memory is full; nil: nowhere, and then more pairs are an error
	Symmetric bool          // every pair counts in both directions: the adjacency matrix of an undirected graph
	Keep      bool          // loops and duplicates are entries like any other
	Workers   int           // threads; less than 2: the caller alone
}

// Counts are what was found among the pairs.
type Counts struct {
	Pairs      int64  // that were added
	Loops      int64  // of an id with itself: dropped, but for the row of the id
	Duplicates int64  // pairs that were there before, in either direction where Symmetric
	Entries    int64  // of all rows: with Symmetric twice the edges
	Rows       int64  // with Symmetric one for each id seen, else for each first id of a pair; those of loops alone are empty
	Longest    int64  // entries of the longest row
	Largest    uint64 // id
	Runs       int    // that were written before the rows, those of merging passes included
}

// Vertex is a type that holds ids.
type Vertex interface {
	~int32 | ~uint32 | ~int64 | ~uint64
}

// Sorter collects pairs and gives rows.
type Sorter struct {
	Options
	layout layout
	arena  *memory.Arena
	pool   *kernel.Pool

	mu     sync.Mutex // of what follows
	counts Counts
	words  int      // of a key: 1, id u in the upper half, as long as ids are below 2^32, else 2
	keys   []uint64 // that are not in a run yet
	spare  []uint64 // as large, to sort in
	radix  radix
	runs   []*run
	kept   int64 // bytes of runs in memory
	done   bool  // no more pairs
	err    error // sticks
}

// NewSorter makes a sorter. Its memory is reserved now, and becomes resident as pairs come.
func NewSorter(o Options) (*Sorter, error) {
	if o.Memory < Least {
		return nil, fmt.Errorf("sort edges: %s of memory, expected at least %s", memory.FormatSize(o.Memory), memory.FormatSize(Least))
	}
	arena, err := memory.NewArena(o.Memory / memory.BlockSize * memory.BlockSize)
	if err != nil {
		return nil, fmt.Errorf("sort edges: %w", err)
	}
	s := &Sorter{Options: o, layout: newLayout(arena.Size()), arena: arena, pool: kernel.NewPool(o.Workers)}
	s.divide(1)
	return s, nil
}

// divide makes the empty buffers for keys of so many words.
func (s *Sorter) divide(words int) {
	n := int(s.layout.sort / 2 / 16 * 2) // words of each half: even
	s.words = words
	s.keys, s.spare = s.arena.Uint64s(0, n)[:0], s.arena.Uint64s(8*int64(n), n)
}

// Add adds the pairs (u[i], v[i]). It may be called from several goroutines.
func Add[V Vertex](s *Sorter, u, v []V) error {
	if len(u) != len(v) {
		return fmt.Errorf("sort edges: %d first and %d second ids", len(u), len(v))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done && s.err == nil {
		return errors.New("sort edges: more pairs after the rows were read")
	}
	for len(u) > 0 && s.err == nil {
		n := min(len(u), 1<<16)
		if s.err = widen(s, u[:n], v[:n]); s.err != nil {
			break
		}
		room := (cap(s.keys) - len(s.keys)) / s.words / 2
		if room == 0 {
			s.err = s.settle()
			continue
		}
		n = min(n, room)
		if s.words == 1 {
			addNarrow(s, u[:n], v[:n])
		} else {
			addWide(s, u[:n], v[:n])
		}
		u, v = u[n:], v[n:]
	}
	return s.err
}

// widen checks ids, and changes to keys of two words where one has no room for them.
func widen[V Vertex](s *Sorter, u, v []V) error {
	all, largest := uint64(0), s.counts.Largest
	for i, a := range u {
		b := v[i]
		all |= uint64(a) | uint64(b)
		largest = max(largest, uint64(a), uint64(b))
	}
	if all > MaxID {
		for i, a := range u {
			if uint64(a) > MaxID || uint64(v[i]) > MaxID {
				return fmt.Errorf("sort edges: edge %d – %d: ids are numbers from 0 to 2^48−1", a, v[i])
			}
		}
	}
	s.counts.Largest = largest
	if all>>32 == 0 || s.words == 2 {
		return nil
	}
	if len(s.keys) > 0 {
		s.sortKeys()
		if err := s.flush(); err != nil {
			return err
		}
	}
	s.divide(2)
	return nil
}

func addNarrow[V Vertex](s *Sorter, u, v []V) {
	at, keys := len(s.keys), s.keys[:cap(s.keys)]
	for i, a := range u {
		x, y := uint64(a), uint64(v[i])
		keys[at] = x<<32 | y
		at++
		switch {
		case x == y:
			s.counts.Loops++
		case s.Symmetric:
			keys[at] = y<<32 | x
			at++
		}
	}
	s.counts.Pairs += int64(len(u))
	s.keys = keys[:at]
}

func addWide[V Vertex](s *Sorter, u, v []V) {
	for i, a := range u {
		x, y := uint64(a), uint64(v[i])
		s.keys = append(s.keys, x, y)
		switch {
		case x == y:
			s.counts.Loops++
		case s.Symmetric:
			s.keys = append(s.keys, y, x)
		}
	}
	s.counts.Pairs += int64(len(u))
}

// settle makes room: it sorts the keys, and writes them as a run unless most were duplicates.
func (s *Sorter) settle() error {
	s.sortKeys()
	if len(s.keys) <= cap(s.keys)/2 {
		return nil
	}
	return s.flush()
}

// sortKeys sorts the keys and drops duplicates.
func (s *Sorter) sortKeys() {
	s.radix.sort(s.pool, s.keys, s.spare[:len(s.keys)], s.words)
	s.keys = s.compact(s.keys)
}

// compact drops duplicates of sorted keys, unless they are to be kept.
func (s *Sorter) compact(keys []uint64) []uint64 {
	if s.Keep {
		return keys
	}
	return compact(keys, s.words)
}

// compact drops duplicates of sorted keys.
func compact(keys []uint64, words int) []uint64 {
	if len(keys) == 0 {
		return keys
	}
	n := words
	if words == 1 {
		last := keys[0]
		for _, k := range keys[1:] {
			if k != last {
				keys[n] = k
				last = k
				n++
			}
		}
		return keys[:n]
	}
	for i := 2; i < len(keys); i += 2 {
		if keys[i] != keys[n-2] || keys[i+1] != keys[n-1] {
			keys[n], keys[n+1] = keys[i], keys[i+1]
			n += 2
		}
	}
	return keys[:n]
}

// Close gives memory and disk back.
func (s *Sorter) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, r := range s.runs {
		errs = append(errs, r.close())
	}
	s.runs, s.keys, s.spare, s.done = nil, nil, nil, true
	if s.err == nil {
		s.err = errors.New("sort edges: the sorter is closed")
	}
	s.pool.Close()
	return errors.Join(append(errs, s.arena.Close())...)
}
