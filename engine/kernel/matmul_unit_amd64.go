package kernel

// unitTask computes blocks of C: a unit is one of the blocks of the matrices at hand, those of a matrix row by row.
type unitTask product

func (t *unitTask) Do(worker, lo, hi int) {
	p := (*product)(t)
	s := &p.blocked
	w := unit{product: p}
	w.workerMemory = s.of(worker)
	w.shared = s.mem[s.sharedB:][:s.sharedDigits]
	if len(w.tiles) > 0 {
		w.args.out = &w.tiles[0]
	}
	for i := lo; i < hi; i++ {
		block, group := i/s.cols, i%s.cols
		w.matrix, block = block/s.rows, block%s.rows
		w.i0, w.i1 = p.block(block)
		w.j0, w.j1 = s.j0+group*s.nc, min(s.j0+(group+1)*s.nc, s.j1)
		w.do()
	}
}

// unit is a block of C, rows i0 ≤ i < i1 and columns j0 ≤ j < j1 of one matrix, and the memory of the worker that does it.
type unit struct {
	*product
	matrix         int
	i0, i1, j0, j1 int

	workerMemory
	shared []float32 // digits that all workers share

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
		if s.sweeps {
			u.sweep(k0, k1)
		}
		for j := u.j0; j < u.j1; {
			nv := s.set.fit(s.nv, u.j1-j)
			if s.sweeps {
				u.finishSweep(k0, k1, j, nv)
			} else {
				u.panel(k0, k1, j, nv)
			}
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

// panel computes nv vectors of columns from j on, adding the terms k0 to k1.
func (u *unit) panel(k0, k1, j, nv int) {
	s := &u.blocked
	width := nv * s.set.lanes
	cols := min(width, u.n-j)
	g := &u.args
	g.mask = &s.set.masks[cols-(nv-1)*s.set.lanes]
	n, mr, more := u.split()
	for k := k0; k < k1; k += Chunk {
		terms := min(Chunk, k1-k)
		g.k = s.set.slots(terms)
		u.sourceB(k0, k1, k, terms, j, nv)
		row := 0
		for _, group := range [2]struct{ panels, mr int }{{more, mr + 1}, {n - more, mr}} {
			if group.panels == 0 {
				continue
			}
			g.panels = group.panels
			u.sourceA(k0, k, row)
			g.panelA = group.mr * g.rsA
			u.destination(k/Chunk, k+terms == u.k, row, j, width)
			s.set.tile(group.mr, nv, cols < width, g)
			row += group.panels * group.mr
			g.ahead += group.panels * g.k * g.step
		}
	}
	if s.scatter && k1 == u.k {
		u.spread(j, cols, width)
	}
}

// sourceB sets where the terms from k on of the panel at column j of B are, those of the super-block being k0 to k1.
func (u *unit) sourceB(k0, k1, k, terms, j, nv int) {
	s, g := &u.blocked, &u.args
	width := nv * s.set.lanes
	g.ahead, g.step = 0, 0
	switch s.packB {
	case direct:
		g.b, g.ldB = &u.b.at(u.matrix, k, j)[0], 4*u.b.row
	case private:
		u.packB(u.packedB, u.temp, u.matrix, k, terms, j, nv)
		g.b, g.ldB = &u.packedB[0], 4*width
	case shared:
		g.b, g.ldB = &s.mem[(j-s.j0)*s.set.slots(k1-k0)+s.set.slots(k-k0)*width], 4*width
		// Its panels follow each other. The row panels of A each ask for their share of the next one.
		rowPanels, _, _ := u.split()
		g.ahead, g.step = g.k*g.ldB, max(g.ldB/rowPanels, 1)
	}
}

// sourceA sets where the terms from k on of the block's rows from row on of A are; those of the super-block begin at k0.
func (u *unit) sourceA(k0, k, row int) {
	s, g := &u.blocked, &u.args
	switch {
	case s.packA == direct && u.a.h != nil:
		g.a, g.rsA, g.csA = slotPointer(u.a.half(u.matrix, u.i0+row, k)), 2*u.a.row, 4
	case s.packA == direct:
		g.a, g.rsA, g.csA = &u.a.at(u.matrix, u.i0+row, k)[0], 4*u.a.row, 4
	case s.columnsOfA:
		g.a, g.rsA, g.csA = &u.packedA[s.set.slots(k-k0)*s.stepA+row], 4, 4*s.stepA
	default:
		g.a, g.rsA, g.csA = &u.packedA[row*s.stepA+s.set.slots(k-k0)], 4*s.stepA, 4
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
		return addend{&u.local[digit*s.mc*s.columns()+row*width], 4 * width}
	case digit == s.local+s.global:
		return addend{&u.c.at(u.matrix, u.i0+row, j)[0], 4 * u.c.row}
	case s.packB == shared:
		return addend{&u.shared[u.m*((digit-s.local)*s.band+j-s.j0)+(u.i0+row)*width], 4 * width}
	}
	return addend{&u.global[s.mc*((digit-s.local)*s.nc+j-u.j0)+row*width], 4 * width}
}

// sweep sets swept to the sums of the chunk of terms k0 to k1, all columns at a time.
func (u *unit) sweep(k0, k1 int) {
	s, g := &u.blocked, &u.args
	u.sourceA(k0, k0, 0)
	vectors := ceil(u.j1-u.j0, s.set.lanes)
	y := u.swept[:vectors*s.set.lanes]
	clear(y)
	mask := &s.set.masks[u.j1-u.j0-(vectors-1)*s.set.lanes]
	sweepAVX2(&y[0], g.a, g.csA, &u.b.at(u.matrix, k0, u.j0)[0], 4*u.b.row, k1-k0, vectors, mask)
}

// finishSweep does the rest for nv vectors of columns from j on: a micro-kernel that has no terms to add stores them.
func (u *unit) finishSweep(k0, k1, j, nv int) {
	s, g := &u.blocked, &u.args
	width := nv * s.set.lanes
	cols := min(width, u.n-j)
	g.mask = &s.set.masks[cols-(nv-1)*s.set.lanes]
	g.k, g.panels, g.panelA = 0, 1, 0
	g.a, g.b = &u.swept[0], &u.swept[0]
	g.start = &u.swept[j-u.j0]
	u.destination(k0/Chunk, k1 == u.k, 0, j, width)
	s.set.tile(1, nv, cols < width, g)
	if s.scatter && k1 == u.k {
		u.spread(j, cols, width)
	}
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
