package sgap

import "github.com/seraph-ml/seraph/graph"

// Weighting is a choice of weights for the hops that is the same for every node. The sum is made while the hops are, so that
// they are never held together.
type Weighting struct {
	Kind  WeightingKind
	Alpha float64 // teleport probability of s2gc, decay of ppr
	T     float64 // time of heat
}

// WeightingKind names a family of weights.
type WeightingKind string

// The families.
const (
	S2GC WeightingKind = "s2gc" // 1/K Σ_{k=1}^{K} ((1−α) Â^k X + α X): Zhu and Koniusz, ICLR 2021
	PPR  WeightingKind = "ppr"  // Σ_k α(1−α)^k Â^k X: GBP's personalised PageRank
	Heat WeightingKind = "heat" // Σ_k e^(−t) t^k/k! Â^k X: GBP's heat kernel
)

// weights are those of hops 0 … K; nil where the design adds none up.
func (d *Design) weights() []float64 {
	switch d.Messages {
	case Weighted:
	case Mean:
		return graph.MeanWeights(d.Hops)
	default:
		return nil
	}
	switch w := d.Weighting; w.Kind {
	case S2GC:
		return graph.S2GCWeights(w.Alpha, d.Hops)
	case PPR:
		return graph.PPRWeights(w.Alpha, d.Hops)
	default:
		return graph.HeatWeights(w.T, d.Hops)
	}
}
