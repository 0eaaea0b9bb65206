package kernel

import (
	"math"
	"testing"
)

func TestPReLUAndItsDerivativeFollowTheFormula(t *testing.T) {
	r := randSource(1)
	sizes := [][2]int{{0, 5}, {Chunk, 5}, {Chunk + 1, 66}, {3*Chunk + 7, 2}}
	for n := 1; n <= 67; n += 3 {
		sizes = append(sizes, [2]int{1 + r.IntN(67), n})
	}
	for _, size := range sizes {
		rows, cols := size[0], size[1]
		x, dy := normalFloats(r, rows*cols), normalFloats(r, rows*cols)
		y, dx := make([]float32, rows*cols), make([]float32, rows*cols)
		for _, slopes := range []int{1, cols} {
			slope, dSlope := normalFloats(r, slopes), make([]float32, slopes)
			terms := make([][]float32, slopes) // of the derivative of each slope, row by row
			for i := range x {
				j := i % cols % slopes
				if x[i] <= 0 {
					terms[j] = append(terms[j], x[i]*dy[i])
				}
			}
			for _, level := range testLevels() {
				(&PReLU{Dst: y, X: x, Slope: slope, Cols: cols}).run(nil, level)
				(&PReLUGrad{DX: dx, DSlope: dSlope, DY: dy, X: x, Slope: slope, Cols: cols}).run(nil, level)
				for i := range x {
					wantY, wantDX := x[i], dy[i]
					if x[i] <= 0 {
						wantY, wantDX = slope[i%cols%slopes]*x[i], slope[i%cols%slopes]*dy[i]
					}
					if y[i] != wantY || dx[i] != wantDX {
						t.Fatalf("%d×%d, %d slopes, level %v: element %d is %v with the derivative %v, want %v and %v", rows, cols, slopes, level, i, y[i], dx[i], wantY, wantDX)
					}
				}
				for j := range dSlope {
					var want, size float64
					for _, v := range terms[j] {
						want += float64(v)
						size += math.Abs(float64(v))
					}
					if d := math.Abs(float64(dSlope[j]) - want); d > 1e-6*size {
						t.Fatalf("%d×%d, %d slopes, level %v: the derivative of slope %d is %v, want %v", rows, cols, slopes, level, j, dSlope[j], want)
					}
				}
			}
		}
	}
}

func TestTheDerivativeOfASlopeIsASumInChunks(t *testing.T) {
	rows := 2*Chunk + 3
	x, dy := make([]float32, rows), normalFloats(randSource(3), rows)
	for i := range x {
		x[i] = -1
	}
	var chunks []float32
	var chain float32
	for i := range x {
		chain += float32(x[i] * dy[i])
	}
	for lo := 0; lo < rows; lo += Chunk {
		var sum float32
		for i := lo; i < min(lo+Chunk, rows); i++ {
			sum += float32(x[i] * dy[i])
		}
		chunks = append(chunks, sum)
	}
	if tree(chunks) == chain {
		t.Fatal("the terms do not tell one order from another")
	}
	for _, level := range testLevels() {
		dSlope := []float32{0}
		(&PReLUGrad{DX: make([]float32, rows), DSlope: dSlope, DY: dy, X: x, Slope: []float32{0.1}, Cols: 1}).run(nil, level)
		if want := tree(chunks); dSlope[0] != want {
			t.Errorf("level %v: %v, the sum by chunks is %v", level, dSlope[0], want)
		}
	}
}

func TestPReLUIsSplitWithoutChangingABit(t *testing.T) {
	const cols = 3*stripe + 5
	n := cols * (Chunk + 10)
	r := randSource(2)
	x, dy, dst, slope := normalFloats(r, n), normalFloats(r, n), make([]float32, n), normalFloats(r, cols)
	all := make([]float32, cols)
	f := &PReLU{Dst: dst, X: x, Slope: slope, Cols: cols}
	g := &PReLUGrad{DX: dst, DSlope: all, DY: dy, X: x, Slope: slope, Cols: cols}
	one := &PReLUGrad{DX: dst, DSlope: all[:1], DY: dy, X: x, Slope: slope[:1], Cols: cols}
	checkTasks(t, []taskCase{
		{"PReLU", func(p *Pool, level Level) []float32 { f.run(p, level); return dst }},
		{"derivative by x", func(p *Pool, level Level) []float32 { g.run(p, level); return dst }},
		{"derivative by the slopes", func(p *Pool, level Level) []float32 { g.run(p, level); return all }},
		{"derivative by one slope", func(p *Pool, level Level) []float32 { one.run(p, level); return all[:1] }},
	})
}
