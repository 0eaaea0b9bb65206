package optim_test

import (
	"math"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/engine/optim"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// textbook is an optimizer's step t (from 1) for one element with gradient g, in float64; s is its state.
type textbook func(p, g, lr, decay float64, t int, s *[2]float64) float64

func adam(beta1, beta2, eps float64, decoupled bool) textbook {
	return func(p, g, lr, decay float64, t int, s *[2]float64) float64 {
		if decoupled {
			p -= lr * decay * p
		} else {
			g += decay * p
		}
		s[0] = beta1*s[0] + (1-beta1)*g
		s[1] = beta2*s[1] + (1-beta2)*g*g
		m, v := s[0]/(1-math.Pow(beta1, float64(t))), s[1]/(1-math.Pow(beta2, float64(t)))
		return p - lr*m/(math.Sqrt(v)+eps)
	}
}

func sgd(momentum, dampening float64, nesterov bool) textbook {
	return func(p, g, lr, decay float64, t int, s *[2]float64) float64 {
		g += decay * p
		if t == 1 {
			s[0] = g
		} else {
			s[0] = momentum*s[0] + (1-dampening)*g
		}
		switch {
		case momentum == 0:
		case nesterov:
			g += momentum * s[0]
		default:
			g = s[0]
		}
		return p - lr*g
	}
}

func adagrad(eps float64) textbook {
	return func(p, g, lr, decay float64, _ int, s *[2]float64) float64 {
		g += decay * p
		s[0] += g * g
		return p - lr*g/(math.Sqrt(s[0])+eps)
	}
}

// bowl is the loss Σ curvature·x² over the parameters of three groups: matrices that decay, a vector with half the
// learning rate, and a vector that is left alone.
type bowl struct {
	p      *program.Program
	loss   *program.Value
	params []*program.Value
	groups []optim.Group
}

func newBowl() *bowl {
	b := &bowl{p: program.New("bowl")}
	for i, dims := range [][]int{{3, 5}, {4}, {2, 2}, {6}} {
		x := b.p.Parameter(string(rune('a'+i)), nil, dims...)
		b.params = append(b.params, x)
		part := b.p.Scale(b.p.Sum(b.p.Mul(x, x)), curvature(i))
		if b.loss == nil {
			b.loss = part
		} else {
			b.loss = b.p.Add(b.loss, part)
		}
	}
	b.groups = []optim.Group{
		{Params: []*program.Value{b.params[0], b.params[2]}, WeightDecay: 0.3},
		{Params: b.params[1:2], LRScale: 0.5},
	}
	return b
}

func curvature(param int) float32 { return float32(param) + 0.5 }

// start gives the program memory and its parameters values between −1 and 1.
func (b *bowl) start(t *testing.T) (*program.Session, *program.Execution) {
	t.Helper()
	compiled, err := program.Compile(b.p, program.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := program.Start(nil, compiled)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for k, v := range b.params {
		for i := range s.Tensor(v.Name).Float32s() {
			s.Tensor(v.Name).Float32s()[i] = float32(math.Sin(float64(7*k + i + 1)))
		}
	}
	return s, s.Execution(compiled)
}

func TestMinimizeAgreesWithTextbooks(t *testing.T) {
	const bound = 2e-6
	used := 0.0
	for _, c := range []struct {
		name string
		rule optim.Rule
		step textbook
	}{
		{"adam", optim.DefaultAdam, adam(0.9, 0.999, 1e-8, false)},
		{"adamw", optim.Adam{Beta1: 0.8, Beta2: 0.95, Eps: 1e-6, Decoupled: true}, adam(0.8, 0.95, 1e-6, true)},
		{"sgd", optim.SGD{}, sgd(0, 0, false)},
		{"momentum", optim.SGD{Momentum: 0.9}, sgd(0.9, 0, false)},
		{"dampening", optim.SGD{Momentum: 0.9, Dampening: 0.4}, sgd(0.9, 0.4, false)},
		{"nesterov", optim.SGD{Momentum: 0.7, Nesterov: true}, sgd(0.7, 0, true)},
		{"adagrad", optim.Adagrad{Eps: 1e-10}, adagrad(1e-10)},
	} {
		for _, clip := range []float64{0, 0.5, 100} {
			b := newBowl()
			training := optim.Minimize(b.p, b.loss, c.rule, clip, b.groups...)
			s, e := b.start(t)
			want := make([][]float64, len(b.params))
			states := make([][][2]float64, len(b.params))
			for k, v := range b.params {
				for _, x := range s.Tensor(v.Name).Float32s() {
					want[k], states[k] = append(want[k], float64(x)), append(states[k], [2]float64{})
				}
			}
			for step := 1; step <= 6; step++ {
				lr := 0.05 / float64(step)
				s.Step = uint64(step)
				e.Tensor(training.LR).Float32s()[0] = float32(lr)
				if err := e.Run(); err != nil {
					t.Fatal(err)
				}
				var squares float64
				for k := range 3 { // the last parameter has no gradient
					for _, x := range want[k] {
						g := 2 * float64(curvature(k)) * x
						squares += g * g
					}
				}
				scale := 1.0
				if clip > 0 {
					scale = min(1, clip/(math.Sqrt(squares)+1e-6))
					norm := float64(e.Tensor(training.GradNorm).Float32s()[0])
					if !(math.Abs(norm-math.Sqrt(squares)) <= 1e-5*norm) {
						t.Errorf("%s, step %d: norm %v, expected %v", c.name, step, norm, math.Sqrt(squares))
					}
				} else if training.GradNorm != nil {
					t.Errorf("%s: a norm without clipping", c.name)
				}
				for k, decay := range []float64{0.3, 0, 0.3} {
					rate := lr * []float64{1, 0.5, 1}[k]
					for i, x := range want[k] {
						g := 2 * float64(curvature(k)) * x * scale
						want[k][i] = c.step(x, g, rate, decay, step, &states[k][i])
					}
				}
			}
			for k, v := range b.params {
				for i, got := range s.Tensor(v.Name).Float32s() {
					off := math.Abs(float64(got) - want[k][i])
					used = max(used, off)
					if !(off <= bound) {
						t.Errorf("%s, clip %g: %s[%d] = %.8g, expected %.8g", c.name, clip, v.Name, i, got, want[k][i])
					}
				}
			}
		}
	}
	t.Logf("largest difference %.1e of %.0e", used, bound)
}

func TestByRankLetsMatricesDecayAlone(t *testing.T) {
	b := newBowl()
	groups := optim.ByRank(b.params, 0.1)
	var names []string
	for _, g := range groups {
		for _, v := range g.Params {
			names = append(names, v.Name)
		}
		names = append(names, "|")
	}
	if got := strings.Join(names, " "); got != "a c | b d |" || groups[0].WeightDecay != 0.1 || groups[1].WeightDecay != 0 {
		t.Errorf("groups %s with decay %g and %g", got, groups[0].WeightDecay, groups[1].WeightDecay)
	}
}

func TestEveryNamedRuleLowersTheLoss(t *testing.T) {
	for _, name := range []string{"adam", "adamw", "sgd", "adagrad"} {
		rule, err := optim.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		b := newBowl()
		b.p.Output(b.loss)
		lr := optim.Minimize(b.p, b.loss, rule, 0, optim.Group{Params: b.params}).LR
		s, e := b.start(t)
		var first, last float32
		for step := range 100 {
			s.Step = uint64(step + 1)
			e.Tensor(lr).Float32s()[0] = 0.02
			if err := e.Run(); err != nil {
				t.Fatal(err)
			}
			last = e.Tensor(b.loss).Float32s()[0]
			if step == 0 {
				first = last
			}
		}
		if !(last < first/2) {
			t.Errorf("%s: the loss goes from %v to %v", name, first, last)
		}
	}
	if _, err := optim.Named("lion"); err == nil || !strings.Contains(err.Error(), `optimizer "lion" is unknown (have adam, adamw, sgd, adagrad)`) {
		t.Errorf("got %v", err)
	}
}

func TestParameterInTwoGroupsIsAMistake(t *testing.T) {
	b := newBowl()
	optim.Minimize(b.p, b.loss, optim.SGD{}, 0, optim.Group{Params: b.params[:2]}, optim.Group{Params: b.params[1:]})
	if err := b.p.Err(); err == nil || !strings.Contains(err.Error(), "b is to be updated twice") {
		t.Errorf("got %v", err)
	}
}

// TestMistakesBeforeMinimizeStay says that building goes on after a mistake, and that the first one is reported.
func TestMistakesBeforeMinimizeStay(t *testing.T) {
	p := program.New("p")
	x := p.Parameter("x", nil, 2, 3)
	loss := p.Sum(p.MatMul(x, p.Input("y", tensor.F32(tensor.Of(2, 3)...)), program.Product{}))
	optim.Minimize(p, loss, optim.DefaultAdam, 1, optim.ByRank(p.Parameters(), 0.1)...)
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "f32[2, 3] and f32[2, 3] do not go together") {
		t.Errorf("got %v", err)
	}
}
