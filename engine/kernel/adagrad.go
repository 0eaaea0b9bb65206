package kernel

// Adagrad is a step of Adagrad (Duchi et al., 2011) on all parameters, in place, as torch.optim.Adagrad makes it. With g
// the gradient times GradScale plus WeightDecay·p:
//
//	s ← s + g²
//	p ← p − LR·g/(√s + Eps)
//
// s is Sum. All have the same length. The gradient is not changed. Every operation is rounded to float32, so that the bits
// are the same at every level.
type Adagrad struct {
	Param, Grad, Sum     []float32
	LR, Eps, WeightDecay float64
	GradScale            float32 // 1 leaves the gradient as it is

	level   Level
	scalars adagradScalars
}

// adagradScalars are the factors of a step. gen/optimizer.go lists them in this order.
type adagradScalars struct{ gradScale, l2, lr, eps float32 }

// Check says what is wrong with the sizes. Run does not check.
func (a *Adagrad) Check() error {
	return checkLengths("Adagrad", operandLength{"Param", len(a.Param)}, operandLength{"Grad", len(a.Grad)}, operandLength{"Sum", len(a.Sum)})
}

// Run makes the step on the pool's workers.
func (a *Adagrad) Run(p *Pool) { a.run(p, active) }

func (a *Adagrad) run(p *Pool, level Level) {
	a.level = level
	a.scalars = adagradScalars{a.GradScale, float32(a.WeightDecay), float32(a.LR), float32(a.Eps)}
	p.For(len(a.Param), elementGrain, (*adagradTask)(a))
}

type adagradTask Adagrad

// Do makes the step on parameters lo to hi.
func (a *adagradTask) Do(_, lo, hi int) {
	adagradRow(a.level, a.Param[lo:hi], a.Grad[lo:hi], a.Sum[lo:hi], &a.scalars)
}
