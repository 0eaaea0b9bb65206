package program

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Dropout sets elements to zero with probability rate and divides the others by 1 − rate. The mask is keyed by seed, step
// and the path of the layer that asks, so the backward pass makes it again instead of keeping it.
func (p *Program) Dropout(x *Value, rate float64) *Value {
	if rate == 0 {
		return x
	}
	if !(rate > 0 && rate < 1) {
		p.Fail("dropout with the rate %g, expected 0 ≤ rate < 1", rate)
	}
	return p.apply1(dropout{rate, stream(p.nextName("dropout"))}, x)
}

// nextName is the full name that the next value called name would get.
func (p *Program) nextName(name string) string {
	if len(p.scope) > 0 {
		name = p.path() + "." + name
	}
	full := name
	for i := 2; p.find(full) != nil; i++ {
		full = fmt.Sprintf("%s.%d", name, i)
	}
	return full
}

// dropout is y = x·mask / (1 − rate).
type dropout struct {
	rate   float64
	stream uint64
}

func (dropout) Name() string { return "dropout" }

func (o dropout) Attributes() string { return fmt.Sprintf("rate=%g", o.rate) }

// Stream is the stream of the mask.
func (o dropout) Stream() uint64 { return o.stream }

func (dropout) Infer(in []tensor.Type) ([]tensor.Type, error) { return sameType(in) }

func (dropout) Cost(in, _ []tensor.Type) Cost { return Cost{Flops: 12 * float64(in[0].Shape.Len())} }

func (dropout) Traits() Traits { return Traits{RowWise: true, InPlace: []int{0}} }

func (o dropout) Kernel() Kernel { return runElements(o) }

func (o dropout) elements() elementKernel {
	k := &kernel.Dropout{P: o.rate}
	return func(e *elements) {
		k.Dst, k.X, k.Offset = e.dst, e.in[0], uint64(e.offset)
		k.Key = e.key
		k.Key.Stream = o.stream
		k.Run(e.pool)
	}
}

func (o dropout) Gradient(d *Derivative) { d.InGrad[0] = d.P.apply1(o, d.OutGrad[0]) }

func (o dropout) Reference(c *ReferenceCall) {
	mask := make([]float32, len(c.In[0].X))
	for i := range mask {
		mask[i] = 1
	}
	(&kernel.Dropout{Dst: mask, X: mask, P: o.rate, Key: c.Key}).Run(nil)
	for i, x := range c.In[0].X {
		c.Out[0].X[i] = 0
		if mask[i] != 0 {
			c.Out[0].X[i] = x / (1 - o.rate)
		}
	}
}
