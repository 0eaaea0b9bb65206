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
	s.level = level
	if s.A.Rows == 0 || s.Width == 0 {
		return
	}
	p.For(int(s.start(s.A.Rows)), max(1, elementGrain/s.Width), (*spmmRanges)(s))
}

// start is where the work of row r begins: a row counts as one unit, and each of its entries as one, so that ranges of
// units are equal work whatever the degrees are.
func (s *SpMM) start(r int) int64 { return s.A.Indptr[r] - s.A.Indptr[0] + int64(r) }

// spmmRanges is an SpMM as a task: a range of units computes the rows that begin in it.
type spmmRanges SpMM

// Do computes the rows that begin in units lo to hi.
func (s *spmmRanges) Do(_, lo, hi int) {
	m := (*SpMM)(s)
	first := sort.Search(s.A.Rows, func(r int) bool { return m.start(r) >= int64(lo) })
	end := first + sort.Search(s.A.Rows-first, func(r int) bool { return m.start(first+r) >= int64(hi) })
	for r := first; r < end; r++ {
		for j := 0; j < s.Width; j += stripe {
			s.row(r, j, min(stripe, s.Width-j))
		}
	}
}

// row computes n ≤ stripe elements of row r of Y from column j0 on.
func (s *spmmRanges) row(r, j0, n int) {
	begin, end := s.A.Indptr[r], s.A.Indptr[r+1]
	var acc [stripe]float32
	if end-begin <= Chunk {
		s.entries(&acc, begin, end, j0, n)
	} else {
		acc = s.long(begin, end, j0, n)
	}
	y := s.Y[r*s.YStride+j0:][:n]
	if !s.Accumulate {
		copy(y, acc[:])
		return
	}
	for j := range y {
		y[j] += acc[j]
	}
}

// long combines the chunks of a long row.
func (s *spmmRanges) long(begin, end int64, j0, n int) [stripe]float32 {
	var sum sumTree
	for ; begin < end; begin += Chunk {
		var acc [stripe]float32
		s.entries(&acc, begin, min(begin+Chunk, end), j0, n)
		sum.add(&acc)
	}
	return sum.total()
}

// entries adds up the entries begin to end.
func (s *spmmRanges) entries(acc *[stripe]float32, begin, end int64, j0, n int) {
	for e := begin; e < end; e++ {
		x := s.X[int(s.A.Indices[e])*s.XStride+j0:][:n]
		if s.A.Values == nil {
			for j, v := range x {
				acc[j] += v
			}
			continue
		}
		a := s.A.Values[e]
		for j, v := range x {
			acc[j] += float32(a * v)
		}
	}
}
