package sgap

// fold makes the one matrix that a design reads of hops that are kept: their maximum, or a sum that was not made while they
// were propagated. The sum has the bits of graph.Propagation's: products and sums are rounded to float32 one after the
// other, k ascending, and hops of weight 0 are left out.
type fold struct {
	hops    int       // K
	weights []float64 // w_0 … w_K; nil for the maximum
}

// foldOf is what makes of the hops in the store what the design reads; nil where they are read as they are.
func foldOf(s *store, d *Design) *fold {
	switch {
	case d.Messages == Max:
		return &fold{hops: d.Hops}
	case d.Messages.sums() && !s.combined:
		return &fold{d.Hops, d.weights()}
	}
	return nil
}

// make fills dst with rows of cols elements, as many at a time as there is room for in few: get reads rows lo … hi−1 of a hop.
func (f *fold) make(dst, few []float32, cols int, get func(k, lo, hi int, dst []float32) error) error {
	rows := len(dst) / cols
	for lo := 0; lo < rows; lo += len(few) / cols {
		hi := min(lo+len(few)/cols, rows)
		into, x := dst[lo*cols:hi*cols], few[:(hi-lo)*cols]
		first := true
		for k := range f.hops + 1 {
			if f.weights != nil && float32(f.weights[k]) == 0 {
				continue
			}
			if err := get(k, lo, hi, x); err != nil {
				return err
			}
			f.take(into, x, k, first)
			first = false
		}
	}
	return nil
}

// take adds hop k to what was made of those before it.
func (f *fold) take(into, x []float32, k int, first bool) {
	switch {
	case f.weights == nil && first:
		copy(into, x)
	case f.weights == nil:
		for i, v := range x {
			into[i] = max(into[i], v)
		}
	case first:
		w := float32(f.weights[k])
		for i, v := range x {
			into[i] = w * v
		}
	default:
		w := float32(f.weights[k])
		for i, v := range x {
			into[i] += float32(w * v) // not fused
		}
	}
}
