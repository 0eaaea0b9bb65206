package kernel

// tileArgs is the argument block of a micro-kernel; the offsets stand in gen/matmul.go. Distances are in bytes.
type tileArgs struct {
	a                *float32
	rsA, csA, panelA int // between rows, terms and row panels of A
	b                *float32
	ldB              int // between rows (terms) of B
	k                int // number of terms
	c                *float32
	ldC              int        // between rows of C
	bias             *float32   // nil, or one addend for every column
	mask             *[16]int32 // the lanes of the last vector that count, for masked kernels
	panels           int        // at least 1, 0 afterwards
	adds             int
	add              [maxAdds]addend
}

// addend is a matrix of the shape of C that is added to the sums.
type addend struct {
	p  *float32
	ld int
}

// maxAdds bounds the digits of the binary counter of chunks, and one for Accumulate.
const maxAdds = 40

//go:noescape
func runTileAVX2(kernel int, args *tileArgs)

//go:noescape
func runTileAVX512(kernel int, args *tileArgs)

//go:noescape
func packRowsAVX2(dst, src *float32, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)

//go:noescape
func packRowsAVX512(dst, src *float32, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)

//go:noescape
func packColumnsAVX2(dst, src *float32, ld, quads, step int)

//go:noescape
func packColumnsAVX512(dst, src *float32, ld, quads, step int)

// vectorSet is what the blocked product needs to know of an instruction set.
type vectorSet struct {
	lanes int
	rows  []int // for each number of vectors side by side, the most rows of a micro-kernel; as in gen/matmul.go
	masks [17][16]int32
}

var (
	setAVX2   = newVectorSet(8, []int{1: 12, 2: 6, 3: 4, 4: 2, 8: 1, 12: 1})
	setAVX512 = newVectorSet(16, []int{1: 14, 2: 14, 3: 8, 4: 6, 5: 5, 6: 4, 7: 3, 8: 2, 16: 1})
)

// newVectorSet makes the masks: AVX2 takes the lanes from the sign bits of 8 numbers, AVX-512 from the bits of the first.
func newVectorSet(lanes int, rows []int) *vectorSet {
	s := &vectorSet{lanes: lanes, rows: rows}
	for n := range s.masks {
		for i := range n {
			s.masks[n][i] = -1
		}
		if lanes == 16 {
			s.masks[n][0] = 1<<n - 1
		}
	}
	return s
}

// width is the largest number of vectors for which there are micro-kernels of the given rows.
func (s *vectorSet) width(rows int) int {
	for nv := len(s.rows) - 1; nv > 1; nv-- {
		if s.rows[nv] >= rows {
			return nv
		}
	}
	return 1
}

// fit is the largest number of vectors up to nv that there are micro-kernels for and that cols columns fill, but for the
// last one.
func (s *vectorSet) fit(nv, cols int) int {
	nv = min(nv, (cols+s.lanes-1)/s.lanes)
	for s.rows[nv] == 0 {
		nv--
	}
	return nv
}

// tile runs the micro-kernel of mr rows and nv vectors; masked when not all of the last vector counts.
func (s *vectorSet) tile(mr, nv int, masked bool, args *tileArgs) {
	i := (16*nv + mr) * 2
	if masked {
		i++
	}
	if s.lanes == 16 {
		runTileAVX512(i, args)
	} else {
		runTileAVX2(i, args)
	}
}

// packRows copies rows × cols elements, the columns side by side, into rows step elements apart, where whole vectors are
// stored: step is no less than cols rounded up to vectors. A row is prefetched a few rows ahead.
func (s *vectorSet) packRows(dst []float32, step int, src []float32, ld, rows, cols int) {
	const ahead = 8
	vectors := ceil(cols, s.lanes)
	mask := &s.masks[cols-(vectors-1)*s.lanes]
	if s.lanes == 16 {
		packRowsAVX512(&dst[0], &src[0], rows, vectors, 4*step, 4*ld, 4*ahead*ld, mask)
	} else {
		packRowsAVX2(&dst[0], &src[0], rows, vectors, 4*step, 4*ld, 4*ahead*ld, mask)
	}
}

// packColumns copies the columns of a k × cols matrix, each contiguous and ld elements from the next, into rows of nv
// vectors.
func (s *vectorSet) packColumns(nv int, dst, src []float32, ld, k, cols int) {
	step := nv * s.lanes
	j := 0
	for ; j+s.lanes <= cols && k >= 4; j += s.lanes {
		if s.lanes == 16 {
			packColumnsAVX512(&dst[j], &src[j*ld], 4*ld, k/4, 4*step)
		} else {
			packColumnsAVX2(&dst[j], &src[j*ld], 4*ld, k/4, 4*step)
		}
	}
	if k%4 != 0 {
		packElements(dst[k/4*4*step:], src[k/4*4:], step, 1, ld, k%4, j)
	}
	if j < cols {
		packElements(dst[j:], src[j*ld:], step, 1, ld, k, cols-j)
	}
}

// packElements copies a rows × cols matrix of any strides into rows step elements apart.
func packElements(dst, src []float32, step, rowStride, colStride, rows, cols int) {
	for i := range rows {
		for j := range cols {
			dst[i*step+j] = src[i*rowStride+j*colStride]
		}
	}
}
