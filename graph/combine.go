package graph

// combines says whether hop k is part of a sum of hops.
func (p *Propagation) combines(k int) bool { return p.Combine != nil && float32(p.Combine[k]) != 0 }

// wants says whether the rows that are kept are wanted in the block of hop k, to keep or to add them. Of hop 0 a sum takes
// them from the features.
func (p *Propagation) wants(k int) bool {
	if p.Combine != nil {
		return k > 0 && p.combines(k)
	}
	return k >= p.First
}

// combineCost is the work of the sum of hops.
func (p *Propagation) combineCost() (flops, traffic float64) {
	elements := float64(p.summed()) * float64(p.Graph.Features.Cols)
	for k := range p.Combine {
		if p.combines(k) {
			flops += 2 * elements
			traffic += 12 * elements // the hop, and the sum there and back
		}
	}
	return flops, traffic
}

// summed is the number of rows in which hops are summed: those that hop K is computed for.
func (p *Propagation) summed() int { return p.frontiers()[p.K].rows(p.Graph.Nodes) }

// sums says whether a block of the sum needs a strip of its own: it is not made where it stays.
func (p *Propagation) sums(w Way) bool { return p.Combine != nil && !p.keptInPlace(p.K, w) }

// total returns where the block of columns lo … hi−1 of the sum is made.
func (r *propagating) total(lo, hi int) strip {
	if r.sums(r.way) {
		return strip{r.sum.data, r.sum.raw, hi - lo}
	}
	return strip{data: r.hops.kept[0].matrix[lo:], stride: r.hops.Cols}
}

// accumulate adds a block of hop k, which is y, to the sum: C_k = C_{k−1} + w_k·H_k, the product and the sum rounded to
// float32 each, over the k of weights that are not zero in ascending order.
func (r *propagating) accumulate(k int, y strip, lo, hi int) error {
	if !r.combines(k) {
		return nil
	}
	add := multiple{y: r.total(lo, hi), alpha: 1, beta: float32(r.Combine[k]), width: hi - lo}
	if k == firstWeight(r.Combine) {
		add.alpha = 0
		if err := r.await(add.y); err != nil {
			return err
		}
	}
	nodes := r.field[r.K].nodes
	if k == 0 {
		add.x = r.zeroOf(nodes, lo)
	} else if add.x.strip = y; nodes != nil {
		add.x.at = r.field[k].pick
	}
	r.pool.For(r.summed(), 64, &add)
	return nil
}
