package kernel

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// optimizerCase is a case of testdata/optimizers.json, which testdata/optimizers.py makes with torch.optim.
type optimizerCase struct {
	Optimizer                  string
	LR, Beta1, Beta2, Eps      float64
	Momentum, Dampening        float64
	WeightDecay                float64 `json:"weight_decay"`
	Nesterov                   bool
	Param                      []float64 // after the steps
	param, first, second       []float32
	param64, first64, second64 []float64
}

// step makes the step t = 1, 2, … with the kernels of a level.
func (c *optimizerCase) step(t int, grad []float32, level Level, p *Pool) {
	switch c.Optimizer {
	case "Adam", "AdamW":
		a := AdamW{Param: c.param, Grad: grad, M: c.first, V: c.second, LR: c.LR, Beta1: c.Beta1, Beta2: c.Beta2, Eps: c.Eps,
			WeightDecay: c.WeightDecay, Decoupled: c.Optimizer == "AdamW", GradScale: 1,
			Correct1: 1 - math.Pow(c.Beta1, float64(t)), Correct2: 1 - math.Pow(c.Beta2, float64(t))}
		a.run(p, level)
	case "SGD":
		s := SGD{Param: c.param, Grad: grad, LR: c.LR, Mu: c.Momentum, Dampening: c.Dampening, WeightDecay: c.WeightDecay, Nesterov: c.Nesterov, GradScale: 1}
		if c.Momentum != 0 {
			s.Momentum = c.first
		}
		if t == 1 {
			s.Dampening = 0
		}
		s.run(p, level)
	case "Adagrad":
		a := Adagrad{Param: c.param, Grad: grad, Sum: c.first, LR: c.LR, Eps: c.Eps, WeightDecay: c.WeightDecay, GradScale: 1}
		a.run(p, level)
	}
}

// step64 makes the step in float64, as the comments of the kernels have it.
func (c *optimizerCase) step64(t int, grad []float64) {
	for i, g := range grad {
		p, a, b := &c.param64[i], &c.first64[i], &c.second64[i]
		if c.Optimizer != "AdamW" {
			g += c.WeightDecay * *p
		}
		switch c.Optimizer {
		case "Adam", "AdamW":
			*a = c.Beta1**a + (1-c.Beta1)*g
			*b = c.Beta2**b + (1-c.Beta2)*g*g
			if c.Optimizer == "AdamW" {
				*p *= 1 - c.LR*c.WeightDecay
			}
			*p -= c.LR * (*a / (1 - math.Pow(c.Beta1, float64(t)))) / (math.Sqrt(*b/(1-math.Pow(c.Beta2, float64(t)))) + c.Eps)
		case "SGD":
			if t == 1 {
				*a = g
			} else {
				*a = c.Momentum**a + (1-c.Dampening)*g
			}
			if c.Nesterov {
				*p -= c.LR * (g + c.Momentum**a)
			} else if c.Momentum != 0 {
				*p -= c.LR * *a
			} else {
				*p -= c.LR * g
			}
		case "Adagrad":
			*a += g * g
			*p -= c.LR * g / (math.Sqrt(*a) + c.Eps)
		}
	}
}

func TestOptimizersAgreeWithTorch(t *testing.T) {
	var golden struct {
		Start     []float64
		Gradients [][]float64
		Cases     []*optimizerCase
	}
	text, err := os.ReadFile("testdata/optimizers.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	n := len(golden.Start)
	for _, level := range testLevels() {
		used := 0.0
		for _, c := range golden.Cases {
			c.param, c.first, c.second = narrow(golden.Start), make([]float32, n), make([]float32, n)
			c.param64, c.first64, c.second64 = append([]float64(nil), golden.Start...), make([]float64, n), make([]float64, n)
			for i, g := range golden.Gradients {
				c.step(i+1, narrow(g), level, nil)
				c.step64(i+1, g)
			}
			for i, want := range c.Param {
				if d := math.Abs(c.param64[i] - want); d > 1e-14 {
					t.Errorf("%s, lr %v: the reference has %v for parameter %d, torch %v", c.Optimizer, c.LR, c.param64[i], i, want)
				}
				// Every step rounds the parameter, of the order of 1, and what is subtracted, once.
				const bound = 6e-7
				d := math.Abs(float64(c.param[i]) - want)
				used = max(used, d/bound)
				if !(d <= bound) {
					t.Errorf("%s, lr %v, level %v: parameter %d is %v, torch has %v", c.Optimizer, c.LR, level, i, c.param[i], want)
				}
			}
		}
		t.Logf("level %v: %.2f of the bound used", level, used)
	}
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

func TestGradScaleScalesTheGradient(t *testing.T) {
	r := randSource(6)
	grad, half := normalFloats(r, 20), alignedFloats(20)
	for i, g := range grad {
		half[i] = g / 2
	}
	for _, name := range []string{"AdamW", "Adam", "SGD", "Adagrad"} {
		state := func() (p, m, v []float32) {
			return normalFloats(randSource(7), 20), make([]float32, 20), make([]float32, 20)
		}
		p, m, v := state()
		q, n, w := state()
		switch name {
		case "AdamW", "Adam":
			a := AdamW{Param: p, Grad: half, M: m, V: v, LR: 0.1, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, WeightDecay: 0.1, Decoupled: name == "AdamW", Correct1: 0.1, Correct2: 0.01, GradScale: 1}
			b := a
			b.Param, b.Grad, b.M, b.V, b.GradScale = q, grad, n, w, 0.5
			a.Run(nil)
			b.Run(nil)
		case "SGD":
			a := SGD{Param: p, Grad: half, Momentum: m, LR: 0.1, Mu: 0.9, WeightDecay: 0.1, GradScale: 1}
			b := a
			b.Param, b.Grad, b.Momentum, b.GradScale = q, grad, n, 0.5
			a.Run(nil)
			b.Run(nil)
		case "Adagrad":
			a := Adagrad{Param: p, Grad: half, Sum: m, LR: 0.1, Eps: 1e-10, WeightDecay: 0.1, GradScale: 1}
			b := a
			b.Param, b.Grad, b.Sum, b.GradScale = q, grad, n, 0.5
			a.Run(nil)
			b.Run(nil)
		}
		if i, bad := differs(q, p); bad {
			t.Errorf("%s: parameter %d is %v, with the gradient halved beforehand %v", name, i, q[i], p[i])
		}
	}
}

func TestOptimizerStepsAreSplitWithoutChangingABit(t *testing.T) {
	n := 3*elementGrain + 77
	grad := awkward(randSource(8), n)
	start := normalFloats(randSource(9), n)
	param, first, second := make([]float32, n), make([]float32, n), make([]float32, n)
	fresh := func() {
		copy(param, start)
		clear(first)
		clear(second)
	}
	a := &AdamW{Param: param, Grad: grad, M: first, V: second, LR: 0.1, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Correct1: 0.1, Correct2: 0.01, GradScale: 1}
	s := &SGD{Param: param, Grad: grad, LR: 0.1, GradScale: 1}
	m := &SGD{Param: param, Grad: grad, Momentum: first, LR: 0.1, Mu: 0.9, GradScale: 1}
	g := &Adagrad{Param: param, Grad: grad, Sum: first, LR: 0.1, Eps: 1e-10, GradScale: 1}
	checkTasks(t, []taskCase{
		{"AdamW", func(p *Pool, level Level) []float32 { fresh(); a.run(p, level); return param }},
		{"SGD", func(p *Pool, level Level) []float32 { fresh(); s.run(p, level); return param }},
		{"SGD with momentum", func(p *Pool, level Level) []float32 { fresh(); m.run(p, level); return param }},
		{"Adagrad", func(p *Pool, level Level) []float32 { fresh(); g.run(p, level); return param }},
	})
}
