package search

// maxSobol is the number of dimensions for which there are direction numbers.
const maxSobol = 21

// joeKuo holds, for each dimension after the first, the degree s of a primitive polynomial over GF(2), its inner
// coefficients a, and the initial direction numbers m_1 … m_s. These are the first lines of new-joe-kuo-6.21201
// (Joe and Kuo, Constructing Sobol sequences with better two-dimensional projections, SIAM J. Sci. Comput. 30, 2008).
var joeKuo = [maxSobol - 1]struct {
	s, a uint
	m    [7]uint32
}{
	{1, 0, [7]uint32{1}},
	{2, 1, [7]uint32{1, 3}},
	{3, 1, [7]uint32{1, 3, 1}},
	{3, 2, [7]uint32{1, 1, 1}},
	{4, 1, [7]uint32{1, 1, 3, 3}},
	{4, 4, [7]uint32{1, 3, 5, 13}},
	{5, 2, [7]uint32{1, 1, 5, 5, 17}},
	{5, 4, [7]uint32{1, 1, 5, 5, 5}},
	{5, 7, [7]uint32{1, 1, 7, 11, 19}},
	{5, 11, [7]uint32{1, 1, 5, 1, 1}},
	{5, 13, [7]uint32{1, 1, 1, 3, 11}},
	{5, 14, [7]uint32{1, 3, 5, 5, 31}},
	{6, 1, [7]uint32{1, 3, 3, 9, 7, 49}},
	{6, 13, [7]uint32{1, 1, 1, 15, 21, 21}},
	{6, 16, [7]uint32{1, 3, 1, 13, 27, 49}},
	{6, 19, [7]uint32{1, 1, 1, 15, 7, 5}},
	{6, 22, [7]uint32{1, 3, 1, 15, 13, 25}},
	{6, 25, [7]uint32{1, 1, 5, 5, 19, 61}},
	{7, 1, [7]uint32{1, 3, 7, 11, 23, 15, 103}},
	{7, 4, [7]uint32{1, 3, 7, 13, 13, 15, 69}},
}

// sobol makes the points of the Sobol sequence: any 2^k points that begin at a multiple of 2^k fill the cube evenly.
type sobol struct{ directions [][32]uint32 }

// newSobol returns the sequence in d ≤ maxSobol dimensions.
func newSobol(d int) *sobol {
	q := &sobol{make([][32]uint32, d)}
	for j := range q.directions {
		v := &q.directions[j]
		if j == 0 {
			for k := range v {
				v[k] = 1 << (31 - k)
			}
			continue
		}
		p := &joeKuo[j-1]
		for k := range v {
			if k < int(p.s) {
				v[k] = p.m[k] << (31 - k)
				continue
			}
			// v_k = a_1 v_(k−1) ⊕ … ⊕ a_(s−1) v_(k−s+1) ⊕ v_(k−s) ⊕ v_(k−s)/2^s
			v[k] = v[k-int(p.s)] ^ v[k-int(p.s)]>>p.s
			for i := uint(1); i < p.s; i++ {
				if p.a>>(p.s-1-i)&1 == 1 {
					v[k] ^= v[k-int(i)]
				}
			}
		}
	}
	return q
}

// at writes point i to x, one word a dimension, as 2³² times the coordinates. The order is that of Antonov and Saleev: of
// the Gray code of i, as other implementations have it.
func (q *sobol) at(i uint32, x []uint32) {
	gray := i ^ i>>1
	for j := range x {
		x[j] = 0
		for k := range 32 {
			if gray>>k&1 == 1 {
				x[j] ^= q.directions[j][k]
			}
		}
	}
}
