package program

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// hopAttention is what GMLP does with the features z_k of hops 0 … K beside a reference vector a row:
//
//	s_k = σ(left·a1 + z_k·a2 + b),   weights = softmax_k(s_0 … s_K),   y = Σ_k weights[·, k]·z_k
func hopAttention(p *Program, left *Value, hops ...*Value) (y, weights *Value) {
	reference := p.Linear(left, p.Parameter("a1", normal, 1, left.Dim(-1).Size), p.Parameter("b", normal, 1), false)
	a2 := p.Parameter("a2", normal, 1, hops[0].Dim(-1).Size)
	var scores []*Value
	for _, z := range hops {
		scores = append(scores, p.Activate(p.Add(reference, p.Linear(z, a2, nil, false)), kernel.Sigmoid))
	}
	weights = p.Softmax(p.Concat(scores...))
	return p.Combine(weights, hops...), weights
}

// newHopStep is a training step of such attention over hops in memory of the caller.
func newHopStep(rows int) *Program {
	p := New("hops")
	n := p.Size("rows", rows)
	var hops []*Value
	for k := range 4 {
		hops = append(hops, p.External(fmt.Sprintf("z%d", k), tensor.F32(n, tensor.Fixed(19))))
	}
	left := p.Activate(p.Linear(p.Concat(hops...), p.Parameter("left", normal, 11, 4*19), nil, false), kernel.ReLU)
	y, _ := hopAttention(p, left, hops...)
	loss, _ := p.CrossEntropy(p.Linear(y, p.Parameter("right", normal, 5, 19), nil, false), p.Input("labels", tensor.I32(n)))
	p.Output(loss)
	lr := p.Input("lr", tensor.F32())
	params := p.Parameters()
	for i, g := range p.Differentiate(loss, params...) {
		SGD{}.Update(p, params[i], g, lr, nil)
	}
	return p
}

// TestHopStepAllocatesNothing holds a step over hops in memory of the caller against the garbage collector.
func TestHopStepAllocatesNothing(t *testing.T) {
	p := newHopStep(700)
	e := startHops(t, p, Options{Workers: 2})
	if n := testing.AllocsPerRun(20, func() {
		clear(e.Tensor(p.find("labels")).Int32s())
		if err := e.Run(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a step makes %v allocations on the Go heap", n)
	}
}

// startHops gives a program memory, and normal numbers to its inputs of float32.
func startHops(t *testing.T, p *Program, o Options) *Execution {
	t.Helper()
	c, err := Compile(p, o)
	if err != nil {
		t.Fatal(err)
	}
	pool := kernel.NewPool(o.Workers)
	t.Cleanup(pool.Close)
	s, err := Start(pool, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.Initialize(7)
	e := s.Execution(c)
	for _, v := range p.values {
		if x := e.Tensor(v); v.producer == nil && !v.Kind.Persistent() && v.Type.DType == tensor.Float32 {
			if v.external {
				x.Bind(make([]float32, x.Len()))
			}
			normal(x.Float32s(), nil, kernel.Key{Stream: stream(v.Name)})
		}
	}
	return e
}

// TestGradientsOfCombineAreMadeWhereTheyAreWanted looks for operations that nobody asked for.
func TestGradientsOfCombineAreMadeWhereTheyAreWanted(t *testing.T) {
	for _, c := range []struct {
		name            string
		weights, a, b   func(p *Program, name string, sizes ...int) *Value
		byWeights, byAB int
	}{
		{"all", parameter, parameter, parameter, 1, 2},
		{"given parts", parameter, input, input, 1, 0},
		{"one given part", parameter, input, parameter, 1, 1},
		{"given weights", input, parameter, parameter, 0, 2},
	} {
		p := New("p")
		y := p.Sum(p.Combine(c.weights(p, "w", 6, 2), c.a(p, "a", 6, 3), c.b(p, "b", 6, 3)))
		p.Differentiate(y, p.Parameters()...)
		text := p.String()
		if got := strings.Count(text, " = combine-grad("); p.Err() != nil || got != c.byWeights {
			t.Errorf("%s: %d gradients by weights, want %d (%v)\n%s", c.name, got, c.byWeights, p.Err(), text)
		}
		if got := strings.Count(text, " = combine-part-grad("); got != c.byAB {
			t.Errorf("%s: %d gradients by parts, want %d\n%s", c.name, got, c.byAB, text)
		}
	}
}

func parameter(p *Program, name string, sizes ...int) *Value {
	return p.Parameter(name, normal, sizes...)
}

func input(p *Program, name string, sizes ...int) *Value { return p.Input(name, f32(sizes...)) }

// TestAttentionOverHops holds what is true of it whatever the numbers: hops in another order have their weights in that
// order and the same sum, and a weight lies between 1/(1 + e·K) and e/(e + K), since scores lie between 0 and 1.
func TestAttentionOverHops(t *testing.T) {
	const rows, cols, hops = 37, 19, 4
	run := func(order ...int) (y, weights []float32) {
		p := New("attention")
		var z []*Value
		for _, k := range order {
			z = append(z, p.External(fmt.Sprintf("z%d", k), f32(rows, cols)))
		}
		ys, ws := hopAttention(p, p.Input("left", f32(rows, 11)), z...)
		p.Output(ys)
		p.Output(ws)
		e := startHops(t, p, Options{Workers: 1})
		if err := e.Run(); err != nil {
			t.Fatal(err)
		}
		return e.Tensor(ys).Float32s(), e.Tensor(ws).Float32s()
	}
	y, weights := run(0, 1, 2, 3)
	order := []int{2, 0, 3, 1}
	otherY, otherWeights := run(order...)
	apart := 0.0
	for i := range rows {
		sum := 0.0
		for at, k := range order {
			w := float64(weights[i*hops+k])
			if got := float64(otherWeights[i*hops+at]); math.Abs(got-w) > 1e-6 {
				t.Fatalf("row %d: hop %d has the weight %v, in another order %v", i, k, w, got)
			}
			if low, high := 1/(1+math.E*(hops-1)), math.E/(math.E+hops-1); w < low || w > high {
				t.Errorf("row %d: hop %d has the weight %v, expected %v … %v", i, k, w, low, high)
			}
			sum += w
			apart = max(apart, math.Abs(w-float64(weights[i*hops])))
		}
		if math.Abs(sum-1) > 1e-6 {
			t.Errorf("row %d: the weights add up to %v", i, sum)
		}
	}
	if apart < 0.1 {
		t.Errorf("weights of a row differ by %v at most: their order would not show", apart)
	}
	for i, v := range y {
		if math.Abs(float64(v-otherY[i])) > 1e-5 {
			t.Fatalf("element %d is %v, of hops in another order %v", i, v, otherY[i])
		}
	}
}

// TestAttentionOverEqualHopsIsTheHop: equal scores of two give weights 1/2, with which nothing is rounded.
func TestAttentionOverEqualHopsIsTheHop(t *testing.T) {
	p := New("attention")
	z := p.External("z", f32(30, 7))
	y, _ := hopAttention(p, p.Input("left", f32(30, 5)), z, z)
	p.Output(y)
	e := startHops(t, p, Options{Workers: 1})
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	for i, want := range e.Tensor(z).Float32s() {
		if got := e.Tensor(y).Float32s()[i]; got != want {
			t.Fatalf("element %d is %v, want %v", i, got, want)
		}
	}
}
