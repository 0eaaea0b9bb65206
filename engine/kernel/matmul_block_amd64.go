package kernel

import "math/bits"

// How a blocked product cuts its work; none of it changes a bit.
const (
	maxSuperTurned = 2 * Chunk // as kernelSet.super, where A lies column after column: a packed column then has enough rows
	maxRows        = 480       // most rows of a unit
	bandBytes      = 8 << 20   // packed block of B: stays in the L3 cache
	sweepColumns   = 64        // fewest columns for which a single row sweeps over B

	// The L1 cache of common processors: 32 KiB, or 48 KiB with more ways.
	cacheLine, cacheSets, cacheWays = 64, 64, 8
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
	set          *kernelSet
	nv, mr       int // vectors, and the most rows, of a micro-kernel
	super        int
	rows         int // blocks of rows, of mc rows at most
	mc, nc, band int
	packA, packB packing
	columnsOfA   bool // the packed block of A is column after column, else row after row
	stepA        int  // distance of its columns or rows
	sweeps       bool // a single row goes along the rows of B: see sweep
	scatter      bool // C or PreAct has columns that are not side by side: what micro-kernels store is spread afterwards
	local        int  // digits of the counter of chunks that live within a super-block
	global       int  // digits above them, but for the highest if that lives in C

	// Working memory in floats: one part for all workers, then one for each.
	sharedB, sharedDigits int
	worker                workerParts
}

// workerParts are the sizes of what a worker has for itself.
type workerParts struct{ tiles, a, b, temp, local, global, swept, out int }

func (w workerParts) total() int {
	return ceil(w.tiles+w.a+w.b+w.temp+w.local+w.global+w.swept+w.out, line) * line
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
	cols        int // units side by side
	superBlocks int
}

func (p *product) blockedBytes(level Level, workers int) int {
	c := p.cut(kernelsOf(level, p.bf16), workers)
	return 4 * c.floats(workers)
}

// cut chooses the blocking for a set of kernels and a number of workers.
func (p *product) cut(set *kernelSet, workers int) blocking {
	c := blocking{set: set}
	c.scatter = p.c.col != 1 || p.pre.f != nil && p.pre.col != 1
	c.sweeps = set == setAVX2 && p.m == 1 && p.n >= sweepColumns && set.readsB(&p.b)
	c.fitCaches(p)
	c.choosePacking(p)
	c.shareOut(p, workers)
	c.countDigits(p)
	c.size(p)
	return c
}

// fitCaches sets the terms of a super-block, the rows of a unit and the size of the micro-kernel.
func (c *blocking) fitCaches(p *product) {
	c.super = c.set.super
	switch {
	case c.sweeps:
		c.super = Chunk
	case p.a.col != 1:
		c.super = min(c.super, maxSuperTurned)
	}
	c.super = min(p.k, c.super)
	most := c.set.rows[2]
	c.mc = max(min(c.set.block/4/c.set.slots(c.super), maxRows)/most, 1) * most
	c.mr = most
	if p.m <= c.mc {
		// One block of rows, in panels as equal as can be.
		c.mc, c.mr = p.m, ceil(p.m, ceil(p.m, most))
	}
	c.nv = c.set.width(c.mr)
}

// columns is the number of columns of a micro-kernel.
func (c *blocking) columns() int { return c.nv * c.set.lanes }

// choosePacking says which operands are packed, and by whom. Where an operand is used once or twice, or is small, packing
// costs more than it saves; but micro-kernels read only some forms where they lie.
func (c *blocking) choosePacking(p *product) {
	most := c.set.rows[2]
	switch {
	case p.m > c.mc && p.batch == 1:
		c.packB = shared
	case !c.set.readsB(&p.b) || p.m > 2*most:
		c.packB = private
	}
	if !c.set.readsA(&p.a, p.k) || p.n > 2*c.columns() && p.m > most && c.crowded(&p.a) {
		c.packA = private
		c.columnsOfA = p.a.col != 1 && p.a.row == 1 && c.set != setAMX
	}
}

// crowded says whether the rows that a micro-kernel reads of A, where they lie, compete for the same sets of the L1 cache, or
// do not begin where AMX wants them to. Only then it pays to copy A to rows that are an odd number of cache lines apart.
func (c *blocking) crowded(a *operand) bool {
	if c.set == setAMX {
		return true
	}
	distance := 4 * a.row
	if a.h != nil {
		distance = 2 * a.row
	}
	sets := cacheSets * cacheLine
	for ; distance%2 == 0 && sets > 1; distance /= 2 {
		sets /= 2
	}
	return ceil(c.mr, min(sets, cacheSets)) > cacheWays/2
}

// shareOut cuts the work into a few units for each worker, which even out uneven speeds: by rows first, as far as blocks stay
// worth a pass over B. Blocks of rows differ by one panel at most, and all panels but the last are full.
func (c *blocking) shareOut(p *product, workers int) {
	want := 1
	if workers > 1 {
		want = 4 * workers
	}
	c.rows = ceil(p.m, c.mc)
	if c.packB == shared {
		most := c.set.rows[2]
		blocks := max(c.rows, min(want, p.m/(4*most)))
		panels := ceil(p.m, most)
		c.rows = min(ceil(blocks, workers)*workers, panels)
		c.mc = ceil(panels, c.rows) * most
	}
	nr := c.columns()
	panels := ceil(p.n, nr)
	groups := min(ceil(want, c.rows*p.batch), panels)
	c.nc = ceil(panels, groups) * nr
	c.band = p.n
	if c.packB == shared {
		c.band = min(max(bandBytes/4/c.set.slots(c.super)/nr, 1), panels) * nr
		c.nc = min(c.nc, c.band)
	}
}

// countDigits sets how many digits the counter of chunks has, and where.
func (c *blocking) countDigits(p *product) {
	c.local = bits.Len(uint(ceil(p.k, Chunk) - 1))
	if p.k > c.super {
		digits := c.local
		c.local = bits.Len(uint(c.super/Chunk - 1))
		c.global = digits - c.local
		if !p.accumulate && !c.scatter {
			c.global--
		}
	}
}

// size sets the working memory.
func (c *blocking) size(p *product) {
	set, w := c.set, &c.worker
	nr := c.columns()
	switch {
	case c.packA == direct:
	case c.columnsOfA:
		c.stepA = oddLines(c.mc)
		w.a = set.slots(c.super) * c.stepA
	default:
		c.stepA = oddLines(set.slots(c.super))
		w.a = c.mc * c.stepA
	}
	w.local = c.local * c.mc * nr
	switch c.packB {
	case direct:
		w.global = c.global * c.mc * c.nc
	case private:
		w.b = set.slots(min(p.k, Chunk)) * nr
		w.global = c.global * c.mc * c.nc
	case shared:
		c.sharedB = set.slots(c.super) * c.band
		c.sharedDigits = c.global * p.m * c.band
	}
	if p.bf16 && (p.b.col != 1 || set == setAMX && p.a.col != 1) {
		w.temp = turnSlots
	}
	if set == setAMX {
		w.tiles = outSlots
	}
	if c.sweeps {
		w.swept = c.nc
	}
	if c.scatter {
		w.out = c.mc * nr
	}
}

// oddLines is n rounded up to an odd number of cache lines: rows that far apart do not compete for the same cache sets.
func oddLines(n int) int { return (ceil(n, line) | 1) * line }

// runBlocked computes the product with the micro-kernels of a level.
func (p *product) runBlocked(pool *Pool, level Level) {
	s := &p.blocked
	workers := pool.Workers()
	s.blocking = p.cut(kernelsOf(level, p.bf16), workers)
	mem, lender := pool.borrow(s.floats(workers))
	s.mem = mem
	s.superBlocks = ceil(p.k, s.super)
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
				pool.For(ceil(s.j1-s.j0, s.columns()), 1, (*packTask)(p))
				pool.For(s.rows*s.cols, 1, (*unitTask)(p))
			}
		}
	}
	s.mem = nil
	giveBack(lender)
}

// packTask packs the shared block of B: a unit is a panel.
type packTask product

func (t *packTask) Do(worker, lo, hi int) {
	p := (*product)(t)
	s := &p.blocked
	nr := s.columns()
	k0 := s.s0 * s.super
	terms := min(s.super, p.k-k0)
	temp := s.of(worker).temp
	for j := lo * nr; j < min(hi*nr, s.j1-s.j0); {
		// The last columns of a band may take several narrower panels.
		nv := s.set.fit(s.nv, s.j1-s.j0-j)
		p.packB(s.mem[j*s.set.slots(terms):], temp, 0, k0, terms, s.j0+j, nv)
		j += nv * s.set.lanes
	}
}

// block returns the rows of C of a block of rows.
func (p *product) block(i int) (lo, hi int) {
	s := &p.blocked
	most := s.set.rows[2]
	panels := ceil(p.m, most)
	return i * panels / s.rows * most, min((i+1)*panels/s.rows*most, p.m)
}

// workerMemory is what a worker has for itself.
type workerMemory struct {
	tiles, packedA, packedB, temp []float32
	local, global                 []float32 // digits of the counter of chunks
	swept, out                    []float32 // sums of the chunk that a sweep is at, and tiles to be spread
}

// of returns the memory of a worker.
func (s *blocked) of(worker int) workerMemory {
	parts := s.worker
	mem := s.mem[s.sharedB+s.sharedDigits+worker*parts.total():]
	take := func(n int) []float32 {
		taken := mem[:n]
		mem = mem[n:]
		return taken
	}
	return workerMemory{take(parts.tiles), take(parts.a), take(parts.b), take(parts.temp), take(parts.local), take(parts.global), take(parts.swept), take(parts.out)}
}
