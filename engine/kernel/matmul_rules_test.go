package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// precision is how the operands of a product are given; what follows holds for each.
type precision int

const (
	inFloat32 precision = iota
	rounded             // float32, rounded to bfloat16
	inBF16
	precisionCount
)

func (x precision) String() string { return [...]string{"float32", "rounded", "bfloat16"}[x] }

// anyProduct is a MatMul or a MatMulBF16.
type anyProduct interface {
	Check() error
	ScratchBytes(workers int) int
	Run(*Pool)
	run(*Pool, Level)
}

// of returns m in a precision.
func (x precision) of(m MatMul) anyProduct {
	switch x {
	case rounded:
		m.BF16 = true
	case inBF16:
		return &MatMulBF16{
			A: toBF16(m.A), B: toBF16(m.B), C: m.C, Bias: m.Bias, Act: m.Act, PreAct: m.PreAct, Accumulate: m.Accumulate,
			Batch: m.Batch, ABatch: m.ABatch, BBatch: m.BBatch, CBatch: m.CBatch,
		}
	}
	return &m
}

// rows returns rows lo to hi.
func (m Mat) rows(lo, hi int) Mat {
	m.Data, m.Rows = m.Data[lo*m.RowStride:], hi-lo
	return m
}

func TestAPartOfAProductHasTheBitsOfTheWhole(t *testing.T) {
	oneGoroutine(t)
	const m, n = 75, 93
	r := rand.New(rand.NewPCG(11, 12))
	for layouts := range 4 {
		for _, k := range []int{50, 2*Chunk + 33} {
			if testing.Short() && k > Chunk && layouts%3 != 0 {
				continue
			}
			a, b := randomMat(r, m, k, layout(layouts%2), 1, 3), randomMat(r, k, n, layout(layouts/2), 2, 0)
			whole, some := randomMat(r, m, n, byRows, 0, 0), randomMat(r, m, n, byRows, 0, 0)
			for x := range precisionCount {
				for _, level := range append(levels(), Generic) {
					x.of(MatMul{A: a, B: b, C: whole}).run(nil, level)
					for lo, count := 0, 1; lo < m; lo, count = lo+count, 2*count+1 {
						hi := min(lo+count, m)
						x.of(MatMul{A: a.rows(lo, hi), B: b, C: some.rows(lo, hi)}).run(nil, level)
					}
					if i, bad := differs(some.Data, whole.Data); bad {
						t.Errorf("layouts %d, k %d, %v, level %v: element %d is %v in a part of the rows, %v in all", layouts, k, x, level, i, some.Data[i], whole.Data[i])
					}
					for lo, count := 0, 1; lo < n; lo, count = lo+count, 2*count+1 {
						hi := min(lo+count, n)
						x.of(MatMul{A: a, B: b.T().rows(lo, hi).T(), C: some.T().rows(lo, hi).T()}).run(nil, level)
					}
					if i, bad := differs(some.Data, whole.Data); bad {
						t.Errorf("layouts %d, k %d, %v, level %v: element %d is %v in a part of the columns, %v in all", layouts, k, x, level, i, some.Data[i], whole.Data[i])
					}
				}
			}
		}
	}
}

func TestABatchIsItsProductsOneByOne(t *testing.T) {
	const batch = 5
	r := rand.New(rand.NewPCG(13, 14))
	for n, size := range [][3]int{{7, 5, 9}, {40, 33, 70}, {3, 90, Chunk + 9}} {
		rows, cols, k := size[0], size[1], size[2]
		a, b := randomMat(r, batch*rows, k, byRows, 0, 0), randomMat(r, batch*k, cols, byRows, 0, 0)
		got, want := randomMat(r, batch*rows, cols, byRows, 0, 0), randomMat(r, batch*rows, cols, byRows, 0, 0)
		gotPre, wantPre := randomMat(r, batch*rows, cols, byRows, 0, 0), randomMat(r, batch*rows, cols, byRows, 0, 0)
		mm := MatMul{
			A: a.rows(0, rows), B: b.rows(0, k), C: got.rows(0, rows), PreAct: gotPre.rows(0, rows),
			Bias: randomMat(r, 1, cols, byRows, 0, 0).Data, Act: ReLU,
			Batch: batch, ABatch: rows * k, BBatch: k * cols, CBatch: rows * cols,
		}
		if n == 1 {
			mm.BBatch = 0
		}
		pool := NewPool(3)
		defer pool.Close()
		for x := range precisionCount {
			for _, level := range append(levels(), Generic) {
				p := x.of(mm)
				if err := p.Check(); err != nil {
					t.Fatal(err)
				}
				p.run(pool, level)
				for i := range batch {
					one := mm
					one.A, one.C, one.PreAct = a.rows(i*rows, (i+1)*rows), want.rows(i*rows, (i+1)*rows), wantPre.rows(i*rows, (i+1)*rows)
					one.B.Data = b.Data[i*mm.BBatch:]
					one.Batch = 0
					x.of(one).run(nil, level)
				}
				if i, bad := differs(got.Data, want.Data); bad {
					t.Errorf("%v, %v, level %v: element %d is %v, alone %v", size, x, level, i, got.Data[i], want.Data[i])
				}
				if i, bad := differs(gotPre.Data, wantPre.Data); bad {
					t.Errorf("%v, %v, level %v: element %d of PreAct is %v, alone %v", size, x, level, i, gotPre.Data[i], wantPre.Data[i])
				}
			}
		}
	}
}

func TestProductsStayInsideTheirSlices(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for n := range 36 {
		rows, cols, k := 1+r.IntN(40), 1+r.IntN(70), 1+r.IntN(70)
		if n%9 == 8 {
			k += Chunk
		}
		if n%4 == 2 {
			rows, cols = 1, cols+64
		}
		a, b := randomMat(r, rows, k, layout(n%3), 0, r.IntN(3)), randomMat(r, k, cols, layout(n/3%3), 0, r.IntN(3))
		c, pre := randomMat(r, rows, cols, layout(n/9%3), 0, r.IntN(3)), randomMat(r, rows, cols, layout(n/9%3), 0, 0)
		mm := MatMul{A: a, B: b, C: c, PreAct: pre, Bias: randomMat(r, 1, cols, byRows, 0, 0).Data, Act: ReLU}
		for x := range precisionCount {
			p := x.of(mm)
			for place := range 2 {
				guarded := mm
				guarded.C.Data = guardCopies(t, c.Data)[place]
				guarded.PreAct.Data = guardCopies(t, pre.Data)[place]
				guarded.Bias = guardCopies(t, mm.Bias)[place]
				guarded.A.Data = guardCopies(t, a.Data)[place]
				guarded.B.Data = guardCopies(t, b.Data)[place]
				q := x.of(guarded)
				if h, ok := q.(*MatMulBF16); ok {
					h.A.Data, h.B.Data = guardCopies(t, h.A.Data)[place], guardCopies(t, h.B.Data)[place]
				}
				for _, level := range append(levels(), Generic) {
					p.run(nil, level)
					q.run(nil, level)
					if i, bad := differs(guarded.C.Data, c.Data); bad {
						t.Errorf("%d×%d×%d, %v, level %v: element %d is %v, want %v", rows, cols, k, x, level, i, guarded.C.Data[i], c.Data[i])
					}
				}
			}
		}
	}
}

func TestNaNAndInfinityReachTheirRowsAndColumns(t *testing.T) {
	oneGoroutine(t)
	const rows, cols, k = 20, 37, Chunk + 40
	r := rand.New(rand.NewPCG(17, 18))
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for layouts := range 9 {
		a, b := randomMat(r, rows, k, layout(layouts%3), 0, 0), randomMat(r, k, cols, layout(layouts/3), 0, 0)
		c, clean := randomMat(r, rows, cols, byRows, 0, 0), randomMat(r, rows, cols, byRows, 0, 0)
		*at(a, 4, k-1) = 0
		for x := range precisionCount {
			for _, level := range append(levels(), Generic) {
				*at(a, 3, 5), *at(b, k-1, 2) = 1, 1
				x.of(MatMul{A: a, B: b, C: clean}).run(nil, level)
				*at(a, 3, 5), *at(b, k-1, 2) = nan, inf
				x.of(MatMul{A: a, B: b, C: c}).run(nil, level)
				for i := range rows {
					for j := range cols {
						want := *at(clean, i, j)
						switch {
						case i == 3 || i == 4 && j == 2:
							want = nan
						case j == 2:
							want = inf * *at(a, i, k-1)
						}
						if got := *at(c, i, j); !sameBits(got, want) {
							t.Fatalf("layouts %d, %v, level %v: C[%d,%d] is %v, want %v", layouts, x, level, i, j, got, want)
						}
					}
				}
			}
		}
	}
}

func TestAFusedActivationIsThatOfMap(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	for act := range activations {
		for l := range loose + 1 {
			a, b := randomMat(r, 19, 30, byRows, 0, 0), randomMat(r, 30, 50, byRows, 0, 0)
			c, pre := randomMat(r, 19, 50, l, 0, 0), randomMat(r, 19, 50, l, 0, 0)
			for x := range precisionCount {
				for _, level := range append(levels(), Generic) {
					x.of(MatMul{A: a, B: b, C: c, PreAct: pre, Act: act}).run(nil, level)
					want := slices.Clone(pre.Data)
					activateRow(level, act, want, want)
					for i := range 19 {
						for j := range 50 {
							o := i*c.RowStride + j*c.ColStride
							if !sameBits(c.Data[o], want[o]) {
								t.Fatalf("%v, layout %d, %v, level %v: C[%d,%d] is %v, want %v", act, l, x, level, i, j, c.Data[o], want[o])
							}
						}
					}
				}
			}
		}
	}
}

func TestProductsAllocateNothingAndTakeTheScratchThatTheySay(t *testing.T) {
	memoryCounts(t)
	r := rand.New(rand.NewPCG(21, 22))
	for n, size := range [][3]int{{5, 7, 9}, {1, 300, 200}, {64, 80, 3 * Chunk}, {700, 60, 90}, {30, 50, 17 * Chunk}} {
		mm := MatMul{
			A: randomMat(r, size[0], size[2], layout(n%3), 0, 0), B: randomMat(r, size[2], size[1], layout(n/2%3), 0, 0),
			C: randomMat(r, size[0], size[1], layout(n%2*2), 0, 0),
		}
		for x := range precisionCount {
			for _, workers := range []int{1, 2, 3} {
				p := x.of(mm)
				pool := NewPool(workers)
				if err := pool.Reserve(p.ScratchBytes(workers)); err != nil {
					t.Fatal(err)
				}
				reserved := len(pool.scratch.mem)
				if got := testing.AllocsPerRun(2, func() { p.Run(pool) }); got != 0 {
					t.Errorf("%v, %v, %d workers: %v allocations", size, x, workers, got)
				}
				if got := len(pool.scratch.mem); got != reserved {
					t.Errorf("%v, %v, %d workers: Run took %d floats of scratch, ScratchBytes said %d", size, x, workers, got, reserved)
				}
				pool.Close()
			}
		}
	}
}

func TestPortableProductAgreesWithFloat64(t *testing.T) {
	oneGoroutine(t)
	r := rand.New(rand.NewPCG(23, 24))
	const bound = 4 // in units of 2⁻²⁴ · Σ|a·b|, as bf16Bound
	used := 0.0
	for n := range 27 {
		rows, cols, k := 1+r.IntN(30), 1+r.IntN(100), 1+r.IntN(1500)
		mm := MatMul{
			A: randomMat(r, rows, k, layout(n%3), 0, 1), B: randomMat(r, k, cols, layout(n/3%3), 0, 1), C: randomMat(r, rows, cols, layout(n/9), 0, 1),
		}
		mm.run(nil, Generic)
		for i := range rows {
			for j := range cols {
				sum, abs := 0.0, 0.0
				for l := range k {
					p := float64(*at(mm.A, i, l)) * float64(*at(mm.B, l, j))
					sum += p
					abs += math.Abs(p)
				}
				off := math.Abs(float64(*at(mm.C, i, j))-sum) / abs * (1 << 24)
				used = max(used, off)
				if !(off <= bound) {
					t.Fatalf("%d×%d×%d: C[%d,%d] is %v, want %v", rows, cols, k, i, j, *at(mm.C, i, j), sum)
				}
			}
		}
	}
	t.Logf("the error is at most %.2f of the %d · 2⁻²⁴ · Σ|a·b| that are allowed", used, bound)
}

func TestProductChecksNameTheWrongMatrix(t *testing.T) {
	x := make([]float32, 12)
	h := make([]uint16, 12)
	ok := MatMul{A: RowMajor(x, 2, 3), B: RowMajor(x, 3, 4), C: RowMajor(x, 2, 4)}
	for _, c := range []struct {
		change func(*MatMul)
		want   string
	}{
		{func(m *MatMul) {}, "<nil>"},
		{func(m *MatMul) { m.B = RowMajor(x, 4, 3) }, "matrix product: B is 4×3, expected 3×3"},
		{func(m *MatMul) { m.C = RowMajor(x, 2, 3) }, "matrix product: C is 2×3, expected 2×4"},
		{func(m *MatMul) { m.A.Data = x[:5] }, "matrix product: A has 5 elements, its size and strides reach 6"},
		{func(m *MatMul) { m.A.RowStride = -3 }, "matrix product: A has the strides -3, 1 and 0 between matrices; they must not be negative"},
		{func(m *MatMul) { m.Batch, m.CBatch = 3, 8 }, "matrix product: C has 12 elements, its size and strides reach 24"},
		{func(m *MatMul) { m.Batch = -1 }, "matrix product: a batch of -1"},
		{func(m *MatMul) { m.Bias = x[:3] }, "matrix product: the bias has 3 elements, C has 4 columns"},
		{func(m *MatMul) { m.PreAct = RowMajor(x, 2, 2) }, "matrix product: PreAct is 2×2, expected 2×4"},
		{func(m *MatMul) { m.Accumulate, m.Act = true, ReLU }, "matrix product: Accumulate goes with neither bias, activation nor PreAct"},
	} {
		m := ok
		c.change(&m)
		if got := fmt.Sprint(m.Check()); got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
	for _, c := range []struct {
		m    MatMulBF16
		want string
	}{
		{MatMulBF16{A: RowMajorBF16(h, 2, 3), B: ok.B.BF16(), C: ok.C}, "<nil>"},
		{MatMulBF16{A: RowMajorBF16(h, 2, 3), B: RowMajorBF16(h[:11], 4, 3).T(), C: ok.C}, "matrix product: B has 11 elements, its size and strides reach 12"},
		{MatMulBF16{A: RowMajorBF16(h, 2, 3).T(), B: ok.B.BF16(), C: ok.C}, "matrix product: B is 3×4, expected 2×4"},
	} {
		if got := fmt.Sprint(c.m.Check()); got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}
