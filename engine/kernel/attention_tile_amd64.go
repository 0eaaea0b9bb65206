package kernel

// attentionBlock is how many queries share packed tiles of keys and values. It changes no bit.
const attentionBlock = 4 * attentionTile

// The size of the micro-kernels that attention uses. A higher one would leave more of a causal tile's triangle out of use.
const (
	panelVectors = 2
	panelRows    = 8
)

// headTiles multiplies tiles of a head in the memory of a worker. Operands are packed as the kernels read them, in slots of
// one float32 term or a pair of bfloat16 terms, in one of three layouts:
//
//	along:  a row is HeadDim terms, of slots along the row
//	across: a row is HeadDim slots of one term each of one token, or of two neighbouring tokens
//	turned: a row is a slot of HeadDim for each of attentionTile tokens
//
// Rows of along, across and of sums lie ld elements apart; sums have whole vectors of columns.
type headTiles struct {
	set     *kernelSet
	round   bool // to bfloat16
	dim     int  // HeadDim
	vectors int  // of a row
	ld      int
	mr      int // rows of a micro-kernel, whole slots

	chain []float32 // sums of mr rows
	rows  []float32 // a tile along, on its way to be turned
	probs []float32 // packed probabilities, or their gradients
	drop  []float32 // a tile of the factors of dropout
	ones  []float32 // attentionBlock
	args  tileArgs
}

// carving hands out parts of a worker's memory, on cache lines. Without memory it counts.
type carving struct {
	mem  []float32
	used int
}

func (c *carving) take(n int) []float32 {
	from := c.used
	c.used += ceil(n, line) * line
	if c.mem == nil {
		return nil
	}
	return c.mem[from : from+n]
}

// newHeadTiles returns the tiles of an instruction set in memory of their own.
func (a *Attention) newHeadTiles(set *kernelSet, c *carving) headTiles {
	t := headTiles{
		set: set, round: a.BF16, dim: a.HeadDim, vectors: ceil(a.HeadDim, set.lanes), ld: oddLines(a.HeadDim),
		mr: min(set.rows[panelVectors], panelRows),
	}
	t.ones = c.take(attentionBlock)
	for i := range t.ones {
		t.ones[i] = 1
	}
	t.chain = c.take(t.mr * t.ld)
	t.rows = c.take(attentionTile * t.ld)
	if a.BF16 {
		t.probs = c.take(attentionTile * attentionTile)
	}
	if a.DropoutP > 0 {
		t.drop = c.take(attentionTile * attentionTile)
	}
	return t
}

// tileFactors sets drop to the factors of dropout for queries from i on and the keys from j on.
func (a *Attention) tileFactors(t *headTiles, sequence, head, i, j, rows int) {
	for r := range rows {
		a.drop.row(a.at.level, t.drop[r*attentionTile:][:attentionTile], t.ones[:attentionTile], dropElement(sequence*a.Heads+head, i+r, j))
	}
}

// operand is tokens of a head, stride elements apart, as packing reads them.
func (t *headTiles) operand(x []float32, stride int) operand {
	return operand{f: x, row: stride, round: t.round}
}

func (t *headTiles) along(dst, src []float32, stride, tokens int) {
	o := t.operand(src, stride)
	t.set.along(dst, t.ld, part{&o, 0, 0, 0, tokens, t.dim})
}

func (t *headTiles) across(dst, src []float32, stride, tokens int) {
	o := t.operand(src, stride)
	t.set.across(dst, t.ld, part{&o, 0, 0, 0, tokens, t.dim})
}

// turned goes through rows that lie in the cache: packing along fetches ahead, turning does not.
func (t *headTiles) turned(dst, src []float32, stride, tokens int) {
	t.along(t.rows, src, stride, tokens)
	whole := ceil(tokens, t.set.lanes) * t.set.lanes
	t.set.turn(dst, attentionTile, t.rows, t.ld, whole, t.set.slots(t.dim))
}

// acrossAt is where the token begins in the across layout, the first of a slot.
func (t *headTiles) acrossAt(x []float32, token int) []float32 { return x[token/t.set.perSlot*t.ld:] }

// probsAlong and probsAcross return a tile of scores as the kernels read it, for overKeys and overQueries. They use the same
// memory; without pairs of terms the two are the same.
func (t *headTiles) probsAlong(p []float32, rows, keys int) []float32 {
	if !t.round {
		return p
	}
	o := t.operand(p, attentionTile)
	t.set.along(t.probs, attentionTile, part{&o, 0, 0, 0, rows, keys})
	return t.probs
}

func (t *headTiles) probsAcross(p []float32, rows, keys int) []float32 {
	if !t.round {
		return p
	}
	o := t.operand(p, attentionTile)
	t.set.across(t.probs, attentionTile, part{&o, 0, 0, 0, rows, keys})
	return t.probs
}

// scores is c[i, j] = x_i·y_j of x along and y turned. On the diagonal, what no row of a panel sees is left out.
func (t *headTiles) scores(c, x, y []float32, rows, keys int, diagonal bool) {
	p := panel{
		c: c, ldC: attentionTile, a: x, rsA: t.ld, csA: 1, b: y, ldB: attentionTile,
		rows: rows, vectors: ceil(keys, t.set.lanes), slots: t.set.slots(t.dim),
	}
	if !diagonal {
		t.multiply(&p)
		return
	}
	for i := 0; i < rows; i += t.mr {
		p.c, p.a, p.rows = c[i*attentionTile:], x[i*t.ld:], min(t.mr, rows-i)
		p.vectors = ceil(i+p.rows, t.set.lanes)
		t.multiply(&p)
	}
}

// overKeys is c[i] += Σ_j p[i, j]·y_j of p along and y across; on the diagonal over j ≤ i.
func (t *headTiles) overKeys(c, p, y []float32, rows, keys int, diagonal bool) {
	m := panel{
		c: c, ldC: t.ld, a: p, rsA: attentionTile, csA: 1, b: y, ldB: t.ld,
		rows: rows, vectors: t.vectors, slots: t.set.slots(keys), add: true,
	}
	if !diagonal {
		t.multiply(&m)
		return
	}
	// The keys that all rows of a panel see, and the others.
	m.c, m.add = t.chain, false
	for i := 0; i < rows; i += t.mr {
		first := i / t.set.perSlot
		m.a, m.rows, m.slots = p[i*attentionTile:], min(t.mr, rows-i), first
		t.multiply(&m)
		t.set.triangle(c[i*t.ld:], t.chain, p[i*attentionTile+first:], t.acrossAt(y, i), m.rows, t.vectors, t.ld)
	}
}

// overQueries is c[j] += Σ_i p[i, j]·x_i of p and x across; on the diagonal p is 0 for i < j.
func (t *headTiles) overQueries(c, p, x []float32, rows, keys int, diagonal bool) {
	m := panel{
		c: c, ldC: t.ld, a: p, rsA: 1, csA: attentionTile, b: x, ldB: t.ld,
		rows: keys, vectors: t.vectors, slots: t.set.slots(rows), add: true,
	}
	if !diagonal {
		t.multiply(&m)
		return
	}
	for j := 0; j < keys; j += t.mr {
		first := j / t.set.perSlot
		m.c, m.a, m.b = c[j*t.ld:], p[first*attentionTile+j:], t.acrossAt(x, j)
		m.rows, m.slots = min(t.mr, keys-j), t.set.slots(rows)-first
		t.multiply(&m)
	}
}

// panel is c = a·b, or c += a·b: slot k of row i of a is at i·rsA + k·csA, rows of b and c are ldB and ldC apart, and the
// columns are whole vectors.
type panel struct {
	c, a, b              []float32
	ldC, rsA, csA, ldB   int
	rows, vectors, slots int
	add                  bool
}

func (t *headTiles) multiply(p *panel) {
	g := &t.args
	g.rsA, g.csA, g.panelA = 4*p.rsA, 4*p.csA, 4*t.mr*p.rsA
	g.ldB, g.ldC, g.k = 4*p.ldB, 4*p.ldC, p.slots
	g.mask = &t.set.masks[t.set.lanes]
	g.adds = 0
	if p.add {
		g.adds, g.add[0].ld = 1, g.ldC
	}
	whole := p.rows / t.mr
	for v := 0; v < p.vectors; v += panelVectors {
		nv := min(panelVectors, p.vectors-v)
		col := v * t.set.lanes
		g.b = &p.b[col]
		for _, part := range [2]struct{ row, panels, mr int }{{0, whole, t.mr}, {whole * t.mr, 1, p.rows - whole*t.mr}} {
			if part.panels == 0 || part.mr == 0 {
				continue
			}
			g.panels = part.panels
			g.a = &p.a[part.row*p.rsA]
			g.c = &p.c[part.row*p.ldC+col]
			g.add[0].p = g.c
			t.set.tile(part.mr, nv, false, g)
		}
	}
}
