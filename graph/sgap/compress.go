package sgap

import (
	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/program"
)

// sparseShare is the share of entries up to which rows of a hop are kept sparse: above, a product over all entries is no
// slower. Features of text have few entries, and so have their neighbourhoods a hop or two away.
const sparseShare = 0.2

// compressed is rows of a hop as program.Sparse takes them and, where it is made, their transpose. They have the bits of
// dense rows in every product, so choosing them changes no result.
type compressed struct {
	rows, cols        int
	tParts            int // parts of a row of the transpose: those of the most rows
	indptr, tIndptr   []int64
	indices, tIndices []int32
	values, tValues   []float32
}

// room is what compressed rows take at most, in entries.
func room(rows, cols int) int { return int(sparseShare*float64(rows)*float64(cols)) + 1 }

// compressedBytes is the memory for up to so many rows and their transpose.
func compressedBytes(rows, cols int) int64 {
	pointers := int64(rows*program.SparseParts(cols) + cols*program.SparseParts(rows) + 2)
	return 8*pointers + 16*int64(room(rows, cols)) + 6*memory.Align
}

// newCompressed takes the memory of compressedBytes from an arena, from byte at on.
func newCompressed(a *memory.Arena, at int64, rows, cols int) *compressed {
	next := func(bytes int) int64 {
		here := at
		at += (int64(bytes) + memory.Align - 1) / memory.Align * memory.Align
		return here
	}
	c := &compressed{cols: cols, tParts: program.SparseParts(rows)}
	n, pointers, tPointers := room(rows, cols), rows*program.SparseParts(cols)+1, cols*c.tParts+1
	c.indptr, c.tIndptr = a.Int64s(next(8*pointers), pointers), a.Int64s(next(8*tPointers), tPointers)
	c.indices, c.tIndices = a.Int32s(next(4*n), n), a.Int32s(next(4*n), n)
	c.values, c.tValues = a.Float32s(next(4*n), n), a.Float32s(next(4*n), n)
	return c
}

// reset forgets all rows.
func (c *compressed) reset() {
	c.rows = 0
	c.indptr[0] = 0
}

// add appends a row and says whether there was room.
func (c *compressed) add(row []float32) bool {
	parts := program.SparseParts(c.cols)
	at := c.indptr[c.rows*parts]
	for part := range parts {
		first := part * kernel.Chunk
		for j, x := range row[first:min(first+kernel.Chunk, c.cols)] {
			if x == 0 {
				continue
			}
			if at == int64(len(c.indices)) {
				return false
			}
			c.indices[at], c.values[at] = int32(first+j), x
			at++
		}
		c.indptr[c.rows*parts+part+1] = at
	}
	c.rows++
	return true
}

// entries is the number of entries.
func (c *compressed) entries() int { return int(c.indptr[c.rows*program.SparseParts(c.cols)]) }

// transpose makes the transpose of the rows added, cut at chunks of rows.
func (c *compressed) transpose() {
	parts := program.SparseParts(c.cols)
	clear(c.tIndptr)
	each := func(f func(slot int, row int32, entry int64)) {
		for i := range c.rows {
			for e := c.indptr[i*parts]; e < c.indptr[(i+1)*parts]; e++ {
				f(int(c.indices[e])*c.tParts+i/kernel.Chunk, int32(i), e)
			}
		}
	}
	each(func(slot int, _ int32, _ int64) { c.tIndptr[slot+1]++ })
	for i := 1; i < len(c.tIndptr); i++ {
		c.tIndptr[i] += c.tIndptr[i-1]
	}
	// Rows ascend, so the entries of a slot come in their order; filling moves its pointer to the next slot's.
	each(func(slot int, row int32, entry int64) {
		at := c.tIndptr[slot]
		c.tIndices[at], c.tValues[at] = row, c.values[entry]
		c.tIndptr[slot]++
	})
	copy(c.tIndptr[1:], c.tIndptr[:len(c.tIndptr)-1])
	c.tIndptr[0] = 0
}

// bindSparse makes rows of compressed ones the operand of an execution that was declared under a name.
func bindSparse(e *program.Execution, s *program.Sparse, name string, h *HopRows, count int) error {
	c, parts := h.rows, program.SparseParts(h.rows.cols)
	n := max(c.entries(), 1) // a symbolic size is at least 1; without entries, no row has that one
	if err := e.SetSize(name+".entries", n); err != nil {
		return err
	}
	e.Tensor(s.Indptr).BindInt64(c.indptr[h.first*parts : (h.first+count)*parts+1])
	e.Tensor(s.Indices).BindInt32(c.indices[:n])
	e.Tensor(s.Values).Bind(c.values[:n])
	if s.T != nil {
		e.Tensor(s.T.Indptr).BindInt64(c.tIndptr)
		e.Tensor(s.T.Indices).BindInt32(c.tIndices[:n])
		e.Tensor(s.T.Values).Bind(c.tValues[:n])
	}
	return nil
}
