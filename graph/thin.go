package graph

import "github.com/seraph-ml/seraph/engine/kernel"

// thin makes blocks of hop 1 from sparse features as they are.
type thin struct {
	source     *source
	begin, end []int64 // the entries of each row in the columns of the block
}

// newThin prepares for the first block.
func newThin(s *source, b *bump) thin {
	t := thin{source: s, begin: b.int64s(s.features.Rows), end: b.int64s(s.features.Rows)}
	copy(t.end, s.features.Sparse.Indptr)
	return t
}

// multiply computes columns lo … hi−1 of Â·X in y, right after the block that ends at lo.
func (t *thin) multiply(a *kernel.CSR, y strip, lo, hi int, pool *kernel.Pool) {
	f := t.source.features.Sparse
	for r := range t.end {
		at := t.end[r]
		t.begin[r] = at
		for at < f.Indptr[r+1] && int(f.Indices[at]) < hi {
			at++
		}
		t.end[r] = at
	}
	product := kernel.SpGEMM{
		A: *a, Begin: t.begin, End: t.end, Columns: f.Indices, X: t.source.values, Lo: lo, Hi: hi, Y: y.data, YStride: y.stride,
	}
	product.Run(pool)
}
