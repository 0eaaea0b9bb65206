package kernel

import "math"

// LogSoftmax is Dst[i, j] = X[i, j] − log Σ_j exp X[i, ·], of X (Rows, Cols). Dst may be X.
type LogSoftmax struct {
	Dst, X     []float32 // Rows × Cols
	Rows, Cols int

	level Level
}

// Check says what is wrong with the sizes.
func (s *LogSoftmax) Check() error {
	return checkRowMap("log-softmax", s.Rows, s.Cols, s.Dst, s.X, s.X)
}

// Run computes the log-softmax on the pool's workers.
func (s *LogSoftmax) Run(p *Pool) { s.run(p, active) }

func (s *LogSoftmax) run(p *Pool, level Level) {
	s.level = level
	p.For(s.Rows, rowGrain(s.Cols), (*logSoftmaxRows)(s))
}

// logSoftmaxRows is a LogSoftmax as a task: a unit is a row.
type logSoftmaxRows LogSoftmax

// Do computes rows lo to hi.
func (s *logSoftmaxRows) Do(_, lo, hi int) {
	var top, sum [expRows]float32
	for ; lo < hi && s.Cols > 0; lo += expRows {
		rows := min(expRows, hi-lo)
		i, n := lo*s.Cols, rows*s.Cols
		dst, x := s.Dst[i:i+n], s.X[i:i+n]
		expSums(s.level, top[:rows], sum[:rows], x, s.Cols)
		for r, v := range sum[:rows] {
			sum[r] = logOfSum(v)
		}
		if s.level > Generic {
			args := rowsOf(lo, lo+rows, s.Rows, s.Cols)
			args.a, args.b, args.s, args.t = &dst[0], &x[0], &top[0], &sum[0]
			args.run(s.level, rowsShift)
			continue
		}
		for j, v := range x {
			dst[j] = (v - top[j/s.Cols]) - sum[j/s.Cols]
		}
	}
}

// LogSoftmaxGrad is the gradient of Y = log-softmax(X) along rows: DX = DY − exp(Y)·Σ_j DY. DX may be DY.
type LogSoftmaxGrad struct {
	DX, DY, Y  []float32 // Rows × Cols
	Rows, Cols int

	level Level
}

// Check says what is wrong with the sizes.
func (s *LogSoftmaxGrad) Check() error {
	return checkRowMap("log-softmax gradient", s.Rows, s.Cols, s.DX, s.DY, s.Y)
}

// Run computes the gradient on the pool's workers.
func (s *LogSoftmaxGrad) Run(p *Pool) { s.run(p, active) }

func (s *LogSoftmaxGrad) run(p *Pool, level Level) {
	s.level = level
	p.For(s.Rows, rowGrain(s.Cols), (*logSoftmaxGradRows)(s))
}

// logSoftmaxGradRows is a LogSoftmaxGrad as a task: a unit is a row.
type logSoftmaxGradRows LogSoftmaxGrad

// Do computes rows lo to hi.
func (s *logSoftmaxGradRows) Do(_, lo, hi int) {
	if s.level > Generic && s.Cols > 0 {
		i := lo * s.Cols
		args := rowsOf(lo, hi, s.Rows, s.Cols)
		args.a, args.b, args.c = &s.DX[i], &s.DY[i], &s.Y[i]
		args.run(s.level, rowsLogSoftmaxGrad)
		return
	}
	for i := lo; i < hi; i++ {
		dx, dy, y := s.DX[i*s.Cols:][:s.Cols], s.DY[i*s.Cols:][:s.Cols], s.Y[i*s.Cols:][:s.Cols]
		sum := rowSum(dy)
		for j, v := range y {
			dx[j] = dy[j] - float32(exp(v)*sum)
		}
	}
}

// expRows is how many rows pass through expSums at a time: few, so that they are still in the cache afterwards.
const expRows = 8

// expSums gives the largest element of each row of x, and Σ exp(x − largest).
func expSums(level Level, top, sum, x []float32, cols int) {
	if level > Generic {
		args := rowsArgs{b: &x[0], s: &top[0], t: &sum[0], rows: len(top), cols: cols, stride: 4 * cols}
		args.run(level, rowsExpSum)
		return
	}
	for i := range top {
		row := x[i*cols:][:cols]
		top[i] = rowMax(row)
		sum[i] = rowExpSum(row, top[i])
	}
}

// rowExpSum is Σ exp(x − shift).
func rowExpSum(x []float32, shift float32) float32 {
	var sum lanes
	for j, v := range x {
		sum[j%laneCount] += exp(v - shift)
	}
	return sum.total()
}

// logOfSum is the logarithm of a sum of exponentials, once a row.
func logOfSum(x float32) float32 { return float32(math.Log(float64(x))) }
