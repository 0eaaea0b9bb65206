package kernel

import (
	"fmt"
	"slices"
)

// SpGEMM is the product Y = A·X of two sparse matrices into a dense one, in the columns Lo ≤ j < Hi of X: Y is
// (A.Rows, Hi−Lo), its rows YStride elements apart. The entries of row r of X in those columns are those from Begin[r] up to
// End[r]; their columns ascend, each at most once. It costs as many multiplications as there are pairs of entries, where
// [SpMM] on X written out would cost A's entries times Hi−Lo.
//
// The bits are those of SpMM on X written out: a zero of X adds nothing to a sum. (Where all products of an element round
// to zero, the sign of that zero may differ.)
type SpGEMM struct {
	A          CSR
	Begin, End []int64   // A.Cols
	Columns    []int32   // of the entries of X
	X          []float32 // their values
	Lo, Hi     int
	Y          []float32
	YStride    int

	level Level
}

// Check says what is wrong with the sizes and with the matrices, all of whose entries it looks at. Run does not check and
// trusts them.
func (s *SpGEMM) Check() error {
	const name = "product of sparse matrices"
	if err := s.A.Check(); err != nil {
		return fmt.Errorf("%s: A: %w", name, err)
	}
	if s.Lo < 0 || s.Hi < s.Lo || s.YStride < s.Hi-s.Lo {
		return fmt.Errorf("%s: columns %d to %d, rows of Y %d apart", name, s.Lo, s.Hi, s.YStride)
	}
	if len(s.Begin) < s.A.Cols || len(s.End) < s.A.Cols {
		return fmt.Errorf("%s: X has %d and %d ends of rows, A has %d columns", name, len(s.Begin), len(s.End), s.A.Cols)
	}
	for r := range s.A.Cols {
		begin, end := s.Begin[r], s.End[r]
		if begin < 0 || end < begin || end > int64(min(len(s.Columns), len(s.X))) {
			return fmt.Errorf("%s: row %d of X has the entries %d to %d; there are %d columns and %d values", name, r, begin, end, len(s.Columns), len(s.X))
		}
		last := s.Lo - 1
		for _, c := range s.Columns[begin:end] {
			if int(c) <= last || int(c) >= s.Hi {
				return fmt.Errorf("%s: row %d of X has column %d after %d, expected them to ascend from %d to %d", name, r, c, last, s.Lo, s.Hi-1)
			}
			last = int(c)
		}
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
		if end-begin > Chunk {
			s.longRow(y, begin, end)
			continue
		}
		clear(y)
		for e := begin; e < end; e++ {
			row := s.A.Indices[e]
			s.scatter(y, s.Lo, s.Begin[row], s.End[row], e)
		}
	}
}

// longRow combines the chunks of a row of A of more than one, a stripe of columns at a time.
func (s *spgemmRows) longRow(y []float32, begin, end int64) {
	for j := 0; j < len(y); j += stripe {
		part, lo := y[j:min(j+stripe, len(y))], s.Lo+j
		var sum sumTree
		for chunk := begin; chunk < end; chunk += Chunk {
			var acc [stripe]float32
			for e := chunk; e < min(chunk+Chunk, end); e++ {
				row := s.A.Indices[e]
				columns := s.Columns[s.Begin[row]:s.End[row]]
				first, _ := slices.BinarySearch(columns, int32(lo))
				last, _ := slices.BinarySearch(columns, int32(lo+len(part)))
				s.scatter(acc[:], lo, s.Begin[row]+int64(first), s.Begin[row]+int64(last), e)
			}
			sum.add(&acc)
		}
		total := sum.total()
		copy(part, total[:])
	}
}

// scatter adds the entries first to last of X times entry e of A to y, which begins with column lo.
func (s *spgemmRows) scatter(y []float32, lo int, first, last, e int64) {
	if first == last {
		return
	}
	a := float32(1)
	if s.A.Values != nil {
		a = s.A.Values[e]
	}
	scatterAdd(s.level, y, lo, s.Columns[first:last], s.X[first:last], a)
}

// portableScatterAdd adds a·x to the elements of y, which begins with column lo.
func portableScatterAdd(y []float32, lo int, columns []int32, x []float32, a float32) {
	for e, c := range columns {
		y[int(c)-lo] += float32(a * x[e])
	}
}
