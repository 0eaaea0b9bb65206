package kernel

import "fmt"

// BatchNorm normalises each column of X (Rows, Cols) by the statistics of the batch:
//
//	Mean[j] = Σ_i X[i, j] / Rows,   RStd[j] = 1/√(Σ_i (X[i, j] − Mean[j])² / Rows + Eps),
//	Dst[i, j] = (X[i, j] − Mean[j])·RStd[j]·Gain[j] + Bias[j],
//
// and lets the running statistics, which BatchNormApply uses, follow:
//
//	RunningMean += Momentum·(Mean − RunningMean),   RunningVar += Momentum·(Σ_i (X − Mean)² / (Rows − 1) − RunningVar).
//
// Gain may be nil (ones), Bias (zeros), and RunningMean and RunningVar. Dst may be X. The sums over rows are those of the
// package's definition.
type BatchNorm struct {
	Dst, X                  []float32 // Rows × Cols
	Gain, Bias              []float32 // Cols each, or nil
	Mean, RStd              []float32 // Cols each: out
	RunningMean, RunningVar []float32 // Cols each, updated in place, or nil
	Momentum, Eps           float32
	Rows, Cols              int

	level  Level
	sums   columnSums
	affine affineRows
}

// Check says what is wrong with the sizes.
func (b *BatchNorm) Check() error {
	const name = "batch-norm"
	if err := checkShape(name, b.Rows, b.Cols); err != nil {
		return err
	}
	if b.Rows == 0 {
		return fmt.Errorf("%s: a batch of no rows has no statistics", name)
	}
	if b.RunningVar != nil && b.Rows == 1 {
		return fmt.Errorf("%s: a batch of one row has no variance for the running statistics", name)
	}
	n := b.Rows * b.Cols
	return checkSizes(name, length{"Dst", len(b.Dst), n}, length{"X", len(b.X), n}, optional("Gain", b.Gain, b.Cols), optional("Bias", b.Bias, b.Cols),
		length{"Mean", len(b.Mean), b.Cols}, length{"RStd", len(b.RStd), b.Cols},
		optional("RunningMean", b.RunningMean, b.Cols), optional("RunningVar", b.RunningVar, b.Cols))
}

// ScratchBytes is the working memory that Run takes from a pool.
func (b *BatchNorm) ScratchBytes(int) int { return 4 * columnScratch(b.Rows, b.Cols, 1) }

// Run normalises on the pool's workers.
func (b *BatchNorm) Run(p *Pool) { b.run(p, active) }

func (b *BatchNorm) run(p *Pool, level Level) {
	b.level = level
	mem, back := p.borrow(columnScratch(b.Rows, b.Cols, 1))
	b.sums = columnSums{level: level, rows: b.Rows, cols: b.Cols, x: b.X, first: b.Mean}
	b.sums.run(p, mem)
	rows := float32(b.Rows)
	for j := range b.Mean[:b.Cols] {
		b.Mean[j] /= rows
	}
	// RStd holds the sum of squares for the moment.
	b.sums.term, b.sums.mean, b.sums.first = sumOfSquares, b.Mean, b.RStd
	b.sums.run(p, mem)
	giveBack(back)
	for j, squares := range b.RStd[:b.Cols] {
		if b.RunningMean != nil {
			b.RunningMean[j] += float32(b.Momentum * (b.Mean[j] - b.RunningMean[j]))
		}
		if b.RunningVar != nil {
			b.RunningVar[j] += float32(b.Momentum * (squares/(rows-1) - b.RunningVar[j]))
		}
		b.RStd[j] = inverseRoot(squares/rows + b.Eps)
	}
	b.affine = affineRows{level, b.Dst, b.X, b.Mean, b.RStd, b.Gain, b.Bias, b.Rows, b.Cols}
	p.For(b.Rows, rowGrain(b.Cols), &b.affine)
}

// BatchNormApply normalises each column of X (Rows, Cols) by given statistics:
//
//	Dst[i, j] = (X[i, j] − Mean[j])/√(Var[j] + Eps)·Gain[j] + Bias[j].
//
// A row has the same bits whichever rows it is computed with. Gain may be nil (ones), and Bias (zeros). Dst may be X.
type BatchNormApply struct {
	Dst, X     []float32 // Rows × Cols
	Gain, Bias []float32 // Cols each, or nil
	Mean, Var  []float32 // Cols each
	Eps        float32
	Rows, Cols int

	affine affineRows
}

// Check says what is wrong with the sizes.
func (b *BatchNormApply) Check() error {
	const name = "batch-norm with given statistics"
	if err := checkShape(name, b.Rows, b.Cols); err != nil {
		return err
	}
	n := b.Rows * b.Cols
	return checkSizes(name, length{"Dst", len(b.Dst), n}, length{"X", len(b.X), n}, optional("Gain", b.Gain, b.Cols), optional("Bias", b.Bias, b.Cols),
		length{"Mean", len(b.Mean), b.Cols}, length{"Var", len(b.Var), b.Cols})
}

// ScratchBytes is the working memory that Run takes from a pool.
func (b *BatchNormApply) ScratchBytes(int) int { return 4 * b.Cols }

// Run normalises on the pool's workers.
func (b *BatchNormApply) Run(p *Pool) { b.run(p, active) }

func (b *BatchNormApply) run(p *Pool, level Level) {
	rstd, back := p.borrow(b.Cols)
	for j := range rstd {
		rstd[j] = inverseRoot(b.Var[j] + b.Eps)
	}
	b.affine = affineRows{level, b.Dst, b.X, b.Mean, rstd, b.Gain, b.Bias, b.Rows, b.Cols}
	p.For(b.Rows, rowGrain(b.Cols), &b.affine)
	b.affine = affineRows{}
	giveBack(back)
}

// affineRows normalises rows by statistics of columns: a unit is a row.
type affineRows struct {
	level                  Level
	dst, x                 []float32
	mean, rstd, gain, bias []float32 // gain and bias may be nil
	rows, cols             int
}

// Do normalises rows lo to hi.
func (a *affineRows) Do(_, lo, hi int) {
	if a.level > Generic && a.cols > 0 {
		i := lo * a.cols
		args := rowsOf(lo, hi, a.rows, a.cols)
		args.a, args.b = &a.dst[i], &a.x[i]
		args.u, args.v, args.w, args.y = from(a.gain, 0), from(a.bias, 0), &a.mean[0], &a.rstd[0]
		args.run(a.level, rowsColumnNorm)
		return
	}
	for i := lo; i < hi; i++ {
		dst, x := a.dst[i*a.cols:][:a.cols], a.x[i*a.cols:][:a.cols]
		for j, v := range x {
			y := (v - a.mean[j]) * a.rstd[j]
			if a.gain != nil {
				y *= a.gain[j]
			}
			if a.bias != nil {
				y = float32(y) + a.bias[j]
			}
			dst[j] = y
		}
	}
}

// BatchNormGrad is the gradient of BatchNorm, from the Mean and RStd that it left. With h = (X − Mean)·RStd,
//
//	DGain[j] = Σ_i DY·h,   DBias[j] = Σ_i DY,   DX[i, j] = RStd[j]·Gain[j]·(DY − DBias[j] / Rows − h·DGain[j] / Rows).
//
// Gain may be nil (ones); DGain and DBias are computed all the same. DX may be DY or X.
type BatchNormGrad struct {
	DX, DY, X    []float32 // Rows × Cols
	DGain, DBias []float32 // Cols each
	Gain         []float32 // Cols, or nil
	Mean, RStd   []float32 // Cols each
	Rows, Cols   int

	level               Level
	sums                columnSums
	shift, slope, scale []float32 // DBias / Rows, DGain / Rows and RStd·Gain
}

// Check says what is wrong with the sizes.
func (b *BatchNormGrad) Check() error {
	const name = "batch-norm gradient"
	if err := checkShape(name, b.Rows, b.Cols); err != nil {
		return err
	}
	n := b.Rows * b.Cols
	return checkSizes(name, length{"DX", len(b.DX), n}, length{"DY", len(b.DY), n}, length{"X", len(b.X), n},
		length{"DGain", len(b.DGain), b.Cols}, length{"DBias", len(b.DBias), b.Cols}, optional("Gain", b.Gain, b.Cols),
		length{"Mean", len(b.Mean), b.Cols}, length{"RStd", len(b.RStd), b.Cols})
}

// ScratchBytes is the working memory that Run takes from a pool.
func (b *BatchNormGrad) ScratchBytes(int) int {
	return 4 * max(columnScratch(b.Rows, b.Cols, 2), 3*b.Cols)
}

// Run computes the gradients on the pool's workers.
func (b *BatchNormGrad) Run(p *Pool) { b.run(p, active) }

func (b *BatchNormGrad) run(p *Pool, level Level) {
	b.level = level
	mem, back := p.borrow(max(columnScratch(b.Rows, b.Cols, 2), 3*b.Cols))
	b.sums = columnSums{
		level: level, term: sumsOfColumnNorm, rows: b.Rows, cols: b.Cols, x: b.X, dy: b.DY, mean: b.Mean, rstd: b.RStd,
		first: b.DGain, second: b.DBias,
	}
	b.sums.run(p, mem)
	b.shift, b.slope, b.scale = mem[:b.Cols], mem[b.Cols:2*b.Cols], mem[2*b.Cols:3*b.Cols]
	rows := float32(b.Rows)
	for j := range b.Cols {
		b.shift[j], b.slope[j], b.scale[j] = b.DBias[j]/rows, b.DGain[j]/rows, b.RStd[j]
		if b.Gain != nil {
			b.scale[j] *= b.Gain[j]
		}
	}
	p.For(b.Rows, rowGrain(b.Cols), (*batchNormGradRows)(b))
	b.shift, b.slope, b.scale = nil, nil, nil
	giveBack(back)
}

// batchNormGradRows is a BatchNormGrad as a task: a unit is a row of DX.
type batchNormGradRows BatchNormGrad

// Do computes rows lo to hi.
func (b *batchNormGradRows) Do(_, lo, hi int) {
	if b.level > Generic && b.Cols > 0 {
		i := lo * b.Cols
		args := rowsOf(lo, hi, b.Rows, b.Cols)
		args.a, args.b, args.c = &b.DX[i], &b.DY[i], &b.X[i]
		args.u, args.y, args.v, args.w, args.z = &b.Mean[0], &b.RStd[0], &b.shift[0], &b.slope[0], &b.scale[0]
		args.run(b.level, rowsColumnNormGrad)
		return
	}
	for i := lo; i < hi; i++ {
		dx, dy, x := b.DX[i*b.Cols:][:b.Cols], b.DY[i*b.Cols:][:b.Cols], b.X[i*b.Cols:][:b.Cols]
		for j, v := range x {
			h := (v - b.Mean[j]) * b.RStd[j]
			dx[j] = (dy[j] - b.shift[j] - float32(h*b.slope[j])) * b.scale[j]
		}
	}
}
