package graph

import (
	"context"
	"errors"
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// Propagation describes the hops H_k = Â^k X of a graph's features X, k = First … K, or with Teleport α those of
// personalised PageRank, H_0 = X and
//
//	H_k = (1−α)·ÂH_{k−1} + α·H_0 = (1−α)^k Â^k X + α Σ_{i<k} (1−α)^i Â^i X.
//
// With Combine, one matrix is kept in place of the hops, their sum
//
//	C = Σ_{k=0..K} w_k H_k.
//
// The columns of X are propagated in blocks: a block of hop 0 is made from the features (but for very sparse ones, which go
// into hop 1 as they are), and each next hop's block is one sparse product with the one before. Columns do not mix, and the
// sum for an element runs over its node's neighbours in ascending order whichever rows and columns are computed with it;
// the teleport follows it, and C grows by one hop after the other, in ascending order. So the bits of the hops depend neither
// on the [Way] nor on threads, nor on Rows.
//
// A description is not changed any more once a method has been called.
type Propagation struct {
	Graph     *Graph
	Adjacency *Adjacency // Â; may be nil where K is 0
	Scaling   Scaling    // of X, and of the hops for ScaleRMS
	First, K  int        // the hops that are kept: 0 … K for SIGN, K alone for SGC
	Teleport  float64    // α of personalised PageRank, 0 … 1; 0 = powers of Â alone, 1 = every hop is X

	// Combine are the weights w_0 … w_K of a sum of hops, used as float32; nil keeps the hops themselves. The sum is kept as
	// hop K, in place of H_K, and First is K. Products w_k·H_k and sums are rounded to float32 one after the other, k
	// ascending; hops of weight 0 are left out. No hop is held longer than the next one needs it. [MeanWeights],
	// [S2GCWeights], [PPRWeights] and [HeatWeights] are those of papers.
	Combine []float64

	// Limit keeps after the hops, as hop K+1, what powers of Â tend to: Â^∞ X. It needs Â, and neither Teleport nor Combine.
	Limit bool

	// Rows are the nodes whose hops are kept, in this order: row i of a hop is that of node Rows[i]. nil keeps all nodes.
	// Only what these rows depend on is computed. Hops on disk are fastest to read in their order: put the nodes that train
	// first.
	Rows []int32

	// Ranks divides the nodes into ranges of about as many entries of Â, each of which computes its rows and gets from the others
	// those of the hop before that these depend on; [Hops.Exchanged] counts their bytes. Less than 2: nothing is divided. Every hop is
	// computed for all nodes then, and the edges are in memory.
	Ranks int

	Progress func(done, total int) // called after every block of every hop; may be nil

	field []frontier // what the hops need, once it is known
}

// Check says what is wrong with the description.
func (p *Propagation) Check() error {
	n, f := p.Graph.Nodes, &p.Graph.Features
	switch {
	case p.First < 0 || p.K < p.First:
		return fmt.Errorf("propagate features: hops %d … %d, expected 0 ≤ first ≤ last", p.First, p.K)
	case f.Cols == 0 || f.Sparse == nil && f.Dense == nil && f.Read == nil:
		return fmt.Errorf("propagate features: the graph %s has no features", p.Graph.Name)
	case p.K > 0 && p.Adjacency == nil:
		return errors.New("propagate features: there is no adjacency matrix")
	case p.K > 0 && p.Adjacency.Rows != n:
		return fmt.Errorf("propagate features: an adjacency matrix of %d rows, the graph has %d nodes", p.Adjacency.Rows, n)
	case !(p.Teleport >= 0 && p.Teleport <= 1):
		return fmt.Errorf("propagate features: teleport with probability %v, expected 0 … 1", p.Teleport)
	case p.Limit && (p.Adjacency == nil || p.Adjacency.Norm.Triangles || p.Teleport != 0 || p.Combine != nil):
		return errors.New("propagate features: the limit of the hops is known of powers of an adjacency matrix, without triangles, teleport or a sum of hops")
	case p.Limit && p.Graph.OnDisk():
		return errors.New("propagate features: the limit of the hops needs the edges in memory")
	case p.ranked() && p.Graph.OnDisk():
		return errors.New("propagate features: ranks need the edges in memory")
	case p.Rows != nil && len(p.Rows) == 0:
		return errors.New("propagate features: no rows to keep")
	}
	for i, u := range p.Rows {
		if u < 0 || int(u) >= n {
			return fmt.Errorf("propagate features: row %d to keep is node %d, there are %d", i, u, n)
		}
	}
	if err := checkHopWeights(p.Combine, p.First, p.K); err != nil {
		return fmt.Errorf("propagate features: %w", err)
	}
	return p.Scaling.check()
}

// ranked says whether the propagation is divided among ranks.
func (p *Propagation) ranked() bool { return p.Ranks > 1 && p.K > 0 }

// kept is the number of rows that are kept.
func (p *Propagation) kept() int {
	if p.Rows == nil {
		return p.Graph.Nodes
	}
	return len(p.Rows)
}

// Run computes the hops on the pool's workers, in the given way. spill may be nil unless the way spills or the features
// are read from elsewhere.
func (p *Propagation) Run(ctx context.Context, way Way, pool *kernel.Pool, spill *memory.Spill) (*Hops, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if spill == nil && (way.Spill || p.Graph.Features.Read != nil) {
		return nil, errors.New("propagate features: what does not fit in memory needs a disk; give --disk DIR")
	}
	r, err := p.begin(way, pool, spill)
	if err == nil {
		err = r.run(ctx)
	}
	if err := errors.Join(err, r.close()); err != nil {
		return nil, fmt.Errorf("propagate features: %w", errors.Join(err, r.hops.Close()))
	}
	return r.hops, nil
}
