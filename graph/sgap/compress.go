package sgap

import (
	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/program"
)

// sparseShare is the share of entries up to which rows of a hop are kept sparse: above, a product over all entries is no
// slower. Features of text have few entries, and so have their neighbourhoods a hop or two away.
const sparseShare = 0.2

// compressed is rows of a hop as program.Sparse takes them, and their transpose.
type compressed struct {
	rows, cols        int
	indptr, tIndptr   []int64
	indices, tIndices []int32
	values, tValues   []float32
}

// room is what a compressed matrix takes at most, in entries.
func room(rows, cols int) int { return int(sparseShare * float64(rows) * float64(cols)) }

// compressedBytes is the memory for up to so many rows.
func compressedBytes(rows, cols int) int64 {
	entries := int64(room(rows, cols))
	pointers := int64(rows*program.SparseParts(cols) + cols*program.SparseParts(rows) + 2)
	return 8*pointers + 16*entries + 6*memory.Align
}

// newCompressed takes the memory from an arena, from byte at on.
func newCompressed(a *memory.Arena, at int64, rows, cols int) *compressed {
	next := func(bytes int64) int64 {
		here := at
		at += (bytes + memory.Align - 1) / memory.Align * memory.Align
		return here
	}
	n := room(rows, cols)
	pointers, tPointers := rows*program.SparseParts(cols)+1, cols*program.SparseParts(rows)+1
	c := &compressed{cols: cols}
	c.indptr = a.Int64s(next(8*int64(pointers)), pointers)
	c.tIndptr = a.Int64s(next(8*int64(tPointers)), tPointers)
	c.indices, c.tIndices = a.Int32s(next(4*int64(n)), n), a.Int32s(next(4*int64(n)), n)
	c.values, c.tValues = a.Float32s(next(4*int64(n)), n), a.Float32s(next(4*int64(n)), n)
	return c
}

// add appends a row and says whether there was room.
func (c *compressed) add(row []float32) bool {
	parts := program.SparseParts(c.cols)
	at := c.indptr[c.rows*parts]
	for part := range parts {
		for j := part * kernel.Chunk; j < min((part+1)*kernel.Chunk, c.cols); j++ {
			if row[j] == 0 {
				continue
			}
			if at == int64(len(c.indices)) {
				return false
			}
			c.indices[at], c.values[at] = int32(j), row[j]
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
	parts, tParts := program.SparseParts(c.cols), program.SparseParts(c.rows)
	pointers := c.tIndptr[:c.cols*tParts+1]
	clear(pointers)
	each := func(f func(slot int, row int32, entry int64)) {
		for i := range c.rows {
			for e := c.indptr[i*parts]; e < c.indptr[(i+1)*parts]; e++ {
				f(int(c.indices[e])*tParts+i/kernel.Chunk, int32(i), e)
			}
		}
	}
	each(func(slot int, _ int32, _ int64) { pointers[slot+1]++ })
	for i := 1; i < len(pointers); i++ {
		pointers[i] += pointers[i-1]
	}
	// Rows ascend, so the entries of a slot come in their order; filling moves its pointer to the next slot's.
	each(func(slot int, row int32, entry int64) {
		at := pointers[slot]
		c.tIndices[at], c.tValues[at] = row, c.values[entry]
		pointers[slot]++
	})
	copy(pointers[1:], pointers[:len(pointers)-1])
	pointers[0] = 0
}

// bindSparse makes compressed rows the operand of an execution that was declared under a name.
func bindSparse(e *program.Execution, s *program.Sparse, name string, c *compressed) error {
	n := c.entries()
	if n == 0 {
		// A symbolic size is at least 1; the entry belongs to no row.
		c.indices[0], c.values[0], n = 0, 0, 1
		c.tIndices[0], c.tValues[0] = 0, 0
	}
	if err := e.SetSize(name+".entries", n); err != nil {
		return err
	}
	e.Tensor(s.Indptr).BindInt64(c.indptr[:c.rows*program.SparseParts(c.cols)+1])
	e.Tensor(s.Indices).BindInt32(c.indices[:n])
	e.Tensor(s.Values).Bind(c.values[:n])
	if s.T != nil {
		e.Tensor(s.T.Indptr).BindInt64(c.tIndptr[:c.cols*program.SparseParts(c.rows)+1])
		e.Tensor(s.T.Indices).BindInt32(c.tIndices[:n])
		e.Tensor(s.T.Values).Bind(c.tValues[:n])
	}
	return nil
}

// reset forgets all rows.
func (c *compressed) reset() {
	c.rows = 0
	c.indptr[0] = 0
}
