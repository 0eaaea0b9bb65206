package kernel

// Transpose is Dst[j, i] = X[i, j], of X (Rows, Cols). Dst and X do not overlap.
type Transpose struct {
	Dst, X     []float32 // Cols × Rows, Rows × Cols
	Rows, Cols int

	level Level
}

// Check says what is wrong with the sizes.
func (t *Transpose) Check() error {
	const name = "transpose"
	if err := checkShape(name, t.Rows, t.Cols); err != nil {
		return err
	}
	return checkSizes(name, length{"Dst", len(t.Dst), t.Rows * t.Cols}, length{"X", len(t.X), t.Rows * t.Cols})
}

// transposeStrip is the number of rows of X, columns of Dst, that a transpose works on at a time: a cache line of Dst.
const transposeStrip = line

// Run transposes on the pool's workers.
func (t *Transpose) Run(p *Pool) { t.run(p, active) }

func (t *Transpose) run(p *Pool, level Level) {
	t.level = level
	p.For(ceil(t.Rows, transposeStrip), ceil(rowGrain(t.Cols), transposeStrip), (*transposeStrips)(t))
}

// transposeStrips is a Transpose as a task: a unit is a strip of rows of X.
type transposeStrips Transpose

// Do transposes strips lo to hi.
func (t *transposeStrips) Do(_, lo, hi int) {
	for s := lo; s < hi; s++ {
		i0 := s * transposeStrip
		if rows := min(transposeStrip, t.Rows-i0); rows == transposeStrip {
			t.wholeStrip(i0)
		} else {
			t.part(i0, rows, 0)
		}
	}
}

// part transposes some rows from i0 on, of their columns those from j0 on.
func (t *transposeStrips) part(i0, rows, j0 int) {
	x := t.X[i0*t.Cols:]
	for j := j0; j < t.Cols; j++ {
		dst := t.Dst[j*t.Rows+i0:][:rows]
		for i := range dst {
			dst[i] = x[i*t.Cols+j]
		}
	}
}
