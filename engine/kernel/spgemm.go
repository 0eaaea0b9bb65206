package kernel

import (
	"fmt"
	"slices"
)

// SpGEMM is the product Y = A·X of two sparse matrices into a dense one, of the columns Lo ≤ j < Hi of X alone: Y is
// (A.Rows, Hi−Lo), its rows YStride elements apart. The columns of X ascend within a row, each at most once. It costs as
// many multiplications as there are pairs of entries, where [SpMM] on X written out would cost A's entries times Hi−Lo.
//
// The bits are those of SpMM on X written out: a zero of X adds nothing to a sum. (Where all products of an element round
// to zero, the sign of that zero may differ.)
type SpGEMM struct {
	A, X    CSR
	Lo, Hi  int
	Y       []float32
	YStride int

	level Level
}

// Check says what is wrong with the sizes and with the matrices, all of whose entries it looks at. Run does not check and
// trusts them.
func (s *SpGEMM) Check() error {
	const name = "product of sparse matrices"
	if err := s.A.Check(); err != nil {
		return fmt.Errorf("%s: A: %w", name, err)
	}
	if err := s.X.Check(); err != nil {
		return fmt.Errorf("%s: X: %w", name, err)
	}
	if s.A.Cols != s.X.Rows {
		return fmt.Errorf("%s: A has %d columns, X has %d rows", name, s.A.Cols, s.X.Rows)
	}
	for r := range s.X.Rows {
		row := s.X.Indices[s.X.Indptr[r]:s.X.Indptr[r+1]]
		for e := 1; e < len(row); e++ {
			if row[e] <= row[e-1] {
				return fmt.Errorf("%s: row %d of X has column %d after %d; they must ascend", name, r, row[e], row[e-1])
			}
		}
	}
	if s.Lo < 0 || s.Hi < s.Lo || s.Hi > s.X.Cols || s.YStride < s.Hi-s.Lo {
		return fmt.Errorf("%s: columns %d to %d of %d, rows of Y %d apart", name, s.Lo, s.Hi, s.X.Cols, s.YStride)
	}
	if s.A.Rows == 0 {
		return nil
	}
	return checkSizes(name, length{"Y", len(s.Y), (s.A.Rows-1)*s.YStride + s.Hi - s.Lo})
}

// Run computes the product on the pool's workers.
func (s *SpGEMM) Run(p *Pool) { s.run(p, active) }

func (s *SpGEMM) run(p *Pool, level Level) {
	if s.A.Rows == 0 || s.Hi == s.Lo {
		return
	}
	s.level = level
	p.For(s.A.start(s.A.Rows), 64, (*spgemmRows)(s))
}

// spgemmRows is a SpGEMM as a task: a range of units of A computes the rows that begin in it.
type spgemmRows SpGEMM

// Do computes the rows that begin in units lo to hi.
func (s *spgemmRows) Do(_, lo, hi int) {
	for r, end := s.A.rowsFrom(lo), s.A.rowsFrom(hi); r < end; r++ {
		begin, end := s.A.Indptr[r], s.A.Indptr[r+1]
		y := s.Y[r*s.YStride:][:s.Hi-s.Lo]
		if end-begin <= Chunk {
			clear(y)
			s.entries(y, s.Lo, begin, end)
			continue
		}
		// Chunks are combined a stripe of columns at a time.
		for j := 0; j < len(y); j += stripe {
			part := y[j:min(j+stripe, len(y))]
			var sum sumTree
			for e := begin; e < end; e += Chunk {
				var acc [stripe]float32
				s.entries(acc[:len(part)], s.Lo+j, e, min(e+Chunk, end))
				sum.add(&acc)
			}
			total := sum.total()
			copy(part, total[:])
		}
	}
}

// entries adds the rows of X that the entries begin to end of A name, times their values, to y, which begins with column lo.
func (s *spgemmRows) entries(y []float32, lo int, begin, end int64) {
	for e := begin; e < end; e++ {
		row := s.A.Indices[e]
		first, last := s.X.Indptr[row], s.X.Indptr[row+1]
		columns := s.X.Indices[first:last]
		if lo > 0 {
			skip, _ := slices.BinarySearch(columns, int32(lo))
			first, columns = first+int64(skip), columns[skip:]
		}
		if lo+len(y) < s.X.Cols {
			n, _ := slices.BinarySearch(columns, int32(lo+len(y)))
			columns = columns[:n]
		}
		a := float32(1)
		if s.A.Values != nil {
			a = s.A.Values[e]
		}
		if len(columns) > 0 {
			scatterAdd(s.level, y, lo, columns, s.values(first, len(columns)), a)
		}
	}
}

// values are n values of X from entry first on; nil for ones.
func (s *spgemmRows) values(first int64, n int) []float32 {
	if s.X.Values == nil {
		return nil
	}
	return s.X.Values[first:][:n]
}

// portableScatterAdd adds a·x to the elements of y, which begins with column lo; x may be nil for ones.
func portableScatterAdd(y []float32, lo int, columns []int32, x []float32, a float32) {
	if x == nil {
		for _, c := range columns {
			y[int(c)-lo] += a
		}
		return
	}
	for e, c := range columns {
		y[int(c)-lo] += float32(a * x[e])
	}
}
