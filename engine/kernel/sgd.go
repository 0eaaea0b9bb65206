package kernel

import "fmt"

// SGD is a step of stochastic gradient descent on all parameters, in place, as torch.optim.SGD makes it. With g the
// gradient times GradScale plus WeightDecay·p:
//
//	b ← Mu·b + (1 − Dampening)·g
//	p ← p − LR·b, or with Nesterov p ← p − LR·(g + Mu·b)
//
// b is Momentum, zero before the first step, which torch does not dampen: Dampening is 0 then. With Mu = 0 Momentum may be
// nil: p ← p − LR·g. All have the same length. The gradient is not changed. Every operation is rounded to float32, so that
// the bits are the same at every level.
type SGD struct {
	Param, Grad, Momentum          []float32
	LR, Mu, Dampening, WeightDecay float64
	Nesterov                       bool
	GradScale                      float32 // 1 leaves the gradient as it is

	level   Level
	scalars sgdScalars
}

// sgdScalars are the factors of a step. gen/optimizer.go lists them in this order.
type sgdScalars struct {
	gradScale, l2, lr float32
	mu, rest          float32 // b ← mu·b + rest·g
	ofG, ofB          float32 // p ← p − lr·(ofG·g + ofB·b)
}

// Check says what is wrong with the sizes. Run does not check.
func (s *SGD) Check() error {
	if s.Mu == 0 && s.Momentum == nil {
		if s.Nesterov {
			return fmt.Errorf("SGD: Nesterov's step needs a momentum, Mu is 0")
		}
		return checkLengths("SGD", operandLength{"Param", len(s.Param)}, operandLength{"Grad", len(s.Grad)})
	}
	return checkLengths("SGD", operandLength{"Param", len(s.Param)}, operandLength{"Grad", len(s.Grad)}, operandLength{"Momentum", len(s.Momentum)})
}

// Run makes the step on the pool's workers.
func (s *SGD) Run(p *Pool) { s.run(p, active) }

func (s *SGD) run(p *Pool, level Level) {
	s.level = level
	s.scalars = sgdScalars{
		gradScale: s.GradScale, l2: float32(s.WeightDecay), lr: float32(s.LR),
		mu: float32(s.Mu), rest: float32(1 - s.Dampening), ofB: 1,
	}
	if s.Nesterov {
		s.scalars.ofG, s.scalars.ofB = 1, float32(s.Mu)
	}
	p.For(len(s.Param), elementGrain, (*sgdTask)(s))
}

type sgdTask SGD

// Do makes the step on parameters lo to hi.
func (s *sgdTask) Do(_, lo, hi int) {
	if s.Momentum == nil {
		sgdRow(s.level, s.Param[lo:hi], s.Grad[lo:hi], &s.scalars)
		return
	}
	momentumRow(s.level, s.Param[lo:hi], s.Grad[lo:hi], s.Momentum[lo:hi], &s.scalars)
}
