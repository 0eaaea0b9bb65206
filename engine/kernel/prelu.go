package kernel

import "fmt"

// PReLU is x where x is positive and Slope·x elsewhere. X and Dst are matrices of Cols columns; Slope has one element for
// each column, or one for all. Dst may be the same slice as X. The bits are the same at every level.
type PReLU struct {
	Dst, X, Slope []float32
	Cols          int

	level Level
}

// Check says what is wrong with the sizes. Run does not check.
func (p *PReLU) Check() error {
	if err := checkSlope(len(p.Slope), p.Cols); err != nil {
		return err
	}
	if err := checkLengths("PReLU", operandLength{"Dst", len(p.Dst)}, operandLength{"X", len(p.X)}); err != nil {
		return err
	}
	return checkRows("PReLU", "X", len(p.X), p.Cols)
}

func checkSlope(n, cols int) error {
	if n != 1 && n != cols {
		return fmt.Errorf("PReLU: Slope has %d elements, expected 1 or %d, the number of columns", n, cols)
	}
	return nil
}

// Run computes Dst on the pool's workers.
func (p *PReLU) Run(pool *Pool) { p.run(pool, active) }

func (p *PReLU) run(pool *Pool, level Level) {
	p.level = level
	pool.For(len(p.X)/p.Cols, rowGrain(p.Cols), (*preluTask)(p))
}

type preluTask PReLU

// Do computes rows lo to hi.
func (p *preluTask) Do(_, lo, hi int) {
	if len(p.Slope) == 1 {
		preluRow(p.level, p.Dst[lo*p.Cols:hi*p.Cols], p.X[lo*p.Cols:hi*p.Cols], p.Slope)
		return
	}
	for i := lo * p.Cols; i < hi*p.Cols; i += p.Cols {
		preluRow(p.level, p.Dst[i:i+p.Cols], p.X[i:i+p.Cols], p.Slope)
	}
}

// PReLUGrad is the derivative of PReLU: DX is DY where X is positive and Slope·DY elsewhere; DSlope, of the length of
// Slope, is the sum of X·DY over the rows where X is not positive, in each column as the package defines a sum over k; with
// one slope the sums of the columns are added along the row as it defines a sum along a contiguous axis.
// DX may be the same slice as DY or X. DSlope is overwritten.
type PReLUGrad struct {
	DX, DSlope, DY, X, Slope []float32
	Cols                     int

	level   Level
	columns []float32 // sums of the columns, when they are not DSlope
}

// Check says what is wrong with the sizes. Run does not check.
func (p *PReLUGrad) Check() error {
	if err := checkSlope(len(p.Slope), p.Cols); err != nil {
		return err
	}
	if len(p.DSlope) != len(p.Slope) {
		return fmt.Errorf("derivative of PReLU: DSlope has %d elements, Slope has %d; they must be equal", len(p.DSlope), len(p.Slope))
	}
	err := checkLengths("derivative of PReLU", operandLength{"DX", len(p.DX)}, operandLength{"DY", len(p.DY)}, operandLength{"X", len(p.X)})
	if err != nil {
		return err
	}
	return checkRows("derivative of PReLU", "X", len(p.X), p.Cols)
}

// ScratchBytes is the working memory that Run takes from a pool.
func (p *PReLUGrad) ScratchBytes(int) int {
	if len(p.Slope) == p.Cols {
		return 0
	}
	return 4 * p.Cols
}

// Run computes DX and DSlope on the pool's workers.
func (p *PReLUGrad) Run(pool *Pool) { p.run(pool, active) }

func (p *PReLUGrad) run(pool *Pool, level Level) {
	p.level = level
	units := (p.Cols + stripe - 1) / stripe
	if len(p.Slope) == p.Cols {
		p.columns = p.DSlope
		pool.For(units, 1, (*preluGradTask)(p))
		return
	}
	var lent *scratch
	p.columns, lent = pool.borrow(p.Cols)
	pool.For(units, 1, (*preluGradTask)(p))
	p.DSlope[0] = rowSum(p.columns)
	p.columns = nil
	giveBack(lent)
}

type preluGradTask PReLUGrad

// Do computes the columns of stripes lo to hi: a column's sum is one worker's.
func (p *preluGradTask) Do(_, lo, hi int) {
	for j := lo * stripe; j < min(hi*stripe, p.Cols); j += stripe {
		p.stripe(j, min(stripe, p.Cols-j))
	}
}

// stripe computes n columns from column j on.
func (p *preluGradTask) stripe(j, n int) {
	slope := p.Slope
	if len(slope) > 1 {
		slope = slope[j : j+n]
	}
	var sum sumTree
	rows := len(p.X) / p.Cols
	for r0 := 0; r0 < rows; r0 += Chunk {
		var acc [stripe]float32
		for r := r0; r < min(r0+Chunk, rows); r++ {
			i := r*p.Cols + j
			preluGradRow(p.level, p.DX[i:i+n], acc[:n], p.DY[i:i+n], p.X[i:i+n], slope)
		}
		sum.add(&acc)
	}
	total := sum.total()
	copy(p.columns[j:j+n], total[:n])
}
