package graph

import (
	"fmt"
	"math"
	"slices"

	"github.com/seraph-ml/seraph/format"
)

// Features is a Rows × Cols matrix of float32, one row a node, in one of three forms. None of them means no features,
// Cols = 0.
type Features struct {
	Rows, Cols int
	Sparse     *format.Sparse // columns ascend within a row, each at most once
	Dense      []float32      // row-major

	// Read gives features that are larger than memory, row-major: it fills dst with whole rows from row first on. A
	// propagation calls it for every row once, in ascending order.
	Read func(first int, dst []float32) error
}

// copyFeatures returns the rows of the nodes that were kept (nil = all). Entries of a sparse row that name the same column
// are added.
func copyFeatures(raw *format.Features, kept []int32, rows int, b *bump) Features {
	f := Features{Rows: rows, Cols: raw.Cols}
	switch {
	case raw.Sparse != nil:
		f.Sparse = copySparse(raw.Sparse, kept, rows, b)
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
	s := &format.Sparse{Rows: rows, Cols: raw.Cols}
	s.Indptr, s.Indices, s.Values = b.int64s(rows+1), b.int32s(int(entries)), b.float32s(int(entries))
	var sorter rowSorter[float32]
	end := int64(0)
	for i := range rows {
		u := original(kept, i)
		lo, hi := raw.Indptr[u], raw.Indptr[u+1]
		n := int64(copy(s.Indices[end:], raw.Indices[lo:hi]))
		copy(s.Values[end:], raw.Values[lo:hi])
		sorter.sort(s.Indices[end:end+n], s.Values[end:end+n])
		end += addRepeated(s.Indices[end:end+n], s.Values[end:end+n])
		s.Indptr[i+1] = end
	}
	s.Indices, s.Values = s.Indices[:end], s.Values[:end]
	return s
}

// addRepeated adds the values of the same column of a sorted row, in their order, and returns how many entries are left.
func addRepeated(columns []int32, values []float32) int64 {
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

// rowSorter sorts rows of sparse matrices; it keeps its working memory from row to row.
type rowSorter[T any] struct {
	keys   []uint64 // column, and place in the row
	values []T
}

// sort sorts the entries of a row by column. Those of the same column keep their order.
func (s *rowSorter[T]) sort(columns []int32, values []T) {
	if slices.IsSorted(columns) {
		return
	}
	s.keys, s.values = s.keys[:0], append(s.values[:0], values...)
	for i, c := range columns {
		s.keys = append(s.keys, uint64(c)<<32|uint64(i))
	}
	slices.Sort(s.keys)
	for i, key := range s.keys {
		columns[i], values[i] = int32(key>>32), s.values[uint32(key)]
	}
}

// Scaling says how features are scaled before they are propagated, and hops afterwards.
type Scaling string

// The scalings. Rows that are zero stay zero.
const (
	ScaleNone Scaling = "none" // X as it is
	ScaleL1   Scaling = "l1"   // x_i / Σ_j |x_ij|
	ScaleL2   Scaling = "l2"   // x_i / √(Σ_j x_ij²)
	ScaleRMS  Scaling = "rms"  // rows as l1; then every hop is divided by √(‖H_k‖²_F / n): its rows have the root mean square norm 1
)

// Scalings are all of them.
var Scalings = []Scaling{ScaleNone, ScaleL1, ScaleL2, ScaleRMS}

// check says whether the scaling is known.
func (s Scaling) check() error {
	if s != "" && !slices.Contains(Scalings, s) {
		return fmt.Errorf("feature scaling %q: expected one of %v", s, Scalings)
	}
	return nil
}

// factor returns what a row with the given values is multiplied by, computed in float64.
func (s Scaling) factor(values []float32) float64 {
	norm := 0.0
	for _, v := range values {
		if x := float64(v); s == ScaleL2 {
			norm += float64(x * x)
		} else {
			norm += math.Abs(x)
		}
	}
	if s == ScaleL2 {
		norm = math.Sqrt(norm)
	}
	if norm == 0 {
		return 0
	}
	return 1 / norm
}

// scaleRow multiplies in float64 and rounds once. dst may be row.
func scaleRow(dst, row []float32, factor float64) {
	if factor == 1 {
		copy(dst, row)
		return
	}
	for j, v := range row {
		dst[j] = float32(float64(v) * factor)
	}
}
