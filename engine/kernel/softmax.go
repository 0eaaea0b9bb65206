package kernel

import "math"

// Softmax is Dst[i, j] = exp(X[i, j] − max_j X[i, ·]) / Σ_j exp(…), of X (Rows, Cols). Dst may be X. A row that holds NaN or
// +∞, or −∞ alone, becomes NaN.
type Softmax struct {
	Dst, X     []float32 // Rows × Cols
	Rows, Cols int

	level Level
	exps  []float32 // a row for each worker
}

// Check says what is wrong with the sizes.
func (s *Softmax) Check() error { return checkRowMap("softmax", s.Rows, s.Cols, s.Dst, s.X, s.X) }

// ScratchBytes is the working memory that Run takes from a pool of the given number of workers.
func (s *Softmax) ScratchBytes(workers int) int { return 4 * workers * s.rowScratch() }

// rowScratch is the working memory of a worker in floats: a row, rounded up to cache lines.
func (s *Softmax) rowScratch() int { return ceil(s.Cols, line) * line }

// Run computes the softmax on the pool's workers.
func (s *Softmax) Run(p *Pool) { s.run(p, active) }

func (s *Softmax) run(p *Pool, level Level) {
	s.level = level
	mem, back := p.borrow(p.Workers() * s.rowScratch())
	s.exps = mem
	p.For(s.Rows, rowGrain(s.Cols), (*softmaxRows)(s))
	s.exps = nil
	giveBack(back)
}

// softmaxRows is a Softmax as a task: a unit is a row.
type softmaxRows Softmax

// Do computes rows lo to hi.
func (s *softmaxRows) Do(worker, lo, hi int) {
	if s.level > Generic && s.Cols > 0 {
		i := lo * s.Cols
		args := rowsOf(lo, hi, s.Rows, s.Cols)
		args.a, args.b, args.y = &s.Dst[i], &s.X[i], &s.exps[worker*(*Softmax)(s).rowScratch()]
		args.run(s.level, rowsSoftmax)
		return
	}
	for i := lo; i < hi; i++ {
		dst, x := s.Dst[i*s.Cols:][:s.Cols], s.X[i*s.Cols:][:s.Cols]
		top := rowMax(x)
		var sum lanes
		for j, v := range x {
			e := exp(v - top)
			dst[j] = e
			sum[j%laneCount] += e
		}
		r := 1 / sum.total()
		for j := range dst {
			dst[j] *= r
		}
	}
}

// SoftmaxGrad is the gradient of Y = softmax(X) along rows: DX = Y·(DY − Σ_j DY·Y). DX may be DY.
type SoftmaxGrad struct {
	DX, DY, Y  []float32 // Rows × Cols
	Rows, Cols int

	level Level
}

// Check says what is wrong with the sizes.
func (s *SoftmaxGrad) Check() error {
	return checkRowMap("softmax gradient", s.Rows, s.Cols, s.DX, s.DY, s.Y)
}

// Run computes the gradient on the pool's workers.
func (s *SoftmaxGrad) Run(p *Pool) { s.run(p, active) }

func (s *SoftmaxGrad) run(p *Pool, level Level) {
	s.level = level
	p.For(s.Rows, rowGrain(s.Cols), (*softmaxGradRows)(s))
}

// softmaxGradRows is a SoftmaxGrad as a task: a unit is a row.
type softmaxGradRows SoftmaxGrad

// Do computes rows lo to hi.
func (s *softmaxGradRows) Do(_, lo, hi int) {
	if s.level > Generic && s.Cols > 0 {
		i := lo * s.Cols
		args := rowsOf(lo, hi, s.Rows, s.Cols)
		args.a, args.b, args.c = &s.DX[i], &s.DY[i], &s.Y[i]
		args.run(s.level, rowsSoftmaxGrad)
		return
	}
	for i := lo; i < hi; i++ {
		dx, dy, y := s.DX[i*s.Cols:][:s.Cols], s.DY[i*s.Cols:][:s.Cols], s.Y[i*s.Cols:][:s.Cols]
		dot := rowDot(dy, y)
		for j, v := range y {
			dx[j] = (dy[j] - dot) * v
		}
	}
}

// checkRowMap checks three operands of rows × cols elements: the result and what it is computed from.
func checkRowMap(name string, rows, cols int, dst, x, y []float32) error {
	if err := checkShape(name, rows, cols); err != nil {
		return err
	}
	n := rows * cols
	return checkSizes(name, length{"the result", len(dst), n}, length{"the first operand", len(x), n}, length{"the second operand", len(y), n})
}

// rowMax is the largest element of x, NaN passed over: it shows in the exponentials.
func rowMax(x []float32) float32 {
	top := float32(math.Inf(-1))
	for _, v := range x {
		if v > top {
			top = v
		}
	}
	return top
}

// exp is the exponential in portable Go.
func exp(x float32) float32 { return float32(math.Exp(float64(x))) }
