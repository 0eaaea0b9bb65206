//go:build !amd64

package kernel

// activateRow computes dst = act(x). dst and x have the same length and may be the same slice.
func activateRow(_ Level, act Activation, dst, x []float32) { activateElements(act, dst, x) }

// activateGradRow computes dx = dy·act′, where xy is the input or the output of act as GradFromOutput says. All have the
// same length; dx may be the same slice as dy or xy.
func activateGradRow(_ Level, act Activation, dx, dy, xy []float32) {
	activateGradElements(act, dx, dy, xy)
}
