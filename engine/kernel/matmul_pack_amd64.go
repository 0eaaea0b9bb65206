package kernel

import "math"

//go:noescape
func packRowsAVX2(dst, src *float32, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)

//go:noescape
func packRowsAVX512(dst, src *float32, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)

//go:noescape
func roundRowsAVX2(dst, src *float32, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)

//go:noescape
func roundRowsAVX512(dst, src *float32, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)

//go:noescape
func widenRowsAVX2(dst *float32, src *uint16, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)

//go:noescape
func widenRowsAVX512(dst *float32, src *uint16, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)

//go:noescape
func halfRows(dst *float32, src *uint16, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)

//go:noescape
func narrowRows(dst, src *float32, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)

//go:noescape
func halfPairs(dst *float32, src *uint16, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)

//go:noescape
func narrowPairs(dst, src *float32, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)

//go:noescape
func packColumnsAVX2(dst, src *float32, ld, quads, step int)

//go:noescape
func packColumnsAVX512(dst, src *float32, ld, quads, step int)

// rowsAhead is how many rows packing prefetches.
const rowsAhead = 8

// part is a part of an operand: matrix of the batch, rows from i and columns from j on.
type part struct {
	*operand
	matrix, i, j, rows, cols int
}

// along packs a part whose rows are contiguous: slot s of row r is at dst[r·step + s]. Whole vectors are stored.
func (s *kernelSet) along(dst []float32, step int, p part) {
	terms := s.lanes * s.perSlot // in a vector
	vectors := ceil(p.cols, terms)
	mask := &s.masks[p.cols-(vectors-1)*terms]
	if p.h != nil {
		src, ld := p.half(p.matrix, p.i, p.j), 2*p.row
		switch {
		case s.perSlot == 2:
			halfRows(&dst[0], &src[0], p.rows, vectors, 4*step, ld, rowsAhead*ld, mask)
		case s.lanes == 16:
			widenRowsAVX512(&dst[0], &src[0], p.rows, vectors, 4*step, ld, rowsAhead*ld, mask)
		default:
			// AVX2 has no mask for 16 bits.
			whole := p.cols / s.lanes
			if whole > 0 {
				widenRowsAVX2(&dst[0], &src[0], p.rows, whole, 4*step, ld, rowsAhead*ld, mask)
			}
			if done := whole * s.lanes; done < p.cols {
				p.j, p.cols = p.j+done, p.cols-done
				s.elements(dst[done:], step, 1, p)
			}
		}
		return
	}
	src, ld := p.at(p.matrix, p.i, p.j), 4*p.row
	switch {
	case s.perSlot == 2:
		narrowRows(&dst[0], &src[0], p.rows, vectors, 4*step, ld, rowsAhead*ld, mask)
	case s.lanes == 16 && p.round:
		roundRowsAVX512(&dst[0], &src[0], p.rows, vectors, 4*step, ld, rowsAhead*ld, mask)
	case s.lanes == 16:
		packRowsAVX512(&dst[0], &src[0], p.rows, vectors, 4*step, ld, rowsAhead*ld, mask)
	case p.round:
		roundRowsAVX2(&dst[0], &src[0], p.rows, vectors, 4*step, ld, rowsAhead*ld, mask)
	default:
		packRowsAVX2(&dst[0], &src[0], p.rows, vectors, 4*step, ld, rowsAhead*ld, mask)
	}
}

// across packs a part whose rows, one or two of which a slot takes its terms from, are contiguous: slot s of column c is at
// dst[s·step + c]. Whole vectors are stored.
func (s *kernelSet) across(dst []float32, step int, p part) {
	if s.perSlot == 1 {
		s.along(dst, step, p)
		return
	}
	vectors := ceil(p.cols, s.lanes)
	mask := &s.masks[p.cols-(vectors-1)*s.lanes]
	if p.h != nil {
		src, ld := p.half(p.matrix, p.i, p.j), 2*p.row
		halfPairs(&dst[0], &src[0], p.rows, vectors, 4*step, ld, rowsAhead*ld, mask)
	} else {
		src, ld := p.at(p.matrix, p.i, p.j), 4*p.row
		narrowPairs(&dst[0], &src[0], p.rows, vectors, 4*step, ld, rowsAhead*ld, mask)
	}
	for filled := ceil(p.rows, 2); filled < s.slots(p.rows); filled++ {
		clear(dst[filled*step:][:vectors*s.lanes])
	}
}

// turned packs a part whose rows are contiguous the other way: slot s of row r is at dst[s·step + r]. Temporary memory
// holds turnSlots slots.
func (s *kernelSet) turned(dst []float32, step int, p part, temp []float32) {
	if s.perSlot == 1 && p.h == nil && !p.round {
		s.turn(dst, step, p.at(p.matrix, p.i, p.j), p.row, p.rows, p.cols)
		return
	}
	// A few rows are packed along, where they lie in the L1 cache, and turned from there.
	for r := 0; r < p.rows; r += s.lanes {
		for c := 0; c < p.cols; c += Chunk {
			q := part{p.operand, p.matrix, p.i + r, p.j + c, min(s.lanes, p.rows-r), min(Chunk, p.cols-c)}
			s.along(temp, turnStep, q)
			s.turn(dst[s.slots(c)*step+r:], step, temp, turnStep, s.lanes, s.slots(q.cols))
		}
	}
}

// turnStep is the distance of the rows that turned packs on the way: an odd number of cache lines.
const (
	turnStep  = Chunk + line
	turnSlots = 16 * turnStep
)

// turn transposes rows × cols slots: dst[c·step + r] = src[r·ld + c].
func (s *kernelSet) turn(dst []float32, step int, src []float32, ld, rows, cols int) {
	r := 0
	for ; r+s.lanes <= rows && cols >= 4; r += s.lanes {
		if s.lanes == 16 {
			packColumnsAVX512(&dst[r], &src[r*ld], 4*ld, cols/4, 4*step)
		} else {
			packColumnsAVX2(&dst[r], &src[r*ld], 4*ld, cols/4, 4*step)
		}
	}
	whole := cols / 4 * 4
	turnElements(dst[min(whole*step, len(dst)):], step, src[min(whole, len(src)):], ld, r, cols-whole)
	turnElements(dst[min(r, len(dst)):], step, src[min(r*ld, len(src)):], ld, rows-r, cols)
}

func turnElements(dst []float32, step int, src []float32, ld, rows, cols int) {
	for r := range rows {
		for c := range cols {
			dst[c*step+r] = src[r*ld+c]
		}
	}
}

// elements packs a part of any strides: slot s of row r is at dst[r·rowStep + s·slotStep].
func (s *kernelSet) elements(dst []float32, rowStep, slotStep int, p part) {
	for r := range p.rows {
		for slot := range s.slots(p.cols) {
			var x [2]float32 // terms that are beyond the last are 0
			if c := slot * s.perSlot; c < p.cols {
				p.read(x[:min(s.perSlot, p.cols-c)], p.matrix, p.i+r, p.j+c)
			}
			if s.perSlot == 2 {
				x[0] = math.Float32frombits(math.Float32bits(x[1]) | math.Float32bits(x[0])>>16)
			}
			dst[r*rowStep+slot*slotStep] = x[0]
		}
	}
}

// packB packs the panel of nv vectors at column j of B, terms rows from k0 on, as rows of slots.
func (p *product) packB(dst, temp []float32, matrix, k0, terms, j, nv int) {
	set := p.blocked.set
	width := nv * set.lanes
	cols := min(width, p.n-j)
	switch {
	case p.b.col == 1:
		set.across(dst, width, part{&p.b, matrix, k0, j, terms, cols})
	case p.b.row == 1:
		t := p.b.t()
		set.turned(dst, width, part{&t, matrix, j, k0, cols, terms}, temp)
	default:
		t := p.b.t()
		set.elements(dst, 1, width, part{&t, matrix, j, k0, cols, terms})
	}
}

// packA packs the rows of the unit of A, terms k0 to k1.
func (u *unit) packA(k0, k1 int) {
	s := &u.blocked
	switch {
	case u.a.col == 1:
		s.set.along(u.packedA, s.stepA, part{&u.a, u.matrix, u.i0, k0, u.i1 - u.i0, k1 - k0})
	case s.columnsOfA:
		t := u.a.t()
		s.set.across(u.packedA, s.stepA, part{&t, u.matrix, k0, u.i0, k1 - k0, u.i1 - u.i0})
	case u.a.row == 1:
		u.packTurnedA(k0, k1)
	default:
		s.set.elements(u.packedA, s.stepA, 1, part{&u.a, u.matrix, u.i0, k0, u.i1 - u.i0, k1 - k0})
	}
}

// packTurnedA packs row after row what lies column after column: a vector of slots at a time is packed across, and turned.
func (u *unit) packTurnedA(k0, k1 int) {
	set := u.blocked.set
	t := u.a.t()
	rows := u.i1 - u.i0
	step := oddLines(rows)
	for k := k0; k < k1; k += set.step {
		set.across(u.temp, step, part{&t, u.matrix, k, u.i0, min(set.step, k1-k), rows})
		set.turn(u.packedA[set.slots(k-k0):], u.blocked.stepA, u.temp, step, set.lanes, rows)
	}
}
