package kernel

// ChunkSums combines the sums of chunks by the binary tree: row i of Dst is the sum of rows i·Chunks to (i+1)·Chunks−1 of
// what a sparse product over chunks made. With chunks of [Chunk] columns of the sparse matrix, Dst has the bits that MatMul
// gives for the same matrix with all its zeros.
type ChunkSums struct {
	Dst          []float32 // Rows × Cols
	Rows, Chunks int
	Cols         int

	parts []float32 // Rows·Chunks × Cols
}

// Run computes the product, whose rows are the chunks, into working memory of the pool, and combines them.
func (s *ChunkSums) Run(p *Pool, product *SpMM) {
	mem, back := p.borrow(s.Rows * s.Chunks * s.Cols)
	s.parts = mem
	product.Y = mem
	product.Run(p)
	p.For(s.Rows, rowGrain(s.Chunks*s.Cols), (*chunkSumRows)(s))
	s.parts, product.Y = nil, nil
	giveBack(back)
}

type chunkSumRows ChunkSums

// Do combines the chunks of rows lo to hi: in place, level by level, then the odd ones from the last to the first.
func (s *chunkSumRows) Do(_, lo, hi int) {
	for r := lo; r < hi; r++ {
		parts := s.parts[r*s.Chunks*s.Cols : (r+1)*s.Chunks*s.Cols]
		copy(s.Dst[r*s.Cols:(r+1)*s.Cols], treeOfRows(parts, s.Chunks, s.Cols))
	}
}

// treeOfRows adds up n rows by the binary tree, in place, and returns where the sum stands.
func treeOfRows(parts []float32, n, cols int) []float32 {
	row := func(i int) []float32 { return parts[i*cols : (i+1)*cols] }
	var total []float32
	// The counter of chunks: a block of 2^l rows is complete when bit l of n is set; the smaller blocks come last.
	at := n
	for l := 0; n>>l != 0; l++ {
		if n>>l&1 == 0 {
			continue
		}
		at -= 1 << l
		for step := 1; step < 1<<l; step *= 2 {
			for i := at; i < at+1<<l; i += 2 * step {
				addRow(row(i), row(i+step))
			}
		}
		if total == nil {
			total = row(at)
		} else {
			addRow(row(at), total)
			total = row(at)
		}
	}
	return total
}

// addRow adds y to x.
func addRow(x, y []float32) {
	y = y[:len(x)]
	for i := range x {
		x[i] += y[i]
	}
}
