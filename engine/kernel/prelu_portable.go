package kernel

// preluRow computes a row of PReLU; slope has one element or as many as x.
func preluRow(_ Level, dst, x, slope []float32) {
	for i, v := range x {
		if !(v > 0) {
			v *= slope[i%len(slope)]
		}
		dst[i] = v
	}
}

// preluGradRow computes a row of the derivative of PReLU and adds what it gives to the derivative of the slopes to acc.
func preluGradRow(_ Level, dx, dy, x, slope, acc []float32) {
	for i, v := range x {
		d := dy[i]
		if !(v > 0) {
			acc[i] += float32(v * d)
			d *= slope[i%len(slope)]
		}
		dx[i] = d
	}
}
