package kernel

import "math"

// attentionRun is what tasks need to know of the run at hand.
type attentionRun struct {
	level Level
	set   *kernelSet
	mem   []float32
}

// forwardWork is what a worker has in a forward pass.
type forwardWork struct {
	headTiles
	q                []float32 // attentionBlock rows, along
	k, v             []float32 // a tile, turned and across
	s                []float32 // a tile of scores
	out              []float32 // attentionBlock rows of sums
	top, sum, shrink []float32 // of the queries, of a tile's queries
	args             scoreArgs
}

// forwardWork lays out the memory of a worker.
func (a *Attention) forwardWork(set *kernelSet, c *carving) forwardWork {
	w := forwardWork{headTiles: a.newHeadTiles(set, c)}
	w.q, w.out = c.take(attentionBlock*w.ld), c.take(attentionBlock*w.ld)
	w.k, w.v = c.take(set.slots(w.dim)*attentionTile), c.take(attentionTile*w.ld)
	w.s = c.take(attentionTile * attentionTile)
	w.top, w.sum, w.shrink = c.take(attentionBlock), c.take(attentionBlock), c.take(attentionTile)
	return w
}

// forwardFloats is the memory of a worker.
func (a *Attention) forwardFloats(set *kernelSet) int {
	var c carving
	a.forwardWork(set, &c)
	return c.used
}

func (a *Attention) scratchBytes(level Level, workers int) int {
	if level == Generic {
		return 0
	}
	return 4 * workers * a.forwardFloats(attentionKernels(level, a.BF16))
}

func (a *Attention) runAt(p *Pool, level Level) {
	if level == Generic {
		p.For(a.Batch*a.Heads, 1, (*attentionTask)(a))
		return
	}
	a.at.level, a.at.set = level, attentionKernels(level, a.BF16)
	mem, lender := p.borrow(p.Workers() * a.forwardFloats(a.at.set))
	a.at.mem = mem
	p.For(a.Batch*a.Heads*ceil(a.Seq, attentionBlock), 1, (*attentionBlocks)(a))
	a.at.mem = nil
	giveBack(lender)
}

// attentionBlocks is Attention as a task: a unit is a block of queries of a head of a sequence.
type attentionBlocks Attention

// Do computes blocks lo to hi.
func (t *attentionBlocks) Do(worker, lo, hi int) {
	a := (*Attention)(t)
	n := a.forwardFloats(a.at.set)
	w := a.forwardWork(a.at.set, &carving{mem: a.at.mem[worker*n:][:n]})
	w.args = scoreArgs{s: &w.s[0], scale: a.Scale, shrink: &w.shrink[0]}
	if a.DropoutP > 0 {
		w.args.drop = &w.drop[0]
	}
	blocks := ceil(a.Seq, attentionBlock)
	for unit := lo; unit < hi; unit++ {
		a.block(&w, unit/blocks/a.Heads, unit/blocks%a.Heads, unit%blocks*attentionBlock)
	}
}

// block computes the queries from q0 on.
func (a *Attention) block(w *forwardWork, sequence, head, q0 int) {
	queries := min(attentionBlock, a.Seq-q0)
	kv := head / (a.Heads / a.KVHeads)
	w.along(w.q, a.from(a.Q, a.QStride, sequence, q0, head), a.QStride, queries)
	for i := range queries {
		// A finite start, so that −∞ − top is no NaN in a tile whose scores are all −∞.
		w.top[i], w.sum[i] = -math.MaxFloat32, 0
	}
	clear(w.out[:queries*w.ld])
	for j := 0; j < a.visible(q0+queries-1); j += attentionTile {
		keys := min(attentionTile, a.Seq-j)
		w.turned(w.k, a.from(a.K, a.KStride, sequence, j, kv), a.KStride, keys)
		w.across(w.v, a.from(a.V, a.VStride, sequence, j, kv), a.VStride, keys)
		for i := 0; i < queries; i += attentionTile {
			if a.Causal && q0+i < j {
				continue
			}
			a.tile(w, sequence, head, q0, i, j, min(attentionTile, queries-i), keys)
		}
	}
	w.set.finishSoftmax(w.top[:queries], w.sum[:queries])
	if a.LSE != nil {
		copy(a.lse(sequence, head)[q0:], w.top[:queries])
	}
	w.set.scaleRows(a.from(a.Out, a.OutStride, sequence, q0, head), a.OutStride, w.out, w.ld, w.sum[:queries], a.HeadDim)
}

// tile adds the keys from j on to query i of the block and the rows − 1 that follow.
func (a *Attention) tile(w *forwardWork, sequence, head, q0, i, j, rows, keys int) {
	diagonal := a.Causal && q0+i == j
	w.scores(w.s, w.q[i*w.ld:], w.k, rows, keys, diagonal)
	if a.DropoutP > 0 {
		a.tileFactors(&w.headTiles, sequence, head, q0+i, j, rows)
	}
	w.args.rows, w.args.visible, w.args.step = rows, keys, 0
	if diagonal {
		w.args.visible, w.args.step = 1, 1
	}
	w.args.top, w.args.sum = &w.top[i], &w.sum[i]
	w.set.softmax(&w.args)
	out := w.out[i*w.ld:]
	if j > 0 {
		w.set.scaleRows(out, w.ld, out, w.ld, w.shrink[:rows], w.vectors*w.set.lanes)
	}
	w.overKeys(out, w.probsAlong(w.s, rows, keys), w.v, rows, keys, diagonal)
}
