package graph

import (
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/run"
)

// BlockModel is a degree-corrected stochastic block model (Karrer and Newman, 2011) with features: a graph for node
// classification of any size. Every edge, feature, label and part of the split is a function of the seed and its number
// alone, so nothing is kept while generating and the bits depend on neither threads nor blocks.
//
// Nodes fall into classes of equal size. There are Nodes·Degree/2 edges, drawn independently: the first end in proportion
// to the nodes' weights; the second of the same class with probability Homophily, else of another class, in proportion to
// weights. No edge is a self-loop; the same pair may be drawn again ([New] merges it). Weights follow a power law, with a
// greatest expected degree of about √(Nodes·Degree), above which pairs would be drawn again often.
type BlockModel struct {
	Nodes, Classes int
	Degree         float64 // mean degree
	Homophily      float64 // share of edges within a class, 0 … 1
	Exponent       float64 // γ > 2 of the degree distribution P(k) ∝ k^−γ; 0: all nodes have the same expected degree

	// A share of each class lies in a sparse region of another mean degree; the rest has Degree. An edge stays in its
	// region with probability 0.9, and else ends in either region in proportion to weights.
	SparseShare     float64 // 0: no such region
	SparseDegree    float64
	SparseHomophily float64 // share within a class of the edges whose first end is in that region; 0: Homophily

	Features   int     // columns; 0 for none
	Signal     float64 // a feature row is Signal·μ + z: μ a unit vector of the class, z standard normal in every column
	LabelNoise float64 // share of nodes whose label is that of another class

	Train, Val float64 // shares of nodes; the others test
	Seed       uint64
}

// DefaultBlockModel is a graph on which the neighbours tell far more about the class than a node's own features.
var DefaultBlockModel = BlockModel{
	Nodes: 10_000, Classes: 10, Degree: 10, Homophily: 0.7, Exponent: 2.8, Features: 64, Signal: 1.5, Train: 0.1, Val: 0.1,
}

// stay is the probability that an edge stays in its region by choice.
const stay = 0.9

// Check says which parameter is out of range.
func (m *BlockModel) Check() error {
	share := func(x float64) bool { return x >= 0 && x <= 1 }
	for _, c := range []struct {
		ok              bool
		what            string
		found, expected any
	}{
		{m.Nodes >= 2 && m.Nodes <= format.MaxNodes, "nodes", m.Nodes, fmt.Sprintf("2 … %d", format.MaxNodes)},
		{m.Classes >= 1 && 2*m.Classes <= m.Nodes, "classes", m.Classes, "1 … half the nodes"},
		{m.Degree >= 0 && m.Degree < float64(m.Nodes), "degree", m.Degree, "0 … the number of nodes"},
		{share(m.Homophily) && (m.Classes > 1 || m.Homophily == 1), "homophily", m.Homophily, "0 … 1, and 1 for one class"},
		{m.Exponent == 0 || m.Exponent > 2 && m.Exponent <= 100, "exponent", m.Exponent, "more than 2 (up to 100), or 0 for equal degrees"},
		{share(m.SparseShare) && m.SparseShare < 1, "sparse-share", m.SparseShare, "0 up to, not including, 1"},
		{share(m.SparseHomophily) && (m.Classes > 1 || m.SparseHomophily == 0), "sparse-homophily", m.SparseHomophily, "0 … 1, and 0 for one class"},
		{m.SparseDegree >= 0 && m.SparseDegree < float64(m.Nodes), "sparse-degree", m.SparseDegree, "0 … the number of nodes"},
		{m.Features >= 0 && m.Features <= format.MaxNodes, "features", m.Features, "0 or more"},
		{m.Signal >= 0 && m.Signal <= 1e6, "signal", m.Signal, "0 … 1e6"},
		{share(m.LabelNoise) && (m.Classes > 1 || m.LabelNoise == 0), "label-noise", m.LabelNoise, "0 … 1, and 0 for one class"},
		{m.Train > 0 && m.Val >= 0 && m.Train+m.Val <= 1, "train and val", []float64{m.Train, m.Val}, "shares above and from 0 whose sum is at most 1"},
	} {
		if !c.ok {
			return run.Usagef("generate a graph: %s = %v, expected %v", c.what, c.found, c.expected)
		}
	}
	return nil
}

// Edges is the number of edges that are drawn.
func (m *BlockModel) Edges() int {
	degrees := 0.0
	for class := range m.Classes {
		sparse := m.sparseNodes(class)
		degrees += float64(m.first(class+1)-m.first(class)-sparse)*m.Degree + float64(sparse)*m.SparseDegree
	}
	return int(math.Round(degrees / 2))
}

// A node has a place: places 0 … Nodes−1 run through the classes, in each through the nodes of Degree and then those of
// the sparse region, and in each region from the greatest weight to the least.

// first is the first place of a class.
func (m *BlockModel) first(class int) int {
	return int(int64(class) * int64(m.Nodes) / int64(m.Classes))
}

// class returns the class of a place.
func (m *BlockModel) class(place int) int {
	class := int(int64(place) * int64(m.Classes) / int64(m.Nodes))
	for class+1 < m.Classes && m.first(class+1) <= place {
		class++
	}
	return class
}

// sparseNodes is the number of nodes of a class in the sparse region; at least one stays outside.
func (m *BlockModel) sparseNodes(class int) int {
	size := m.first(class+1) - m.first(class)
	return min(int(m.SparseShare*float64(size)+0.5), size-1)
}

// region is a block of the model: nodes of one class and one density.
type region struct {
	first, size int     // places
	mass        float64 // sum of the expected degrees
	low         float64 // weight of rank x: ∫ (t + low)^−decay dt over x … x+1
	decay       float64 // 1/(γ − 1)
}

// region returns the part of a class that is sparse or not.
func (m *BlockModel) region(class int, sparse bool) region {
	begin, end := m.first(class), m.first(class+1)
	split := end - m.sparseNodes(class)
	r := region{first: begin, size: split - begin, mass: float64(split-begin) * m.Degree}
	if sparse {
		r = region{first: split, size: end - split, mass: float64(end-split) * m.SparseDegree}
	}
	if m.Exponent == 0 || r.size == 0 {
		return r
	}
	r.decay = 1 / (m.Exponent - 1)
	// The smallest low for which the first node's expected degree is no more than the cut-off.
	cutoff := max(math.Sqrt(float64(m.Nodes)*m.Degree), 2*r.mass/float64(r.size))
	lo, hi := 1e-9, float64(m.Nodes)
	for range 100 {
		r.low = math.Sqrt(lo * hi)
		if r.expected(0) > cutoff {
			lo = r.low
		} else {
			hi = r.low
		}
	}
	return r
}

// integral is the integral of the weights up to rank x, but for a constant.
func (r *region) integral(x float64) float64 { return math.Pow(x+r.low, 1-r.decay) }

// expected is the expected degree of a rank.
func (r *region) expected(rank int) float64 {
	x := float64(rank)
	whole := r.integral(float64(r.size)) - r.integral(0)
	return r.mass * (r.integral(x+1) - r.integral(x)) / whole
}

// at returns the place that a number u in [0, 1) falls on, in proportion to weights.
func (r *region) at(u float64) int {
	x := u * float64(r.size)
	if r.decay > 0 {
		from, to := r.integral(0), r.integral(float64(r.size))
		x = math.Pow(from+float64(u*(to-from)), 1/(1-r.decay)) - r.low
	}
	return r.first + max(0, min(int(x), r.size-1))
}

// Sink takes a generated graph: each method once, in this order. The OGB writer is one.
type Sink interface {
	Edges(fill func(emit func(src, dst []int32) error) error) error
	Features(cols int, fill func(emit func(block []float32) error) error) error
	Labels(labels []int32) error
	Split(scheme string, train, val, test []int32) error
	Finish() error
}

// Write generates the graph into a sink, edges and feature rows block by block, on the pool's workers.
func (m *BlockModel) Write(to Sink, pool *kernel.Pool) error {
	if err := m.Check(); err != nil {
		return err
	}
	g := newGenerator(m, pool)
	if err := to.Edges(g.edges); err != nil {
		return err
	}
	if m.Features > 0 {
		if err := to.Features(m.Features, g.features); err != nil {
			return err
		}
	}
	if err := to.Labels(g.labels()); err != nil {
		return err
	}
	train, val, test := g.split()
	if err := to.Split("random", train, val, test); err != nil {
		return err
	}
	return to.Finish()
}

// Generate returns the graph in memory, with its split as the public one.
func (m *BlockModel) Generate(pool *kernel.Pool) (*format.Graph, error) {
	to := &memorySink{graph: &format.Graph{Name: "block-model", Format: "generated", Nodes: m.Nodes, Classes: m.Classes}}
	if err := m.Write(to, pool); err != nil {
		return nil, err
	}
	return to.graph, nil
}

// memorySink keeps a generated graph.
type memorySink struct{ graph *format.Graph }

func (s *memorySink) Edges(fill func(emit func(src, dst []int32) error) error) error {
	return fill(func(src, dst []int32) error {
		s.graph.Src, s.graph.Dst = append(s.graph.Src, src...), append(s.graph.Dst, dst...)
		return nil
	})
}

func (s *memorySink) Features(cols int, fill func(emit func(block []float32) error) error) error {
	s.graph.Features.Cols = cols
	s.graph.Features.Dense = make([]float32, 0, s.graph.Nodes*cols)
	return fill(func(block []float32) error {
		s.graph.Features.Dense = append(s.graph.Features.Dense, block...)
		return nil
	})
}

func (s *memorySink) Labels(labels []int32) error {
	s.graph.Labels = labels
	return nil
}

func (s *memorySink) Split(_ string, train, val, test []int32) error {
	s.graph.Train, s.graph.Val, s.graph.Test = train, val, test
	return nil
}

func (s *memorySink) Finish() error { return nil }
