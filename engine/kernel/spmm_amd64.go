package kernel

// spmmArgs is the argument block of a kernel of the sparse product; the offsets stand in gen/spmm.go. Strides are in bytes.
type spmmArgs struct {
	indptr     *int64 // of the first row
	indices    *int32
	values     *float32
	valueStep  int // 1, or 0 when values is a single number
	x          *float32
	strideX    int
	y          *float32
	strideY    int
	rows       int   // at least 1
	safe       int64 // up to which entry rows of X may be asked for ahead
	accumulate bool
	mask       *[16]int32
}

//go:noescape
func runSpMMAVX2(kernel int, args *spmmArgs)

//go:noescape
func runSpMMAVX512(kernel int, args *spmmArgs)

const (
	spmmAhead = 8 // entries, as in gen/spmm.go
	spmmTile  = 8 // most vectors of a kernel, as there
)

var oneValue = [1]float32{1}

// tileColumns is the number of columns that a kernel of the level computes.
func (s *SpMM) tileColumns(level Level) int {
	if level == Generic {
		return stripe
	}
	return spmmTile * kernelsOf(level, false).lanes
}

// rows computes n columns from j0 on of rows first to end, at least one.
func (s *spmmRanges) rows(first, end, j0, n int) {
	if s.level == Generic {
		s.portableRows(first, end, j0, n)
		return
	}
	for r := first; r < end; {
		short := r
		for short < end && s.A.Indptr[short+1]-s.A.Indptr[short] <= Chunk {
			short++
		}
		if short > r {
			s.vectorRows(s.A.Indptr[r:short+1], s.Y[r*s.YStride+j0:], j0, n, s.Accumulate)
		}
		if r = short; r < end {
			s.vectorLongRow(r, j0, n)
			r++
		}
	}
}

// vectorLongRow computes n columns from j0 on of a row of more than a chunk of entries.
func (s *spmmRanges) vectorLongRow(r, j0, n int) {
	for j := j0; j < j0+n; j += stripe {
		part := min(stripe, j0+n-j)
		sums := s.longRow(s.A.Indptr[r], s.A.Indptr[r+1], j, part)
		s.set(s.Y[r*s.YStride+j:][:part], sums[:part])
	}
}

// entries adds up the entries begin to end in n ≤ stripe columns from j0 on; acc is 0 at first.
func (s *spmmRanges) entries(acc *[stripe]float32, begin, end int64, j0, n int) {
	if s.level == Generic {
		s.portableEntries(acc, begin, end, j0, n)
		return
	}
	s.vectorRows([]int64{begin, end}, acc[:], j0, n, false)
}

// vectorRows computes n columns from j0 on of the rows that indptr has into y.
func (s *spmmRanges) vectorRows(indptr []int64, y []float32, j0, n int, accumulate bool) {
	rows := len(indptr) - 1
	if len(s.A.Indices) == 0 {
		for r := 0; r < rows && !accumulate; r++ {
			clear(y[r*s.YStride:][:n])
		}
		return
	}
	set := kernelsOf(s.level, false)
	vectors := ceil(n, set.lanes)
	lanes := n - (vectors-1)*set.lanes
	args := spmmArgs{
		indptr: &indptr[0], indices: &s.A.Indices[0], values: &oneValue[0],
		x: &s.X[j0], strideX: 4 * s.XStride, y: &y[0], strideY: 4 * s.YStride, rows: rows,
		safe: int64(len(s.A.Indices) - spmmAhead), accumulate: accumulate, mask: &set.masks[lanes],
	}
	if s.A.Values != nil {
		args.values, args.valueStep = &s.A.Values[0], 1
	}
	kernel := 2 * vectors
	if lanes < set.lanes {
		kernel++
	}
	if set.lanes == 16 {
		runSpMMAVX512(kernel, &args)
	} else {
		runSpMMAVX2(kernel, &args)
	}
}
