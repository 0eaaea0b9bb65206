package kernel

import "fmt"

// Combine is a sum of matrices with weights of their own for each row:
//
//	Dst[i, j] = Σ_k Weights[i, k]·Parts[k][i, j].
//
// An element is one chain in increasing k, every product and every sum rounded: the sum of elementwise kernels one after
// another, with the same bits at every level. Dst may be Parts[0].
type Combine struct {
	Dst        []float32   // Rows × Cols
	Weights    []float32   // Rows × len(Parts)
	Parts      [][]float32 // at least one, Rows × Cols each
	Rows, Cols int

	level Level
}

// Check says what is wrong with the sizes.
func (c *Combine) Check() error {
	const name = "weighted sum"
	if err := checkParts(name, c.Parts, c.Rows, c.Cols); err != nil {
		return err
	}
	return checkSizes(name, length{"Dst", len(c.Dst), c.Rows * c.Cols}, length{"Weights", len(c.Weights), c.Rows * len(c.Parts)})
}

// checkParts checks matrices of rows × cols elements.
func checkParts(name string, parts [][]float32, rows, cols int) error {
	if err := checkShape(name, rows, cols); err != nil {
		return err
	}
	if len(parts) == 0 {
		return fmt.Errorf("%s: of no matrices, expected at least one", name)
	}
	for k, x := range parts {
		if len(x) < rows*cols {
			return fmt.Errorf("%s: matrix %d has %d elements, expected %d", name, k, len(x), rows*cols)
		}
	}
	return nil
}

// Run adds up on the pool's workers.
func (c *Combine) Run(p *Pool) { c.run(p, active) }

func (c *Combine) run(p *Pool, level Level) {
	c.level = level
	p.For(c.Rows, rowGrain(c.Cols), (*combineRows)(c))
}

// combineRows is a Combine as a task: a unit is a row.
type combineRows Combine

// Do adds up rows lo to hi, a few at a time: their sums stay in the nearest cache, and of each matrix much is read in one go.
func (c *combineRows) Do(_, lo, hi int) {
	few, parts := rowGrain(c.Cols), len(c.Parts)
	for first := lo; first < hi; first += few {
		end := min(first+few, hi)
		for k, part := range c.Parts {
			for i := first; i < end; i++ {
				weight, x, sum := c.Weights[i*parts+k], part[i*c.Cols:][:c.Cols], c.Dst[i*c.Cols:][:c.Cols]
				if k == 0 {
					scaleRow(c.level, sum, x, weight)
				} else {
					axpbyRow(c.level, sum, sum, x, 1, weight)
				}
			}
		}
	}
}

// CombineGrad is the gradient of Combine by its weights,
//
//	DWeights[i, k] = Σ_j DY[i, j]·Parts[k][i, j],
//
// a sum along a contiguous axis. The gradient by a part is a [ScaleRows].
type CombineGrad struct {
	DWeights   []float32   // Rows × len(Parts)
	DY         []float32   // Rows × Cols
	Parts      [][]float32 // at least one, Rows × Cols each
	Rows, Cols int

	level Level
}

// Check says what is wrong with the sizes.
func (c *CombineGrad) Check() error {
	const name = "weighted sum gradient"
	if err := checkParts(name, c.Parts, c.Rows, c.Cols); err != nil {
		return err
	}
	return checkSizes(name, length{"DWeights", len(c.DWeights), c.Rows * len(c.Parts)}, length{"DY", len(c.DY), c.Rows * c.Cols})
}

// Run computes the gradient on the pool's workers.
func (c *CombineGrad) Run(p *Pool) { c.run(p, active) }

func (c *CombineGrad) run(p *Pool, level Level) {
	c.level = level
	p.For(c.Rows, rowGrain(c.Cols), (*combineGradRows)(c))
}

// combineGradRows is a CombineGrad as a task: a unit is a row.
type combineGradRows CombineGrad

// Do computes rows lo to hi, a few at a time, so that DY is read from memory once.
func (c *combineGradRows) Do(_, lo, hi int) {
	var dots [64]float32 // of a few rows with one matrix
	few, parts := min(rowGrain(c.Cols), len(dots)), len(c.Parts)
	for first := lo; first < hi; first += few {
		n := min(few, hi-first)
		for k, part := range c.Parts {
			c.dots(dots[:n], part, first)
			for i, d := range dots[:n] {
				c.DWeights[(first+i)*parts+k] = d
			}
		}
	}
}

// dots multiplies rows of DY from first on with those of a matrix.
func (c *combineGradRows) dots(dst, part []float32, first int) {
	if c.level > Generic && c.Cols > 0 {
		at := first * c.Cols
		args := rowsOf(first, first+len(dst), c.Rows, c.Cols)
		args.b, args.c, args.s = &c.DY[at], &part[at], &dst[0]
		args.run(c.level, rowsDot)
		return
	}
	for i := range dst {
		at := (first + i) * c.Cols
		dst[i] = rowDot(c.DY[at:at+c.Cols], part[at:])
	}
}

// ScaleRows multiplies every row by a number of its own: Dst[i, j] = Factors[i·Stride]·X[i, j]. Dst may be X. The bits are
// the same at every level.
type ScaleRows struct {
	Dst, X     []float32 // Rows × Cols
	Factors    []float32 // Stride elements apart: a column of a matrix
	Stride     int
	Rows, Cols int

	level Level
}

// Check says what is wrong with the sizes.
func (s *ScaleRows) Check() error {
	const name = "scaling of rows"
	if err := checkShape(name, s.Rows, s.Cols); err != nil {
		return err
	}
	if s.Stride < 1 {
		return fmt.Errorf("%s: the factors lie %d apart, expected at least 1", name, s.Stride)
	}
	n, factors := s.Rows*s.Cols, 0
	if s.Rows > 0 {
		factors = (s.Rows-1)*s.Stride + 1
	}
	return checkSizes(name, length{"Dst", len(s.Dst), n}, length{"X", len(s.X), n}, length{"Factors", len(s.Factors), factors})
}

// Run multiplies on the pool's workers.
func (s *ScaleRows) Run(p *Pool) { s.run(p, active) }

func (s *ScaleRows) run(p *Pool, level Level) {
	s.level = level
	p.For(s.Rows, rowGrain(s.Cols), (*scaledRows)(s))
}

// scaledRows is a ScaleRows as a task: a unit is a row.
type scaledRows ScaleRows

// Do multiplies rows lo to hi.
func (s *scaledRows) Do(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		at := i * s.Cols
		scaleRow(s.level, s.Dst[at:at+s.Cols], s.X[at:at+s.Cols], s.Factors[i*s.Stride])
	}
}
