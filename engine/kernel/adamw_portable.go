package kernel

import "math"

// adamwElements is the portable adamwRow.
func adamwElements(param, grad, m, v []float32, s *adamScalars) {
	for i, p := range param {
		g := float32(grad[i]*s.gradScale) + float32(s.l2*p)
		mi := float32(s.beta1*m[i]) + float32(s.beta1Rest*g)
		vi := float32(s.beta2*v[i]) + float32(s.beta2Rest*float32(g*g))
		denominator := float32(sqrt32(vi)/s.rootCorrect2) + s.eps
		m[i], v[i] = mi, vi
		param[i] = float32(p*s.decay) - float32(s.step*mi)/denominator
	}
}

// sqrt32 is √x rounded to float32; rounding the float64 root once more does not change it.
func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }
