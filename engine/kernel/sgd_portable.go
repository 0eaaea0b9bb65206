package kernel

// sgdElements is the portable sgdRow.
func sgdElements(param, grad []float32, s *sgdScalars) {
	for i, p := range param {
		g := float32(grad[i]*s.gradScale) + float32(s.l2*p)
		param[i] = p - float32(s.lr*g)
	}
}

// momentumElements is the portable momentumRow.
func momentumElements(param, grad, momentum []float32, s *sgdScalars) {
	for i, p := range param {
		g := float32(grad[i]*s.gradScale) + float32(s.l2*p)
		b := float32(s.mu*momentum[i]) + float32(s.rest*g)
		momentum[i] = b
		param[i] = p - float32(s.lr*(float32(s.ofG*g)+float32(s.ofB*b)))
	}
}
