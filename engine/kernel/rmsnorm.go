package kernel

// RMSNorm scales each row of X (Rows, Cols) by its root mean square:
//
//	RStd[i] = 1/√(Σ_j X[i, j]² / Cols + Eps),   Dst[i, j] = X[i, j]·RStd[i]·Gain[j].
//
// Gain may be nil (ones). Dst may be X.
type RMSNorm struct {
	Dst, X     []float32 // Rows × Cols
	Gain       []float32 // Cols, or nil
	RStd       []float32 // Rows: out
	Rows, Cols int
	Eps        float32

	level Level
}

// Check says what is wrong with the sizes.
func (r *RMSNorm) Check() error {
	const name = "RMS-norm"
	if err := checkShape(name, r.Rows, r.Cols); err != nil {
		return err
	}
	n := r.Rows * r.Cols
	return checkSizes(name, length{"Dst", len(r.Dst), n}, length{"X", len(r.X), n}, optional("Gain", r.Gain, r.Cols), length{"RStd", len(r.RStd), r.Rows})
}

// Run normalises on the pool's workers.
func (r *RMSNorm) Run(p *Pool) { r.run(p, active) }

func (r *RMSNorm) run(p *Pool, level Level) {
	r.level = level
	p.For(r.Rows, rowGrain(r.Cols), (*rmsNormRows)(r))
}

// rmsNormRows is an RMSNorm as a task: a unit is a row.
type rmsNormRows RMSNorm

// Do normalises rows lo to hi.
func (r *rmsNormRows) Do(_, lo, hi int) {
	if r.level > Generic && r.Cols > 0 {
		i := lo * r.Cols
		args := rowsOf(lo, hi, r.Rows, r.Cols)
		args.a, args.b, args.t = &r.Dst[i], &r.X[i], &r.RStd[lo]
		args.u, args.eps = from(r.Gain, 0), r.Eps
		args.run(r.level, rowsRMSNorm)
		return
	}
	for i := lo; i < hi; i++ {
		dst, x := r.Dst[i*r.Cols:][:r.Cols], r.X[i*r.Cols:][:r.Cols]
		rstd := inverseRoot(rowDot(x, x)/float32(r.Cols) + r.Eps)
		r.RStd[i] = rstd
		for j, v := range x {
			dst[j] = v * rstd
			if r.Gain != nil {
				dst[j] *= r.Gain[j]
			}
		}
	}
}

// RMSNormGrad is the gradient of RMSNorm, from the RStd that it left. With h = X·RStd and g = DY·Gain,
//
//	DX[i, j] = RStd[i]·(g − h·Σ_j g·h / Cols),   DGain[j] = Σ_i DY·h.
//
// DGain may be nil. It is a sum over k as the package defines it: rows may be split at multiples of Chunk. DX may be DY or X.
type RMSNormGrad struct {
	DX, DY, X  []float32 // Rows × Cols
	DGain      []float32 // Cols, or nil
	Gain       []float32 // Cols, or nil
	RStd       []float32 // Rows
	Rows, Cols int

	norm rowNormGrad
}

// Check says what is wrong with the sizes.
func (r *RMSNormGrad) Check() error {
	const name = "RMS-norm gradient"
	if err := checkShape(name, r.Rows, r.Cols); err != nil {
		return err
	}
	n := r.Rows * r.Cols
	return checkSizes(name, length{"DX", len(r.DX), n}, length{"DY", len(r.DY), n}, length{"X", len(r.X), n},
		optional("DGain", r.DGain, r.Cols), optional("Gain", r.Gain, r.Cols), length{"RStd", len(r.RStd), r.Rows})
}

// ScratchBytes is the working memory that Run takes from a pool.
func (r *RMSNormGrad) ScratchBytes(int) int { return 4 * r.describe(active).scratch() }

// Run computes the gradients on the pool's workers.
func (r *RMSNormGrad) Run(p *Pool) { r.run(p, active) }

func (r *RMSNormGrad) run(p *Pool, level Level) { r.describe(level).run(p) }

func (r *RMSNormGrad) describe(level Level) *rowNormGrad {
	r.norm = rowNormGrad{
		level: level, rows: r.Rows, cols: r.Cols, dx: r.DX, dy: r.DY, x: r.X, gain: r.Gain, rstd: r.RStd, dGain: r.DGain,
	}
	return &r.norm
}
