package program

import (
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Activate applies an activation to every element.
func (p *Program) Activate(x *Value, act kernel.Activation) *Value {
	if act == kernel.Identity {
		return x
	}
	return p.apply1(mapping{act}, x)
}

// mapping is y = act(x).
type mapping struct{ act kernel.Activation }

func (o mapping) Name() string { return o.act.String() }

func (mapping) Infer(in []tensor.Type) ([]tensor.Type, error) { return sameType(in) }

func (mapping) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: 8 * float64(in[0].Shape.Len())} }

func (mapping) Traits() Traits { return Traits{RowWise: true, InPlace: []int{0}} }

func (o mapping) Kernel() Kernel { return runElements(o) }

func (o mapping) elements() elementKernel {
	k := &kernel.Map{Act: o.act}
	return func(e *elements) {
		k.Dst, k.X = e.dst, e.in[0]
		k.Run(e.pool)
	}
}

func (o mapping) Gradient(d *Derivative) {
	from := d.In[0]
	if o.act.GradFromOutput() {
		from = d.Out[0]
	}
	d.InGrad[0] = d.P.apply1(mapGrad(o), d.OutGrad[0], from)
}

func (o mapping) Reference(c *ReferenceCall) {
	for i, x := range c.In[0].X {
		c.Out[0].X[i] = activate64(o.act, x)
	}
}

// mapGrad is dx = dy·act'(x). Operands: dy, and x or act(x), whichever the derivative is computed from.
type mapGrad struct{ act kernel.Activation }

func (o mapGrad) Name() string { return o.act.String() + "-grad" }

func (mapGrad) Infer(in []tensor.Type) ([]tensor.Type, error) { return sameType(in) }

func (mapGrad) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: 10 * float64(in[0].Shape.Len())} }

func (mapGrad) Traits() Traits { return Traits{RowWise: true, InPlace: []int{0}} }

func (o mapGrad) Kernel() Kernel { return runElements(o) }

func (o mapGrad) elements() elementKernel {
	k := &kernel.MapGrad{Act: o.act}
	return func(e *elements) {
		k.DX, k.DY = e.dst, e.in[0]
		if o.act.GradFromOutput() {
			k.Y = e.in[1]
		} else {
			k.X = e.in[1]
		}
		k.Run(e.pool)
	}
}

func (o mapGrad) Reference(c *ReferenceCall) {
	for i, dy := range c.In[0].X {
		c.Out[0].X[i] = dy * derivative64(o.act, c.In[1].X[i])
	}
}

// activate64 is the definition of the activations.
func activate64(act kernel.Activation, x float64) float64 {
	switch act {
	case kernel.ReLU:
		return max(x, 0)
	case kernel.GELU:
		return x * normalCDF(x)
	case kernel.GELUTanh:
		return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	case kernel.SiLU:
		return x * sigmoid64(x)
	case kernel.Sigmoid:
		return sigmoid64(x)
	case kernel.Tanh:
		return math.Tanh(x)
	case kernel.Softplus:
		return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
	case kernel.Exp:
		return math.Exp(x)
	}
	return x
}

// derivative64 is the derivative at x, or where the derivative is a function of the output, at the output.
func derivative64(act kernel.Activation, x float64) float64 {
	switch act {
	case kernel.ReLU:
		if x > 0 {
			return 1
		}
		return 0
	case kernel.GELU:
		return normalCDF(x) + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
	case kernel.GELUTanh:
		a := math.Sqrt(2 / math.Pi)
		t := math.Tanh(a * (x + 0.044715*x*x*x))
		return 0.5*(1+t) + 0.5*x*(1-t*t)*a*(1+3*0.044715*x*x)
	case kernel.SiLU:
		s := sigmoid64(x)
		return s * (1 + x*(1-s))
	case kernel.Sigmoid:
		return x * (1 - x)
	case kernel.Tanh:
		return 1 - x*x
	case kernel.Softplus:
		return sigmoid64(x)
	case kernel.Exp:
		return x
	}
	return 1
}

func normalCDF(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

func sigmoid64(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
