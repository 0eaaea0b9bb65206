package kernel

// Map applies an activation: Dst = Act(X). Dst and X have the same length, and may be the same slice.
//
// ReLU and Identity have the same bits at every level, the others under AVX2 and AVX-512. An element's bits do not depend
// on its neighbours or its place. The largest errors in ulp are 0.9 for Exp, 2.1 for Softplus, 2.5 for Sigmoid, 3.5 for
// Tanh and SiLU. GELU has 4 for positive x, and 7 for negative x, where it is a product of five rounded factors. GELUTanh
// has 3 for positive x, and is as exact as u, its float32 argument of σ, for negative x: 3 + 3·|u|.
type Map struct {
	Dst, X []float32
	Act    Activation

	level Level
}

// Check says what is wrong with the sizes. Run does not check.
func (m *Map) Check() error {
	return checkLengths(m.Act.String(), operandLength{"Dst", len(m.Dst)}, operandLength{"X", len(m.X)})
}

// Run computes Dst on the pool's workers.
func (m *Map) Run(p *Pool) { m.run(p, active) }

func (m *Map) run(p *Pool, level Level) {
	m.level = level
	p.For(len(m.Dst), elementGrain, (*mapTask)(m))
}

type mapTask Map

// Do computes elements lo to hi.
func (m *mapTask) Do(_, lo, hi int) { activateRow(m.level, m.Act, m.Dst[lo:hi], m.X[lo:hi]) }

// MapGrad is the derivative of Map: DX = DY·Act′. It reads Y = Act(X) or X, as Act.GradFromOutput says; the other may be
// nil. All have the same length; DX may be the same slice as DY, X or Y.
type MapGrad struct {
	DX, DY, X, Y []float32
	Act          Activation

	level Level
}

// Check says what is wrong with the sizes. Run does not check.
func (m *MapGrad) Check() error {
	at := operandLength{"X", len(m.X)}
	if m.Act.GradFromOutput() {
		at = operandLength{"Y", len(m.Y)}
	}
	return checkLengths("derivative of "+m.Act.String(), operandLength{"DX", len(m.DX)}, operandLength{"DY", len(m.DY)}, at)
}

// Run computes DX on the pool's workers.
func (m *MapGrad) Run(p *Pool) { m.run(p, active) }

func (m *MapGrad) run(p *Pool, level Level) {
	m.level = level
	p.For(len(m.DX), elementGrain, (*mapGradTask)(m))
}

type mapGradTask MapGrad

// Do computes elements lo to hi.
func (m *mapGradTask) Do(_, lo, hi int) {
	xy := m.X
	if m.Act.GradFromOutput() {
		xy = m.Y
	}
	activateGradRow(m.level, m.Act, m.DX[lo:hi], m.DY[lo:hi], xy[lo:hi])
}
