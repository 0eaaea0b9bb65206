package graph

import (
	"sync"

	"github.com/seraph-ml/seraph/engine/kernel"
)

// groups are the sets of nodes that have a stationary state together.
type groups struct {
	of    []int32 // of each node, alone where it has no neighbours; nil = all nodes are group 0
	count int
}

// alone stands for the group of a node without neighbours, which needs none.
const alone = -1

// groups returns the sets of nodes that have a stationary state together.
func (s *Smoothing) groups() *groups {
	switch {
	case s.grouped != nil:
	case s.Stationarity != StationaryComponent:
		s.grouped = &groups{count: 1}
	default:
		s.grouped = s.Graph.componentGroups()
	}
	return s.grouped
}

// grouping is the components of a graph, found once: copies of the graph with other features share it.
type grouping struct {
	once sync.Once
	groups
}

// componentGroups are the components. It may be called from several goroutines.
func (g *Graph) componentGroups() *groups {
	if g.grouped == nil {
		return g.findGroups() // of a graph that was put together by hand
	}
	g.grouped.once.Do(func() { g.grouped.groups = *g.findGroups() })
	return &g.grouped.groups
}

func (g *Graph) findGroups() *groups {
	of, sizes := g.Components()
	grouped := &groups{of: of}
	number := make([]int32, len(sizes))
	for c, size := range sizes {
		number[c] = alone
		if size > 1 {
			number[c] = int32(grouped.count)
			grouped.count++
		}
	}
	for i, c := range of {
		of[i] = number[c]
	}
	return grouped
}

// componentBytes is what finding the components takes on the Go heap: the component of each node, and a queue that grows.
func (g *Graph) componentBytes() int64 { return 16 * int64(g.Nodes) }

// group is that of node i.
func (g *groups) group(i int) int32 {
	if g.of == nil {
		return 0
	}
	return g.of[i]
}

// stationary is the distribution that the influence on the nodes of a group tends to: π_j = d̃_j / Σ d̃_v over the group.
// π_j of a node that is alone means nothing.
func (s *Smoothing) stationary(b *bump) []float64 {
	g := s.groups()
	pi, mass := b.float64s(s.Graph.Nodes), make([]float64, g.count)
	for j := range pi {
		pi[j] = s.Graph.degree(j, s.Graph.Weights, s.Adjacency.Norm)
		if c := g.group(j); c != alone {
			mass[c] += pi[j]
		}
	}
	for j := range pi {
		if c := g.group(j); c != alone {
			pi[j] /= mass[c]
		}
	}
	return pi
}

// references makes the stationary features of every group in a block of columns, πX, as a task: a unit is columnStep
// columns. The sum of a column runs over the nodes in ascending order.
type references struct {
	*groups
	pi    []float64
	x     strip
	width int
	sums  []float64 // count × width
}

// run computes them.
func (r *references) run(x strip, width int, pool *kernel.Pool) {
	r.x, r.width = x, width
	pool.For((width+columnStep-1)/columnStep, 1, r)
}

// Do computes columns of units lo to hi.
func (r *references) Do(_, lo, hi int) {
	first, end := lo*columnStep, min(hi*columnStep, r.width)
	for c := range r.count {
		clear(r.sums[c*r.width+first : c*r.width+end])
	}
	for i, p := range r.pi {
		c := int(r.group(i))
		if c == alone {
			continue
		}
		sums := r.sums[c*r.width+first : c*r.width+end]
		for j, v := range r.x.data[i*r.x.stride+first:][:len(sums)] {
			sums[j] += float64(p * float64(v))
		}
	}
}

// row is the stationary features of the group of node i in the block.
func (r *references) row(i int) []float64 {
	return r.sums[int(r.group(i))*r.width:][:r.width]
}

// squaredDistance adds ‖x − y‖² to sum until it is bound or more: then how much more means nothing. Elements are taken in
// groups of columnStep, each summed by itself, so that blocks of columns make no difference.
func squaredDistance[T float32 | float64](sum, bound float64, x []T, y []float64) float64 {
	for len(x) > 0 && sum < bound {
		n := min(columnStep, len(x))
		var lanes [4]float64
		for i, v := range x[:n] {
			d := float64(v) - y[i]
			lanes[i%4] += float64(d * d)
		}
		sum += (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
		x, y = x[n:], y[n:]
	}
	return sum
}
