package kernel

import "fmt"

// CopyBlock copies a block of Rows × Cols elements between matrices whose rows lie DstStride and XStride elements apart:
// concatenation and splitting along columns. Dst and X do not overlap.
type CopyBlock struct {
	Dst, X             []float32
	Rows, Cols         int
	DstStride, XStride int
}

// Check says what is wrong with the sizes.
func (c *CopyBlock) Check() error {
	const name = "copy of a block"
	if err := checkShape(name, c.Rows, c.Cols); err != nil {
		return err
	}
	if c.Rows == 0 || c.Cols == 0 {
		return nil
	}
	if c.Rows > 1 && (c.DstStride < c.Cols || c.XStride < 0) {
		return fmt.Errorf("%s: rows of %d elements lie %d apart in Dst and %d in X", name, c.Cols, c.DstStride, c.XStride)
	}
	return checkSizes(name, length{"Dst", len(c.Dst), (c.Rows-1)*c.DstStride + c.Cols}, length{"X", len(c.X), (c.Rows-1)*c.XStride + c.Cols})
}

// Run copies on the pool's workers.
func (c *CopyBlock) Run(p *Pool) {
	if c.Cols > 0 {
		p.For(c.Rows, rowGrain(c.Cols), (*copyRows)(c))
	}
}

// copyRows is a CopyBlock as a task: a unit is a row.
type copyRows CopyBlock

// Do copies rows lo to hi.
func (c *copyRows) Do(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		copy(c.Dst[i*c.DstStride:][:c.Cols], c.X[i*c.XStride:][:c.Cols])
	}
}
