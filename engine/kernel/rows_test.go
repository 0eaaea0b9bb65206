package kernel

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/internal/race"
)

// operands makes what a row kernel works on, and brings it back to what it was before a run.
type operands struct {
	*rand.Rand
	rows, cols int
	inPlace    bool // the result takes the place of an operand
	made       [][]float32
	before     [][]float32
	place      func(x []float32) []float32 // a copy of x where the test wants it; nil: on the heap, misaligned
}

// floats returns n normal numbers.
func (o *operands) floats(n int) []float32 {
	x := make([]float32, n+3)[o.IntN(4):][:n]
	for i := range x {
		x[i] = float32(o.NormFloat64())
	}
	if o.place != nil {
		x = o.place(x)
	}
	o.made, o.before = append(o.made, x), append(o.before, slices.Clone(x))
	return x
}

// matrix returns rows × cols normal numbers, and result the same unless it takes the place of x.
func (o *operands) matrix() []float32 { return o.floats(o.rows * o.cols) }

func (o *operands) result(x []float32) []float32 {
	if o.inPlace {
		return x
	}
	return o.matrix()
}

// labels returns a class for each row, sometimes none.
func (o *operands) labels() []int32 {
	l := make([]int32, o.rows)
	for i := range l {
		l[i] = int32(o.IntN(o.cols+1)) - 1
	}
	return l
}

// probabilities returns rows that sum up to 1.
func (o *operands) probabilities() []float32 {
	p := o.matrix()
	o.set(p, refSoftmax(widen(p), o.cols))
	return p
}

func (o *operands) restore() {
	for i, x := range o.made {
		copy(x, o.before[i])
	}
}

// outcome is what a kernel must give: within bound·2⁻²⁴ of want, relative to size, or to want where size is nil.
type outcome struct {
	name  string
	got   []float32
	want  []float64
	size  []float64
	bound float64
}

// used is the largest error in units of the bound, and where it is.
func (o *outcome) used() (used float64, at int) {
	for i, want := range o.want {
		size := math.Abs(want)
		if o.size != nil {
			size = o.size[i]
		}
		u := math.Abs(float64(o.got[i])-want) / (o.bound*0x1p-24*size + 1e-37)
		if math.IsNaN(u) {
			u = math.Inf(1)
		}
		if u > used {
			used, at = u, i
		}
	}
	return used, at
}

// levelKernel is a kernel that tests run at a level.
type levelKernel interface {
	Check() error
	run(p *Pool, level Level)
}

// rowsCase is a kernel with what it must give.
type rowsCase struct {
	levelKernel
	outcomes []outcome
}

// rowsCases makes each kernel. What it must give is computed from its operands as they are when it is made.
var rowsCases = map[string]func(o *operands) *rowsCase{
	"softmax": func(o *operands) *rowsCase {
		x := o.matrix()
		want := refSoftmax(widen(x), o.cols)
		k := &Softmax{Dst: o.result(x), X: x, Rows: o.rows, Cols: o.cols}
		return &rowsCase{k, []outcome{{"Dst", k.Dst, want, nil, 12}}}
	},
	"softmax gradient": func(o *operands) *rowsCase {
		dy, y := o.matrix(), o.matrix()
		want := refSoftmaxGrad(widen(dy), widen(y), o.cols)
		size := make([]float64, len(want))
		eachRow(widen(y), o.cols, func(i int, row []float64) {
			dot := 0.0
			for j, v := range row {
				dot += math.Abs(v * float64(dy[i*o.cols+j]))
			}
			for j, v := range row {
				size[i*o.cols+j] = math.Abs(v) * (math.Abs(float64(dy[i*o.cols+j])) + dot)
			}
		})
		k := &SoftmaxGrad{DX: o.result(dy), DY: dy, Y: y, Rows: o.rows, Cols: o.cols}
		return &rowsCase{k, []outcome{{"DX", k.DX, want, size, 8}}}
	},
	"log-softmax": func(o *operands) *rowsCase {
		x := o.matrix()
		want := refLogSoftmax(widen(x), o.cols)
		k := &LogSoftmax{Dst: o.result(x), X: x, Rows: o.rows, Cols: o.cols}
		return &rowsCase{k, []outcome{{"Dst", k.Dst, want, plusOne(want), 8}}}
	},
	"log-softmax gradient": func(o *operands) *rowsCase {
		dy, y := o.matrix(), o.matrix()
		want := refLogSoftmaxGrad(widen(dy), widen(y), o.cols)
		size := make([]float64, len(want))
		eachRow(widen(dy), o.cols, func(i int, row []float64) {
			sum := 0.0
			for _, v := range row {
				sum += math.Abs(v)
			}
			for j, v := range row {
				size[i*o.cols+j] = math.Abs(v) + math.Exp(float64(y[i*o.cols+j]))*sum
			}
		})
		k := &LogSoftmaxGrad{DX: o.result(dy), DY: dy, Y: y, Rows: o.rows, Cols: o.cols}
		return &rowsCase{k, []outcome{{"DX", k.DX, want, size, 8}}}
	},
	"cross-entropy": func(o *operands) *rowsCase {
		x, labels := o.matrix(), o.labels()
		loss, lse := refCrossEntropy(widen(x), labels, o.cols)
		k := &CrossEntropy{Logits: x, Labels: labels, Loss: o.floats(o.rows), LSE: o.floats(o.rows), Rows: o.rows, Cols: o.cols}
		return &rowsCase{k, []outcome{{"Loss", k.Loss, loss, plusOne(loss), 12}, {"LSE", k.LSE, lse, plusOne(lse), 8}}}
	},
	"cross-entropy gradient": func(o *operands) *rowsCase {
		x, labels := o.matrix(), o.labels()
		want := refCrossEntropyGrad(widen(x), labels, 0.25, o.cols)
		_, lse := refCrossEntropy(widen(x), labels, o.cols)
		size := make([]float64, len(want))
		for i := range size {
			size[i] = math.Abs(want[i]) * (1 + math.Abs(float64(x[i])) + math.Abs(lse[i/o.cols])) // rounding the exponent
			if j := labels[i/o.cols]; int(j) == i%o.cols {
				size[i] = 0.25
			}
		}
		k := &CrossEntropyGrad{DLogits: o.result(x), Logits: x, LSE: o.floats(o.rows), Labels: labels, Scale: 0.25, Rows: o.rows, Cols: o.cols}
		o.set(k.LSE, lse)
		return &rowsCase{k, []outcome{{"DLogits", k.DLogits, want, size, 8}}}
	},
	"distillation": func(o *operands) *rowsCase {
		x, p, trust := o.matrix(), o.probabilities(), o.floats(o.rows)
		loss, lse := refDistillation(widen(x), widen(p), widen(trust), o.cols)
		size := make([]float64, o.rows)
		for i := range size {
			size[i] = 1
			for j, v := range p[i*o.cols:][:o.cols] {
				size[i] += math.Abs(float64(trust[i]*v)) * (math.Abs(math.Log(float64(v)+1e-8)) + math.Abs(float64(x[i*o.cols+j])) + math.Abs(lse[i]))
			}
		}
		k := &Distillation{Logits: x, P: p, Trust: trust, Loss: o.floats(o.rows), LSE: o.floats(o.rows), Rows: o.rows, Cols: o.cols}
		return &rowsCase{k, []outcome{{"Loss", k.Loss, loss, size, 12}, {"LSE", k.LSE, lse, plusOne(lse), 8}}}
	},
	"distillation gradient": func(o *operands) *rowsCase {
		x, p, trust := o.matrix(), o.probabilities(), o.floats(o.rows)
		want := refDistillationGrad(widen(x), widen(p), widen(trust), 0.25, o.cols)
		_, lse := refDistillation(widen(x), widen(p), widen(trust), o.cols)
		size := make([]float64, len(want))
		for i := range size {
			row := i / o.cols
			size[i] = 0.25 * math.Abs(float64(trust[row])) * (float64(p[i]) + math.Exp(float64(x[i])-lse[row])*(1+math.Abs(float64(x[i]))+math.Abs(lse[row])))
		}
		k := &DistillationGrad{DLogits: o.result(x), Logits: x, P: p, Trust: trust, LSE: o.floats(o.rows), Scale: 0.25, Rows: o.rows, Cols: o.cols}
		o.set(k.LSE, lse)
		return &rowsCase{k, []outcome{{"DLogits", k.DLogits, want, size, 8}}}
	},
	"layer-norm": func(o *operands) *rowsCase { return layerNormKernel(o, true) },
	"layer-norm without gain and bias": func(o *operands) *rowsCase {
		return layerNormKernel(o, false)
	},
	"layer-norm gradient": func(o *operands) *rowsCase { return layerNormGradKernel(o, true, true) },
	"layer-norm gradient without gain": func(o *operands) *rowsCase {
		return layerNormGradKernel(o, false, true)
	},
	"RMS-norm": func(o *operands) *rowsCase {
		x, gain := o.matrix(), o.floats(o.cols)
		want, _, rstd := refLayerNorm(widen(x), widen(gain), nil, o.cols, 1e-3, false)
		k := &RMSNorm{Dst: o.result(x), X: x, Gain: gain, RStd: o.floats(o.rows), Rows: o.rows, Cols: o.cols, Eps: 1e-3}
		return &rowsCase{k, []outcome{{"Dst", k.Dst, want, nil, 8}, {"RStd", k.RStd, rstd, nil, 6}}}
	},
	"RMS-norm gradient": func(o *operands) *rowsCase { return layerNormGradKernel(o, true, false) },
	"batch-norm": func(o *operands) *rowsCase {
		if o.rows < 2 {
			return nil
		}
		x, gain, bias := o.matrix(), o.floats(o.cols), o.floats(o.cols)
		y, mean, variance := refBatchNorm(widen(x), widen(gain), widen(bias), o.cols, 1e-3)
		runningMean, runningVar := o.floats(o.cols), o.floats(o.cols)
		k := &BatchNorm{
			Dst: o.result(x), X: x, Gain: gain, Bias: bias, Mean: o.floats(o.cols), RStd: o.floats(o.cols),
			RunningMean: runningMean, RunningVar: runningVar, Momentum: 0.125, Eps: 1e-3, Rows: o.rows, Cols: o.cols,
		}
		rstd, wantMean, wantVar := make([]float64, o.cols), make([]float64, o.cols), make([]float64, o.cols)
		for j := range rstd {
			rstd[j] = 1 / math.Sqrt(variance[j]+1e-3)
			wantMean[j] = float64(runningMean[j])*0.875 + 0.125*mean[j]
			wantVar[j] = float64(runningVar[j])*0.875 + 0.125*variance[j]*float64(o.rows)/float64(o.rows-1)
		}
		size := normSize(x, gain, bias, o.cols, func(i, j int) (float64, float64) { return mean[j], rstd[j] })
		return &rowsCase{k, []outcome{
			{"Dst", k.Dst, y, size, 40}, {"Mean", k.Mean, mean, plusOne(mean), 8}, {"RStd", k.RStd, rstd, rootSize(mean, rstd), 10},
			{"RunningMean", k.RunningMean, wantMean, plusOne(wantMean), 4}, {"RunningVar", k.RunningVar, wantVar, plusOne(wantVar), 4},
		}}
	},
	"batch-norm with given statistics": func(o *operands) *rowsCase {
		x, gain, bias, mean, variance := o.matrix(), o.floats(o.cols), o.floats(o.cols), o.floats(o.cols), o.floats(o.cols)
		want, rstd := make([]float64, len(x)), make([]float64, o.cols)
		for j := range variance {
			variance[j] = float32(math.Abs(float64(variance[j])))
			rstd[j] = 1 / math.Sqrt(float64(variance[j])+1e-3)
		}
		o.keep()
		for i, v := range x {
			j := i % o.cols
			want[i] = (float64(v)-float64(mean[j]))*rstd[j]*float64(gain[j]) + float64(bias[j])
		}
		size := normSize(x, gain, bias, o.cols, func(i, j int) (float64, float64) { return float64(mean[j]), rstd[j] })
		k := &BatchNormApply{Dst: o.result(x), X: x, Gain: gain, Bias: bias, Mean: mean, Var: variance, Eps: 1e-3, Rows: o.rows, Cols: o.cols}
		return &rowsCase{k, []outcome{{"Dst", k.Dst, want, size, 5}}}
	},
	"batch-norm gradient": func(o *operands) *rowsCase {
		dy, x, gain := o.matrix(), o.matrix(), o.floats(o.cols)
		wantDX, wantDGain, wantDBias := refBatchNormGrad(widen(dy), widen(x), widen(gain), o.cols, 1e-1)
		_, mean, variance := refBatchNorm(widen(x), nil, nil, o.cols, 0)
		k := &BatchNormGrad{
			DX: o.result(dy), DY: dy, X: x, DGain: o.floats(o.cols), DBias: o.floats(o.cols), Gain: gain,
			Mean: o.floats(o.cols), RStd: o.floats(o.cols), Rows: o.rows, Cols: o.cols,
		}
		rstd := make([]float64, o.cols)
		for j, v := range variance {
			rstd[j] = 1 / math.Sqrt(v+1e-1)
		}
		o.set(k.Mean, mean)
		o.set(k.RStd, rstd)
		return &rowsCase{k, []outcome{
			{"DX", k.DX, wantDX, constant(len(x), 10), 8},
			{"DGain", k.DGain, wantDGain, constant(o.cols, float64(o.rows)), 8}, {"DBias", k.DBias, wantDBias, constant(o.cols, float64(o.rows)), 8},
		}}
	},
	"weighted sum": combineKernel,
	"weighted sum gradient": func(o *operands) *rowsCase {
		dy, parts := o.matrix(), o.parts()
		want := refCombineGrad(widen(dy), widenAll(parts), o.rows, o.cols)
		size := refCombineGrad(magnitudes(dy), magnitudesOf(parts), o.rows, o.cols)
		k := &CombineGrad{DWeights: o.floats(o.rows * len(parts)), DY: dy, Parts: parts, Rows: o.rows, Cols: o.cols}
		return &rowsCase{k, []outcome{{"DWeights", k.DWeights, want, size, 8}}}
	},
	"scaling of rows": func(o *operands) *rowsCase {
		x, stride := o.matrix(), 1+o.IntN(3)
		factors := o.floats(max((o.rows-1)*stride+1, 0))
		want := make([]float64, len(x))
		for i, v := range x {
			want[i] = float64(v) * float64(factors[i/o.cols*stride])
		}
		k := &ScaleRows{Dst: o.result(x), X: x, Factors: factors, Stride: stride, Rows: o.rows, Cols: o.cols}
		return &rowsCase{k, []outcome{{"Dst", k.Dst, want, nil, 1}}}
	},
	"column sum":              func(o *operands) *rowsCase { return columnSumKernel(o, false) },
	"column sum, accumulated": func(o *operands) *rowsCase { return columnSumKernel(o, true) },
}

func layerNormKernel(o *operands, affine bool) *rowsCase {
	x := o.matrix()
	k := &LayerNorm{X: x, Mean: o.floats(o.rows), RStd: o.floats(o.rows), Rows: o.rows, Cols: o.cols, Eps: 1e-3}
	if affine {
		k.Gain, k.Bias = o.floats(o.cols), o.floats(o.cols)
	}
	want, mean, rstd := refLayerNorm(widen(x), widen(k.Gain), widen(k.Bias), o.cols, 1e-3, true)
	size := normSize(x, k.Gain, k.Bias, o.cols, func(i, j int) (float64, float64) { return mean[i], rstd[i] })
	k.Dst = o.result(x)
	return &rowsCase{k, []outcome{{"Dst", k.Dst, want, size, 40}, {"Mean", k.Mean, mean, plusOne(mean), 4}, {"RStd", k.RStd, rstd, rootSize(mean, rstd), 6}}}
}

// layerNormGradKernel is the gradient of layer-norm, or of RMS-norm when not centred.
func layerNormGradKernel(o *operands, withGain, centred bool) *rowsCase {
	dy, x := o.matrix(), o.matrix()
	var gain []float32
	if withGain {
		gain = o.floats(o.cols)
	}
	wantDX, wantDGain, wantDBias := refLayerNormGrad(widen(dy), widen(x), widen(gain), o.cols, 1e-1, centred)
	_, mean, rstd := refLayerNorm(widen(x), nil, nil, o.cols, 1e-1, centred)
	dx, dGain, dBias, rstd32 := o.result(dy), o.floats(o.cols), o.floats(o.cols), o.floats(o.rows)
	o.set(rstd32, rstd)
	outcomes := []outcome{{"DX", dx, wantDX, constant(len(x), 10), 10}, {"DGain", dGain, wantDGain, constant(o.cols, float64(o.rows)), 8}}
	if !centred {
		k := &RMSNormGrad{DX: dx, DY: dy, X: x, DGain: dGain, Gain: gain, RStd: rstd32, Rows: o.rows, Cols: o.cols}
		return &rowsCase{k, outcomes}
	}
	mean32 := o.floats(o.rows)
	o.set(mean32, mean)
	outcomes = append(outcomes, outcome{"DBias", dBias, wantDBias, constant(o.cols, float64(o.rows)), 8})
	k := &LayerNormGrad{DX: dx, DY: dy, X: x, DGain: dGain, DBias: dBias, Gain: gain, Mean: mean32, RStd: rstd32, Rows: o.rows, Cols: o.cols}
	return &rowsCase{k, outcomes}
}

func columnSumKernel(o *operands, accumulate bool) *rowsCase {
	x, dst := o.matrix(), o.floats(o.cols)
	want := make([]float64, o.cols)
	if accumulate {
		want = widen(dst)
	}
	for i, v := range x {
		want[i%o.cols] += float64(v)
	}
	k := &ColumnSum{Dst: dst, X: x, Rows: o.rows, Cols: o.cols, Accumulate: accumulate}
	return &rowsCase{k, []outcome{{"Dst", dst, want, constant(o.cols, float64(o.rows+1)), 4}}}
}

// parts returns one to four matrices, the last of which may be the first again.
func (o *operands) parts() [][]float32 {
	parts := [][]float32{o.matrix()}
	for range o.IntN(3) {
		parts = append(parts, o.matrix())
	}
	if !o.inPlace && o.IntN(2) == 0 {
		parts = append(parts, parts[0])
	}
	return parts
}

func combineKernel(o *operands) *rowsCase {
	parts := o.parts()
	weights := o.floats(o.rows * len(parts))
	want := refCombine(widen(weights), widenAll(parts), o.cols)
	size := refCombine(magnitudes(weights), magnitudesOf(parts), o.cols)
	k := &Combine{Dst: o.result(parts[0]), Weights: weights, Parts: parts, Rows: o.rows, Cols: o.cols}
	return &rowsCase{k, []outcome{{"Dst", k.Dst, want, size, 4}}}
}

// set gives an operand other values.
func (o *operands) set(x []float32, values []float64) {
	for i, v := range values {
		x[i] = float32(v)
	}
	o.keep()
}

// keep takes the operands as they are for what restore brings back.
func (o *operands) keep() {
	for i, x := range o.made {
		copy(o.before[i], x)
	}
}

func widen(x []float32) []float64 {
	if x == nil {
		return nil
	}
	w := make([]float64, len(x))
	for i, v := range x {
		w[i] = float64(v)
	}
	return w
}

func plusOne(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = 1 + math.Abs(v)
	}
	return y
}

func constant(n int, v float64) []float64 { return slices.Repeat([]float64{v}, n) }

// rootSize allows for the error of the mean in 1/√variance.
func rootSize(mean, rstd []float64) []float64 {
	size := make([]float64, len(mean))
	for i, m := range mean {
		size[i] = rstd[i] * (1 + math.Abs(m)*rstd[i])
	}
	return size
}

// normSize is the sum of the magnitudes of what a normalised element is added up from.
func normSize(x, gain, bias []float32, cols int, moments func(i, j int) (mean, rstd float64)) []float64 {
	size := make([]float64, len(x))
	for i, v := range x {
		j := i % cols
		mean, rstd := moments(i/cols, j)
		size[i] = (1 + math.Abs(float64(v)) + math.Abs(mean)) * rstd * math.Abs(refAt(widen(gain), j, 1))
		size[i] += math.Abs(refAt(widen(bias), j, 0))
	}
	return size
}

func TestRowKernelsAgreeWithTheirFormulas(t *testing.T) {
	pools := []*Pool{nil, NewPool(2), NewPool(3)}
	defer pools[1].Close()
	defer pools[2].Close()
	for name, build := range rowsCases {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			sizes := [][2]int{{1, 1030}, {7, 600}, {Chunk + 9, 20}, {2*Chunk + 1, 3}, {1, 1}}
			step := 1
			if race.Enabled {
				step = 9 // sizes are for the formulas; what workers share is the same for each
			}
			for cols := 1; cols <= 67; cols += step {
				sizes = append(sizes, [2]int{1 + r.IntN(70), cols})
			}
			most, whose := map[string]float64{}, map[string]string{}
			for n, size := range sizes {
				o := &operands{Rand: r, rows: size[0], cols: size[1], inPlace: n%2 == 1}
				k := build(o)
				if k == nil {
					continue
				}
				if err := k.Check(); err != nil {
					t.Fatal(err)
				}
				var vector []uint32 // the bits of every vector level
				for level := Generic; level <= min(HardwareLevel(), AVX512); level++ {
					var serial []uint32
					for _, p := range pools {
						o.restore()
						k.run(p, level)
						where := fmt.Sprintf("%d×%d, level %v, %d workers", o.rows, o.cols, level, p.Workers())
						var bits []uint32
						for i := range k.outcomes {
							out := &k.outcomes[i]
							used, at := out.used()
							if used > most[out.name] {
								most[out.name], whose[out.name] = used, where
							}
							if used > 1 {
								t.Fatalf("%s: %s[%d] is %v, want %v: %.2f of the bound", where, out.name, at, out.got[at], out.want[at], used)
							}
							bits = append(bits, bitsOf(out.got)...)
						}
						if serial == nil {
							serial = bits
						}
						if !slices.Equal(bits, serial) {
							t.Fatalf("%s: other bits than with one worker", where)
						}
					}
					if level == AVX2 {
						vector = serial
					}
					if level > AVX2 && !slices.Equal(vector, serial) {
						t.Fatalf("%d×%d: other bits at level %v than at %v", o.rows, o.cols, level, AVX2)
					}
				}
			}
			for _, out := range slices.Sorted(maps.Keys(most)) {
				t.Logf("%s: at most %.2f of the bound (%s)", out, most[out], whose[out])
			}
		})
	}
}

func bitsOf(x []float32) []uint32 {
	b := make([]uint32, len(x))
	for i, v := range x {
		b[i] = math.Float32bits(v)
	}
	return b
}

func TestRowKernelsStayInsideTheirOperands(t *testing.T) {
	for name, build := range rowsCases {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			for _, cols := range []int{1, 7, 8, 9, 15, 16, 17, 24, 31, 33, 67} {
				for kind := range 2 {
					o := &operands{Rand: r, rows: 2 + r.IntN(9), cols: cols, place: func(x []float32) []float32 { return guardCopies(t, x)[kind] }}
					k := build(o)
					for _, level := range testLevels() {
						o.restore()
						k.run(nil, level)
					}
				}
			}
		})
	}
}

// Denormal numbers, infinities and NaN: the vector levels agree in every bit, and the portable kernels say the
// same wherever they say NaN or infinite.
func TestRowKernelsAgreeOnAwkwardNumbers(t *testing.T) {
	for name, build := range rowsCases {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 6))
			for cols := 1; cols <= 67; cols += 3 {
				o := &operands{Rand: r, rows: 9, cols: cols, place: func(x []float32) []float32 {
					if len(x) > cols && r.IntN(2) == 0 {
						copy(x, awkward(r, len(x)/2))
					}
					for i, v := range x {
						// A product that overflows makes a difference to whether it is rounded before it is added to.
						if a := math.Abs(float64(v)); a > 1e18 && !math.IsInf(a, 0) {
							x[i] = 1
						}
					}
					return x
				}}
				k := build(o)
				var results [][]float32
				for _, level := range testLevels() {
					o.restore()
					k.run(nil, level)
					var all []float32
					for i := range k.outcomes {
						all = append(all, k.outcomes[i].got...)
					}
					results = append(results, all)
				}
				for i, v := range results[0] {
					if v != v {
						for l, result := range results[1:] {
							if result[i] == result[i] {
								t.Fatalf("%d columns: result %d is %v at level %v, NaN in portable Go", cols, i, result[i], testLevels()[1+l])
							}
						}
					}
				}
				if len(results) == 3 {
					if i, bad := differs(results[1], results[2]); bad {
						t.Fatalf("%d columns: result %d is %v with AVX2, %v with AVX-512", cols, i, results[1][i], results[2][i])
					}
				}
			}
		})
	}
}

func TestRowKernelsOfNothing(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	for name, build := range rowsCases {
		for _, size := range [][2]int{{0, 5}, {3, 0}, {0, 0}, {Chunk + 1, 0}} {
			o := &operands{Rand: rand.New(rand.NewPCG(1, 1)), rows: size[0], cols: size[1]}
			k := build(o)
			if k == nil || k.Check() != nil {
				continue // such a batch has no statistics, such a row no classes
			}
			for _, level := range testLevels() {
				for _, p := range []*Pool{nil, p} {
					k.run(p, level)
					for _, out := range k.outcomes {
						if used, at := out.used(); used > 1 {
							t.Errorf("%s, %d×%d, level %v: %s[%d] is %v, want %v", name, o.rows, o.cols, level, out.name, at, out.got[at], out.want[at])
						}
					}
				}
			}
		}
	}
}

func TestRowKernelsAllocateNothing(t *testing.T) {
	memoryCounts(t)
	r := rand.New(rand.NewPCG(7, 8))
	p := NewPool(2)
	defer p.Close()
	kernels := map[string]levelKernel{}
	for name, build := range rowsCases {
		kernels[name] = build(&operands{Rand: r, rows: 2*Chunk + 30, cols: 70})
	}
	x, y, ids := make([]float32, 100*200), make([]float32, 100*200), make([]int32, 100)
	kernels["sum"] = &Sum{Dst: y, X: x}
	kernels["sum of squares"] = &SumSquares{Dst: y, X: x}
	kernels["transpose"] = &Transpose{Dst: y, X: x, Rows: 100, Cols: 200}
	kernels["scatter-add"] = &ScatterAdd{Dst: y, Src: x, IDs: ids, DstRows: 100, Cols: 200}
	kernels["sparse product"] = &SpMM{A: randomCSR(r, 100, 100, 9, 3*Chunk), X: x, Y: y, XStride: 200, YStride: 200, Width: 200}
	for name, k := range kernels {
		for _, level := range testLevels() {
			if n := testing.AllocsPerRun(3, func() { k.run(p, level) }); n != 0 {
				t.Errorf("%s, level %v: %v allocations", name, level, n)
			}
		}
	}
	for name, k := range map[string]interface{ Run(*Pool) }{
		"gather": &Gather{Dst: y, Table: x, IDs: ids, Cols: 200},
		"copy":   &CopyBlock{Dst: y, X: x, Rows: 100, Cols: 100, DstStride: 200, XStride: 200},
	} {
		if n := testing.AllocsPerRun(3, func() { k.Run(p) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestRowKernelsTakeTheWorkingMemoryTheySay(t *testing.T) {
	memoryCounts(t)
	for name, build := range rowsCases {
		k := build(&operands{Rand: rand.New(rand.NewPCG(7, 8)), rows: 3*Chunk + 30, cols: 70}).levelKernel
		p := NewPool(3)
		needs := 0
		if s, ok := k.(interface{ ScratchBytes(workers int) int }); ok {
			needs = s.ScratchBytes(p.Workers())
		}
		for _, level := range testLevels() {
			k.run(p, level)
		}
		if took := 4 * len(p.scratch.mem); took > needs {
			t.Errorf("%s takes %d bytes, says %d", name, took, needs)
		}
		p.Close()
	}
}

// Results that go past the cache are those that do not.
func TestLargeResultsHaveTheBitsOfSmallOnes(t *testing.T) {
	const cols, rows = 1024, pastCache / 4 / 1024
	x := alignedFloats(rows * cols)
	for i := range x {
		x[i] = float32(i%4001)*0.001 - 2
	}
	large, small := alignedFloats(rows*cols), alignedFloats(Chunk*cols)
	mean, rstd := make([]float32, rows), make([]float32, rows)
	norm := func(dst, x []float32, rows int) interface{ run(*Pool, Level) } {
		return &LayerNorm{Dst: dst, X: x, Mean: mean, RStd: rstd, Rows: rows, Cols: cols, Eps: 1e-5}
	}
	soft := func(dst, x []float32, rows int) interface{ run(*Pool, Level) } {
		return &Softmax{Dst: dst, X: x, Rows: rows, Cols: cols}
	}
	for _, make := range []func(dst, x []float32, rows int) interface{ run(*Pool, Level) }{norm, soft} {
		for _, level := range testLevels() {
			if level == Generic {
				continue
			}
			make(large, x, rows).run(nil, level)
			for _, i := range []int{0, rows/2 - Chunk, rows - Chunk} {
				part := i * cols
				make(small, x[part:], Chunk).run(nil, level)
				if !slices.Equal(large[part:part+Chunk*cols], small) {
					t.Fatalf("level %v: rows from %d on differ", level, i)
				}
			}
		}
	}
}

// AVX2 has one way for rows whose elements are near each other and one for all others: an element's bits are the same. The
// smallest element is the only difference of the rows, and its exponential nothing beside the sum.
func TestSoftmaxHasTheBitsOfItsGeneralWay(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, level := range testLevels() {
		for cols := 18; cols < 52; cols++ {
			near := make([]float32, cols)
			for i := range near {
				near[i] = -20 * r.Float32()
			}
			least := r.IntN(cols-1) + 1
			near[0], near[least] = 0, -87
			far := slices.Clone(near)
			far[least] = -300
			outputs := func(x []float32) (soft, log []float32) {
				soft, log = make([]float32, cols), make([]float32, cols)
				(&Softmax{Dst: soft, X: x, Rows: 1, Cols: cols}).run(nil, level)
				(&LogSoftmax{Dst: log, X: x, Rows: 1, Cols: cols}).run(nil, level)
				return slices.Delete(soft, least, least+1), slices.Delete(log, least, least+1)
			}
			softNear, logNear := outputs(near)
			softFar, logFar := outputs(far)
			if !slices.Equal(softNear, softFar) || !slices.Equal(logNear, logFar) {
				t.Fatalf("level %v, %d columns: the bits depend on an element that adds nothing", level, cols)
			}
		}
	}
}
