package graph

import (
	"context"
	"errors"
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// Smoothing describes node-dependent local smoothing (NDLS): Zhang et al., Node Dependent Local Smoothing for Scalable
// Graph Learning, NeurIPS 2021. With Â = D̃⁻¹Ã and X⁽ᵏ⁾ = ÂᵏX, every node i is smoothed over hops of its own number:
//
//	K(i, ε) = min { k : distance of node i to the stationary state after k steps < ε }    [Smoothing.Steps]
//	X̃_i     = 1/(K(i, ε)+1) Σ_{k ≤ K(i, ε)} X⁽ᵏ⁾_i                                         [Smoothing.Smooth]
//
// A hub is over-smoothed after a few steps, a node at the rim after dozens. The distance is not monotone in k, so the first
// k counts. Smoothing the features before training is NDLS-F; smoothing soft predictions afterwards, given as Features, is
// NDLS-L.
//
// Hops pass through two blocks of feature columns and are never kept. They are computed twice, for the steps and for the
// average: 2·edges·columns operations a hop, and as many hops as the node with the most steps takes. The bits of steps and result depend neither on the
// [Way] nor on threads, nor on Rows.
//
// A description is not changed any more once a method has been called.
type Smoothing struct {
	Graph     *Graph
	Adjacency *Adjacency // Â with r = 0 and self-loops: its rows sum to 1
	Features  *Features  // what is smoothed, Nodes rows; nil = the features of the graph
	Scaling   Scaling    // of the features' rows; the distances are on this scale. ScaleRMS is none of rows and is refused

	Epsilon      float64 // ε > 0
	Kmax         int     // steps 0 … Kmax−1 are looked at
	Distance     Distance
	Stationarity Stationarity
	Averaging    Averaging
	Restart      float64 // α of X̃_i = α X_i + (1−α)·mean, 0 … 1

	// Rows are the nodes whose smoothed rows are kept, in this order; nil keeps all. All nodes are computed: in K steps
	// most reach each other.
	Rows []int32

	Progress func(done, total int) // called after every step of every block, or every few nodes; may be nil

	grouped *groups // once it is known
}

// Distance says how far from the stationary state a node is after k steps.
type Distance string

// The distances. "" is the first.
const (
	// ‖X⁽ᵏ⁾_i − X^∞_i‖₂, as the released code of the paper has it: O(Kmax · edges · columns).
	DistanceFeatures Distance = "features"
	// ‖I_i(k) − I^∞_i‖₂ of the influence I_i(k), row i of Âᵏ: the definition of the paper (§3). It does not see the
	// features. Computed in float64 node by node, Σ_i K(i, ε) · edges operations: for graphs of some 10⁴ nodes. For larger
	// ones DistanceFeatures of random features estimates it: of q columns, normal with variance 1/q, to 1/√(2q).
	DistanceInfluence Distance = "influence"
)

// Stationarity says what Âᵏ is taken to tend to.
type Stationarity string

// The stationary states. "" is the first. They are the same for a connected graph.
const (
	// I^∞_ij = d̃_j / Σ_v d̃_v over all nodes, as the released code has it. Nodes outside of the largest component seldom come
	// near, and are smoothed over all Kmax steps, which in effect averages their component.
	StationaryGlobal Stationarity = "global"
	// The sum over v runs over the component of i, and other components have no influence: what Âᵏ does tend to.
	StationaryComponent Stationarity = "component"
)

// Averaging says which hops of a node are averaged.
type Averaging string

// The averages. "" is the first. Where K(i, ε) = 0 both leave X_i as it is.
const (
	AverageFormula  Averaging = "formula"  // k = 0 … K(i, ε), as the paper writes
	AverageReleased Averaging = "released" // k = 0 … K(i, ε)−1, as its released code does, there with Restart 0.15
)

// terms is the number of hops that are averaged, 0 … terms−1.
func (a Averaging) terms(steps int32) int {
	if a == AverageReleased {
		return max(int(steps), 1)
	}
	return int(steps) + 1
}

// Check says what is wrong with the description.
func (s *Smoothing) Check() error {
	n, f, a := s.Graph.Nodes, s.features(), s.Adjacency
	switch {
	case n == 0:
		return errors.New("local smoothing: the graph has no nodes")
	case a == nil || a.Norm != Norm{R: 0, SelfLoops: true}:
		return errors.New("local smoothing: the adjacency matrix has to be normalised with r = 0 and self-loops")
	case a.Rows != n:
		return fmt.Errorf("local smoothing: an adjacency matrix of %d rows, the graph has %d nodes", a.Rows, n)
	case f.Cols == 0 || f.Sparse == nil && f.Dense == nil && f.Read == nil:
		return errors.New("local smoothing: there are no features")
	case f.Rows != n || f.Dense != nil && len(f.Dense) < n*f.Cols:
		return fmt.Errorf("local smoothing: %d rows of features, the graph has %d nodes", f.Rows, n)
	case !(s.Epsilon > 0):
		return fmt.Errorf("local smoothing: epsilon is %v, expected more than 0", s.Epsilon)
	case s.Kmax < 1:
		return fmt.Errorf("local smoothing: at most %d steps, expected at least 1", s.Kmax)
	case !(s.Restart >= 0 && s.Restart <= 1):
		return fmt.Errorf("local smoothing: restart %v, expected 0 … 1", s.Restart)
	case s.Graph.OnDisk() && (s.Distance == DistanceInfluence || s.Stationarity == StationaryComponent):
		return errors.New("local smoothing: influence and components need the edges in memory")
	case s.Rows != nil && len(s.Rows) == 0:
		return errors.New("local smoothing: no rows to keep")
	}
	for i, u := range s.Rows {
		if u < 0 || int(u) >= n {
			return fmt.Errorf("local smoothing: row %d to keep is node %d, there are %d", i, u, n)
		}
	}
	return s.checkChoices()
}

func (s *Smoothing) checkChoices() error {
	wrong := func(what string, got, first, second any) error {
		return fmt.Errorf("local smoothing: %s %q, expected %s or %s", what, got, first, second)
	}
	switch {
	case s.Scaling == ScaleRMS:
		return errors.New("local smoothing: scaling rms gives every hop a scale of its own; take l1, l2 or none")
	case s.Distance != "" && s.Distance != DistanceFeatures && s.Distance != DistanceInfluence:
		return wrong("distance", s.Distance, DistanceFeatures, DistanceInfluence)
	case s.Stationarity != "" && s.Stationarity != StationaryGlobal && s.Stationarity != StationaryComponent:
		return wrong("stationarity", s.Stationarity, StationaryGlobal, StationaryComponent)
	case s.Averaging != "" && s.Averaging != AverageFormula && s.Averaging != AverageReleased:
		return wrong("averaging", s.Averaging, AverageFormula, AverageReleased)
	}
	return s.Scaling.check()
}

// features is what is smoothed.
func (s *Smoothing) features() *Features {
	if s.Features != nil {
		return s.Features
	}
	return &s.Graph.Features
}

// kept is the number of rows that are kept.
func (s *Smoothing) kept() int {
	if s.Rows == nil {
		return s.Graph.Nodes
	}
	return len(s.Rows)
}

// checkDisk says whether a disk that is needed is missing.
func (s *Smoothing) checkDisk(needed bool, spill *memory.Spill) error {
	if spill == nil && (needed || s.features().Read != nil) {
		return errors.New("local smoothing: what does not fit in memory needs a disk; give --disk DIR")
	}
	return nil
}

// LocalSteps are the local smoothing iterations of all nodes. They are valid until Close.
type LocalSteps struct {
	K     []int32 // K(i, ε) of node i
	Never int     // nodes that none of the steps brings near enough; their K is Kmax−1

	arena *memory.Arena
}

// Close gives the memory back.
func (l *LocalSteps) Close() error {
	arena := l.arena
	*l = LocalSteps{}
	if arena == nil {
		return nil
	}
	return arena.Close()
}

// Steps computes K(i, ε) of every node on the pool's workers. spill may be nil unless the way spills, as the distances of several
// blocks of columns then do, or the features are read from elsewhere: they are once here, and once by Smooth.
func (s *Smoothing) Steps(ctx context.Context, way Way, pool *kernel.Pool, spill *memory.Spill) (*LocalSteps, error) {
	if err := errors.Join(s.Check(), s.checkDisk(s.Distance != DistanceInfluence && s.tableDisk(way) > 0, spill)); err != nil {
		return nil, err
	}
	arena, err := memory.NewArena(s.stepsBytes())
	if err != nil {
		return nil, fmt.Errorf("local smoothing: %w", err)
	}
	local := &LocalSteps{K: arena.Int32s(0, s.Graph.Nodes), arena: arena}
	for i := range local.K {
		local.K[i] = undecided
	}
	// A node without neighbours is its own stationary state from the start.
	for i, group := range s.groups().of {
		if group == alone {
			local.K[i] = 0
		}
	}
	if s.Distance == DistanceInfluence {
		err = s.stepsByInfluence(ctx, local.K, pool)
	} else {
		err = s.stepsByFeatures(ctx, way, local.K, pool, spill)
	}
	if err != nil {
		return nil, fmt.Errorf("local smoothing: %w", errors.Join(err, local.Close()))
	}
	for i, k := range local.K {
		if k == undecided {
			local.K[i] = int32(s.Kmax - 1)
			local.Never++
		}
	}
	return local, nil
}

// undecided stands for the steps of a node that have not been found yet.
const undecided = -1
