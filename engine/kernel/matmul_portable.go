package kernel

// stripe is the number of columns that the portable product works on at a time.
const stripe = 64

// portable is a product as the task of the portable kernel, the reference for all others: a unit is a row of C.
type portable product

// Do computes rows lo to hi, counted through the batch.
func (p *portable) Do(_, lo, hi int) {
	for r := lo; r < hi; r++ {
		for j := 0; j < p.n; j += stripe {
			p.row(r/p.m, r%p.m, j, min(stripe, p.n-j))
		}
	}
}

// row computes n ≤ stripe elements of C from (i, j0) of matrix b of the batch.
func (p *portable) row(b, i, j0, n int) {
	var sum sumTree
	var x [1]float32
	var y [stripe]float32
	for k0 := 0; k0 < p.k; k0 += Chunk {
		var acc [stripe]float32
		for k := k0; k < min(k0+Chunk, p.k); k++ {
			p.a.read(x[:], b, i, k)
			p.b.read(y[:n], b, k, j0)
			for j := range n {
				acc[j] += float32(x[0] * y[j])
			}
		}
		sum.add(&acc)
	}
	total := sum.total()
	(*product)(p).finish(total[:n], b, i, j0)
}

// finish stores the sums from (i, j0) of matrix b of C on, with what is done to them on the way. It overwrites sums.
func (p *product) finish(sums []float32, b, i, j0 int) {
	if p.bias != nil {
		for j := range sums {
			sums[j] += p.bias[j0+j]
		}
	}
	if p.pre.f != nil {
		pre := p.pre.at(b, i, j0)
		for j, y := range sums {
			pre[j*p.pre.col] = y
		}
	}
	if p.act != Identity {
		activateRow(p.level, p.act, sums, sums)
	}
	c := p.c.at(b, i, j0)
	if p.accumulate {
		for j, y := range sums {
			c[j*p.c.col] += y
		}
		return
	}
	for j, y := range sums {
		c[j*p.c.col] = y
	}
}

// sumTree combines the sums of chunks by the binary tree: a binary counter, whose digit l holds the sum of 2^l chunks.
type sumTree struct {
	chunks int // added so far
	digit  [maxDigits][stripe]float32
}

// maxDigits bounds the digits of a counter of chunks.
const maxDigits = 32

func (t *sumTree) add(acc *[stripe]float32) {
	l := 0
	for ; t.chunks>>l&1 == 1; l++ {
		for j := range acc {
			acc[j] = t.digit[l][j] + acc[j]
		}
	}
	t.digit[l] = *acc
	t.chunks++
}

// total adds what the digits hold, the sum of the fewest and last chunks first.
func (t *sumTree) total() [stripe]float32 {
	var sum [stripe]float32
	first := true
	for l := 0; t.chunks>>l != 0; l++ {
		if t.chunks>>l&1 == 0 {
			continue
		}
		if first {
			sum, first = t.digit[l], false
			continue
		}
		for j := range sum {
			sum[j] = t.digit[l][j] + sum[j]
		}
	}
	return sum
}
