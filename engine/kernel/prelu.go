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

	level  Level
	stripe int       // columns of a unit, which is a chunk of rows in a stripe of columns
	chunks []float32 // sums of chunks, rows of Cols numbers
	tree   columnTree
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
func (p *PReLUGrad) ScratchBytes(int) int { return PReLUGradScratchBytes(len(p.X)/p.Cols, p.Cols) }

// PReLUGradScratchBytes is the working memory that [PReLUGrad] takes for X of the given size.
func PReLUGradScratchBytes(rows, cols int) int { return 4 * (columnScratch(rows, cols, 1) + cols) }

// chunkSums is the number of sums of chunks.
func (p *PReLUGrad) chunkSums() int { return columnScratch(len(p.X)/p.Cols, p.Cols, 1) }

// Run computes DX and DSlope on the pool's workers.
func (p *PReLUGrad) Run(pool *Pool) { p.run(pool, active) }

func (p *PReLUGrad) run(pool *Pool, level Level) {
	p.level = level
	mem, back := pool.borrow(p.ScratchBytes(1) / 4)
	var columns []float32
	p.chunks, columns = mem[:p.chunkSums()], mem[p.chunkSums():]
	if len(p.DSlope) == p.Cols {
		columns = p.DSlope
	}
	chunks := len(p.chunks) / p.Cols
	p.stripe = columnStripe(pool, chunks, p.Cols)
	pool.For(chunks*ceil(p.Cols, p.stripe), max(1, elementGrain/(Chunk*p.stripe)), (*preluGradTask)(p))
	p.tree = columnTree{columns, p.chunks, chunks, p.Cols, false}
	pool.For(p.Cols, max(line, elementGrain/max(chunks, 1)), &p.tree)
	if len(p.DSlope) != p.Cols {
		p.DSlope[0] = rowSum(columns)
	}
	p.chunks, p.tree = nil, columnTree{}
	giveBack(back)
}

type preluGradTask PReLUGrad

// Do computes units lo to hi.
func (p *preluGradTask) Do(_, lo, hi int) {
	chunks := len(p.chunks) / p.Cols
	for u := lo; u < hi; u++ {
		chunk, j := u%chunks, u/chunks*p.stripe
		p.chunk(chunk, j, min(j+p.stripe, p.Cols))
	}
}

// chunk computes columns j0 to j1 of a chunk of rows.
func (p *preluGradTask) chunk(chunk, j0, j1 int) {
	slope := p.Slope
	if len(slope) > 1 {
		slope = slope[j0:j1]
	}
	acc := p.chunks[chunk*p.Cols:][j0:j1]
	clear(acc)
	first, last := chunk*Chunk*p.Cols, min((chunk+1)*Chunk*p.Cols, len(p.X))
	for i := first; i < last; i += p.Cols {
		preluGradRow(p.level, p.DX[i+j0:i+j1], acc, p.DY[i+j0:i+j1], p.X[i+j0:i+j1], slope)
	}
}
