package kernel

import "fmt"

// CrossEntropy is the loss of each row of Logits (Rows, Cols) against its class: with l = log Σ_j exp Logits[i, j],
//
//	LSE[i] = l,   Loss[i] = l − Logits[i, Labels[i]].
//
// A row whose label is negative is ignored: its loss is 0 (its LSE is computed all the same). A label of Cols or more
// panics; who takes labels from a file checks them there.
type CrossEntropy struct {
	Logits     []float32 // Rows × Cols
	Labels     []int32   // Rows
	Loss, LSE  []float32 // Rows each
	Rows, Cols int

	level Level
}

// Check says what is wrong with the sizes.
func (c *CrossEntropy) Check() error {
	const name = "cross-entropy"
	if err := checkClasses(name, c.Rows, c.Cols); err != nil {
		return err
	}
	return checkSizes(name, length{"Logits", len(c.Logits), c.Rows * c.Cols}, length{"Labels", len(c.Labels), c.Rows},
		length{"Loss", len(c.Loss), c.Rows}, length{"LSE", len(c.LSE), c.Rows})
}

// checkClasses says that rows have no class that they could belong to.
func checkClasses(name string, rows, cols int) error {
	if err := checkShape(name, rows, cols); err != nil {
		return err
	}
	if rows > 0 && cols == 0 {
		return fmt.Errorf("%s: %d rows of no classes", name, rows)
	}
	return nil
}

// Run computes the losses on the pool's workers.
func (c *CrossEntropy) Run(p *Pool) { c.run(p, active) }

func (c *CrossEntropy) run(p *Pool, level Level) {
	c.level = level
	p.For(c.Rows, rowGrain(c.Cols), (*crossEntropyRows)(c))
}

// crossEntropyRows is a CrossEntropy as a task: a unit is a row.
type crossEntropyRows CrossEntropy

// Do computes rows lo to hi.
func (c *crossEntropyRows) Do(_, lo, hi int) {
	logSumExp(c.level, c.LSE, c.Logits, c.Cols, lo, hi)
	for i := lo; i < hi; i++ {
		c.Loss[i] = 0
		if label := c.Labels[i]; label >= 0 {
			c.Loss[i] = c.LSE[i] - c.Logits[i*c.Cols:][:c.Cols][label]
		}
	}
}

// logSumExp computes lse[i] = log Σ_j exp x[i, j] of rows lo to hi.
func logSumExp(level Level, lse, x []float32, cols, lo, hi int) {
	var top, sum [expRows]float32
	for ; lo < hi; lo += expRows {
		rows := min(expRows, hi-lo)
		expSums(level, top[:rows], sum[:rows], x[lo*cols:(lo+rows)*cols], cols)
		for r := range rows {
			lse[lo+r] = top[r] + logOfSum(sum[r])
		}
	}
}

// CrossEntropyGrad is the gradient of Scale·Σ_i Loss[i] with respect to Logits, from the LSE that CrossEntropy left:
//
//	DLogits[i, j] = Scale·(exp(Logits[i, j] − LSE[i]) − [j = Labels[i]]),
//
// and 0 in the rows that are ignored. DLogits may be Logits.
type CrossEntropyGrad struct {
	DLogits, Logits []float32 // Rows × Cols
	LSE             []float32 // Rows
	Labels          []int32   // Rows
	Scale           float32
	Rows, Cols      int

	level Level
}

// Check says what is wrong with the sizes.
func (c *CrossEntropyGrad) Check() error {
	const name = "cross-entropy gradient"
	if err := checkClasses(name, c.Rows, c.Cols); err != nil {
		return err
	}
	return checkSizes(name, length{"DLogits", len(c.DLogits), c.Rows * c.Cols}, length{"Logits", len(c.Logits), c.Rows * c.Cols},
		length{"LSE", len(c.LSE), c.Rows}, length{"Labels", len(c.Labels), c.Rows})
}

// Run computes the gradient on the pool's workers.
func (c *CrossEntropyGrad) Run(p *Pool) { c.run(p, active) }

func (c *CrossEntropyGrad) run(p *Pool, level Level) {
	c.level = level
	p.For(c.Rows, rowGrain(c.Cols), (*crossEntropyGradRows)(c))
}

// crossEntropyGradRows is a CrossEntropyGrad as a task: a unit is a row.
type crossEntropyGradRows CrossEntropyGrad

// Do computes rows lo to hi.
func (c *crossEntropyGradRows) Do(_, lo, hi int) {
	for lo < hi {
		end := lo
		for end < min(hi, lo+expRows) && c.Labels[end] >= 0 {
			end++
		}
		if end == lo {
			clear(c.DLogits[lo*c.Cols:][:c.Cols])
			lo++
			continue
		}
		c.probabilities(lo, end)
		for ; lo < end; lo++ {
			c.DLogits[lo*c.Cols:][:c.Cols][c.Labels[lo]] -= c.Scale
		}
	}
}

// probabilities computes exp(Logits − LSE)·Scale of rows lo to hi.
func (c *crossEntropyGradRows) probabilities(lo, hi int) {
	i, n := lo*c.Cols, (hi-lo)*c.Cols
	dst, x := c.DLogits[i:i+n], c.Logits[i:i+n]
	if c.level > Generic {
		args := rowsOf(lo, hi, c.Rows, c.Cols)
		args.a, args.b, args.s, args.n = &dst[0], &x[0], &c.LSE[lo], c.Scale
		args.run(c.level, rowsExpScaled)
		return
	}
	for j, v := range x {
		dst[j] = exp(v-c.LSE[lo+j/c.Cols]) * c.Scale
	}
}
