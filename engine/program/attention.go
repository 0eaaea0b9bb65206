package program

import (
	"fmt"
	"math"
	"strings"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Attention is what p.Attention needs to know beside its operand.
type Attention struct {
	Heads, KVHeads int
	Causal         bool
	Dropout        float64 // rate on the probabilities
	BF16           bool
}

// Attention returns softmax(q·kᵀ/√d)·v for every sequence and head. qkv is (sequences, length, (Heads + 2·KVHeads)·d): of each
// token the queries of all heads, then keys, then values; query head h uses key-value head h·KVHeads/Heads. The result
// is (sequences, length, Heads·d). Neither pass stores length × length.
func (p *Program) Attention(qkv *Value, a Attention) *Value {
	op := attention{Attention: a, stream: stream(p.nextName("attention"))}
	return p.apply1(op, qkv)
}

// attention makes the output and each query's log-sum-exp.
type attention struct {
	Attention
	stream uint64
}

func (attention) Name() string { return "attention" }

func (o attention) Attributes() string {
	parts := []string{fmt.Sprintf("heads=%d kv-heads=%d", o.Heads, o.KVHeads)}
	if o.Causal {
		parts = append(parts, "causal")
	}
	if o.Dropout > 0 {
		parts = append(parts, fmt.Sprintf("dropout=%g", o.Dropout))
	}
	if o.BF16 {
		parts = append(parts, "bf16")
	}
	return strings.Join(parts, " ")
}

// Stream is the stream of the dropout mask.
func (o attention) Stream() uint64 { return o.stream }

// headDim is the width of a head, 0 when the operand's width does not divide.
func (o attention) headDim(width int) int {
	n := o.Heads + 2*o.KVHeads
	if o.Heads < 1 || o.KVHeads < 1 || o.Heads%o.KVHeads != 0 || width%n != 0 {
		return 0
	}
	return width / n
}

func (o attention) Infer(in []tensor.Type) ([]tensor.Type, error) {
	s := in[0].Shape
	if len(s) != 3 || in[0].DType != tensor.Float32 || s[2].Symbol != "" || o.headDim(s[2].Size) == 0 {
		return nil, fmt.Errorf("queries, keys and values %s for %d heads and %d key-value heads, expected (sequences, length, (heads + 2·kv-heads)·d)", in[0], o.Heads, o.KVHeads)
	}
	if s[0].Symbol != "" && s[1].Symbol != "" {
		return nil, fmt.Errorf("%s: either sequences or length may be symbolic, not both", in[0])
	}
	var k kernel.Attention
	o.fill(&k, tensor.New(in[0]).Dims)
	if err := k.CheckSizes(); err != nil {
		return nil, fmt.Errorf("%s: %w", in[0], err)
	}
	width := tensor.Fixed(o.Heads * o.headDim(s[2].Size))
	return []tensor.Type{tensor.F32(s[0], s[1], width), tensor.F32(s[0], tensor.Fixed(o.Heads), s[1])}, nil
}

// pairs is the number of products of a query with a key, heads counted.
func (o attention) pairs(s tensor.Shape) float64 {
	n := float64(s[0].Size) * float64(o.Heads) * float64(s[1].Size) * float64(s[1].Size)
	if o.Causal {
		n /= 2
	}
	return n
}

func (o attention) Cost(in, _ []tensor.Type) Cost {
	s := in[0].Shape
	c := Cost{Flops: o.pairs(s) * (4*float64(o.headDim(s[2].Size)) + 10)}
	if o.BF16 {
		c.FlopsBF16 = c.Flops
	}
	return c
}

// fill sets sizes and strides of a kernel for queries, keys and values of the given sizes.
func (o attention) fill(k *kernel.Attention, dims []int) {
	width := dims[2]
	d := o.headDim(width)
	k.QStride, k.KStride, k.VStride = width, width, width
	k.Batch, k.Seq, k.Heads, k.KVHeads, k.HeadDim = dims[0], dims[1], o.Heads, o.KVHeads, d
	k.Scale = float32(1 / math.Sqrt(float64(d)))
	k.Causal, k.BF16, k.DropoutP = o.Causal, o.BF16, o.Dropout
	k.OutStride = o.Heads * d
}

// bind sets operand and key of a kernel.
func (o attention) bind(k *kernel.Attention, qkv *tensor.Tensor, key kernel.Key) {
	o.fill(k, qkv.Dims)
	x := qkv.Float32s()
	k.Q, k.K, k.V, k.Key = x, x[o.Heads*k.HeadDim:], x[(o.Heads+o.KVHeads)*k.HeadDim:], key
}

func (o attention) ScratchBytes(in, _ []tensor.Type, workers int) int {
	var k kernel.Attention
	o.fill(&k, tensor.New(in[0]).Dims)
	return k.ScratchBytes(workers)
}

func (o attention) Kernel() Kernel {
	var k kernel.Attention
	return KernelFunc(func(c *Call) error {
		o.bind(&k, c.In[0], c.Key)
		k.Out, k.LSE = c.Out[0].Float32s(), c.Out[1].Float32s()
		k.Run(c.Pool)
		return nil
	})
}

func (o attention) Gradient(d *Derivative) {
	d.InGrad[0] = d.P.apply1(attentionGrad{o}, d.In[0], d.Out[0], d.Out[1], d.OutGrad[0])
}

// keep returns the factor of the probability of key j for query i: 1, or 0 or 1/(1 − rate) under dropout, decided by the
// random word that kernel.Attention documents.
func (o attention) keep(random kernel.Sequence, head, i, j int) float64 {
	if o.Dropout == 0 {
		return 1
	}
	word := uint64(head)<<40 | uint64(i)<<20 | uint64(j)
	if float64(random.Block(word / 4)[word%4]) < math.Round(o.Dropout*(1<<32)) {
		return 0
	}
	return 1 / (1 - o.Dropout)
}

func (o attention) Reference(c *ReferenceCall) {
	qkv := c.In[0]
	o.probabilities(qkv, c.Key, func(b, h, i int, p, kept []float64, lse float64) {
		length := qkv.Dims[1]
		c.Out[1].X[(b*o.Heads+h)*length+i] = lse
		d := o.headDim(qkv.Dims[2])
		y := c.Out[0].Row(b*length + i)[h*d : (h+1)*d]
		for j := range p {
			v := o.head(qkv, b, j, 2, h)
			for x := range y {
				y[x] += p[j] * kept[j] * v[x]
			}
		}
	})
}

// head returns the part of a token that head h has as query (0), key (1) or value (2).
func (o attention) head(qkv *Array, b, token, which, h int) []float64 {
	d := o.headDim(qkv.Dims[2])
	at := h
	if which > 0 {
		at = o.Heads + (which-1)*o.KVHeads + h*o.KVHeads/o.Heads
	}
	return qkv.Row(b*qkv.Dims[1] + token)[at*d : (at+1)*d]
}

// probabilities calls f for every query with its probabilities before dropout, dropout's factors, and the log-sum-exp.
func (o attention) probabilities(qkv *Array, key kernel.Key, f func(b, h, i int, p, kept []float64, lse float64)) {
	length := qkv.Dims[1]
	scale := 1 / math.Sqrt(float64(o.headDim(qkv.Dims[2])))
	random := key.Sequence()
	for b := range qkv.Dims[0] {
		for h := range o.Heads {
			for i := range length {
				n := length
				if o.Causal {
					n = i + 1
				}
				p, kept := make([]float64, n), make([]float64, n)
				top := math.Inf(-1)
				for j := range p {
					q, k := o.head(qkv, b, i, 0, h), o.head(qkv, b, j, 1, h)
					for x := range q {
						p[j] += q[x] * k[x] * scale
					}
					top = max(top, p[j])
					kept[j] = o.keep(random, b*o.Heads+h, i, j)
				}
				var s float64
				for j := range p {
					p[j] = math.Exp(p[j] - top)
					s += p[j]
				}
				for j := range p {
					p[j] /= s
				}
				f(b, h, i, p, kept, top+math.Log(s))
			}
		}
	}
}

// attentionGrad makes dqkv. Operands: qkv, output, log-sum-exp, doutput.
type attentionGrad struct{ attention }

func (attentionGrad) Name() string { return "attention-grad" }

func (attentionGrad) Infer(in []tensor.Type) ([]tensor.Type, error) { return in[:1:1], nil }

func (o attentionGrad) Cost(in, _ []tensor.Type) Cost {
	s := in[0].Shape
	c := Cost{Flops: o.pairs(s) * (10*float64(o.headDim(s[2].Size)) + 14)}
	if o.BF16 {
		c.FlopsBF16 = c.Flops
	}
	return c
}

func (o attentionGrad) ScratchBytes(in, _ []tensor.Type, workers int) int {
	var k kernel.AttentionGrad
	o.fill(&k.Attention, tensor.New(in[0]).Dims)
	return k.ScratchBytes(workers)
}

func (o attentionGrad) Kernel() Kernel {
	var k kernel.AttentionGrad
	return KernelFunc(func(c *Call) error {
		qkv, dqkv := c.In[0], c.Out[0].Float32s()
		o.bind(&k.Attention, qkv, c.Key)
		k.Out, k.LSE, k.DOut = c.In[1].Float32s(), c.In[2].Float32s(), c.In[3].Float32s()
		d, width := k.HeadDim, qkv.Dims[2]
		k.DQ, k.DK, k.DV = dqkv, dqkv[o.Heads*d:], dqkv[(o.Heads+o.KVHeads)*d:]
		k.DQStride, k.DKStride, k.DVStride, k.DOutStride = width, width, width, o.Heads*d
		k.Run(c.Pool)
		return nil
	})
}

func (o attentionGrad) Gradient(d *Derivative) { d.P.Fail("attention has no second derivative") }

func (o attentionGrad) Reference(c *ReferenceCall) {
	qkv, dqkv := c.In[0], c.Out[0]
	length, width := qkv.Dims[1], o.headDim(qkv.Dims[2])
	scale := 1 / math.Sqrt(float64(width))
	o.probabilities(qkv, c.Key, func(b, h, i int, p, kept []float64, _ float64) {
		dy := c.In[3].Row(b*length + i)[h*width : (h+1)*width]
		out := c.In[1].Row(b*length + i)[h*width : (h+1)*width]
		dp := make([]float64, len(p))
		var dot float64 // Σ p_j dp_j, which is dy · out: where one p_j is near 1 its rounding is what remains of dp_j − dot
		for x := range dy {
			dot += dy[x] * out[x]
		}
		for j := range p {
			v, dv := o.head(qkv, b, j, 2, h), o.head(dqkv, b, j, 2, h)
			for x := range dy {
				dv[x] += p[j] * kept[j] * dy[x]
				dp[j] += dy[x] * v[x] * kept[j]
			}
		}
		q, dq := o.head(qkv, b, i, 0, h), o.head(dqkv, b, i, 0, h)
		for j := range p {
			ds := p[j] * (dp[j] - dot) * scale
			k, dk := o.head(qkv, b, j, 1, h), o.head(dqkv, b, j, 1, h)
			for x := range q {
				dq[x] += ds * k[x]
				dk[x] += ds * q[x]
			}
		}
	})
}
