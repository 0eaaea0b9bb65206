package kcore

import (
	"errors"
	"iter"
	"math"
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
)

// Maintained is a graph whose edges come and go, and whose core numbers are kept right: an edge changes none by more than one, and
// only those that equal the smaller of its ends' numbers K and hang together through such vertices (Sarıyüce et al., Streaming
// Algorithms for k-Core Decomposition, VLDB 2013).
type Maintained struct {
	g       *Graph
	core    []int32
	added   map[int32][]int32 // neighbours that g has not, in any order
	removed map[int32][]int32 // neighbours that g has, and that are none any more
	support []int32           // of the vertices at hand: neighbours that count; −1 for others
	touched []int32           // whose support is not −1
	Edges   int64
}

// Maintain begins with a graph and its core numbers, which are changed from then on; support has room for Nodes values.
func Maintain(g *Graph, core, support []int32) *Maintained {
	for v := range support {
		support[v] = -1
	}
	return &Maintained{g: g, core: core, added: map[int32][]int32{}, removed: map[int32][]int32{}, support: support, Edges: g.Edges}
}

// Neighbours are the neighbours of v now.
func (m *Maintained) Neighbours(v int32) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		removed := m.removed[v]
		for _, u := range m.g.Neighbours(int(v)) {
			if (len(removed) == 0 || !slices.Contains(removed, u)) && !yield(u) {
				return
			}
		}
		for _, u := range m.added[v] {
			if !yield(u) {
				return
			}
		}
	}
}

// Has says whether u and v are neighbours now.
func (m *Maintained) Has(u, v int32) bool {
	if slices.Contains(m.added[u], v) {
		return true
	}
	_, ok := slices.BinarySearch(m.g.Neighbours(int(u)), v)
	return ok && !slices.Contains(m.removed[u], v)
}

// Insert makes u and v neighbours; it is false where they are, or are the same.
func (m *Maintained) Insert(u, v int32) bool {
	if u == v || m.Has(u, v) {
		return false
	}
	for _, e := range [2][2]int32{{u, v}, {v, u}} {
		if i := slices.Index(m.removed[e[0]], e[1]); i >= 0 {
			m.removed[e[0]] = slices.Delete(m.removed[e[0]], i, i+1)
		} else {
			m.added[e[0]] = append(m.added[e[0]], e[1])
		}
	}
	m.Edges++
	if m.core[v] < m.core[u] {
		u = v
	}
	m.rise(u)
	return true
}

// rise lifts those around root that now have a larger core number. Candidates have more than K neighbours of at least K; those
// are dropped, one after the other, that have no more than K among the others and above K.
func (m *Maintained) rise(root int32) {
	k := m.core[root]
	if m.countAtLeast(root, k) <= k {
		return
	}
	defer m.forget()
	m.touch(root, 0)
	for i := 0; i < len(m.touched); i++ {
		for w := range m.Neighbours(m.touched[i]) {
			if m.core[w] == k && m.support[w] < 0 && m.countAtLeast(w, k) > k {
				m.touch(w, 0)
			}
		}
	}
	var dropped []int32
	for _, v := range m.touched {
		for w := range m.Neighbours(v) {
			if m.core[w] > k || m.support[w] >= 0 {
				m.support[v]++
			}
		}
	}
	const gone = 0 // no candidate that is left has so little support, as there are more than k ≥ 0
	for _, v := range m.touched {
		if m.support[v] <= k {
			m.support[v] = gone
			dropped = append(dropped, v)
		}
	}
	for i := 0; i < len(dropped); i++ {
		for w := range m.Neighbours(dropped[i]) {
			if m.core[w] == k && m.support[w] > gone {
				if m.support[w]--; m.support[w] <= k {
					m.support[w] = gone
					dropped = append(dropped, w)
				}
			}
		}
	}
	for _, v := range m.touched {
		if m.support[v] > gone {
			m.core[v] = k + 1
		}
	}
}

// Delete makes u and v no neighbours; it is false where they are none.
func (m *Maintained) Delete(u, v int32) bool {
	if !m.Has(u, v) {
		return false
	}
	for _, e := range [2][2]int32{{u, v}, {v, u}} {
		if i := slices.Index(m.added[e[0]], e[1]); i >= 0 {
			m.added[e[0]] = slices.Delete(m.added[e[0]], i, i+1)
		} else {
			m.removed[e[0]] = append(m.removed[e[0]], e[1])
		}
	}
	m.Edges--
	m.fall(u, v, min(m.core[u], m.core[v]))
	return true
}

// fall lowers those that have fewer than K neighbours of at least K now, beginning with u and v.
func (m *Maintained) fall(u, v, k int32) {
	defer m.forget()
	const queued = math.MinInt32
	var falling []int32 // they count as long as they wait
	look := func(w int32) {
		if m.core[w] != k || m.support[w] == queued {
			return
		}
		if m.support[w] < 0 {
			m.touch(w, m.countAtLeast(w, k))
		} else {
			m.support[w]--
		}
		if m.support[w] < k {
			m.support[w] = queued
			falling = append(falling, w)
		}
	}
	look(u)
	look(v)
	for i := 0; i < len(falling); i++ {
		m.core[falling[i]] = k - 1
		for w := range m.Neighbours(falling[i]) {
			look(w)
		}
	}
}

// countAtLeast counts the neighbours of core numbers of at least k.
func (m *Maintained) countAtLeast(v, k int32) (n int32) {
	for w := range m.Neighbours(v) {
		if m.core[w] >= k {
			n++
		}
	}
	return n
}

func (m *Maintained) touch(v, support int32) {
	m.support[v] = support
	m.touched = append(m.touched, v)
}

// forget makes all support −1 again.
func (m *Maintained) forget() {
	for _, v := range m.touched {
		m.support[v] = -1
	}
	m.touched = m.touched[:0]
}

// Verify proves that the core numbers are those of the edges that there are now, for which it makes a graph of them.
func (m *Maintained) Verify(pool *kernel.Pool) error {
	var b bag
	for v := range int32(m.g.Nodes) {
		for u := range m.Neighbours(v) {
			if u > v {
				if err := b.add([]int64{int64(v), int64(u)}); err != nil {
					return errors.Join(err, closeBags([]bag{b}))
				}
			}
		}
	}
	g, err := build([]bag{b}, int64(m.g.Nodes), pool)
	if err != nil {
		return err
	}
	vectors, err := NewVectors(g.Nodes)
	if err != nil {
		return errors.Join(err, g.Close())
	}
	if err = Order(g, m.core, vectors.Order, vectors.Work); err == nil {
		err = Verify(g, m.core, vectors.Order, vectors.Work)
	}
	return errors.Join(err, vectors.Close(), g.Close())
}
