package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seraph-ml/seraph/internal/race"
)

// toBF16 rounds the elements of a matrix and lays them out as they were.
func toBF16(m Mat) MatBF16 {
	h := make([]uint16, len(m.Data)+1)[1:]
	for i, x := range m.Data {
		h[i] = bf16FromF32(x)
	}
	return MatBF16{Data: h, Rows: m.Rows, Cols: m.Cols, RowStride: m.RowStride, ColStride: m.ColStride}
}

// values are the elements of a matrix as a product of bfloat16 reads them, row by row.
func (m *MatBF16) values() []float64 {
	o := m.operand(0)
	row := make([]float32, m.Cols)
	var v []float64
	for i := range m.Rows {
		o.read(row, 0, i, 0)
		for _, x := range row {
			v = append(v, float64(x))
		}
	}
	return v
}

// bf16Sizes are rows, columns and terms: all small ones by turns, and some that cross chunks, blocks and super-blocks.
func bf16Sizes(r *rand.Rand) [][3]int {
	sizes := [][3]int{{1, 1, 1}, {1, 768, 40}, {700, 33, 20}, {130, 100, Chunk + 1}, {5, 40, 9*Chunk + 3}, {600, 70, 2*Chunk + 5}, {64, 64, 32}, {8, 256, 300}, {33, 50, 3 * Chunk}}
	step, deep := 1, 6
	switch {
	case race.Enabled:
		sizes = [][3]int{{1, 1, 1}, {1, 768, 40}, {300, 33, 20}, {130, 20, Chunk + 1}, {130, 12, 2*Chunk + 5}}
		step, deep = 11, 0
	case testing.Short():
		step = 5
	}
	for n := 1; n <= 67; n += step {
		sizes = append(sizes, [3]int{n, 1 + r.IntN(67), 1 + r.IntN(67)}, [3]int{1 + r.IntN(67), n, 1 + r.IntN(67)}, [3]int{1 + r.IntN(67), 1 + r.IntN(67), n})
	}
	for range deep {
		sizes = append(sizes, [3]int{1 + r.IntN(30), 1 + r.IntN(40), 1 + r.IntN(20*Chunk)})
	}
	return sizes
}

// bf16Bound is the error allowed to a product of random numbers, in units of 2⁻²⁴ · Σ|a·b|. A chain of Chunk roundings
// could err by Chunk of them; roundings of random signs do by few.
const bf16Bound = 4

func TestBF16ProductAgreesWithFloat64(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	pools := []*Pool{nil, NewPool(2), NewPool(3)}
	defer pools[1].Close()
	defer pools[2].Close()
	used := map[Level]float64{}
	for n, size := range bf16Sizes(r) {
		rows, cols, k := size[0], size[1], size[2]
		a, b := randomMat(r, rows, k, layout(n%3), r.IntN(5), r.IntN(4)), randomMat(r, k, cols, layout(n/3%3), r.IntN(5), r.IntN(4))
		mm := MatMulBF16{A: a.BF16(), B: b.BF16(), C: randomMat(r, rows, cols, layout(n/9%3), r.IntN(5), r.IntN(4))}
		if n%2 == 1 {
			mm.A = toBF16(a)
		}
		if n/2%2 == 1 {
			mm.B = toBF16(b)
		}
		before := append([]float32(nil), mm.C.Data...)
		mm.Accumulate = n%5 == 3
		if n%5 == 1 {
			mm.Bias = randomMat(r, 1, cols, byRows, 1, 0).Data
			mm.Act = ReLU
			mm.PreAct = randomMat(r, rows, cols, layout(n/16%3), r.IntN(5), r.IntN(4))
		}
		if err := mm.Check(); err != nil {
			t.Fatal(err)
		}
		x, y := mm.A.values(), mm.B.values()
		want, scale := make([]float64, rows*cols), make([]float64, rows*cols)
		for i := range rows {
			for j := range cols {
				sum, abs := 0.0, 0.0
				for l := range k {
					p := x[i*k+l] * y[l*cols+j]
					sum += p
					abs += math.Abs(p)
				}
				if mm.Bias != nil {
					sum += float64(mm.Bias[j])
				}
				if mm.Accumulate {
					sum += float64(before[i*mm.C.RowStride+j*mm.C.ColStride])
				}
				want[i*cols+j], scale[i*cols+j] = sum, abs+math.Abs(sum)
			}
		}
		for _, level := range append(levels(), Generic) {
			if level == Generic && testing.Short() && rows*cols*k > 1<<18 {
				continue
			}
			var first []float32
			for _, pool := range pools {
				copy(mm.C.Data, before)
				mm.run(pool, level)
				name := fmt.Sprintf("%d×%d×%d, level %v, %d workers, strides %d %d, %d %d, %d %d", rows, cols, k, level, pool.Workers(),
					mm.A.RowStride, mm.A.ColStride, mm.B.RowStride, mm.B.ColStride, mm.C.RowStride, mm.C.ColStride)
				if first != nil {
					if i, bad := differs(mm.C.Data, first); bad {
						t.Fatalf("%s: element %d of C is %v, %v with one worker", name, i, mm.C.Data[i], first[i])
					}
					continue
				}
				first = append(first, mm.C.Data...)
				for i := range rows {
					for j := range cols {
						got := *at(mm.C, i, j)
						if mm.PreAct.Data != nil {
							x := *at(mm.PreAct, i, j)
							if got != max(x, 0) {
								t.Fatalf("%s: C[%d,%d] is %v where PreAct is %v", name, i, j, got, x)
							}
							got = x
						}
						off := math.Abs(float64(got)-want[i*cols+j]) / scale[i*cols+j] * (1 << 24)
						used[level] = max(used[level], off)
						if !(off <= bf16Bound) {
							t.Fatalf("%s: C[%d,%d] is %v, want %v", name, i, j, got, want[i*cols+j])
						}
					}
				}
				if i := between(mm.C, mm.C.Data, before); i >= 0 {
					t.Fatalf("%s: element %d between the rows of C was overwritten", name, i)
				}
			}
		}
	}
	for level, u := range used {
		t.Logf("level %v: the error is at most %.2f of the %d · 2⁻²⁴ · Σ|a·b| that are allowed", level, u, bf16Bound)
	}
}

func TestBF16ProductOfSmallIntegersIsExact(t *testing.T) {
	oneGoroutine(t)
	r := rand.New(rand.NewPCG(5, 6))
	for n := range 40 {
		rows, cols, k := 1+r.IntN(70), 1+r.IntN(70), 1+r.IntN(2*Chunk)
		mm := MatMul{
			A: randomMat(r, rows, k, layout(n%3), 0, 0), B: randomMat(r, k, cols, layout(n/3%3), 0, 0),
			C: randomMat(r, rows, cols, byRows, 0, 0), BF16: true,
		}
		for _, m := range []Mat{mm.A, mm.B} {
			for i := range m.Data {
				m.Data[i] = float32(r.IntN(33) - 16)
			}
		}
		want := make([]float32, rows*cols)
		for i := range rows {
			for l := range k {
				x := *at(mm.A, i, l)
				for j := range cols {
					want[i*cols+j] += x * *at(mm.B, l, j)
				}
			}
		}
		for _, level := range append(levels(), Generic) {
			mm.run(nil, level)
			if i, bad := differs(mm.C.Data, want); bad {
				t.Fatalf("%d×%d×%d, level %v: element %d is %v, want %v", rows, cols, k, level, i, mm.C.Data[i], want[i])
			}
		}
	}
}

func TestRoundedOperandsGiveTheBitsOfBF16Operands(t *testing.T) {
	oneGoroutine(t)
	r := rand.New(rand.NewPCG(7, 8))
	for n := range 9 {
		a, b := randomMat(r, 37, 2*Chunk+77, layout(n%3), 1, 2), randomMat(r, 2*Chunk+77, 45, layout(n/3), 3, 1)
		got := MatMul{A: a, B: b, C: randomMat(r, 37, 45, byRows, 0, 0), BF16: true}
		want := MatMulBF16{A: toBF16(a), B: toBF16(b), C: randomMat(r, 37, 45, byRows, 0, 0)}
		var generic []float32
		for _, level := range append([]Level{Generic}, levels()...) {
			got.run(nil, level)
			want.run(nil, level)
			if i, bad := differs(got.C.Data, want.C.Data); bad {
				t.Errorf("level %v, layouts %d and %d: element %d is %v, of bfloat16 operands %v", level, n%3, n/3, i, got.C.Data[i], want.C.Data[i])
			}
			if level == Generic {
				generic = append(generic, got.C.Data...)
			}
			if i, bad := differs(got.C.Data, generic); level <= AVX512 && bad {
				t.Errorf("level %v: element %d is %v, at the generic level %v", level, i, got.C.Data[i], generic[i])
			}
		}
	}
}
