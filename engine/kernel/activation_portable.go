package kernel

import "math"

// reach is beyond where GELU, GELUTanh and SiLU are 0 or x in float32. It bounds x, so that ∞ has the limit of the function
// and not ∞·0.
const reach = 200

// The constants of GELUTanh.
const (
	geluScale = math.Sqrt2 / math.SqrtPi // √(2/π)
	geluCubic = 0.044715
)

// activateElements is the portable activateRow.
func activateElements(act Activation, dst, x []float32) {
	for i, v := range x {
		dst[i] = activate(act, v)
	}
}

// activateGradElements is the portable activateGradRow.
func activateGradElements(act Activation, dx, dy, xy []float32) {
	for i, d := range dy {
		dx[i] = activateGrad(act, d, xy[i])
	}
}

// activate is an activation of one number, in float64 and rounded once.
func activate(a Activation, x float32) float32 {
	if a == ReLU {
		return relu(x, x)
	}
	return float32(activation(a, float64(x)))
}

// activateGrad is dy times the derivative of an activation, at the input x or the output y as GradFromOutput says.
func activateGrad(a Activation, dy, xy float32) float32 {
	if a == ReLU {
		return relu(xy, dy)
	}
	return float32(float64(dy) * derivative(a, float64(xy)))
}

// relu is y where x is positive or not a number, else 0.
func relu(x, y float32) float32 {
	if x <= 0 {
		return 0
	}
	return y
}

// activation is the value of an activation, the reference of the kernels.
func activation(a Activation, x float64) float64 {
	switch a {
	case ReLU:
		return max(x, 0)
	case GELU:
		x = max(x, -reach)
		return x * normalCDF(x)
	case GELUTanh:
		x = max(x, -reach)
		return x * sigmoid(geluArgument(x))
	case SiLU:
		x = max(x, -reach)
		return x * sigmoid(x)
	case Sigmoid:
		return sigmoid(x)
	case Tanh:
		return math.Tanh(x)
	case Softplus:
		return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
	case Exp:
		return math.Exp(x)
	}
	return x
}

// derivative is the derivative of an activation at v, the input or the output as GradFromOutput says.
func derivative(a Activation, v float64) float64 {
	x, y := max(min(v, reach), -reach), v
	switch a {
	case ReLU:
		if y <= 0 {
			return 0
		}
	case GELU: // Φ(x) + x·φ(x)
		return normalCDF(x) + x*math.Exp(-x*x/2)/(math.SqrtPi*math.Sqrt2)
	case GELUTanh: // σ(u)·(1 + x·σ(−u)·u′)
		u := geluArgument(x)
		return sigmoid(u) * (1 + x*sigmoid(-u)*2*geluScale*(1+3*geluCubic*x*x))
	case SiLU:
		return sigmoid(x) * (1 + x*sigmoid(-x))
	case Sigmoid:
		return y * (1 - y)
	case Tanh:
		return 1 - y*y
	case Softplus:
		return sigmoid(v)
	case Exp:
		return y
	}
	return 1
}

// sigmoid is σ(x) = 1/(1 + e^−x), and e^x/(1 + e^x) where e^−x could overflow.
func sigmoid(x float64) float64 {
	if x < 0 {
		return math.Exp(x) / (1 + math.Exp(x))
	}
	return 1 / (1 + math.Exp(-x))
}

// normalCDF is Φ(x), the distribution function of the normal distribution.
func normalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// geluArgument is u of GELUTanh = x·σ(u): ½(1 + tanh(u/2)) = σ(u).
func geluArgument(x float64) float64 { return 2 * geluScale * (x + geluCubic*x*x*x) }
