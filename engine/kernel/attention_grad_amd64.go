package kernel

// backwardWork is what a worker has in a backward pass.
type backwardWork struct {
	headTiles
	q, dOut             []float32 // attentionBlock rows, along
	qAcross, dOutAcross []float32 // and across
	dq                  []float32 // attentionBlock rows of sums
	shift               []float32 // −Scale·D of the queries
	k, kTurned, vTurned []float32 // a tile: across and turned
	dk, dv              []float32 // sums of a tile
	s, dp               []float32 // a tile of scores, and of the gradient of probabilities
	args                gradArgs
}

// backwardWork lays out the memory of a worker.
func (g *AttentionGrad) backwardWork(set *kernelSet, c *carving) backwardWork {
	w := backwardWork{headTiles: g.newHeadTiles(set, c)}
	w.q, w.dOut, w.dq = c.take(attentionBlock*w.ld), c.take(attentionBlock*w.ld), c.take(attentionBlock*w.ld)
	w.qAcross, w.dOutAcross = w.q, w.dOut
	if set.perSlot > 1 {
		slots := set.slots(attentionBlock)
		w.qAcross, w.dOutAcross = c.take(slots*w.ld), c.take(slots*w.ld)
	}
	w.shift = c.take(attentionBlock)
	w.k, w.dk, w.dv = c.take(attentionTile*w.ld), c.take(attentionTile*w.ld), c.take(attentionTile*w.ld)
	w.kTurned, w.vTurned = c.take(set.slots(w.dim)*attentionTile), c.take(set.slots(w.dim)*attentionTile)
	w.s, w.dp = c.take(attentionTile*attentionTile), c.take(attentionTile*attentionTile)
	return w
}

// backwardFloats is the memory of a worker.
func (g *AttentionGrad) backwardFloats(set *kernelSet) int {
	var c carving
	g.backwardWork(set, &c)
	return c.used
}

func (g *AttentionGrad) scratchBytes(level Level, workers int) int {
	if level == Generic {
		return 0
	}
	return 4 * workers * g.backwardFloats(attentionKernels(level, g.BF16))
}

func (g *AttentionGrad) runAt(p *Pool, level Level) {
	if level == Generic {
		p.For(g.Batch*g.KVHeads, 1, (*attentionGradTask)(g))
		return
	}
	g.at.level, g.at.set = level, attentionKernels(level, g.BF16)
	mem, lender := p.borrow(p.Workers() * g.backwardFloats(g.at.set))
	g.at.mem = mem
	p.For(g.Batch*g.KVHeads, 1, (*attentionGradHeads)(g))
	g.at.mem = nil
	giveBack(lender)
}

// attentionGradHeads is AttentionGrad as a task: a unit is a key-value head of a sequence.
type attentionGradHeads AttentionGrad

// Do computes the key-value heads lo to hi.
func (t *attentionGradHeads) Do(worker, lo, hi int) {
	g := (*AttentionGrad)(t)
	n := g.backwardFloats(g.at.set)
	w := g.backwardWork(g.at.set, &carving{mem: g.at.mem[worker*n:][:n]})
	w.args = gradArgs{s: &w.s[0], dp: &w.dp[0], scale: g.Scale}
	if g.DropoutP > 0 {
		w.args.drop = &w.drop[0]
	}
	group := g.Heads / g.KVHeads
	for unit := lo; unit < hi; unit++ {
		sequence, kv := unit/g.KVHeads, unit%g.KVHeads
		for head := kv * group; head < (kv+1)*group; head++ {
			for q0 := 0; q0 < g.Seq; q0 += attentionBlock {
				g.block(&w, sequence, head, q0)
			}
		}
	}
}

// block computes the gradient of the queries from q0 on, and adds their part of the gradients of the keys and values that
// they see.
func (g *AttentionGrad) block(w *backwardWork, sequence, head, q0 int) {
	queries := min(attentionBlock, g.Seq-q0)
	group := g.Heads / g.KVHeads
	kv := head / group
	g.packQueries(w, sequence, head, q0, queries)
	clear(w.dq[:queries*w.ld])
	for j := 0; j < g.visible(q0+queries-1); j += attentionTile {
		keys := min(attentionTile, g.Seq-j)
		k, v := g.from(g.K, g.KStride, sequence, j, kv), g.from(g.V, g.VStride, sequence, j, kv)
		w.across(w.k, k, g.KStride, keys)
		w.turned(w.kTurned, k, g.KStride, keys)
		w.turned(w.vTurned, v, g.VStride, keys)

		dk, dv := g.from(g.DK, g.DKStride, sequence, j, kv), g.from(g.DV, g.DVStride, sequence, j, kv)
		// The sums begin with the first head of a group, and with the first block that sees the keys.
		if head%group == 0 && (q0 == 0 || g.Causal && j >= q0) {
			clear(w.dk[:keys*w.ld])
			clear(w.dv[:keys*w.ld])
		} else {
			w.sums(w.dk, dk, g.DKStride, keys)
			w.sums(w.dv, dv, g.DVStride, keys)
		}
		for i := 0; i < queries; i += attentionTile {
			if g.Causal && q0+i < j {
				continue
			}
			g.tile(w, sequence, head, q0, i, j, min(attentionTile, queries-i), keys)
		}
		w.set.scaleRows(dk, g.DKStride, w.dk, w.ld, w.ones[:keys], g.HeadDim)
		w.set.scaleRows(dv, g.DVStride, w.dv, w.ld, w.ones[:keys], g.HeadDim)
	}
	w.set.scaleRows(g.from(g.DQ, g.DQStride, sequence, q0, head), g.DQStride, w.dq, w.ld, w.ones[:queries], g.HeadDim)
}

// packQueries packs what a block reads of its queries.
func (g *AttentionGrad) packQueries(w *backwardWork, sequence, head, q0, queries int) {
	q, dOut := g.from(g.Q, g.QStride, sequence, q0, head), g.from(g.DOut, g.DOutStride, sequence, q0, head)
	w.along(w.q, q, g.QStride, queries)
	w.along(w.dOut, dOut, g.DOutStride, queries)
	if w.set.perSlot > 1 {
		w.across(w.qAcross, q, g.QStride, queries)
		w.across(w.dOutAcross, dOut, g.DOutStride, queries)
	}
	// D takes dOut as the products do, so that dOut·v − D cancels.
	rounded := w.dOut
	if w.set.perSlot > 1 {
		rounded = w.dq // not in use yet
		o := w.operand(dOut, g.DOutStride)
		setAVX512.along(rounded, w.ld, part{&o, 0, 0, 0, queries, w.dim})
	}
	out := g.from(g.Out, g.OutStride, sequence, q0, head)
	w.set.rowDots(w.shift[:queries], rounded, w.ld, out, g.OutStride, w.dim, -g.Scale)
}

// sums copies rows of gradients that are to be added to.
func (w *backwardWork) sums(dst, src []float32, stride, rows int) {
	w.set.scaleRows(dst, w.ld, src, stride, w.ones[:rows], w.dim)
}

// tile adds what query i of the block and the rows − 1 that follow, and the keys from j on, have to do with each other.
func (g *AttentionGrad) tile(w *backwardWork, sequence, head, q0, i, j, rows, keys int) {
	diagonal := g.Causal && q0+i == j
	w.scores(w.s, w.q[i*w.ld:], w.kTurned, rows, keys, diagonal)
	w.scores(w.dp, w.dOut[i*w.ld:], w.vTurned, rows, keys, diagonal)
	if g.DropoutP > 0 {
		g.tileFactors(&w.headTiles, sequence, head, q0+i, j, rows)
	}
	w.args.rows, w.args.visible, w.args.step = rows, keys, 0
	if diagonal {
		w.args.visible, w.args.step = 1, 1
	}
	w.args.lse, w.args.shift = &g.lse(sequence, head)[q0+i], &w.shift[i]
	w.set.softmaxGrad(&w.args)
	w.overQueries(w.dv, w.probsAcross(w.s, rows, keys), w.acrossAt(w.dOutAcross, i), rows, keys, diagonal)
	ds := w.probsAcross(w.dp, rows, keys)
	w.overQueries(w.dk, ds, w.acrossAt(w.qAcross, i), rows, keys, diagonal)
	if w.set.perSlot > 1 {
		ds = w.probsAlong(w.dp, rows, keys)
	}
	w.overKeys(w.dq[i*w.ld:], ds, w.k, rows, keys, diagonal)
}
