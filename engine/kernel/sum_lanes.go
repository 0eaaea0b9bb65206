package kernel

// lanes are the interleaved chains of a sum along a contiguous axis.
type lanes [laneCount]float32

// total combines the lanes by the fixed tree.
func (l *lanes) total() float32 {
	for half := laneCount / 2; half > 0; half /= 2 {
		for i := range half {
			l[i] += l[i+half]
		}
	}
	return l[0]
}

// rowSum is Σ x.
func rowSum(x []float32) float32 {
	var l lanes
	for ; len(x) >= laneCount; x = x[laneCount:] {
		for i, v := range x[:laneCount] {
			l[i] += v
		}
	}
	for i, v := range x {
		l[i] += v
	}
	return l.total()
}

// rowDot is Σ x·y, over the elements of x.
func rowDot(x, y []float32) float32 {
	var l lanes
	for i, v := range x {
		l[i%laneCount] += float32(v * y[i])
	}
	return l.total()
}

// rowVariance is Σ (x − mean)².
func rowVariance(x []float32, mean float32) float32 {
	var l lanes
	for i, v := range x {
		d := v - mean
		l[i%laneCount] += float32(d * d)
	}
	return l.total()
}
