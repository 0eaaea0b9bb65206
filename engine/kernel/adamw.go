package kernel

import (
	"fmt"
	"math"
)

// AdamW is a step of Adam on all parameters, in place. With g the gradient times GradScale:
//
//	Decoupled (Loshchilov & Hutter, AdamW):  p ← p·(1 − LR·WeightDecay)
//	else (Kingma & Ba, Adam, with L2):       g ← g + WeightDecay·p
//	m ← Beta1·m + (1 − Beta1)·g
//	v ← Beta2·v + (1 − Beta2)·g²
//	p ← p − LR/Correct1 · m / (√v/√Correct2 + Eps)
//
// Correct1 = 1 − Beta1ᵗ and Correct2 = 1 − Beta2ᵗ at step t = 1, 2, …: what torch.optim.AdamW and Adam compute.
// All have the same length. The gradient is not changed. Every operation is rounded to float32, so that the bits are the
// same at every level; scalars are computed in float64 first.
type AdamW struct {
	Param, Grad, M, V     []float32
	LR, Beta1, Beta2, Eps float64
	WeightDecay           float64
	Decoupled             bool
	Correct1, Correct2    float64
	GradScale             float32 // 1 leaves the gradient as it is

	level   Level
	scalars adamScalars
}

// adamScalars are the factors of a step. gen/optimizer.go lists them in this order.
type adamScalars struct {
	gradScale, l2, decay    float32
	beta1, beta1Rest        float32
	beta2, beta2Rest        float32
	step, rootCorrect2, eps float32
}

// Check says what is wrong with the sizes or the corrections. Run does not check.
func (a *AdamW) Check() error {
	if !(a.Correct1 > 0 && a.Correct2 > 0) {
		return fmt.Errorf("AdamW: the corrections 1 − βᵗ are %v and %v; they must be positive (steps count from 1)", a.Correct1, a.Correct2)
	}
	return checkLengths("AdamW", operandLength{"Param", len(a.Param)}, operandLength{"Grad", len(a.Grad)},
		operandLength{"M", len(a.M)}, operandLength{"V", len(a.V)})
}

// Run makes the step on the pool's workers.
func (a *AdamW) Run(p *Pool) { a.run(p, active) }

func (a *AdamW) run(p *Pool, level Level) {
	a.level = level
	a.scalars = adamScalars{
		gradScale: a.GradScale, decay: 1,
		beta1: float32(a.Beta1), beta1Rest: float32(1 - a.Beta1),
		beta2: float32(a.Beta2), beta2Rest: float32(1 - a.Beta2),
		step: float32(a.LR / a.Correct1), rootCorrect2: float32(math.Sqrt(a.Correct2)), eps: float32(a.Eps),
	}
	if a.Decoupled {
		a.scalars.decay = float32(1 - a.LR*a.WeightDecay)
	} else {
		a.scalars.l2 = float32(a.WeightDecay)
	}
	p.For(len(a.Param), elementGrain, (*adamwTask)(a))
}

type adamwTask AdamW

// Do makes the step on parameters lo to hi.
func (a *adamwTask) Do(_, lo, hi int) {
	adamwRow(a.level, a.Param[lo:hi], a.Grad[lo:hi], a.M[lo:hi], a.V[lo:hi], &a.scalars)
}
