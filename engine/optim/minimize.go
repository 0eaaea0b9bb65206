package optim

import (
	"fmt"
	"slices"

	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Rule is an optimizer's step for one parameter, with the weight decay of its group.
type Rule interface {
	Step(weightDecay float64) Update
}

// Update appends the step for one parameter: program.AdamW, program.SGD, program.Adagrad.
type Update interface {
	Update(p *program.Program, param, grad, lr, scale *program.Value)
}

// Adam is Kingma and Ba's optimizer (2015), weight decay being added to the gradient, or with Decoupled AdamW.
type Adam struct {
	Beta1, Beta2, Eps float64
	Decoupled         bool
}

// DefaultAdam has the moments that most papers mean.
var DefaultAdam = Adam{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}

// Step implements Rule.
func (a Adam) Step(weightDecay float64) Update {
	return program.AdamW{Beta1: a.Beta1, Beta2: a.Beta2, Eps: a.Eps, WeightDecay: weightDecay, Decoupled: a.Decoupled}
}

// SGD is stochastic gradient descent with momentum.
type SGD struct {
	Momentum, Dampening float64
	Nesterov            bool
}

// Step implements Rule.
func (s SGD) Step(weightDecay float64) Update {
	return program.SGD{Mu: s.Momentum, Dampening: s.Dampening, Nesterov: s.Nesterov, WeightDecay: weightDecay}
}

// Adagrad is the optimizer of Duchi, Hazan and Singer (2011).
type Adagrad struct{ Eps float64 }

// Step implements Rule.
func (a Adagrad) Step(weightDecay float64) Update {
	return program.Adagrad{Eps: a.Eps, WeightDecay: weightDecay}
}

// Group is parameters that are updated alike.
type Group struct {
	Params      []*program.Value
	WeightDecay float64
	LRScale     float32 // factor of the learning rate; 0 counts as 1
}

// Training is what Minimize adds for the caller: what to fill before each step and what to read after it.
type Training struct {
	LR       *program.Value // scalar input: the learning rate
	GradNorm *program.Value // scalar output: the norm of all gradients before clipping, nil without clipping
}

// Minimize appends the backward pass of loss and the steps of all groups. clip is the most that the norm of all gradients
// may be, 0 for no limit.
func Minimize(p *program.Program, loss *program.Value, rule Rule, clip float64, groups ...Group) Training {
	var params []*program.Value
	for _, g := range groups {
		for _, param := range g.Params {
			if slices.Contains(params, param) {
				p.Fail("%s is to be updated twice: it stands in two groups, or twice in one", param.Name)
			}
			params = append(params, param)
		}
	}
	grads := p.Differentiate(loss, params...)
	t := Training{LR: p.Input("lr", tensor.F32())}
	var scale *program.Value
	if clip > 0 {
		t.GradNorm, scale = p.ClipNorm(clip, grads...)
		p.Output(t.GradNorm)
	}
	next := 0
	for _, g := range groups {
		lr := t.LR
		if g.LRScale != 0 && g.LRScale != 1 {
			lr = p.Scale(lr, g.LRScale)
		}
		step := rule.Step(g.WeightDecay)
		for _, param := range g.Params {
			step.Update(p, param, grads[next], lr, scale)
			next++
		}
	}
	return t
}

// Named returns the rule of a name with its usual constants: "adam", "adamw", "sgd" (momentum 0.9), "adagrad".
func Named(name string) (Rule, error) {
	switch name {
	case "adam":
		return DefaultAdam, nil
	case "adamw":
		a := DefaultAdam
		a.Decoupled = true
		return a, nil
	case "sgd":
		return SGD{Momentum: 0.9}, nil
	case "adagrad":
		return Adagrad{Eps: 1e-10}, nil
	}
	return nil, fmt.Errorf("optimizer %q is unknown (have adam, adamw, sgd, adagrad)", name)
}

// ByRank puts parameters of two or more sizes (matrices) into a group with weight decay and the others (biases, gains)
// into one without.
func ByRank(params []*program.Value, weightDecay float64) []Group {
	var matrices, vectors Group
	matrices.WeightDecay = weightDecay
	for _, v := range params {
		if len(v.Type.Shape) >= 2 {
			matrices.Params = append(matrices.Params, v)
		} else {
			vectors.Params = append(vectors.Params, v)
		}
	}
	return []Group{matrices, vectors}
}
