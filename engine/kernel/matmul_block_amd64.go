package kernel

import "math/bits"

// How a blocked product cuts its work; none of it changes a bit.
const (
	maxSuper   = 8 * Chunk // most terms that are worked through before partial sums leave the worker: a power of two of chunks
	blockBytes = 512 << 10 // packed block of A: stays in the L2 cache
	bandBytes  = 8 << 20   // packed block of B: stays in the L3 cache
)

// packing says where a product reads an operand.
type packing uint8

const (
	direct  packing = iota // where it lies
	private                // in a copy of the part that a worker is at
	shared                 // in a copy that all workers have made together
)

// blocking is how a product is cut: C into units of mc rows and nc columns, k into super-blocks of super terms, and,
// when B is shared, the columns into bands.
type blocking struct {
	set          *vectorSet
	nv, mr       int // vectors, and the most rows, of a micro-kernel
	super        int
	mc, nc, band int
	packA, packB packing
	columnsOfA   bool // the packed block of A is column after column, else row after row
	stepA        int  // distance of its columns or rows
	scatter      bool // C or PreAct has columns that are not side by side: what micro-kernels store is spread afterwards
	local        int  // digits of the counter of chunks that live within a super-block
	global       int  // digits above them, but for the highest if that lives in C

	// Working memory in floats: one part for all workers, then one for each.
	sharedB, sharedDigits int
	worker                workerParts
}

// workerParts are the sizes of what a worker has for itself.
type workerParts struct{ a, b, local, global, out int }

func (w workerParts) total() int {
	return (w.a + w.b + w.local + w.global + w.out + line - 1) / line * line
}

// floats is the working memory.
func (c *blocking) floats(workers int) int {
	return c.sharedB + c.sharedDigits + workers*c.worker.total()
}

// blocked is the state of a product in the course of a run.
type blocked struct {
	blocking
	mem         []float32
	j0, j1      int // the columns that this For works on: all, or a band
	s0, s1      int // the super-blocks that it works on: all, or one
	rows, cols  int // units of one matrix
	superBlocks int
}

// vectorsOf returns the vector set of a level.
func vectorsOf(level Level) *vectorSet {
	if level >= AVX512 {
		return setAVX512
	}
	return setAVX2
}

func (p *product) blockedBytes(level Level, workers int) int {
	c := p.cut(vectorsOf(level), workers)
	return 4 * c.floats(workers)
}

// cut chooses the blocking for an instruction set and a number of workers.
func (p *product) cut(set *vectorSet, workers int) blocking {
	most := set.rows[2]
	c := blocking{set: set, super: min(p.k, maxSuper), mr: most}
	if p.a.col != 1 {
		c.super = min(p.k, 1024)
	}
	c.scatter = p.c.col != 1 || p.pre.f != nil && p.pre.col != 1
	c.mc = max(min(blockBytes/4/c.super, 480)/most, 1) * most
	if p.m <= c.mc {
		// One block of rows, in panels as equal as can be.
		c.mc, c.mr = p.m, ceil(p.m, ceil(p.m, most))
	}
	c.nv = set.width(c.mr)
	nr := c.nv * set.lanes

	switch {
	case p.m > c.mc && p.batch == 1:
		c.packB = shared
	case p.b.col != 1 || p.m > 2*most:
		c.packB = private
	}
	if p.a.col != 1 || p.n > 2*nr && p.m > most {
		c.packA = private
		c.columnsOfA = p.a.col != 1 && p.a.row == 1
	}

	// A few units for each worker even out uneven speeds: rows first, as far as blocks stay worth a pass over B.
	want := 1
	if workers > 1 {
		want = 4 * workers
	}
	if c.packB == shared {
		blocks := ceil(p.m, c.mc)
		blocks = max(blocks, min(want, p.m/(4*most)))
		c.mc = ceil(ceil(p.m, ceil(blocks, workers)*workers), most) * most
	}
	panels := ceil(p.n, nr)
	groups := min(ceil(want, ceil(p.m, c.mc)*p.batch), panels)
	c.nc = ceil(panels, groups) * nr
	c.band = p.n
	if c.packB == shared {
		c.band = min(max(bandBytes/4/c.super/nr, 1)*nr, panels*nr)
		c.nc = min(c.nc, c.band)
	}

	digits := bits.Len(uint(ceil(p.k, Chunk) - 1))
	c.local = digits
	if p.k > c.super {
		c.local = bits.Len(uint(c.super/Chunk - 1))
		c.global = digits - c.local
		if !p.accumulate && !c.scatter {
			c.global--
		}
	}

	switch {
	case c.packA == direct:
	case c.columnsOfA:
		c.stepA = oddLines(c.mc)
		c.worker.a = c.super * c.stepA
	default:
		c.stepA = oddLines(c.super)
		c.worker.a = c.mc * c.stepA
	}
	c.worker.local = c.local * c.mc * nr
	switch c.packB {
	case private:
		c.worker.b = min(p.k, Chunk) * nr
	case shared:
		c.sharedB = c.super * c.band
		c.sharedDigits = c.global * p.m * c.band
	}
	if c.packB != shared {
		c.worker.global = c.global * c.mc * c.nc
	}
	if c.scatter {
		c.worker.out = c.mc * nr
	}
	return c
}

// oddLines is n rounded up to an odd number of cache lines: rows that far apart do not compete for the same cache sets.
func oddLines(n int) int { return (ceil(n, line) | 1) * line }

// runBlocked computes the product with the micro-kernels of a level.
func (p *product) runBlocked(pool *Pool, level Level) {
	s := &p.blocked
	workers := pool.Workers()
	s.blocking = p.cut(vectorsOf(level), workers)
	mem, lender := pool.borrow(s.floats(workers))
	s.mem = mem
	s.superBlocks = ceil(p.k, s.super)
	s.rows = ceil(p.m, s.mc)
	if s.packB != shared {
		s.j0, s.j1 = 0, p.n
		s.s0, s.s1 = 0, s.superBlocks
		s.cols = ceil(p.n, s.nc)
		pool.For(p.batch*s.rows*s.cols, 1, (*unitTask)(p))
	} else {
		for s.j0 = 0; s.j0 < p.n; s.j0 += s.band {
			s.j1 = min(s.j0+s.band, p.n)
			s.cols = ceil(s.j1-s.j0, s.nc)
			for s.s0 = 0; s.s0 < s.superBlocks; s.s0++ {
				s.s1 = s.s0 + 1
				pool.For(ceil(s.j1-s.j0, s.nv*s.set.lanes), 1, (*packTask)(p))
				pool.For(s.rows*s.cols, 1, (*unitTask)(p))
			}
		}
	}
	s.mem = nil
	giveBack(lender)
}

// packTask packs the shared block of B: a unit is a panel.
type packTask product

func (t *packTask) Do(_, lo, hi int) {
	p := (*product)(t)
	s := &p.blocked
	nr := s.nv * s.set.lanes
	k0 := s.s0 * s.super
	terms := min(s.super, p.k-k0)
	for j := lo * nr; j < min(hi*nr, s.j1-s.j0); {
		// The last columns of a band may take several narrower panels.
		nv := s.set.fit(s.nv, s.j1-s.j0-j)
		p.packB(s.mem[j*terms:], 0, k0, terms, s.j0+j, nv)
		j += nv * s.set.lanes
	}
}

// packB copies terms rows of B from row k0, of the panel of nv vectors at column j, into dst.
func (p *product) packB(dst []float32, matrix, k0, terms, j, nv int) {
	set := p.blocked.set
	cols := min(nv*set.lanes, p.n-j)
	src := p.b.at(matrix, k0, j)
	switch {
	case p.b.col == 1:
		set.packRows(dst, nv*set.lanes, src, p.b.row, terms, cols)
	case p.b.row == 1:
		set.packColumns(nv, dst, src, p.b.col, terms, cols)
	default:
		packElements(dst, src, nv*set.lanes, p.b.row, p.b.col, terms, cols)
	}
}

// unitTask computes blocks of C: a unit is one of the blocks of the matrices at hand, those of a matrix row by row.
type unitTask product

func (t *unitTask) Do(worker, lo, hi int) {
	p := (*product)(t)
	s := &p.blocked
	w := unit{product: p}
	mem := s.mem[s.sharedB:]
	w.shared, mem = mem[:s.sharedDigits], mem[s.sharedDigits:]
	parts := s.worker
	mem = mem[worker*parts.total():]
	w.packedA, mem = mem[:parts.a], mem[parts.a:]
	w.packedB, mem = mem[:parts.b], mem[parts.b:]
	w.local, mem = mem[:parts.local], mem[parts.local:]
	w.global, mem = mem[:parts.global], mem[parts.global:]
	w.out = mem[:parts.out]
	for i := lo; i < hi; i++ {
		block, group := i/s.cols, i%s.cols
		w.matrix, block = block/s.rows, block%s.rows
		w.i0, w.i1 = block*s.mc, min((block+1)*s.mc, p.m)
		w.j0, w.j1 = s.j0+group*s.nc, min(s.j0+(group+1)*s.nc, s.j1)
		w.do()
	}
}

// unit is a block of C, rows i0 ≤ i < i1 and columns j0 ≤ j < j1 of one matrix, and the memory of the worker that does it.
type unit struct {
	*product
	matrix         int
	i0, i1, j0, j1 int

	packedA, packedB           []float32
	local, global, shared, out []float32 // digits of the counter of chunks, and tiles to be spread

	args tileArgs
}

func (u *unit) do() {
	s := &u.blocked
	for super := s.s0; super < s.s1; super++ {
		k0 := super * s.super
		k1 := min(k0+s.super, u.k)
		if s.packA == private {
			u.packA(k0, k1)
		}
		for j := u.j0; j < u.j1; {
			nv := s.set.fit(s.nv, u.j1-j)
			u.panel(k0, k1, j, nv)
			j += nv * s.set.lanes
		}
	}
	if s.s1 == s.superBlocks && !s.scatter && (u.act != Identity || u.pre.f != nil) {
		u.activate()
	}
}

// split cuts the rows of the block into n panels, the first more of which have mr+1 rows and the others mr.
func (u *unit) split() (n, mr, more int) {
	rows := u.i1 - u.i0
	n = ceil(rows, u.blocked.mr)
	return n, rows / n, rows % n
}

// packA copies the block's rows of A, terms k0 to k1.
func (u *unit) packA(k0, k1 int) {
	s := &u.blocked
	terms := k1 - k0
	switch {
	case u.a.col == 1:
		s.set.packRows(u.packedA, s.stepA, u.a.at(u.matrix, u.i0, k0), u.a.row, u.i1-u.i0, terms)
	case s.columnsOfA:
		s.set.packRows(u.packedA, s.stepA, u.a.at(u.matrix, u.i0, k0), u.a.col, terms, u.i1-u.i0)
	default:
		packElements(u.packedA, u.a.at(u.matrix, u.i0, k0), s.stepA, u.a.row, u.a.col, u.i1-u.i0, terms)
	}
}

// panel computes nv vectors of columns from j on, adding the terms k0 to k1.
func (u *unit) panel(k0, k1, j, nv int) {
	s := &u.blocked
	width := nv * s.set.lanes
	cols := min(width, u.n-j)
	g := &u.args
	g.mask = &s.set.masks[cols-(nv-1)*s.set.lanes]
	n, mr, more := u.split()
	for k := k0; k < k1; k += Chunk {
		g.k = min(Chunk, k1-k)
		switch s.packB {
		case direct:
			g.b, g.ldB = &u.b.at(u.matrix, k, j)[0], 4*u.b.row
		case private:
			u.packB(u.packedB, u.matrix, k, g.k, j, nv)
			g.b, g.ldB = &u.packedB[0], 4*width
		case shared:
			g.b, g.ldB = &s.mem[(j-s.j0)*(k1-k0)+(k-k0)*width], 4*width
		}
		last := k+g.k == u.k
		row := 0
		for _, part := range [2]struct{ panels, mr int }{{more, mr + 1}, {n - more, mr}} {
			if part.panels == 0 {
				continue
			}
			g.panels = part.panels
			switch {
			case s.packA == direct:
				g.a, g.rsA, g.csA = &u.a.at(u.matrix, u.i0+row, k)[0], 4*u.a.row, 4*u.a.col
			case s.columnsOfA:
				g.a, g.rsA, g.csA = &u.packedA[(k-k0)*s.stepA+row], 4, 4*s.stepA
			default:
				g.a, g.rsA, g.csA = &u.packedA[row*s.stepA+k-k0], 4*s.stepA, 4
			}
			g.panelA = part.mr * g.rsA
			u.destination(k/Chunk, last, row, j, width)
			s.set.tile(part.mr, nv, cols < width, g)
			row += part.panels * part.mr
		}
	}
	if s.scatter && k1 == u.k {
		u.spread(j, cols, width)
	}
}

// destination sets where the sums of a chunk go and what is added to them: the chunk counts up the counter, and the digits
// that it carries over, or all when it is the last, are added. The pointers are those of the block's row row.
func (u *unit) destination(chunk int, last bool, row, j, width int) {
	s, g := &u.blocked, &u.args
	g.adds, g.bias = 0, nil
	digit := 0
	for ; chunk>>digit != 0; digit++ {
		if chunk>>digit&1 == 1 {
			g.add[g.adds] = u.digit(digit, row, j, width)
			g.adds++
		} else if !last {
			break
		}
	}
	if !last {
		d := u.digit(digit, row, j, width)
		g.c, g.ldC = d.p, d.ld
		return
	}
	if s.scatter {
		g.c, g.ldC = &u.out[row*width], 4*width
		return
	}
	c := addend{&u.c.at(u.matrix, u.i0+row, j)[0], 4 * u.c.row}
	if u.accumulate {
		g.add[g.adds] = c
		g.adds++
	}
	if u.pre.f != nil {
		c = addend{&u.pre.at(u.matrix, u.i0+row, j)[0], 4 * u.pre.row}
	}
	g.c, g.ldC = c.p, c.ld
	if u.bias != nil {
		g.bias = &u.bias[j]
	}
}

// digit returns where a digit of the counter of chunks has the block's rows from row on of the panel at column j.
func (u *unit) digit(digit, row, j, width int) addend {
	s := &u.blocked
	switch {
	case digit < s.local:
		return addend{&u.local[digit*s.mc*s.nv*s.set.lanes+row*width], 4 * width}
	case digit == s.local+s.global:
		return addend{&u.c.at(u.matrix, u.i0+row, j)[0], 4 * u.c.row}
	case s.packB == shared:
		return addend{&u.shared[((digit-s.local)*u.m+u.i0+row)*s.band+j-s.j0], 4 * s.band}
	}
	return addend{&u.global[((digit-s.local)*s.mc+row)*s.nc+j-u.j0], 4 * s.nc}
}

// spread stores the sums of a panel where columns are not side by side.
func (u *unit) spread(j, cols, width int) {
	for i := u.i0; i < u.i1; i++ {
		u.finish(u.out[(i-u.i0)*width:][:cols], u.matrix, i, j)
	}
}

// activate applies the activation to the block, row by row while it is in the cache.
func (u *unit) activate() {
	for i := u.i0; i < u.i1; i++ {
		c := u.c.at(u.matrix, i, u.j0)[:u.j1-u.j0]
		x := c
		if u.pre.f != nil {
			x = u.pre.at(u.matrix, i, u.j0)[:len(c)]
		}
		activateRow(u.level, u.act, c, x)
	}
}
