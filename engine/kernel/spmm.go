package kernel

import (
	"fmt"
	"sort"
)

// CSR is a sparse matrix of Rows × Cols in compressed rows: the entries of row r are those from Indptr[r] up to
// Indptr[r+1], entry e stands in column Indices[e] and is Values[e]. Indptr need not begin with 0: Indptr[lo:hi+1] with
// hi−lo rows is the matrix of rows lo to hi.
type CSR struct {
	Indptr     []int64   // Rows + 1
	Indices    []int32   // columns; a row may hold them in any order, and repeatedly
	Values     []float32 // as many as Indices, or nil: every entry is 1
	Rows, Cols int
}

// Check says where the matrix is broken. It looks at every entry.
func (a *CSR) Check() error {
	if err := checkShape("sparse matrix", a.Rows, a.Cols); err != nil {
		return err
	}
	if len(a.Indptr) < a.Rows+1 {
		return fmt.Errorf("sparse matrix: Indptr has %d elements, expected %d for %d rows", len(a.Indptr), a.Rows+1, a.Rows)
	}
	indptr := a.Indptr[:a.Rows+1]
	for r, begin := range indptr[:a.Rows] {
		if end := indptr[r+1]; begin < 0 || end < begin || end > int64(len(a.Indices)) {
			return fmt.Errorf("sparse matrix: row %d has the entries %d to %d, there are %d", r, begin, end, len(a.Indices))
		}
	}
	if a.Values != nil && len(a.Values) < len(a.Indices) {
		return fmt.Errorf("sparse matrix: %d values for %d entries", len(a.Values), len(a.Indices))
	}
	for e := indptr[0]; e < indptr[a.Rows]; e++ {
		if j := a.Indices[e]; j < 0 || int(j) >= a.Cols {
			return fmt.Errorf("sparse matrix: entry %d stands in column %d, there are %d columns", e, j, a.Cols)
		}
	}
	return nil
}

// SpMM is the product Y = A·X, or Y += A·X with Accumulate, of a sparse matrix and a dense one: X is (A.Cols, Width) and Y
// (A.Rows, Width), their rows XStride and YStride elements apart. Y does not overlap X.
//
// An element of Y is a sum over the stored entries of its row in their order, cut into chunks counted from the row's first
// entry and combined by the binary tree, as the package defines a sum over k. So a row has the same bits whichever rows
// and columns are computed with it.
type SpMM struct {
	A                CSR
	X, Y             []float32
	XStride, YStride int
	Width            int
	Accumulate       bool

	level Level
	tile  int // columns that are computed at a time
	units int // of work in a tile
}

// Check says what is wrong with the sizes and with the sparse matrix, all of whose entries it looks at. Run does not check
// and trusts them.
func (s *SpMM) Check() error {
	const name = "sparse product"
	if err := s.A.Check(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if s.Width < 0 || s.XStride < s.Width || s.YStride < s.Width {
		return fmt.Errorf("%s: rows of %d elements lie %d apart in X and %d in Y", name, s.Width, s.XStride, s.YStride)
	}
	need := func(rows, stride int) int {
		if rows == 0 {
			return 0
		}
		return (rows-1)*stride + s.Width
	}
	return checkSizes(name, length{"X", len(s.X), need(s.A.Cols, s.XStride)}, length{"Y", len(s.Y), need(s.A.Rows, s.YStride)})
}

// Run computes the product on the pool's workers.
func (s *SpMM) Run(p *Pool) { s.run(p, active) }

func (s *SpMM) run(p *Pool, level Level) {
	if s.A.Rows == 0 || s.Width == 0 {
		return
	}
	s.level, s.tile, s.units = level, s.tileColumns(level), s.A.start(s.A.Rows)
	p.For(s.units*ceil(s.Width, s.tile), max(1, elementGrain/s.tile), (*spmmRanges)(s))
}

// start is where the work of row r begins: a row counts as one unit, and each of its entries as one, so that ranges of
// units are equal work whatever the degrees are.
func (a *CSR) start(r int) int { return int(a.Indptr[r]-a.Indptr[0]) + r }

// rowsFrom is the first row whose work begins at unit u or later.
func (a *CSR) rowsFrom(u int) int {
	return sort.Search(a.Rows, func(r int) bool { return a.start(r) >= u })
}

// spmmRanges is an SpMM as a task: a range of units, counted through the tiles of columns, computes the rows that begin in
// it.
type spmmRanges SpMM

// Do computes the rows that begin in units lo to hi.
func (s *spmmRanges) Do(_, lo, hi int) {
	for lo < hi {
		tile := lo / s.units
		base, next := tile*s.units, min(hi, (tile+1)*s.units)
		j0 := tile * s.tile
		first, end := s.A.rowsFrom(lo-base), s.A.rowsFrom(next-base)
		if first < end {
			s.rows(first, end, j0, min(s.tile, s.Width-j0))
		}
		lo = next
	}
}

// portableRows computes n columns from j0 on of rows first to end.
func (s *spmmRanges) portableRows(first, end, j0, n int) {
	for r := first; r < end; r++ {
		begin, end := s.A.Indptr[r], s.A.Indptr[r+1]
		y := s.Y[r*s.YStride+j0:][:n]
		var acc [stripe]float32
		if end-begin <= Chunk {
			s.entries(&acc, begin, end, j0, n)
		} else {
			acc = s.longRow(begin, end, j0, n)
		}
		s.set(y, acc[:n])
	}
}

// set gives a part of Y its sums.
func (s *spmmRanges) set(y, sums []float32) {
	if !s.Accumulate {
		copy(y, sums)
		return
	}
	for j := range y {
		y[j] += sums[j]
	}
}

// longRow combines the chunks of a row of more than one; n ≤ stripe.
func (s *spmmRanges) longRow(begin, end int64, j0, n int) [stripe]float32 {
	var sum sumTree
	for ; begin < end; begin += Chunk {
		var acc [stripe]float32
		s.entries(&acc, begin, min(begin+Chunk, end), j0, n)
		sum.add(&acc)
	}
	return sum.total()
}

// portableEntries adds up the entries begin to end in n ≤ stripe columns from j0 on.
func (s *spmmRanges) portableEntries(acc *[stripe]float32, begin, end int64, j0, n int) {
	for e := begin; e < end; e++ {
		x := s.X[int(s.A.Indices[e])*s.XStride+j0:][:n]
		a := float32(1)
		if s.A.Values != nil {
			a = s.A.Values[e]
		}
		for j, v := range x {
			acc[j] += float32(a * v)
		}
	}
}
