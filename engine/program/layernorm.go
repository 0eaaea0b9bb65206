package program

import (
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// LayerNorm returns (x − mean)/√(variance + eps)·gain + bias over the last axis. gain and bias may be nil, bias also alone.
func (p *Program) LayerNorm(x, gain, bias *Value, eps float32) *Value {
	return p.apply1(layerNorm{eps, gain != nil, bias != nil}, present(x, gain, bias)...)
}

// present leaves out operands that are not there.
func present(values ...*Value) []*Value {
	var list []*Value
	for _, v := range values {
		if v != nil {
			list = append(list, v)
		}
	}
	return list
}

// layerNorm makes y, and each row's mean and 1/√(variance + eps). Operands: x, gain and bias where they are there.
type layerNorm struct {
	eps        float32
	gain, bias bool
}

func (layerNorm) Name() string { return "layer-norm" }

func (o layerNorm) Attributes() string { return fmt.Sprintf("eps=%g", o.eps) }

func (o layerNorm) Infer(in []tensor.Type) ([]tensor.Type, error) {
	rows, err := normShapes(in)
	return []tensor.Type{in[0], tensor.F32(rows), tensor.F32(rows)}, err
}

// normShapes checks vectors as long as a row behind x.
func normShapes(in []tensor.Type) (rows tensor.Dim, err error) {
	rows, ok := in[0].Shape.Rows()
	if !ok || in[0].DType != tensor.Float32 {
		return rows, fmt.Errorf("%s has no rows", in[0])
	}
	for _, t := range in[1:] {
		if want := tensor.F32(in[0].Shape.Cols()); !t.Equal(want) {
			return rows, fmt.Errorf("a vector %s for rows of %s, expected %s", t, in[0], want)
		}
	}
	return rows, nil
}

func (layerNorm) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: 8 * float64(in[0].Shape.Len())} }

func (layerNorm) Traits() Traits { return Traits{RowWise: true} }

// vectors returns the data of gain and bias, nil where there is none.
func (o layerNorm) vectors(in []*tensor.Tensor) (gain, bias []float32) {
	next := 1
	if o.gain {
		gain = in[next].Float32s()
		next++
	}
	if o.bias {
		bias = in[next].Float32s()
	}
	return gain, bias
}

func (o layerNorm) Kernel() Kernel {
	k := &kernel.LayerNorm{Eps: o.eps}
	return KernelFunc(func(c *Call) error {
		k.Dst, k.Mean, k.RStd, k.X = c.Out[0].Float32s(), c.Out[1].Float32s(), c.Out[2].Float32s(), c.In[0].Float32s()
		k.Gain, k.Bias = o.vectors(c.In)
		k.Rows, k.Cols = rowsCols(c.In[0])
		k.Run(c.Pool)
		return nil
	})
}

func (o layerNorm) Gradient(d *Derivative) {
	in := []*Value{d.OutGrad[0], d.In[0], d.Out[1], d.Out[2]}
	if o.gain {
		in = append(in, d.In[1])
	}
	out := d.P.Apply(layerNormGrad{o.gain, o.bias}, in...)
	copy(d.InGrad, out)
}

func (o layerNorm) Reference(c *ReferenceCall) {
	x := c.In[0]
	for i := range x.Rows() {
		row, n := x.Row(i), float64(x.Cols())
		var mean, variance float64
		for _, v := range row {
			mean += v / n
		}
		for _, v := range row {
			variance += (v - mean) * (v - mean) / n
		}
		rstd := 1 / math.Sqrt(variance+float64(o.eps))
		c.Out[1].X[i], c.Out[2].X[i] = mean, rstd
		for j, v := range row {
			y := (v - mean) * rstd
			next := 1
			if o.gain {
				y *= c.In[next].X[j]
				next++
			}
			if o.bias {
				y += c.In[next].X[j]
			}
			c.Out[0].Row(i)[j] = y
		}
	}
}

// layerNormGrad makes dx, and dgain and dbias where they are there, with x̂ = (x − mean)·rstd and g = dy·gain:
//
//	dx = rstd·(g − mean(g) − x̂·mean(g·x̂)),  dgain = Σ_rows dy·x̂,  dbias = Σ_rows dy
//
// Operands: dy, x, mean, rstd, and gain where it is there.
type layerNormGrad struct{ gain, bias bool }

func (layerNormGrad) Name() string { return "layer-norm-grad" }

func (o layerNormGrad) Infer(in []tensor.Type) ([]tensor.Type, error) {
	out := []tensor.Type{in[1]}
	vector := tensor.F32(in[1].Shape.Cols())
	if o.gain {
		out = append(out, vector)
	}
	if o.bias {
		out = append(out, vector)
	}
	return out, nil
}

func (layerNormGrad) Cost(in, _ []tensor.Type) Cost {
	return Cost{Flops: 14 * float64(in[0].Shape.Len())}
}

func (layerNormGrad) Traits() Traits { return Traits{InPlace: []int{0}} }

func (o layerNormGrad) ScratchBytes(in, _ []tensor.Type, workers int) int {
	var k kernel.LayerNormGrad
	k.Rows, k.Cols = matrix(in[1])
	if o.gain {
		k.DGain = make([]float32, k.Cols)
	}
	if o.bias {
		k.DBias = make([]float32, k.Cols)
	}
	return k.ScratchBytes(workers)
}

func (o layerNormGrad) Kernel() Kernel {
	var k kernel.LayerNormGrad
	return KernelFunc(func(c *Call) error {
		k.DY, k.X, k.Mean, k.RStd, k.DX = c.In[0].Float32s(), c.In[1].Float32s(), c.In[2].Float32s(), c.In[3].Float32s(), c.Out[0].Float32s()
		next := 1
		if o.gain {
			k.Gain, k.DGain = c.In[4].Float32s(), c.Out[next].Float32s()
			next++
		}
		if o.bias {
			k.DBias = c.Out[next].Float32s()
		}
		k.Rows, k.Cols = rowsCols(c.In[1])
		k.Run(c.Pool)
		return nil
	})
}

func (o layerNormGrad) Reference(c *ReferenceCall) {
	dy, x := c.In[0], c.In[1]
	n := float64(x.Cols())
	for i := range x.Rows() {
		mean, rstd := c.In[2].X[i], c.In[3].X[i]
		var sum, dot float64 // of g, and of g·x̂
		for j, v := range dy.Row(i) {
			xhat := (x.Row(i)[j] - mean) * rstd
			g := v
			next := 1
			if o.gain {
				g *= c.In[4].X[j]
				c.Out[next].X[j] += v * xhat
				next++
			}
			if o.bias {
				c.Out[next].X[j] += v
			}
			sum += g
			dot += g * xhat
		}
		for j, v := range dy.Row(i) {
			if o.gain {
				v *= c.In[4].X[j]
			}
			xhat := (x.Row(i)[j] - mean) * rstd
			c.Out[0].Row(i)[j] = rstd * (v - sum/n - xhat*dot/n)
		}
	}
}
