package kcore

import (
	"math"
	"slices"
	"sync"

	"github.com/seraph-ml/seraph/graph/edges"
)

// Ranks computes core numbers as the paper does (K-Core Decomposition on Super Large Graphs with Limited Resources, 2022),
// on ranks that own the vertices of a range each and tell each other estimates, nothing else:
//
//	for thresholds t, descending:
//	  divide: W = vertices left that could have core numbers above t
//	  conquer: x(v) = |N(v) ∩ W| + |N(v) ∩ finished|
//	           x(v) ← h-index of the neighbours' x, the finished ones being infinite, until nothing changes
//	  finished: those of x(v) > t, and x(v) is their core number
//
// Ranks are goroutines here. All work goes in steps, and between two steps everybody has what the others sent.
type Ranks struct {
	Ranks int
	At    []int32 // thresholds, descending; the last part, of all that is left, needs none
	Exact bool    // divide by deleting again and again who has at most t neighbours in W and finished; else by degree alone

	Messages int64 // (vertex, estimate) that were sent by all

	g     *Graph
	ranks []*rank
}

// What a rank knows of a vertex that has no estimate.
const (
	finished  = math.MaxInt32 // counts whatever is asked
	candidate = math.MaxInt32 - 1
	outside   = -1 // never counts
)

// rank owns the vertices lo … hi−1.
type rank struct {
	lo, hi int32
	x      []int32 // what it knows of its vertices and their neighbours
	tagged []bool  // own vertices to look at in this round
	inbox  [][]estimate
	outbox [][]estimate // by receiver
	counts []int32
	looked bool  // at a vertex in this round
	stage  Stage // its share
	sent   int64
}

// estimate is a message: that of vertex v has become x.
type estimate struct{ v, x int32 }

// Decompose fills core, and says what the stages were.
func (r *Ranks) Decompose(g *Graph, core []int32) []Stage {
	r.g, r.ranks, r.Messages = g, nil, 0
	cuts := edges.Ranges(g.Indptr[:g.Nodes], int64(len(g.Indices)), perVertex, r.Ranks)
	for i := range r.Ranks {
		k := &rank{lo: cuts[i], hi: cuts[i+1], x: make([]int32, g.Nodes), outbox: make([][]estimate, r.Ranks), inbox: make([][]estimate, r.Ranks)}
		k.tagged = make([]bool, k.hi-k.lo)
		r.ranks = append(r.ranks, k)
	}
	clear(core)
	var stages []Stage
	for _, t := range append(r.At[:len(r.At):len(r.At)], -1) {
		s := r.conquer(t)
		r.step(func(k *rank) { k.finish(core, t) })
		for _, k := range r.ranks {
			s.Candidates += k.stage.Candidates
			s.Edges += k.stage.Edges
			s.External += k.stage.External
			s.Finished += k.stage.Finished
			k.stage = Stage{}
		}
		s.Edges /= 2
		stages = append(stages, s)
	}
	return stages
}

// conquer divides at t, and lowers the estimates of the part until they are right.
func (r *Ranks) conquer(t int32) Stage {
	s := Stage{Threshold: t}
	r.step(func(k *rank) { k.divide(r, t) })
	for r.Exact && r.step(func(k *rank) { k.drop(r, t) }) > 0 {
	}
	r.step(func(k *rank) { k.begin(r) })
	for {
		s.Updates += r.step(func(k *rank) { k.round(r) })
		if !slices.ContainsFunc(r.ranks, func(k *rank) bool { return k.looked }) {
			return s
		}
		s.Rounds++
	}
}

// step has all ranks do something, then delivers what they sent, and returns how many of their vertices changed.
func (r *Ranks) step(do func(k *rank)) (changed int64) {
	var running sync.WaitGroup
	for _, k := range r.ranks {
		running.Go(func() { k.sent = 0; do(k) })
	}
	running.Wait()
	for i, from := range r.ranks {
		changed += from.sent
		for j, to := range r.ranks {
			to.inbox[i], from.outbox[j] = from.outbox[j], to.inbox[i][:0]
			if i != j {
				r.Messages += int64(len(to.inbox[i]))
			}
		}
	}
	return changed
}

// tell sends a new estimate of an own vertex to its owner itself, and to whoever owns a neighbour.
func (k *rank) tell(r *Ranks, v, x int32) {
	k.sent++
	for i, to := range r.ranks {
		if to == k || len(within(r.g.Neighbours(int(v)), to.lo, to.hi)) > 0 {
			k.outbox[i] = append(k.outbox[i], estimate{v, x})
		}
	}
}

// hear takes over what came.
func (k *rank) hear() {
	for _, messages := range k.inbox {
		for _, e := range messages {
			k.x[e.v] = e.x
		}
	}
}

// divide makes all vertices of degree > t candidates that are not finished, and everybody else outside. Degrees are no secret
// of their owners: ranks would learn those of neighbours when they read the graph.
func (k *rank) divide(r *Ranks, t int32) {
	for v := range k.x {
		switch {
		case k.x[v] == finished:
		case r.g.Degree(v) > t && r.g.Present(v):
			k.x[v] = candidate
		default:
			k.x[v] = outside
		}
	}
}

// drop drops own candidates that have at most t neighbours in W and finished.
func (k *rank) drop(r *Ranks, t int32) {
	k.hear()
	for v := k.lo; v < k.hi; v++ {
		if k.x[v] == candidate {
			if in, out := k.support(r.g, v); in+out <= t {
				k.tell(r, v, outside)
			}
		}
	}
}

// support counts the neighbours in W, and those finished.
func (k *rank) support(g *Graph, v int32) (inside, done int32) {
	for _, u := range g.Neighbours(int(v)) {
		switch k.x[u] {
		case finished:
			done++
		case outside:
		default:
			inside++
		}
	}
	return inside, done
}

// begin gives the own candidates their first estimates, and tags them.
func (k *rank) begin(r *Ranks) {
	k.hear()
	for v := k.lo; v < k.hi; v++ {
		if k.x[v] != candidate {
			continue
		}
		inside, done := k.support(r.g, v)
		k.stage.Candidates++
		k.stage.Edges += int64(inside)
		k.stage.External += int64(done)
		k.tagged[v-k.lo] = true
		k.tell(r, v, inside+done)
	}
}

// round lowers the estimates of own vertices that are tagged, and tags those that a neighbour's new estimate may hurt.
func (k *rank) round(r *Ranks) {
	k.hear()
	for _, messages := range k.inbox {
		for _, e := range messages {
			for _, u := range within(r.g.Neighbours(int(e.v)), k.lo, k.hi) {
				if x := k.x[u]; x > e.x && x < candidate {
					k.tagged[u-k.lo] = true
				}
			}
		}
	}
	k.looked = false
	for v := k.lo; v < k.hi; v++ {
		if !k.tagged[v-k.lo] {
			continue
		}
		k.tagged[v-k.lo] = false
		k.looked = true
		if h := k.hIndex(r.g.Neighbours(int(v)), k.x[v]); h < k.x[v] {
			k.tell(r, v, h)
		}
	}
}

// hIndex is the largest h ≤ x such that h neighbours have estimates of at least h.
func (k *rank) hIndex(neighbours []int32, x int32) int32 {
	if int(x) >= len(k.counts) {
		k.counts = make([]int32, x+1)
	}
	for _, u := range neighbours {
		k.counts[max(0, min(k.x[u], x))]++
	}
	h, sum := x, int32(0)
	for ; h > 0; h-- {
		if sum += k.counts[h]; sum >= h {
			break
		}
	}
	clear(k.counts[:x+1])
	return h
}

// rankBytes is about what a rank holds: what it knows, and messages.
func rankBytes(nodes int64) int64 { return 16 * nodes }

// finish writes the core numbers of own vertices that are above t. Of the others' estimates everybody knows what there is to know.
func (k *rank) finish(core []int32, t int32) {
	k.hear()
	for v, x := range k.x {
		if x == finished || x == outside || x <= t {
			continue
		}
		if int32(v) >= k.lo && int32(v) < k.hi {
			core[v] = x
			k.stage.Finished++
		}
		k.x[v] = finished
	}
}

// Thresholds are those at which parts have degrees of at most so many in all, as far as degrees tell: each the smallest such.
func Thresholds(g *Graph, most int64) (at []int32) {
	var sums []int64 // of degrees, by degree
	for v := range g.Nodes {
		d := int(g.Degree(v))
		for len(sums) <= d {
			sums = append(sums, 0)
		}
		sums[d] += int64(d)
	}
	part := int64(0)
	for t := len(sums) - 1; t > 0; t-- {
		if part+sums[t] > most && part > 0 {
			at = append(at, int32(t))
			part = 0
		}
		part += sums[t]
	}
	return at
}
