package kernel

import "math"

// The constants of GELUTanh.
const (
	geluScale = math.Sqrt2 / math.SqrtPi // √(2/π)
	geluCubic = 0.044715
)

// activate is an activation of one number, in float64 and rounded once: the reference of the kernels.
func activate(a Activation, x float32) float32 {
	v := float64(x)
	switch a {
	case ReLU:
		return relu(x, x)
	case GELU:
		return float32(v * normalCDF(v))
	case GELUTanh:
		return float32(v * sigmoid(geluArgument(v)))
	case SiLU:
		return float32(v * sigmoid(v))
	case Sigmoid:
		return float32(sigmoid(v))
	case Tanh:
		return float32(math.Tanh(v))
	case Softplus:
		return float32(max(v, 0) + math.Log1p(math.Exp(-math.Abs(v))))
	case Exp:
		return float32(math.Exp(v))
	}
	return x
}

// activateGrad is dy times the derivative of an activation, at the input x or the output y as GradFromOutput says.
func activateGrad(a Activation, dy, xy float32) float32 {
	d, v := float64(dy), float64(xy)
	switch a {
	case ReLU:
		return relu(xy, dy)
	case GELU:
		return float32(d * (normalCDF(v) + v*math.Exp(-v*v/2)/(math.SqrtPi*math.Sqrt2)))
	case GELUTanh:
		// x·σ(u) with u = 2√(2/π)·(x + c·x³)
		s := sigmoid(geluArgument(v))
		return float32(d * (s + v*s*sigmoid(-geluArgument(v))*2*geluScale*(1+3*geluCubic*v*v)))
	case SiLU:
		return float32(d * sigmoid(v) * (1 + v*sigmoid(-v)))
	case Sigmoid:
		return float32(d * v * (1 - v))
	case Tanh:
		return float32(d * (1 - v*v))
	case Softplus:
		return float32(d * sigmoid(v))
	case Exp:
		return dy * xy
	}
	return dy
}

// relu is y where x is positive or not a number, else 0.
func relu(x, y float32) float32 {
	if x <= 0 {
		return 0
	}
	return y
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
