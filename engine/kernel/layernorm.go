package kernel

import "math"

// LayerNorm normalises each row of X (Rows, Cols):
//
//	Mean[i] = Σ_j X[i, j] / Cols,   RStd[i] = 1/√(Σ_j (X[i, j] − Mean[i])² / Cols + Eps),
//	Dst[i, j] = (X[i, j] − Mean[i])·RStd[i]·Gain[j] + Bias[j].
//
// Gain may be nil (ones), and Bias (zeros). Dst may be X.
type LayerNorm struct {
	Dst, X     []float32 // Rows × Cols
	Gain, Bias []float32 // Cols each, or nil
	Mean, RStd []float32 // Rows each: out
	Rows, Cols int
	Eps        float32

	level Level
}

// Check says what is wrong with the sizes.
func (l *LayerNorm) Check() error {
	const name = "layer-norm"
	if err := checkShape(name, l.Rows, l.Cols); err != nil {
		return err
	}
	n := l.Rows * l.Cols
	return checkSizes(name, length{"Dst", len(l.Dst), n}, length{"X", len(l.X), n}, optional("Gain", l.Gain, l.Cols), optional("Bias", l.Bias, l.Cols),
		length{"Mean", len(l.Mean), l.Rows}, length{"RStd", len(l.RStd), l.Rows})
}

// Run normalises on the pool's workers.
func (l *LayerNorm) Run(p *Pool) { l.run(p, active) }

func (l *LayerNorm) run(p *Pool, level Level) {
	l.level = level
	p.For(l.Rows, rowGrain(l.Cols), (*layerNormRows)(l))
}

// layerNormRows is a LayerNorm as a task: a unit is a row.
type layerNormRows LayerNorm

// Do normalises rows lo to hi.
func (l *layerNormRows) Do(_, lo, hi int) {
	if l.level > Generic && l.Cols > 0 {
		i := lo * l.Cols
		args := rowsOf(lo, hi, l.Rows, l.Cols)
		args.a, args.b, args.s, args.t = &l.Dst[i], &l.X[i], &l.Mean[lo], &l.RStd[lo]
		args.u, args.v, args.eps = from(l.Gain, 0), from(l.Bias, 0), l.Eps
		args.run(l.level, rowsLayerNorm)
		return
	}
	cols := float32(l.Cols)
	for i := lo; i < hi; i++ {
		dst, x := l.Dst[i*l.Cols:][:l.Cols], l.X[i*l.Cols:][:l.Cols]
		mean := rowSum(x) / cols
		rstd := inverseRoot(rowVariance(x, mean)/cols + l.Eps)
		l.Mean[i], l.RStd[i] = mean, rstd
		for j, v := range x {
			y := (v - mean) * rstd
			if l.Gain != nil {
				y *= l.Gain[j]
			}
			if l.Bias != nil {
				y = float32(y) + l.Bias[j]
			}
			dst[j] = y
		}
	}
}

// inverseRoot is 1/√x, both operations rounded.
func inverseRoot(x float32) float32 { return 1 / float32(math.Sqrt(float64(x))) }

// LayerNormGrad is the gradient of LayerNorm, from the Mean and RStd that it left. With h = (X − Mean)·RStd and g = DY·Gain,
//
//	DX[i, j] = RStd[i]·(g − Σ_j g / Cols − h·Σ_j g·h / Cols),   DGain[j] = Σ_i DY·h,   DBias[j] = Σ_i DY.
//
// DGain and DBias may be nil. They are sums over k as the package defines it: rows may be split at multiples of Chunk.
// DX may be DY or X.
type LayerNormGrad struct {
	DX, DY, X    []float32 // Rows × Cols
	DGain, DBias []float32 // Cols each, or nil
	Gain         []float32 // Cols, or nil
	Mean, RStd   []float32 // Rows each
	Rows, Cols   int

	norm rowNormGrad
}

// Check says what is wrong with the sizes.
func (l *LayerNormGrad) Check() error {
	const name = "layer-norm gradient"
	if err := checkShape(name, l.Rows, l.Cols); err != nil {
		return err
	}
	n := l.Rows * l.Cols
	return checkSizes(name, length{"DX", len(l.DX), n}, length{"DY", len(l.DY), n}, length{"X", len(l.X), n},
		optional("DGain", l.DGain, l.Cols), optional("DBias", l.DBias, l.Cols), optional("Gain", l.Gain, l.Cols),
		length{"Mean", len(l.Mean), l.Rows}, length{"RStd", len(l.RStd), l.Rows})
}

// ScratchBytes is the working memory that Run takes from a pool.
func (l *LayerNormGrad) ScratchBytes(int) int { return 4 * l.describe(active).scratch() }

// Run computes the gradients on the pool's workers.
func (l *LayerNormGrad) Run(p *Pool) { l.run(p, active) }

func (l *LayerNormGrad) run(p *Pool, level Level) { l.describe(level).run(p) }

func (l *LayerNormGrad) describe(level Level) *rowNormGrad {
	l.norm = rowNormGrad{
		level: level, rows: l.Rows, cols: l.Cols, dx: l.DX, dy: l.DY, x: l.X, gain: l.Gain, mean: l.Mean, rstd: l.RStd,
		dGain: l.DGain, dBias: l.DBias,
	}
	return &l.norm
}

// rowNormGrad is the gradient of LayerNorm and RMSNorm, which has no mean: a unit is a row of DX.
type rowNormGrad struct {
	level        Level
	rows, cols   int
	dx, dy, x    []float32
	gain         []float32 // or nil
	mean         []float32 // nil for RMSNorm
	rstd         []float32
	dGain, dBias []float32 // or nil
	sums         columnSums
}

// scratch is the working memory in floats.
func (g *rowNormGrad) scratch() int {
	switch {
	case g.dGain == nil && g.dBias == nil:
		return 0
	case g.dGain == nil || g.dBias == nil:
		return columnScratch(g.rows, g.cols, 1)
	}
	return columnScratch(g.rows, g.cols, 2)
}

func (g *rowNormGrad) run(p *Pool) {
	mem, back := p.borrow(g.scratch())
	defer giveBack(back)
	g.sums = columnSums{level: g.level, rows: g.rows, cols: g.cols}
	switch {
	case g.dGain != nil:
		g.sums.term, g.sums.x, g.sums.dy, g.sums.mean, g.sums.rstd = sumsOfRowNorm, g.x, g.dy, g.mean, g.rstd
		g.sums.first, g.sums.second = g.dGain, g.dBias
	case g.dBias != nil:
		g.sums.x, g.sums.first = g.dy, g.dBias
	default:
		p.For(g.rows, rowGrain(g.cols), g)
		return
	}
	if chunks := ceil(g.rows, Chunk); p.Workers() == 1 || chunks >= 4*p.Workers() {
		g.sums.sums = mem
		p.For(chunks, 1, (*rowNormChunks)(g))
		g.sums.combine(p)
		return
	}
	// Too few chunks to go round. The sums over rows come first: DX may take the place of what they read.
	g.sums.run(p, mem)
	p.For(g.rows, rowGrain(g.cols), g)
}

// rowNormChunks computes everything of a chunk of rows, its unit, a few rows at a time, so that they are read from memory
// once.
type rowNormChunks rowNormGrad

// Do computes chunks lo to hi.
func (c *rowNormChunks) Do(worker, lo, hi int) {
	few := max(8192/max(c.cols, 1)/4*4, 4)
	for chunk := lo; chunk < hi; chunk++ {
		acc, acc2 := c.sums.begin(chunk, 0, c.cols)
		end := min((chunk+1)*Chunk, c.rows)
		for i := chunk * Chunk; i < end; i += few {
			next := min(i+few, end)
			c.sums.add(acc, acc2, i, next, 0)
			(*rowNormGrad)(c).Do(worker, i, next)
		}
	}
}

// Do computes DX of rows lo to hi.
func (g *rowNormGrad) Do(_, lo, hi int) {
	if g.level > Generic && g.cols > 0 {
		i := lo * g.cols
		args := rowsOf(lo, hi, g.rows, g.cols)
		args.a, args.b, args.c = &g.dx[i], &g.dy[i], &g.x[i]
		args.u, args.s, args.t = from(g.gain, 0), from(g.mean, lo), &g.rstd[lo]
		if g.mean != nil {
			args.run(g.level, rowsLayerNormGrad)
		} else {
			args.run(g.level, rowsRMSNormGrad)
		}
		return
	}
	for i := lo; i < hi; i++ {
		dx, dy, x := g.dx[i*g.cols:][:g.cols], g.dy[i*g.cols:][:g.cols], g.x[i*g.cols:][:g.cols]
		var mean float32
		if g.mean != nil {
			mean = g.mean[i]
		}
		rstd := g.rstd[i]
		var sum, dot lanes
		for j, v := range x {
			d := dy[j]
			if g.gain != nil {
				d *= g.gain[j]
			}
			sum[j%laneCount] += float32(d)
			dot[j%laneCount] += float32(d * float32((v-mean)*rstd))
		}
		var c1 float32
		if g.mean != nil {
			c1 = sum.total() / float32(g.cols)
		}
		c2 := dot.total() / float32(g.cols)
		for j, v := range x {
			d := dy[j]
			if g.gain != nil {
				d *= g.gain[j]
			}
			h := (v - mean) * rstd
			dx[j] = (float32(d) - c1 - float32(h*c2)) * rstd
		}
	}
}
