package program

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// trainingStep is a step of a small network with everything that rewriting looks at.
type trainingStep struct {
	p              *Program
	x, y, loss, lr *Value
	params         []*Value
}

func newTrainingStep(rows int) *trainingStep {
	p := New("step")
	s := &trainingStep{p: p}
	n := p.Size("rows", rows)
	s.x, s.y = p.Input("x", tensor.F32(n, tensor.Fixed(20))), p.Input("y", tensor.I32(n))
	leave := p.Scope("hidden")
	w1, b1 := p.Parameter("weight", nil, 33, 20), p.Parameter("bias", nil, 33)
	h := p.Activate(p.Linear(s.x, w1, b1, false), kernel.GELU)
	h = p.LayerNorm(h, p.Parameter("gain", nil, 33), nil, 1e-5)
	h = p.Dropout(h, 0.5)
	leave()
	w2 := p.Parameter("weight", nil, 5, 33)
	logits := p.Linear(h, w2, nil, false)
	s.loss, _ = p.CrossEntropy(logits, s.y)
	p.Output(s.loss)
	s.params = p.Parameters()
	grads := p.Differentiate(s.loss, s.params...)
	s.lr = p.Input("lr", tensor.F32())
	for i, w := range s.params {
		AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.01, Decoupled: true}.Update(p, w, grads[i], s.lr, nil)
	}
	return s
}

// running is a compiled training step with memory and random contents.
type running struct {
	*trainingStep
	session *Session
	e       *Execution
}

func (s *trainingStep) start(t testing.TB, o Options) *running {
	t.Helper()
	c, err := Compile(s.p, o)
	if err != nil {
		t.Fatal(err)
	}
	pool := kernel.NewPool(o.Workers)
	t.Cleanup(pool.Close)
	r := &running{trainingStep: s}
	if r.session, err = Start(pool, c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.session.Close() })
	r.e = r.session.Execution(c)
	for i, v := range s.params {
		random := rand.New(rand.NewPCG(uint64(i), 1))
		w := r.e.Tensor(v).Float32s()
		for k := range w {
			w[k] = float32(random.NormFloat64()) / 4
		}
	}
	r.session.Seed = 9
	return r
}

// run makes steps on rows of random data and returns the last loss.
func (r *running) run(t testing.TB, steps, rows int) float32 {
	t.Helper()
	if err := r.e.SetSize("rows", rows); err != nil {
		t.Fatal(err)
	}
	for range steps {
		r.session.Step++
		random := rand.New(rand.NewPCG(r.session.Step, 2))
		for i := range r.e.Tensor(r.x).Float32s() {
			r.e.Tensor(r.x).Float32s()[i] = float32(random.NormFloat64())
		}
		for i := range r.e.Tensor(r.y).Int32s() {
			r.e.Tensor(r.y).Int32s()[i] = int32(random.IntN(5))
		}
		r.e.Tensor(r.lr).Float32s()[0] = 0.01
		if err := r.e.Run(); err != nil {
			t.Fatal(err)
		}
	}
	return r.e.Tensor(r.loss).Float32s()[0]
}

// weights are the bits of all persistent tensors.
func (r *running) weights() map[string][]float32 {
	m := map[string][]float32{}
	for _, p := range r.session.Persistent() {
		m[p.Name] = append([]float32(nil), p.Tensor.Float32s()...)
	}
	return m
}

func TestBitsDependOnNothingButTheProgram(t *testing.T) {
	var want map[string][]float32
	for _, o := range []Options{{Workers: 1}, {Workers: 2}, {Workers: 3}, {Workers: 1, Recompute: true}, {Workers: 2, Recompute: true}} {
		// A larger bound changes all addresses.
		for _, bound := range []int{600, 700} {
			r := newTrainingStep(bound).start(t, o)
			r.run(t, 3, 600)
			got := r.weights()
			if want == nil {
				want = got
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%+v, rows ≤ %d: weights differ", o, bound)
			}
		}
	}
}

func TestRecomputingKeepsLess(t *testing.T) {
	const rows, width, layers = 1000, 32, 6
	p := New("deep")
	x := p.Input("x", f32(rows, width))
	for i := range layers {
		leave := p.Scope(string(rune('a' + i)))
		x = p.LayerNorm(x, p.Parameter("gain", nil, width), nil, 1e-5)
		x = p.Activate(p.Linear(x, p.Parameter("w", nil, width, width), nil, false), kernel.GELU)
		leave()
	}
	loss := p.Output(p.Mean(x))
	for _, g := range p.Differentiate(loss, p.Parameters()...) {
		p.Output(g)
	}
	var shared [2]int64
	for i, again := range []bool{false, true} {
		c, err := Compile(p, Options{Workers: 1, Recompute: again})
		if err != nil {
			t.Fatal(err)
		}
		shared[i] = c.Shared()
	}
	// A layer keeps four matrices (norm, product, activation, and what the norm reads, which is the activation before), or
	// two (product and the norm's input made from it).
	if shared[1] > shared[0]*2/3 {
		t.Errorf("%d bytes when recomputing, %d when keeping", shared[1], shared[0])
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	r := newTrainingStep(64).start(t, Options{Workers: 2})
	r.run(t, 2, 64)
	if n := testing.AllocsPerRun(20, func() {
		clear(r.e.Tensor(r.y).Int32s()) // its memory has served others
		r.session.Step++
		if err := r.e.Run(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a step makes %v allocations on the Go heap", n)
	}
}

func TestSessionHoldsWhatWasPlanned(t *testing.T) {
	r := newTrainingStep(512).start(t, Options{Workers: 1})
	c := r.e.program
	persistent, shared, _ := Sizes(c)
	if persistent != c.Persistent() || shared != c.Shared() {
		t.Errorf("sizes %d and %d, the plan says %d and %d", persistent, shared, c.Persistent(), c.Shared())
	}
	page := int64(os.Getpagesize())
	for i, want := range []int64{persistent, shared} {
		if got := r.session.arenas[i].Size(); got != (want+page-1)/page*page {
			t.Errorf("arena %d has %d bytes, planned %d", i, got, want)
		}
	}
	if c.Allocation.Arena != c.Allocation.LowerBound {
		t.Errorf("the arena takes %d bytes, the lower bound is %d", c.Allocation.Arena, c.Allocation.LowerBound)
	}
}

func TestPrintedPrograms(t *testing.T) {
	step, hops := newTrainingStep(64).p, newHopStep(64)
	for name, printed := range map[string]struct {
		p *Program
		o *Options
	}{
		"step-built": {step, nil}, "step-compiled": {step, &Options{Workers: 1}}, "step-recomputed": {step, &Options{Workers: 1, Recompute: true}},
		"hops-built": {hops, nil}, "hops-compiled": {hops, &Options{Workers: 1}},
	} {
		text := printed.p.String()
		if printed.o != nil {
			c, err := Compile(printed.p, *printed.o)
			if err != nil {
				t.Fatal(err)
			}
			text = c.String()
		}
		path := "testdata/" + name
		if os.Getenv("SERAPH_UPDATE") != "" {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), text); d != "" {
			t.Errorf("%s (SERAPH_UPDATE=1 rewrites it):\n%s", path, d)
		}
	}
}

func TestFirstMistakeSticksWithItsPlace(t *testing.T) {
	for _, c := range []struct {
		name, want string
		build      func(p *Program)
	}{
		{"shapes", "program p: encoder.0: matmul: f32[rows, 7] and f32[5, 8] do not go together (transB): 7 against 8 terms", func(p *Program) {
			defer p.Scope("encoder")()
			defer p.Scope("0")()
			x := p.Input("x", tensor.F32(p.Size("rows", 9), tensor.Fixed(7)))
			y := p.Linear(x, p.Parameter("w", nil, 5, 8), nil, false)
			p.Softmax(p.Add(y, x)) // is not reached
		}},
		{"other program", "program p: softmax: operand 0 is of another program", func(p *Program) {
			p.Softmax(New("q").Parameter("w", nil, 2, 2))
		}},
		{"names", "program p: w is f32[2, 2] already, asked for again as f32[3]", func(p *Program) {
			p.Parameter("w", nil, 2, 2)
			p.Parameter("w", nil, 3)
		}},
		{"no scalar", "program p: w of type f32[2]: only a scalar can be differentiated", func(p *Program) {
			w := p.Parameter("w", nil, 2)
			p.Differentiate(w, w)
		}},
		{"independent", "program p: grad: the loss does not depend on v", func(p *Program) {
			w, v := p.Parameter("w", nil, 2), p.Parameter("v", nil, 2)
			p.Differentiate(p.Sum(w), w, v)
		}},
		{"too large", "program p: encoder: encoder.w: f32[4294967296, 4294967296] is not the size of an array", func(p *Program) {
			defer p.Scope("encoder")()
			p.Parameter("w", nil, 1<<32, 1<<32)
		}},
		{"negative", "program p: x: f32[2, -1] is not the size of an array", func(p *Program) { p.Input("x", f32(2, -1)) }},
		{"large result", "program p: matmul: a result of f32[65536, 65536] is too large", func(p *Program) {
			p.MatMul(p.Input("a", f32(1<<16, 1)), p.Input("b", f32(1, 1<<16)), Product{})
		}},
		{"wide heads", "program p: h: attention: f32[2, rows, 1539]: attention: head dimension 513, expected 1 to 512", func(p *Program) {
			defer p.Scope("h")()
			p.Attention(p.Input("x", tensor.F32(tensor.Fixed(2), p.Size("rows", 9), tensor.Fixed(3*513))), Attention{Heads: 1, KVHeads: 1})
		}},
		{"attention rate", "program p: attention: f32[2, 5, 6]: attention: DropoutP is 1, expected 0 ≤ DropoutP < 1", func(p *Program) {
			p.Attention(p.Input("x", f32(2, 5, 6)), Attention{Heads: 1, KVHeads: 1, Dropout: 1})
		}},
		{"weights", "program p: combine: weights f32[rows, 2] for 3 times f32[rows, 7], expected f32[rows, 3]", func(p *Program) {
			rows := p.Size("rows", 9)
			x := p.Input("x", tensor.F32(rows, tensor.Fixed(7)))
			p.Combine(p.Input("w", tensor.F32(rows, tensor.Fixed(2))), x, x, x)
		}},
		{"other parts", "program p: combine: f32[5, 4] beside f32[5, 3], expected float32 arrays of the same shape", func(p *Program) {
			p.Combine(p.Input("w", f32(5, 2)), p.Input("x", f32(5, 4)), p.Input("y", f32(5, 3)))
		}},
		{"a part without columns", "program p: combine: f32[5], expected a float32 matrix", func(p *Program) {
			p.Combine(p.Input("w", f32(5, 1)), p.Input("x", f32(5)))
		}},
		{"no parts", "program p: combine: 0 matrices, expected 1 to 512", func(p *Program) { p.Combine(p.Input("w", f32(5, 1))) }},
		{"rate", "program p: dropout with the rate 1, expected 0 ≤ rate < 1", func(p *Program) { p.Dropout(p.Parameter("w", nil, 2), 1) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := New("p")
			c.build(p)
			if _, err := Compile(p, Options{}); err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestRunSaysWhichOperationFailed(t *testing.T) {
	r := newTrainingStep(8).start(t, Options{Workers: 1})
	r.e.Tensor(r.y).Int32s()[3] = 5
	err := r.e.Run()
	if err == nil || !strings.Contains(err.Error(), "label 5 of row 3, expected −1 … 4") {
		t.Errorf("got %v", err)
	}
	if err := r.e.SetSize("rows", 9); err == nil || !strings.Contains(err.Error(), "rows = 9, planned for 1 … 8") {
		t.Errorf("got %v", err)
	}
}
