package kernel

import "math"

// Distillation is the loss of each row of Logits (Rows, Cols) against probabilities P of a teacher, weighted by the trust in
// the row (reliable label distillation of GAMLP, arXiv 2108.10097): with l = log Σ_j exp Logits[i, j],
//
//	LSE[i] = l,   Loss[i] = Trust[i]·Σ_j P[i, j]·(log(P[i, j] + 1e-8) − (Logits[i, j] − l)).
//
// Logarithms are computed in float64 and rounded. A row of trust 0 has the loss 0.
type Distillation struct {
	Logits, P  []float32 // Rows × Cols
	Trust      []float32 // Rows
	Loss, LSE  []float32 // Rows each
	Rows, Cols int

	level Level
}

// Check says what is wrong with the sizes.
func (d *Distillation) Check() error {
	const name = "distillation"
	if err := checkClasses(name, d.Rows, d.Cols); err != nil {
		return err
	}
	n := d.Rows * d.Cols
	return checkSizes(name, length{"Logits", len(d.Logits), n}, length{"P", len(d.P), n}, length{"Trust", len(d.Trust), d.Rows},
		length{"Loss", len(d.Loss), d.Rows}, length{"LSE", len(d.LSE), d.Rows})
}

// Run computes the losses on the pool's workers.
func (d *Distillation) Run(p *Pool) { d.run(p, active) }

func (d *Distillation) run(p *Pool, level Level) {
	d.level = level
	p.For(d.Rows, rowGrain(d.Cols), (*distillationRows)(d))
}

// distillationRows is a Distillation as a task: a unit is a row.
type distillationRows Distillation

// Do computes rows lo to hi.
func (d *distillationRows) Do(_, lo, hi int) {
	logSumExp(d.level, d.LSE, d.Logits, d.Cols, lo, hi)
	for i := lo; i < hi; i++ {
		d.Loss[i] = 0
		if d.Trust[i] != 0 {
			d.Loss[i] = d.Trust[i] * divergence(d.P[i*d.Cols:][:d.Cols], d.Logits[i*d.Cols:][:d.Cols], d.LSE[i])
		}
	}
}

// divergence is Σ_j p_j·(log(p_j + 1e-8) − (x_j − lse)), in lanes.
func divergence(p, x []float32, lse float32) float32 {
	var sum lanes
	for j, v := range p {
		log := float32(math.Log(float64(v) + 1e-8))
		sum[j%laneCount] += float32(v * (log - (x[j] - lse)))
	}
	return sum.total()
}

// DistillationGrad is the gradient of Scale·Σ_i Loss[i] with respect to Logits, from the LSE that Distillation left:
//
//	DLogits[i, j] = Scale·Trust[i]·(exp(Logits[i, j] − LSE[i])·Σ_k P[i, k] − P[i, j]).
//
// DLogits may be Logits.
type DistillationGrad struct {
	DLogits, Logits, P []float32 // Rows × Cols
	Trust, LSE         []float32 // Rows
	Scale              float32
	Rows, Cols         int

	level Level
}

// Check says what is wrong with the sizes.
func (d *DistillationGrad) Check() error {
	const name = "distillation gradient"
	if err := checkClasses(name, d.Rows, d.Cols); err != nil {
		return err
	}
	n := d.Rows * d.Cols
	return checkSizes(name, length{"DLogits", len(d.DLogits), n}, length{"Logits", len(d.Logits), n}, length{"P", len(d.P), n},
		length{"Trust", len(d.Trust), d.Rows}, length{"LSE", len(d.LSE), d.Rows})
}

// Run computes the gradient on the pool's workers.
func (d *DistillationGrad) Run(p *Pool) { d.run(p, active) }

func (d *DistillationGrad) run(p *Pool, level Level) {
	d.level = level
	p.For(d.Rows, rowGrain(d.Cols), (*distillationGradRows)(d))
}

// distillationGradRows is a DistillationGrad as a task: a unit is a row.
type distillationGradRows DistillationGrad

// Do computes rows lo to hi.
func (d *distillationGradRows) Do(_, lo, hi int) {
	softmax := crossEntropyGradRows{DLogits: d.DLogits, Logits: d.Logits, LSE: d.LSE, Scale: 1, Rows: d.Rows, Cols: d.Cols, level: d.level}
	softmax.probabilities(lo, hi)
	for i := lo; i < hi; i++ {
		p, dx := d.P[i*d.Cols:][:d.Cols], d.DLogits[i*d.Cols:][:d.Cols]
		sum, scale := rowSum(p), d.Scale*d.Trust[i]
		for j, v := range p {
			dx[j] = scale * (float32(dx[j]*sum) - v)
		}
	}
}
