package nn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// startPrograms compiles programs and gives them memory.
func startPrograms(t *testing.T, programs ...*program.Program) (*program.Session, []*program.Execution) {
	t.Helper()
	var compiled []*program.Compiled
	for _, p := range programs {
		c, err := program.Compile(p, program.Options{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		compiled = append(compiled, c)
	}
	pool := kernel.NewPool(2)
	t.Cleanup(pool.Close)
	s, err := program.Start(pool, compiled...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	var executions []*program.Execution
	for _, c := range compiled {
		executions = append(executions, s.Execution(c))
	}
	return s, executions
}

func startProgram(t *testing.T, p *program.Program) *program.Session {
	t.Helper()
	s, _ := startPrograms(t, p)
	return s
}

// TestLayersNameTheirParametersAsPyTorchDoes lists what lives across runs: name, shape, and what it begins with.
func TestLayersNameTheirParametersAsPyTorchDoes(t *testing.T) {
	p := program.New("layers")
	leave := p.Scope("model")
	ids := p.Input("ids", tensor.I32(tensor.Of(6)...))
	x := nn.Embedding(p, "embed", ids, 11, 4, nil)
	x = nn.LayerNorm(p, "norm", x, 1e-5, false)
	x = nn.LayerNorm(p, "bare", x, 1e-5, true)
	x = nn.RMSNorm(p, "rms", x, 1e-6)
	x = nn.PReLU(p, "act", x)
	x = nn.Linear{Out: 3}.Apply(p, "fc", x)
	x = nn.Linear{Out: 5, NoBias: true}.Apply(p, "proj", x)
	x = nn.Linear{Out: 5, Init: nn.Normal(0.1)}.Apply(p, "given", x)
	x = nn.BatchNorm(p, "bn", x, true)
	x = nn.MLP{Hidden: 7, Out: 2, Layers: 2, Activation: "prelu", BatchNorm: true}.Apply(p, "mlp", x, true)
	leave()
	p.Output(p.Sum(x))
	s := startProgram(t, p)
	s.Initialize(1)
	var got []string
	for _, v := range s.Persistent() {
		values := v.Tensor.Float32s()
		begin := "random"
		if slices.Max(values) == slices.Min(values) {
			begin = fmt.Sprint(values[0])
		}
		got = append(got, fmt.Sprintf("%s %v %s", v.Name, v.Tensor.Dims, begin))
	}
	want := []string{
		"model.embed.weight [11 4] random",
		"model.norm.weight [4] 1", "model.norm.bias [4] 0",
		"model.bare.weight [4] 1",
		"model.rms.weight [4] 1",
		"model.act.weight [1] 0.25",
		"model.fc.weight [3 4] random", "model.fc.bias [3] random",
		"model.proj.weight [5 3] random",
		"model.given.weight [5 5] random", "model.given.bias [5] 0",
		"model.bn.weight [5] 1", "model.bn.bias [5] 0", "model.bn.running_mean [5] 0", "model.bn.running_var [5] 1",
		"model.mlp.0.weight [7 5] random", "model.mlp.0.bias [7] random",
		"model.mlp.0.norm.weight [7] 1", "model.mlp.0.norm.bias [7] 0", "model.mlp.0.norm.running_mean [7] 0", "model.mlp.0.norm.running_var [7] 1",
		"model.mlp.act.weight [1] 0.25",
		"model.mlp.1.weight [2 7] random", "model.mlp.1.bias [2] random",
	}
	// Storage is in the order of use; the names are what counts.
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if n, want := nn.ParameterCount(p), 44+8+4+4+1+15+15+30+10+42+14+1+16; n != want {
		t.Errorf("%d parameters, expected %d: running statistics are none", n, want)
	}
}

func TestActivationsAreFoundByTheirNames(t *testing.T) {
	x := []float32{-2, -0.5, 0, 0.5, 2}
	phi := func(x float64) float64 { return 0.5 * (1 + math.Erf(x/math.Sqrt2)) }
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	formulas := map[string]func(x float64) float64{
		"":         func(x float64) float64 { return max(x, 0) },
		"relu":     func(x float64) float64 { return max(x, 0) },
		"identity": func(x float64) float64 { return x },
		"gelu":     func(x float64) float64 { return x * phi(x) },
		"gelu-tanh": func(x float64) float64 {
			return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
		},
		"silu":     func(x float64) float64 { return x * sigmoid(x) },
		"sigmoid":  sigmoid,
		"tanh":     math.Tanh,
		"softplus": func(x float64) float64 { return math.Log1p(math.Exp(x)) },
		"prelu":    func(x float64) float64 { return max(x, 0) + 0.25*min(x, 0) },
	}
	for name := range nn.Activations {
		if formulas[name] == nil {
			t.Errorf("no formula for %s", name)
		}
	}
	for name, f := range formulas {
		p := program.New(name)
		in := p.Input("x", tensor.F32(tensor.Of(1, len(x))...))
		out := p.Output(nn.Activate(p, "layer", in, name))
		s, e := startPrograms(t, p)
		s.Initialize(0)
		copy(e[0].Tensor(in).Float32s(), x)
		if err := e[0].Run(); err != nil {
			t.Fatal(err)
		}
		for i, y := range e[0].Tensor(out).Float32s() {
			if want := f(float64(x[i])); !(math.Abs(float64(y)-want) <= 1e-6) {
				t.Errorf("%q of %v is %v, expected %v", name, x[i], y, want)
			}
		}
	}
	p := program.New("p")
	nn.Activate(p, "layer", p.Input("x", tensor.F32(tensor.Of(1, 2)...)), "swish2")
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), `activation "swish2" is unknown`) {
		t.Errorf("got %v", err)
	}
}

func TestMistakesOfLayersAreNamed(t *testing.T) {
	for want, build := range map[string]func(p *program.Program, x *nn.Value){
		"an MLP of 0 layers, expected at least 1": func(p *program.Program, x *nn.Value) { nn.MLP{Out: 2}.Apply(p, "mlp", x, true) },
		"p: mlp.0: a layer needs a fixed last size, found f32[rows]": func(p *program.Program, _ *nn.Value) {
			nn.MLP{Layers: 1, Out: 2}.Apply(p, "mlp", p.Input("y", tensor.F32(p.Size("rows", 3))), true)
		},
		"p: a.b.fc: ": func(p *program.Program, x *nn.Value) {
			defer p.Scope("a")()
			defer p.Scope("b")()
			nn.Linear{Out: 3}.Apply(p, "fc", p.Input("ids", tensor.I32(tensor.Of(2, 3)...)))
		},
	} {
		p := program.New("p")
		build(p, p.Input("x", tensor.F32(tensor.Of(4, 6)...)))
		if err := p.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}

// normalized is an MLP with batch-norm and dropout, once to train and once to evaluate.
type normalized struct {
	session     *program.Session
	train, eval *program.Execution
	trainX      *nn.Value
	evalX, out  *nn.Value
}

const normRows, normCols = 70, 6

func startNormalized(t *testing.T) *normalized {
	t.Helper()
	m := nn.MLP{Hidden: 9, Out: 3, Layers: 3, Activation: "relu", Dropout: 0.5, InputDropout: 0.2, BatchNorm: true}
	n := &normalized{}
	p := program.New("train")
	n.trainX = p.Input("x", tensor.F32(p.Size("rows", normRows), tensor.Fixed(normCols)))
	p.Output(p.Mean(m.Apply(p, "mlp", nn.BatchNorm(p, "input", n.trainX, true), true)))
	q := program.New("evaluate")
	n.evalX = q.Input("x", tensor.F32(q.Size("rows", normRows), tensor.Fixed(normCols)))
	n.out = q.Output(m.Apply(q, "mlp", nn.BatchNorm(q, "input", n.evalX, false), false))
	var e []*program.Execution
	n.session, e = startPrograms(t, p, q)
	n.train, n.eval = e[0], e[1]
	n.session.Initialize(7)
	return n
}

func randomRows(seed uint64, rows, cols int) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, rows*cols)
	for i := range x {
		x[i] = float32(3 + float64(i%cols)*r.NormFloat64())
	}
	return x
}

// trainOn lets the running statistics see rows.
func (n *normalized) trainOn(t *testing.T, x []float32) {
	t.Helper()
	if err := n.train.SetSize("rows", len(x)/normCols); err != nil {
		t.Fatal(err)
	}
	copy(n.train.Tensor(n.trainX).Float32s(), x)
	n.session.Step++
	if err := n.train.Run(); err != nil {
		t.Fatal(err)
	}
}

// evaluate applies the model to blocks of at most so many rows.
func (n *normalized) evaluate(t *testing.T, x []float32, block int) []float32 {
	t.Helper()
	var out []float32
	for rows := range slices.Chunk(x, block*normCols) {
		if err := n.eval.SetSize("rows", len(rows)/normCols); err != nil {
			t.Fatal(err)
		}
		copy(n.eval.Tensor(n.evalX).Float32s(), rows)
		if err := n.eval.Run(); err != nil {
			t.Fatal(err)
		}
		out = append(out, n.eval.Tensor(n.out).Float32s()...)
	}
	return out
}

func TestEvaluationInBlocksEqualsEvaluationAtOnce(t *testing.T) {
	n := startNormalized(t)
	for step := range 3 {
		n.trainOn(t, randomRows(uint64(step), normRows, normCols))
	}
	x := randomRows(99, normRows, normCols)
	want := n.evaluate(t, x, normRows)
	for _, block := range []int{1, 2, 7, 16, 33, 69} {
		for i, y := range n.evaluate(t, x, block) {
			if math.Float32bits(y) != math.Float32bits(want[i]) {
				t.Fatalf("blocks of %d rows: element %d is %v, %v at once", block, i, y, want[i])
			}
		}
	}
	n.session.Step++
	if again := n.evaluate(t, x, normRows); !slices.Equal(again, want) {
		t.Error("evaluation changes from step to step: dropout or batch statistics are in force")
	}
}

// TestRunningStatisticsFollowPyTorch holds them against r ← 0.9 r + 0.1 s with the mean and the unbiased variance s of each
// batch, and evaluation against (x − mean)/√(var + 1e-5).
func TestRunningStatisticsFollowPyTorch(t *testing.T) {
	n := startNormalized(t)
	mean, variance := make([]float64, normCols), make([]float64, normCols)
	for j := range variance {
		variance[j] = 1
	}
	for step, rows := range []int{70, 3, 40, 2} {
		x := randomRows(uint64(step), rows, normCols)
		n.trainOn(t, x)
		for j := range normCols {
			var m, v float64
			for i := range rows {
				m += float64(x[i*normCols+j]) / float64(rows)
			}
			for i := range rows {
				d := float64(x[i*normCols+j]) - m
				v += d * d / float64(rows-1)
			}
			mean[j] += 0.1 * (m - mean[j])
			variance[j] += 0.1 * (v - variance[j])
		}
	}
	for j := range normCols {
		m, v := n.session.Tensor("input.running_mean").Float32s()[j], n.session.Tensor("input.running_var").Float32s()[j]
		if !(math.Abs(float64(m)-mean[j]) <= 1e-6*math.Abs(mean[j])) || !(math.Abs(float64(v)-variance[j]) <= 1e-6*variance[j]) {
			t.Errorf("column %d: running mean %v and variance %v, expected %v and %v", j, m, v, mean[j], variance[j])
		}
	}

	p := program.New("evaluate")
	in := p.Input("x", tensor.F32(tensor.Of(2, normCols)...))
	out := p.Output(nn.BatchNorm(p, "input", in, false))
	s, e := startPrograms(t, p)
	s.Initialize(0)
	for _, name := range []string{"input.running_mean", "input.running_var"} {
		copy(s.Tensor(name).Float32s(), n.session.Tensor(name).Float32s())
	}
	x := randomRows(5, 2, normCols)
	copy(e[0].Tensor(in).Float32s(), x)
	if err := e[0].Run(); err != nil {
		t.Fatal(err)
	}
	for i, y := range e[0].Tensor(out).Float32s() {
		want := (float64(x[i]) - mean[i%normCols]) / math.Sqrt(variance[i%normCols]+1e-5)
		if !(math.Abs(float64(y)-want) <= 1e-5*max(1, math.Abs(want))) {
			t.Errorf("element %d is normalised to %v, expected %v", i, y, want)
		}
	}
}
