package kernel

// preluElements is the portable preluRow.
func preluElements(dst, x, slope []float32) {
	for i, v := range x {
		if !(v > 0) {
			v *= slope[i%len(slope)]
		}
		dst[i] = v
	}
}

// preluGradElements is the portable preluGradRow.
func preluGradElements(dx, acc, dy, x, slope []float32) {
	for i, v := range x {
		d := dy[i]
		if !(v > 0) {
			acc[i] += float32(v * d)
			d *= slope[i%len(slope)]
		}
		dx[i] = d
	}
}
