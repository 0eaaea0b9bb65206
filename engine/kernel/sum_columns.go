package kernel

// ColumnSum is Dst[j] = Σ_i X[i, j], or Dst[j] += Σ_i X[i, j] with Accumulate, of X (Rows, Cols): a sum over k as the
// package defines it, so X may be split at multiples of Chunk rows.
type ColumnSum struct {
	Dst        []float32 // Cols
	X          []float32 // Rows × Cols
	Rows, Cols int
	Accumulate bool

	sums columnSums
}

// Check says what is wrong with the sizes.
func (s *ColumnSum) Check() error {
	const name = "column sum"
	if err := checkShape(name, s.Rows, s.Cols); err != nil {
		return err
	}
	return checkSizes(name, length{"Dst", len(s.Dst), s.Cols}, length{"X", len(s.X), s.Rows * s.Cols})
}

// ScratchBytes is the working memory that Run takes from a pool.
func (s *ColumnSum) ScratchBytes(int) int { return 4 * columnScratch(s.Rows, s.Cols, 1) }

// Run computes the sums on the pool's workers.
func (s *ColumnSum) Run(p *Pool) { s.run(p, active) }

func (s *ColumnSum) run(p *Pool, level Level) {
	s.sums = columnSums{level: level, rows: s.Rows, cols: s.Cols, x: s.X, first: s.Dst, accumulate: s.Accumulate}
	mem, back := p.borrow(columnScratch(s.Rows, s.Cols, 1))
	s.sums.run(p, mem)
	giveBack(back)
}

// columnTerm is what is summed over the rows.
type columnTerm uint8

const (
	sumOfX           columnTerm = iota // x
	sumOfSquares                       // (x − mean[column])²
	sumsOfRowNorm                      // dy·(x − mean[row])·rstd[row], and dy; mean may be nil
	sumsOfColumnNorm                   // dy·(x − mean[column])·rstd[column], and dy
)

// columnSums is a sum over rows for every column, or two at once. A unit is a chunk of rows in a stripe of columns.
type columnSums struct {
	level         Level
	term          columnTerm
	rows, cols    int
	x, dy         []float32
	mean, rstd    []float32
	first, second []float32 // the sums; second may be nil
	accumulate    bool

	stripe int       // columns of a unit
	sums   []float32 // of chunks: first, then second, rows of cols numbers
	tree   columnTree
}

// columnScratch is the working memory, in floats, of a number of sums over rows for every column.
func columnScratch(rows, cols, sums int) int { return sums * ceil(rows, Chunk) * cols }

// columnStripe is how many columns a unit has: there are enough units for all workers, none narrower than a few cache lines.
func columnStripe(p *Pool, chunks, cols int) int {
	want := 4 * p.Workers()
	if p.Workers() == 1 || chunks >= want {
		return cols
	}
	return max(4*line, ceil(ceil(cols, ceil(want, max(chunks, 1))), line)*line)
}

// run computes the sums; mem has columnScratch floats.
func (s *columnSums) run(p *Pool, mem []float32) {
	s.sums = mem
	chunks := ceil(s.rows, Chunk)
	s.stripe = columnStripe(p, chunks, s.cols)
	p.For(chunks*ceil(s.cols, max(s.stripe, 1)), max(1, elementGrain/max(Chunk*s.stripe, 1)), s)
	s.combine(p)
}

// combine makes the results of the sums of chunks.
func (s *columnSums) combine(p *Pool) {
	chunks := ceil(s.rows, Chunk)
	grain := max(line, elementGrain/max(chunks, 1))
	s.tree = columnTree{s.first, s.sums, chunks, s.cols, s.accumulate}
	p.For(s.cols, grain, &s.tree)
	if s.second != nil {
		s.tree = columnTree{s.second, s.sums[chunks*s.cols:], chunks, s.cols, s.accumulate}
		p.For(s.cols, grain, &s.tree)
	}
	s.sums, s.tree = nil, columnTree{}
}

// Do computes units lo to hi.
func (s *columnSums) Do(_, lo, hi int) {
	chunks := ceil(s.rows, Chunk)
	for u := lo; u < hi; u++ {
		chunk, j0 := u%chunks, u/chunks*s.stripe
		acc, acc2 := s.begin(chunk, j0, min(j0+s.stripe, s.cols))
		s.add(acc, acc2, chunk*Chunk, min((chunk+1)*Chunk, s.rows), j0)
	}
}

// begin returns the sums of columns j0 to j1 of a chunk, set to 0.
func (s *columnSums) begin(chunk, j0, j1 int) (acc, acc2 []float32) {
	acc = s.sums[chunk*s.cols:][j0:j1]
	clear(acc)
	if s.second != nil {
		acc2 = s.sums[(ceil(s.rows, Chunk)+chunk)*s.cols:][j0:j1]
		clear(acc2)
	}
	return acc, acc2
}

// add adds rows i0 to i1 to the sums of the columns from j0 on.
func (s *columnSums) add(acc, acc2 []float32, i0, i1, j0 int) {
	if len(acc) == 0 {
		return
	}
	if s.level == Generic {
		s.portableAdd(acc, acc2, i0, i1, j0)
		return
	}
	groups := (i1 - i0) / 4
	if groups > 0 {
		s.vectorAdd(acc, acc2, i0, groups, j0, 1)
	}
	if left := (i1 - i0) % 4; left > 0 {
		s.vectorAdd(acc, acc2, i1-left, left, j0, 0)
	}
}

// vectorAdd adds groups of rows from i0 on: of 1 or 4 rows, as the variant of the kernel is 0 or 1.
func (s *columnSums) vectorAdd(acc, acc2 []float32, i0, groups, j0 int, variant rowsKernel) {
	i := i0*s.cols + j0
	args := rowsArgs{a: &acc[0], b: &s.x[i], v: from(acc2, 0), rows: groups, cols: len(acc), stride: 4 * s.cols}
	switch s.term {
	case sumOfX:
		args.run(s.level, rowsColumnSums+variant)
	case sumOfSquares:
		args.u = &s.mean[j0]
		args.run(s.level, rowsColumnSquares+variant)
	case sumsOfRowNorm:
		args.c, args.s, args.t = &s.dy[i], from(s.mean, i0), &s.rstd[i0]
		args.run(s.level, rowsRowNormSums+variant)
	case sumsOfColumnNorm:
		args.c, args.u, args.w = &s.dy[i], &s.mean[j0], &s.rstd[j0]
		args.run(s.level, rowsColumnNormSums+variant)
	}
}

// portableAdd is add in portable Go.
func (s *columnSums) portableAdd(acc, acc2 []float32, i0, i1, j0 int) {
	for i := i0; i < i1; i++ {
		x := s.x[i*s.cols+j0:][:len(acc)]
		switch s.term {
		case sumOfX:
			for j, v := range x {
				acc[j] += v
			}
		case sumOfSquares:
			for j, v := range x {
				d := v - s.mean[j0+j]
				acc[j] += float32(d * d)
			}
		case sumsOfRowNorm:
			var mean float32
			if s.mean != nil {
				mean = s.mean[i]
			}
			for j, dy := range s.dy[i*s.cols+j0:][:len(acc)] {
				acc[j] += float32(dy * float32((x[j]-mean)*s.rstd[i]))
				if acc2 != nil {
					acc2[j] += dy
				}
			}
		case sumsOfColumnNorm:
			for j, dy := range s.dy[i*s.cols+j0:][:len(acc)] {
				acc[j] += float32(dy * float32((x[j]-s.mean[j0+j])*s.rstd[j0+j]))
				acc2[j] += dy
			}
		}
	}
}

// columnTree combines the sums of chunks; a unit is a column.
type columnTree struct {
	dst, sums    []float32
	chunks, cols int
	accumulate   bool
}

// Do combines columns lo to hi.
func (t *columnTree) Do(_, lo, hi int) {
	if t.chunks == 0 {
		if !t.accumulate {
			clear(t.dst[lo:hi])
		}
		return
	}
	treeSum(t.sums, t.chunks, t.cols, lo, hi)
	if !t.accumulate {
		copy(t.dst[lo:hi], t.sums[lo:hi])
		return
	}
	for j := lo; j < hi; j++ {
		t.dst[j] += t.sums[j]
	}
}
