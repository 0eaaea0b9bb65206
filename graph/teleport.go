package graph

// holdsZero says whether a block of hop 0 stays in a strip of its own while the hops are made that teleport to it. It does
// where that is all rows as they are read; otherwise rows are made from the features, which takes no memory but longer.
func (p *Propagation) holdsZero() bool {
	return p.K > 0 && p.Teleport > 0 && !p.direct() && !p.isThin() && p.frontiers()[0].nodes == nil
}

// teleportCost is the work of teleporting.
func (p *Propagation) teleportCost() (flops, traffic float64) {
	if p.Teleport == 0 {
		return 0, 0
	}
	for _, f := range p.frontiers()[1:] {
		elements := float64(f.rows(p.Graph.Nodes)) * float64(p.Graph.Features.Cols)
		flops += 3 * elements
		traffic += 12 * elements // hop 0, and the hop there and back
	}
	return flops, traffic
}

// teleport makes a block of H_k = (1−α)·ÂH_{k−1} + α·H_0 from one of ÂH_{k−1}, which is y: both products and their sum are
// rounded to float32.
func (r *propagating) teleport(k int, y strip, lo, hi int) {
	if r.Teleport == 0 {
		return
	}
	f := &r.field[k]
	r.pool.For(f.rows(r.Graph.Nodes), 64, &multiple{
		y: y, alpha: float32(1 - r.Teleport), beta: float32(r.Teleport), x: r.zeroOf(f.nodes, lo), width: hi - lo,
	})
}

// zeroOf returns the rows of hop 0 of the given nodes (nil = all) in the block of columns that begins at lo.
func (r *propagating) zeroOf(nodes []int32, lo int) operand {
	if r.zero.data != nil {
		return operand{strip: r.zero, at: nodes}
	}
	return operand{source: r.hops.source, at: nodes, lo: lo}
}
