package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// rowKernel is the innermost function of an elementwise kernel as the tests see it.
type rowKernel struct {
	name     string
	operands int  // the first are written
	written  int  // how many are written
	inPlace  bool // the first operand may be any of those that are only read
	exact    bool // the portable kernel has the same bits
	// run works on the operands, the first element of which has the index first.
	run func(level Level, first int, x [][]float32)
}

// rowKernels are all of them.
func rowKernels() []rowKernel {
	var all []rowKernel
	for act := range activations {
		exact := act == Identity || act == ReLU
		all = append(all,
			rowKernel{act.String(), 2, 1, true, exact, func(level Level, _ int, x [][]float32) { activateRow(level, act, x[0], x[1]) }},
			rowKernel{act.String() + " derivative", 3, 1, true, exact || act == Exp,
				func(level Level, _ int, x [][]float32) { activateGradRow(level, act, x[0], x[1], x[2]) }})
	}
	for op := range binaryOps {
		all = append(all, rowKernel{op.String(), 3, 1, true, true, func(level Level, _ int, x [][]float32) { binaryRow(level, op, x[0], x[1], x[2]) }})
	}
	adam := adamScalars{0.5, 0.01, 0.99, 0.9, 0.1, 0.999, 0.001, 0.01, 0.3, 1e-8}
	sgd := sgdScalars{0.5, 0.01, 0.1, 0.9, 0.8, 1, 0.9}
	dropped := newDropMask(Key{1, 2, 3}, 0.3)
	return append(all,
		rowKernel{"dropout", 2, 1, true, true, func(level Level, first int, x [][]float32) { dropped.row(level, x[0], x[1], uint64(first)+1<<34-50) }},
		rowKernel{"αa + βb", 3, 1, true, true, func(level Level, _ int, x [][]float32) { axpbyRow(level, x[0], x[1], x[2], 0.3, -1.7) }},
		rowKernel{"scale", 2, 1, true, true, func(level Level, _ int, x [][]float32) { scaleRow(level, x[0], x[1], 0.3) }},
		rowKernel{"PReLU", 3, 1, true, true, func(level Level, _ int, x [][]float32) { preluRow(level, x[0], x[1], x[2]) }},
		rowKernel{"PReLU with one slope", 2, 1, true, true, func(level Level, _ int, x [][]float32) { preluRow(level, x[0], x[1], []float32{0.25}) }},
		rowKernel{"derivative of PReLU", 5, 2, true, true, func(level Level, _ int, x [][]float32) { preluGradRow(level, x[0], x[1], x[2], x[3], x[4]) }},
		rowKernel{"derivative of PReLU with one slope", 4, 2, true, true,
			func(level Level, _ int, x [][]float32) { preluGradRow(level, x[0], x[1], x[2], x[3], []float32{0.25}) }},
		rowKernel{"AdamW", 4, 3, false, true, func(level Level, _ int, x [][]float32) { adamwRow(level, x[0], x[3], x[1], x[2], &adam) }},
		rowKernel{"SGD", 2, 1, false, true, func(level Level, _ int, x [][]float32) { sgdRow(level, x[0], x[1], &sgd) }},
		rowKernel{"SGD with momentum", 3, 2, false, true, func(level Level, _ int, x [][]float32) { momentumRow(level, x[0], x[2], x[1], &sgd) }},
		rowKernel{"Adagrad", 3, 2, false, true, func(level Level, _ int, x [][]float32) {
			adagradRow(level, x[0], x[2], x[1], &adagradScalars{0.5, 0.01, 0.1, 1e-10})
		}},
	)
}

// testLevels are the levels up to AVX512 that this machine can run; those above have the same elementwise kernels.
func testLevels() []Level {
	var l []Level
	for level := Generic; level <= min(HardwareLevel(), AVX512); level++ {
		l = append(l, level)
	}
	return l
}

// awkward returns n numbers with NaN, infinities, denormals and others at the ends of the range among normal ones.
func awkward(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	special := []float32{0, float32(math.Copysign(0, -1)), 1, -1, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
		math.SmallestNonzeroFloat32, -1e-40, math.MaxFloat32, -math.MaxFloat32, 88, -88, -100, 20, -20, 1e-20}
	for i := range x {
		if r.IntN(4) == 0 {
			x[i] = special[r.IntN(len(special))]
		} else {
			x[i] = float32(r.NormFloat64() * 3)
		}
	}
	return x
}

// normalFloats returns n normal numbers that begin on a cache line.
func normalFloats(r *rand.Rand, n int) []float32 {
	x := alignedFloats(n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// sameBits says whether a and b are the same number, and all NaN count as one: which payload an operation with two of them
// keeps is not defined.
func sameBits(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

func differs(got, want []float32) (int, bool) {
	for i := range want {
		if !sameBits(got[i], want[i]) {
			return i, true
		}
	}
	return 0, false
}

func cloneAll(x [][]float32) [][]float32 {
	c := make([][]float32, len(x))
	for i := range x {
		c[i] = slices.Clone(x[i])
	}
	return c
}

func TestElementwiseBitsDependOnTheElementAlone(t *testing.T) {
	oneGoroutine(t)
	const long = 160
	for _, k := range rowKernels() {
		r := randSource(1)
		var source, portable [][]float32
		for range k.operands {
			source = append(source, awkward(r, long))
		}
		for _, level := range testLevels() {
			want := cloneAll(source)
			k.run(level, 0, want)
			switch {
			case level == Generic:
				portable = want
				continue
			case level == AVX512 || k.exact:
				reference := portable
				if !k.exact {
					reference = cloneAll(source)
					k.run(AVX2, 0, reference)
				}
				for o := range k.written {
					if i, bad := differs(want[o], reference[o]); bad {
						t.Errorf("%s, level %v: operand %d, element %d is %v, the level below has %v", k.name, level, o, i, want[o][i], reference[o][i])
					}
				}
			}
			for n := 1; n <= 67; n++ {
				lo := r.IntN(long - n)
				var part [2][][]float32 // right after an inaccessible page, and right before
				for o := range source {
					for i, c := range guardCopies(t, source[o][lo:lo+n]) {
						part[i] = append(part[i], c)
					}
				}
				for _, x := range part {
					k.run(level, lo, x)
					for o := range x {
						expected := source[o]
						if o < k.written {
							expected = want[o]
						}
						if i, bad := differs(x[o], expected[lo:lo+n]); bad {
							t.Fatalf("%s, level %v, %d elements from %d on: operand %d, element %d is %v, among %d elements it is %v",
								k.name, level, n, lo, o, i, x[o][i], long, expected[lo+i])
						}
					}
				}
			}
		}
	}
}

func TestElementwiseInPlace(t *testing.T) {
	for _, k := range rowKernels() {
		if !k.inPlace {
			continue
		}
		r := randSource(2)
		var source [][]float32
		for range k.operands {
			source = append(source, awkward(r, 37))
		}
		for _, level := range testLevels() {
			want := cloneAll(source)
			k.run(level, 0, want)
			for o := k.written; o < k.operands; o++ {
				x := cloneAll(source)
				x[0] = x[o]
				k.run(level, 0, x)
				if i, bad := differs(x[0], want[0]); bad {
					t.Errorf("%s, level %v, into operand %d: element %d is %v, want %v", k.name, level, o, i, x[0][i], want[0][i])
				}
			}
		}
	}
}

func TestElementwiseOfNothing(t *testing.T) {
	for _, k := range rowKernels() {
		for _, level := range testLevels() {
			k.run(level, 0, make([][]float32, k.operands))
		}
	}
}

// taskCase is a kernel as a whole: run computes it anew and returns what it wrote.
type taskCase struct {
	name string
	run  func(p *Pool, level Level) []float32
}

// checkTasks holds two and three workers, and a nil pool, against one, and counts allocations.
func checkTasks(t *testing.T, cases []taskCase) {
	t.Helper()
	pools := []*Pool{NewPool(1), nil, NewPool(2), NewPool(3)}
	for _, c := range cases {
		for _, level := range testLevels() {
			var want []float32
			for i, p := range pools {
				got := slices.Clone(c.run(p, level))
				if i == 0 {
					want = got
				} else if at, bad := differs(got, want); bad {
					t.Errorf("%s, level %v, %d workers: element %d is %v, with one worker %v", c.name, level, p.Workers(), at, got[at], want[at])
				}
			}
			if n := testing.AllocsPerRun(3, func() { c.run(pools[2], level) }); n != 0 {
				t.Errorf("%s, level %v: %v allocations", c.name, level, n)
			}
		}
	}
	for _, p := range pools {
		p.Close()
	}
}

func TestElementwiseChecksNameTheWrongOperand(t *testing.T) {
	x, y := make([]float32, 6), make([]float32, 4)
	for _, c := range []struct {
		err  error
		want string
	}{
		{(&Map{Dst: x, X: y, Act: ReLU}).Check(), "relu: X has 4 elements, Dst has 6; they must be equal"},
		{(&MapGrad{DX: x, DY: x, X: y, Act: GELU}).Check(), "derivative of gelu: X has 4 elements, DX has 6; they must be equal"},
		{(&MapGrad{DX: x, DY: x, X: y, Y: x, Act: Tanh}).Check(), "<nil>"},
		{(&Broadcast{Dst: x, X: x, Row: y, Op: Add}).Check(), "add to rows: X has 6 elements, which are no whole rows of 4 columns"},
		{(&PReLU{Dst: x, X: x, Slope: y, Cols: 3}).Check(), "PReLU: Slope has 4 elements, expected 1 or 3, the number of columns"},
		{(&Dropout{Dst: x, X: x, P: 1}).Check(), "dropout: P is 1, expected 0 ≤ P < 1"},
		{(&AdamW{Param: x, Grad: x, M: x, V: x}).Check(), "AdamW: the corrections 1 − βᵗ are 0 and 0; they must be positive (steps count from 1)"},
		{(&SGD{Param: x, Grad: x, Mu: 0.9}).Check(), "SGD: Momentum has 0 elements, Param has 6; they must be equal"},
		{(&Uniform{Dst: x, Lo: 1, Hi: 1}).Check(), "uniform numbers: the bounds are 1 and 1; they must be finite, and the first below the second"},
		{(&F32ToF16{Dst: make([]uint16, 3), X: y}).Check(), "float32 to float16: X has 4 elements, Dst has 3; they must be equal"},
	} {
		if got := fmt.Sprint(c.err); got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}

func randSource(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
