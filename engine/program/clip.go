package program

import (
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// ClipNorm returns the norm of all gradients together, and the factor min(1, most/(norm + 1e-6)) that brings it down to
// most: the scale of updates (torch.nn.utils.clip_grad_norm_).
func (p *Program) ClipNorm(most float64, grads ...*Value) (norm, scale *Value) {
	out := p.Apply(clipNorm{most}, grads...)
	return out[0].Named("grad-norm"), out[1]
}

type clipNorm struct{ most float64 }

func (clipNorm) Name() string { return "clip-norm" }

func (o clipNorm) Attributes() string { return fmt.Sprintf("most=%g", o.most) }

func (o clipNorm) Infer(in []tensor.Type) ([]tensor.Type, error) {
	if !(o.most > 0) || len(in) == 0 {
		return nil, fmt.Errorf("%d gradients clipped to the norm %g", len(in), o.most)
	}
	return []tensor.Type{tensor.F32(), tensor.F32()}, nil
}

func (clipNorm) Cost(in, _ []tensor.Type) Cost {
	var c Cost
	for _, t := range in {
		c.Flops += 2 * float64(t.Shape.Len())
	}
	return c
}

func (clipNorm) ScratchBytes(in, _ []tensor.Type, _ int) int {
	most := 0
	for _, t := range in {
		most = max(most, kernel.SumScratchBytes(t.Shape.Len()))
	}
	return most
}

func (o clipNorm) Kernel() Kernel {
	k := &kernel.SumSquares{Dst: make([]float32, 1)}
	return KernelFunc(func(c *Call) error {
		var sum float64
		for _, g := range c.In {
			k.X = g.Float32s()
			k.Run(c.Pool)
			sum += float64(k.Dst[0])
		}
		norm := math.Sqrt(sum)
		c.Out[0].Float32s()[0] = float32(norm)
		c.Out[1].Float32s()[0] = float32(min(1, o.most/(norm+1e-6)))
		return nil
	})
}

func (o clipNorm) Reference(c *ReferenceCall) {
	var sum float64
	for _, g := range c.In {
		for _, x := range g.X {
			sum += x * x
		}
	}
	c.Out[0].X[0] = math.Sqrt(sum)
	c.Out[1].X[0] = min(1, o.most/(math.Sqrt(sum)+1e-6))
}
