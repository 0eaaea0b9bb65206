package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// lanesByDefinition is a sum along a contiguous axis as the package defines it, of x·y with one rounding a term.
func lanesByDefinition(x, y []float32) float32 {
	var l [16]float32
	for i := range x {
		l[i%16] = fma32(x[i], y[i], l[i%16])
	}
	for n := 8; n > 0; n /= 2 {
		for i := range n {
			l[i] += l[i+n]
		}
	}
	return l[0]
}

func ones(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	return x
}

func TestSumsFollowTheDefinitionBitForBit(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	pools := []*Pool{nil, NewPool(2), NewPool(3)}
	defer pools[1].Close()
	defer pools[2].Close()
	sizes := []int{0, sumRun - 1, sumRun, sumRun + 1, 7*sumRun + 100}
	for n := 1; n <= 67; n++ {
		sizes = append(sizes, n)
	}
	for _, n := range sizes {
		for _, places := range [][]float32{randomMat(r, 1, n, byRows, 3, 0).Data, guardEnd[float32](t, n), guardStart[float32](t, n)} {
			x := places
			for i := range x {
				x[i] = float32(r.NormFloat64())
			}
			var sums, squares []float32
			exactSum, exactSquares, size := 0.0, 0.0, 0.0
			for i := 0; i < n; i += 16 * Chunk {
				run := x[i:min(i+16*Chunk, n)]
				sums = append(sums, lanesByDefinition(run, ones(len(run))))
				squares = append(squares, lanesByDefinition(run, run))
			}
			for _, v := range x {
				exactSum += float64(v)
				size += math.Abs(float64(v))
				exactSquares += float64(v) * float64(v)
			}
			sum, square := []float32{9}, []float32{9}
			for level := Generic; level <= min(HardwareLevel(), AVX512); level++ {
				for _, p := range pools {
					(&Sum{Dst: sum, X: x}).run(p, level)
					(&SumSquares{Dst: square, X: x}).run(p, level)
					where := fmt.Sprintf("%d elements, level %v, %d workers", n, level, p.Workers())
					if level > Generic {
						if sum[0] != tree(sums) || square[0] != tree(squares) {
							t.Fatalf("%s: the sum is %v and that of squares %v, want %v and %v", where, sum[0], square[0], tree(sums), tree(squares))
						}
					}
					if math.Abs(float64(sum[0])-exactSum) > 0x1p-22*size || math.Abs(float64(square[0])-exactSquares) > 0x1p-22*exactSquares {
						t.Fatalf("%s: the sum is %v and that of squares %v, want %v and %v", where, sum[0], square[0], exactSum, exactSquares)
					}
				}
			}
		}
	}
}

func TestColumnSumFollowsTheDefinitionBitForBit(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	pools := []*Pool{nil, NewPool(2), NewPool(3)}
	defer pools[1].Close()
	defer pools[2].Close()
	for _, size := range [][2]int{{0, 3}, {1, 1}, {Chunk, 17}, {Chunk + 1, 33}, {5*Chunk + 7, 66}, {6 * Chunk, 1}, {30, 700}} {
		rows, cols := size[0], size[1]
		x := randomMat(r, rows, cols, byRows, 1, 0).Data
		start := randomMat(r, 1, cols, byRows, 1, 0).Data
		for _, accumulate := range []bool{false, true} {
			k := &ColumnSum{Dst: make([]float32, cols), X: x, Rows: rows, Cols: cols, Accumulate: accumulate}
			for level := Generic; level <= min(HardwareLevel(), AVX512); level++ {
				for _, p := range pools {
					copy(k.Dst, start)
					k.run(p, level)
					for j, got := range k.Dst {
						column := make([]float32, rows)
						for i := range column {
							column[i] = x[i*cols+j]
						}
						want := sumByDefinition(column, ones(rows))
						if accumulate {
							want += start[j]
						}
						if got != want {
							t.Fatalf("%d×%d, accumulate %v, level %v, %d workers: column %d is %v, want %v", rows, cols, accumulate, level, p.Workers(), j, got, want)
						}
					}
				}
			}
		}
	}
}

// Rows may be split at multiples of Chunk: the parts combine by the same tree.
func TestColumnSumsOfPowersOfTwoOfChunksCombine(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	const cols = 5
	x := randomMat(r, 4*Chunk, cols, byRows, 0, 0).Data
	whole, part := make([]float32, cols), make([]float32, cols)
	(&ColumnSum{Dst: whole, X: x, Rows: 4 * Chunk, Cols: cols}).Run(nil)
	var sums [2][cols]float32
	for i := range sums {
		(&ColumnSum{Dst: part, X: x[i*2*Chunk*cols:], Rows: 2 * Chunk, Cols: cols}).Run(nil)
		copy(sums[i][:], part)
	}
	for j := range cols {
		if sums[0][j]+sums[1][j] != whole[j] {
			t.Errorf("column %d: halves give %v, the whole %v", j, sums[0][j]+sums[1][j], whole[j])
		}
	}
}
