package graph

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/seraph-ml/seraph/format"
)

// Features is a Rows × Cols matrix of float32, one row a node, sparse or dense. Neither means no features, Cols = 0.
type Features struct {
	Rows, Cols int
	Sparse     *format.Sparse // columns ascend within a row, each at most once
	Dense      []float32      // row-major
}

// canonical says whether the columns of every row ascend strictly.
func canonical(s *format.Sparse) bool {
	for i := range s.Rows {
		row := s.Indices[s.Indptr[i]:s.Indptr[i+1]]
		for j := 1; j < len(row); j++ {
			if row[j-1] >= row[j] {
				return false
			}
		}
	}
	return true
}

// takeFeatures returns the rows of the nodes that were kept (nil = all), in canonical form: raw's own arrays where they
// are what is wanted, else copies. Entries of a sparse row that name the same column are added.
func takeFeatures(raw *format.Features, kept []int32, rows int, b *bump) Features {
	f := Features{Rows: rows, Cols: raw.Cols}
	switch {
	case raw.Sparse != nil && kept == nil && canonical(raw.Sparse):
		f.Sparse = raw.Sparse
	case raw.Sparse != nil:
		f.Sparse = copySparse(raw.Sparse, kept, rows, b)
	case raw.Dense != nil && kept == nil:
		f.Dense = raw.Dense
	case raw.Dense != nil:
		f.Dense = b.float32s(rows * f.Cols)
		for i := range rows {
			from := int(original(kept, i)) * f.Cols
			copy(f.Dense[i*f.Cols:(i+1)*f.Cols], raw.Dense[from:])
		}
	}
	return f
}

func copySparse(raw *format.Sparse, kept []int32, rows int, b *bump) *format.Sparse {
	entries := int64(0)
	for i := range rows {
		u := original(kept, i)
		entries += raw.Indptr[u+1] - raw.Indptr[u]
	}
	s := &format.Sparse{Rows: rows, Cols: raw.Cols, Indptr: b.int64s(rows + 1), Indices: b.int32s(int(entries)), Values: b.float32s(int(entries))}
	end := int64(0)
	for i := range rows {
		u := original(kept, i)
		lo, hi := raw.Indptr[u], raw.Indptr[u+1]
		n := int64(copy(s.Indices[end:], raw.Indices[lo:hi]))
		copy(s.Values[end:], raw.Values[lo:hi])
		end += addRepeated(s.Indices[end:end+n], s.Values[end:end+n])
		s.Indptr[i+1] = end
	}
	s.Indices, s.Values = s.Indices[:end], s.Values[:end]
	return s
}

// addRepeated sorts the entries of a row by column, adds those of the same column in the order of the file, and returns
// how many are left.
func addRepeated(columns []int32, values []float32) int64 {
	if !slices.IsSorted(columns) {
		sort.Stable(&weightedRow{columns, values})
	}
	n := 0
	for i, c := range columns {
		if n > 0 && columns[n-1] == c {
			values[n-1] += values[i]
			continue
		}
		columns[n], values[n] = c, values[i]
		n++
	}
	return int64(n)
}

// Scaling says how features are scaled before they are propagated, and hops afterwards.
type Scaling string

// The scalings. Rows that are zero stay zero.
const (
	ScaleNone Scaling = "none" // X as it is
	ScaleL1   Scaling = "l1"   // x_i / Σ_j |x_ij|
	ScaleL2   Scaling = "l2"   // x_i / √(Σ_j x_ij²)
	ScaleRMS  Scaling = "rms"  // rows as l1; then every hop H_k is divided by √(‖H_k‖²_F / n), so that its rows have the root mean square norm 1
)

// Scalings are all of them.
var Scalings = []Scaling{ScaleNone, ScaleL1, ScaleL2, ScaleRMS}

// rowFactors returns what the rows of f are multiplied by, computed in float64: nil for none.
func (f *Features) rowFactors(s Scaling) ([]float64, error) {
	var term func(v float64) float64
	switch s {
	case ScaleNone, "":
		return nil, nil
	case ScaleL1, ScaleRMS:
		term = math.Abs
	case ScaleL2:
		term = func(v float64) float64 { return v * v }
	default:
		return nil, fmt.Errorf("feature scaling %q: expected one of %v", s, Scalings)
	}
	factors := make([]float64, f.Rows)
	for i := range factors {
		norm := 0.0
		for _, v := range f.rowValues(i) {
			norm += float64(term(float64(v)))
		}
		if s == ScaleL2 {
			norm = math.Sqrt(norm)
		}
		if norm > 0 {
			factors[i] = 1 / norm
		}
	}
	return factors, nil
}

// rowValues returns the stored values of row i.
func (f *Features) rowValues(i int) []float32 {
	switch {
	case f.Sparse != nil:
		return f.Sparse.Values[f.Sparse.Indptr[i]:f.Sparse.Indptr[i+1]]
	case f.Dense != nil:
		return f.Dense[i*f.Cols : (i+1)*f.Cols]
	}
	return nil
}

// block writes columns lo … hi−1 of row i, times its factor, to dst. A product is computed in float64 and rounded once.
func (f *Features) block(dst []float32, i, lo, hi int, factors []float64) {
	dst = dst[:hi-lo]
	factor := 1.0
	if factors != nil {
		factor = factors[i]
	}
	if f.Dense != nil {
		row := f.Dense[i*f.Cols+lo : i*f.Cols+hi]
		if factors == nil {
			copy(dst, row)
			return
		}
		for j, v := range row {
			dst[j] = float32(float64(v) * factor)
		}
		return
	}
	clear(dst)
	if f.Sparse == nil {
		return
	}
	begin, end := f.Sparse.Indptr[i], f.Sparse.Indptr[i+1]
	columns, values := f.Sparse.Indices[begin:end], f.Sparse.Values[begin:end]
	first, _ := slices.BinarySearchFunc(columns, lo, func(c int32, lo int) int { return cmp.Compare(int(c), lo) })
	for e := first; e < len(columns) && int(columns[e]) < hi; e++ {
		dst[int(columns[e])-lo] = float32(float64(values[e]) * factor)
	}
}
