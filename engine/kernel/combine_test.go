package kernel

import (
	"fmt"
	"math"
	"testing"
)

func refCombine(weights []float64, parts [][]float64, cols int) []float64 {
	y := make([]float64, len(parts[0]))
	for i := range y {
		for k, x := range parts {
			y[i] += weights[i/cols*len(parts)+k] * x[i]
		}
	}
	return y
}

func refCombineGrad(dy []float64, parts [][]float64, rows, cols int) []float64 {
	dWeights := make([]float64, rows*len(parts))
	for i, d := range dy {
		for k, x := range parts {
			dWeights[i/cols*len(parts)+k] += d * x[i]
		}
	}
	return dWeights
}

func magnitudes(x []float32) []float64 {
	m := widen(x)
	for i, v := range m {
		m[i] = math.Abs(v)
	}
	return m
}

func widenAll(x [][]float32) (w [][]float64) {
	for _, v := range x {
		w = append(w, widen(v))
	}
	return w
}

func magnitudesOf(x [][]float32) (m [][]float64) {
	for _, v := range x {
		m = append(m, magnitudes(v))
	}
	return m
}

// The bits of a weighted sum and of its gradient are those of their definitions, NaN and infinities included: a chain of
// rounded products and sums at every level, and 16 lanes of fused ones at the vector levels.
func TestCombineFollowsItsDefinitionBitForBit(t *testing.T) {
	oneGoroutine(t)
	r := randSource(11)
	for n := 1; n <= 67; n++ {
		rows, cols, parts := 1+r.IntN(9), n, 1+r.IntN(64)
		if n%2 == 0 { // every number of parts, too
			rows, cols, parts = 1+r.IntN(200), 1+r.IntN(67), n
		}
		dy, weights := awkward(r, rows*cols+1)[1:], awkward(r, rows*parts+3)[3:]
		x := make([][]float32, parts)
		for k := range x {
			x[k] = awkward(r, rows*cols+k%4)[k%4:]
		}
		sum := &Combine{Dst: make([]float32, rows*cols), Weights: weights, Parts: x, Rows: rows, Cols: cols}
		grad := &CombineGrad{DWeights: make([]float32, rows*parts), DY: dy, Parts: x, Rows: rows, Cols: cols}
		for _, level := range testLevels() {
			sum.run(nil, level)
			for i, got := range sum.Dst {
				var want float32
				for k := range x {
					term := float32(weights[i/cols*parts+k] * x[k][i])
					if k == 0 {
						want = term
					} else {
						want += term
					}
				}
				if !sameBits(got, want) {
					t.Fatalf("%d matrices of %d×%d, level %v: element %d is %v, want %v", parts, rows, cols, level, i, got, want)
				}
			}
			grad.run(nil, level)
			for i, got := range grad.DWeights {
				at, k := i/parts*cols, i%parts
				want := lanesByDefinition(dy[at:at+cols], x[k][at:at+cols])
				if level == Generic {
					want = rowDot(dy[at:at+cols], x[k][at:at+cols])
				}
				if !sameBits(got, want) {
					t.Fatalf("gradient, %d matrices of %d×%d, level %v: element %d is %v, want %v", parts, rows, cols, level, i, got, want)
				}
			}
		}
	}
}

func TestCombineIsSplitWithoutChangingABit(t *testing.T) {
	const rows, cols, parts = 700, 33, 5
	r := randSource(12)
	x := make([][]float32, parts)
	for k := range x {
		x[k] = awkward(r, rows*cols)
	}
	sum := &Combine{Dst: make([]float32, rows*cols), Weights: awkward(r, rows*parts), Parts: x, Rows: rows, Cols: cols}
	grad := &CombineGrad{DWeights: make([]float32, rows*parts), DY: awkward(r, rows*cols), Parts: x, Rows: rows, Cols: cols}
	scaled := &ScaleRows{Dst: make([]float32, rows*cols), X: x[0], Factors: sum.Weights[2:], Stride: parts, Rows: rows, Cols: cols}
	checkTasks(t, []taskCase{
		{"weighted sum", func(p *Pool, level Level) []float32 { sum.run(p, level); return sum.Dst }},
		{"weighted sum gradient", func(p *Pool, level Level) []float32 { grad.run(p, level); return grad.DWeights }},
		{"scaling of rows", func(p *Pool, level Level) []float32 { scaled.run(p, level); return scaled.Dst }},
	})
}

func TestCombineChecksNameTheWrongOperand(t *testing.T) {
	x, y := make([]float32, 6), make([]float32, 4)
	for _, c := range []struct {
		err  error
		want string
	}{
		{(&Combine{Dst: x, Weights: y, Parts: [][]float32{x, x}, Rows: 2, Cols: 3}).Check(), "<nil>"},
		{(&Combine{Dst: x, Weights: y, Rows: 2, Cols: 3}).Check(), "weighted sum: of no matrices, expected at least one"},
		{(&Combine{Dst: x, Weights: y, Parts: [][]float32{x, y}, Rows: 2, Cols: 3}).Check(), "weighted sum: matrix 1 has 4 elements, expected 6"},
		{(&Combine{Dst: y, Weights: y, Parts: [][]float32{x, x}, Rows: 2, Cols: 3}).Check(), "weighted sum: Dst has 4 elements, expected 6"},
		{(&Combine{Dst: x, Weights: y, Parts: [][]float32{x, x, x}, Rows: 2, Cols: 3}).Check(), "weighted sum: Weights has 4 elements, expected 6"},
		{(&CombineGrad{DWeights: y, DY: y, Parts: [][]float32{x, x}, Rows: 2, Cols: 3}).Check(), "weighted sum gradient: DY has 4 elements, expected 6"},
		{(&ScaleRows{Dst: x, X: x, Factors: y, Stride: 4, Rows: 2, Cols: 3}).Check(), "scaling of rows: Factors has 4 elements, expected 5"},
		{(&ScaleRows{Dst: x, X: x, Factors: y, Rows: 2, Cols: 3}).Check(), "scaling of rows: the factors lie 0 apart, expected at least 1"},
	} {
		if got := fmt.Sprint(c.err); got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}
