package program

import (
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// AdamW is Adam's step: with Decoupled, weight decay acts on the parameter (Loshchilov and Hutter, 2019), else it is added
// to the gradient. Steps are the session's, counted from 1.
type AdamW struct {
	Beta1, Beta2, Eps, WeightDecay float64
	Decoupled                      bool
}

// Update appends the step for one parameter. lr and, where it is not nil, scale (a factor of the gradient) are scalars.
func (o AdamW) Update(p *Program, param, grad, lr, scale *Value) {
	p.update(adamw{o}, param, grad, lr, scale, "m", "v")
}

// SGD is the step of stochastic gradient descent with momentum Mu, as torch.optim.SGD defines it.
type SGD struct {
	Mu, Dampening, WeightDecay float64
	Nesterov                   bool
}

// Update appends the step for one parameter.
func (o SGD) Update(p *Program, param, grad, lr, scale *Value) {
	if o.Mu == 0 {
		p.update(sgd{o}, param, grad, lr, scale)
		return
	}
	p.update(sgd{o}, param, grad, lr, scale, "momentum")
}

// Adagrad is the step of Duchi, Hazan and Singer (2011).
type Adagrad struct{ Eps, WeightDecay float64 }

// Update appends the step for one parameter.
func (o Adagrad) Update(p *Program, param, grad, lr, scale *Value) {
	p.update(adagrad{o}, param, grad, lr, scale, "sum")
}

// update applies an operation to param, its states, grad, lr and scale, in that order.
func (p *Program) update(op Operation, param, grad, lr, scale *Value, states ...string) {
	in := []*Value{param}
	leave := p.outside()
	for _, s := range states {
		in = append(in, p.Optimizer(param.Name+"."+s, param.Type))
	}
	leave()
	p.Apply(op, append(in, present(grad, lr, scale)...)...)
}

// outside leaves all scopes for a moment: for names that are complete already.
func (p *Program) outside() (back func()) {
	scope := p.scope
	p.scope = nil
	return func() { p.scope = scope }
}

// updateCall is the operands of an update behind parameter and states.
type updateCall struct {
	grad      []float32
	lr        float64
	gradScale float32
}

func operandsOf(c *Call, states int) updateCall {
	u := updateCall{grad: c.In[1+states].Float32s(), lr: float64(c.In[2+states].Float32s()[0]), gradScale: 1}
	if len(c.In) > 3+states {
		u.gradScale = c.In[3+states].Float32s()[0]
	}
	return u
}

// inferUpdate is the shape rule of all updates.
func inferUpdate(in []tensor.Type, states int) ([]tensor.Type, error) {
	for _, t := range in[:2+states] {
		if !t.Equal(in[0]) || t.DType != tensor.Float32 {
			return nil, fmt.Errorf("%s for a parameter %s", t, in[0])
		}
	}
	for _, t := range in[2+states:] {
		if !t.Equal(tensor.F32()) {
			return nil, fmt.Errorf("%s, expected a scalar", t)
		}
	}
	return nil, nil
}

type adamw struct{ AdamW }

func (adamw) Name() string { return "adamw" }

func (o adamw) Attributes() string {
	kind := "l2"
	if o.Decoupled {
		kind = "decay"
	}
	return fmt.Sprintf("beta1=%g beta2=%g eps=%g %s=%g", o.Beta1, o.Beta2, o.Eps, kind, o.WeightDecay)
}

func (adamw) Infer(in []tensor.Type) ([]tensor.Type, error) { return inferUpdate(in, 2) }

func (adamw) Cost(in, _ []tensor.Type) Cost {
	n := float64(in[0].Shape.Len())
	return Cost{Flops: 14 * n, Traffic: 28 * n}
}

func (adamw) Traits() Traits { return Traits{Mutates: []int{0, 1, 2}} }

func (o adamw) Kernel() Kernel {
	k := &kernel.AdamW{Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps, WeightDecay: o.WeightDecay, Decoupled: o.Decoupled}
	return KernelFunc(func(c *Call) error {
		u := operandsOf(c, 2)
		k.Param, k.M, k.V = c.In[0].Float32s(), c.In[1].Float32s(), c.In[2].Float32s()
		k.Grad, k.LR, k.GradScale = u.grad, u.lr, u.gradScale
		t := float64(max(c.Key.Step, 1))
		k.Correct1, k.Correct2 = 1-math.Pow(o.Beta1, t), 1-math.Pow(o.Beta2, t)
		k.Run(c.Pool)
		return nil
	})
}

func (o adamw) Reference(c *ReferenceCall) {
	p, m, v := c.In[0].X, c.In[1].X, c.In[2].X
	lr, scale := c.In[4].X[0], gradScale64(c, 2)
	t := float64(max(c.Key.Step, 1))
	for i, g := range c.In[3].X {
		g *= scale
		if o.Decoupled {
			p[i] -= lr * o.WeightDecay * p[i]
		} else {
			g += o.WeightDecay * p[i]
		}
		m[i] = o.Beta1*m[i] + (1-o.Beta1)*g
		v[i] = o.Beta2*v[i] + (1-o.Beta2)*g*g
		mhat, vhat := m[i]/(1-math.Pow(o.Beta1, t)), v[i]/(1-math.Pow(o.Beta2, t))
		p[i] -= lr * mhat / (math.Sqrt(vhat) + o.Eps)
	}
}

func gradScale64(c *ReferenceCall, states int) float64 {
	if len(c.In) > 3+states {
		return c.In[3+states].X[0]
	}
	return 1
}

type sgd struct{ SGD }

func (sgd) Name() string { return "sgd" }

func (o sgd) Attributes() string {
	text := fmt.Sprintf("momentum=%g dampening=%g l2=%g", o.Mu, o.Dampening, o.WeightDecay)
	if o.Nesterov {
		text += " nesterov"
	}
	return text
}

func (o sgd) states() int {
	if o.Mu == 0 {
		return 0
	}
	return 1
}

func (o sgd) Infer(in []tensor.Type) ([]tensor.Type, error) { return inferUpdate(in, o.states()) }

func (o sgd) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: 6 * float64(in[0].Shape.Len())} }

func (o sgd) Traits() Traits { return Traits{Mutates: []int{0, 1}[:1+o.states()]} }

func (o sgd) Kernel() Kernel {
	k := &kernel.SGD{Mu: o.Mu, WeightDecay: o.WeightDecay, Nesterov: o.Nesterov}
	return KernelFunc(func(c *Call) error {
		u := operandsOf(c, o.states())
		k.Param, k.Grad, k.LR, k.GradScale = c.In[0].Float32s(), u.grad, u.lr, u.gradScale
		if o.Mu != 0 {
			k.Momentum = c.In[1].Float32s()
		}
		k.Dampening = o.dampening(c.Key.Step)
		k.Run(c.Pool)
		return nil
	})
}

// dampening does not act on the first step, which begins the momentum.
func (o sgd) dampening(step uint64) float64 {
	if step <= 1 {
		return 0
	}
	return o.Dampening
}

func (o sgd) Reference(c *ReferenceCall) {
	n := o.states()
	p, lr, scale := c.In[0].X, c.In[2+n].X[0], gradScale64(c, n)
	for i, g := range c.In[1+n].X {
		g = g*scale + o.WeightDecay*p[i]
		if o.Mu != 0 {
			b := o.Mu*c.In[1].X[i] + (1-o.dampening(c.Key.Step))*g
			c.In[1].X[i] = b
			if o.Nesterov {
				g += o.Mu * b
			} else {
				g = b
			}
		}
		p[i] -= lr * g
	}
}

type adagrad struct{ Adagrad }

func (adagrad) Name() string { return "adagrad" }

func (o adagrad) Attributes() string { return fmt.Sprintf("eps=%g l2=%g", o.Eps, o.WeightDecay) }

func (adagrad) Infer(in []tensor.Type) ([]tensor.Type, error) { return inferUpdate(in, 1) }

func (adagrad) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: 7 * float64(in[0].Shape.Len())} }

func (adagrad) Traits() Traits { return Traits{Mutates: []int{0, 1}} }

func (o adagrad) Kernel() Kernel {
	k := &kernel.Adagrad{Eps: o.Eps, WeightDecay: o.WeightDecay}
	return KernelFunc(func(c *Call) error {
		u := operandsOf(c, 1)
		k.Param, k.Sum, k.Grad, k.LR, k.GradScale = c.In[0].Float32s(), c.In[1].Float32s(), u.grad, u.lr, u.gradScale
		k.Run(c.Pool)
		return nil
	})
}

func (o adagrad) Reference(c *ReferenceCall) {
	p, sum, lr, scale := c.In[0].X, c.In[1].X, c.In[3].X[0], gradScale64(c, 1)
	for i, g := range c.In[2].X {
		g = g*scale + o.WeightDecay*p[i]
		sum[i] += g * g
		p[i] -= lr * g / (math.Sqrt(sum[i]) + o.Eps)
	}
}
