package kernel

// adagradElements is the portable adagradRow.
func adagradElements(param, grad, sum []float32, s *adagradScalars) {
	for i, p := range param {
		g := float32(grad[i]*s.gradScale) + float32(s.l2*p)
		sum[i] += float32(g * g)
		param[i] = p - float32(s.lr*g)/(sqrt32(sum[i])+s.eps)
	}
}
