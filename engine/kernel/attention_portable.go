package kernel

import "math"

// attentionTask is Attention as the task of the portable kernel: a unit is a head of a sequence.
type attentionTask Attention

// Do computes the heads lo to hi, counted through the batch.
func (t *attentionTask) Do(_, lo, hi int) {
	a := (*Attention)(t)
	for unit := lo; unit < hi; unit++ {
		for i := range a.Seq {
			a.row(unit/a.Heads, unit%a.Heads, i)
		}
	}
}

// row computes query i of a head: key tile after key tile, with the maximum and the sum of what has been seen.
func (a *Attention) row(sequence, head, i int) {
	kv := head / (a.Heads / a.KVHeads)
	q := a.from(a.Q, a.QStride, sequence, i, head)[:a.HeadDim]
	out := a.from(a.Out, a.OutStride, sequence, i, head)[:a.HeadDim]
	clear(out)
	// A finite start, so that −∞ − top is no NaN in a tile whose scores are all −∞.
	top, sum := float32(-math.MaxFloat32), float32(0)
	var factor, buffer [attentionTile]float32
	for j0 := 0; j0 < a.visible(i); j0 += attentionTile {
		a.dropFactors(&factor, sequence, head, i, j0)
		s := buffer[:min(attentionTile, a.visible(i)-j0)]
		next := top
		for j := range s {
			s[j] = a.dot(q, a.from(a.K, a.KStride, sequence, j0+j, kv))
			next = max(next, float32(a.Scale*s[j]))
		}
		shrink := exp(top - next)
		sum *= shrink
		for d := range out {
			out[d] *= shrink
		}
		top = next
		for j, x := range s {
			p := exp(float32(a.Scale*x) - top)
			sum += p
			a.addTo(out, p*factor[j], a.from(a.V, a.VStride, sequence, j0+j, kv))
		}
	}
	for d := range out {
		out[d] *= 1 / sum
	}
	if a.LSE != nil {
		a.lse(sequence, head)[i] = top + logOfSum(sum)
	}
}

// attentionGradTask is AttentionGrad as the task of the portable kernel: a unit is a key-value head of a sequence.
type attentionGradTask AttentionGrad

// Do computes the key-value heads lo to hi, counted through the batch.
func (t *attentionGradTask) Do(_, lo, hi int) {
	g := (*AttentionGrad)(t)
	group := g.Heads / g.KVHeads
	for unit := lo; unit < hi; unit++ {
		sequence, kv := unit/g.KVHeads, unit%g.KVHeads
		for j := range g.Seq {
			clear(g.from(g.DK, g.DKStride, sequence, j, kv)[:g.HeadDim])
			clear(g.from(g.DV, g.DVStride, sequence, j, kv)[:g.HeadDim])
		}
		for head := kv * group; head < (kv+1)*group; head++ {
			for i := range g.Seq {
				g.row(sequence, head, i)
			}
		}
	}
}

// row computes the gradient of query i of a head and adds its part of the gradients of the keys and values.
func (g *AttentionGrad) row(sequence, head, i int) {
	kv := head / (g.Heads / g.KVHeads)
	q := g.from(g.Q, g.QStride, sequence, i, head)[:g.HeadDim]
	out := g.from(g.Out, g.OutStride, sequence, i, head)[:g.HeadDim]
	dOut := g.from(g.DOut, g.DOutStride, sequence, i, head)[:g.HeadDim]
	dq := g.from(g.DQ, g.DQStride, sequence, i, head)[:g.HeadDim]
	clear(dq)
	lse := g.lse(sequence, head)[i]
	var d float32
	for e := range out {
		d += float32(g.operand(dOut[e]) * out[e])
	}
	var factor [attentionTile]float32
	for j := range g.visible(i) {
		if j%attentionTile == 0 {
			g.dropFactors(&factor, sequence, head, i, j)
		}
		f := factor[j%attentionTile]
		k := g.from(g.K, g.KStride, sequence, j, kv)[:g.HeadDim]
		v := g.from(g.V, g.VStride, sequence, j, kv)[:g.HeadDim]
		p := exp(float32(g.Scale*g.dot(q, k)) - lse)
		ds := p * (float32(g.Scale*f*g.dot(dOut, v)) - float32(g.Scale*d))
		g.addTo(g.from(g.DV, g.DVStride, sequence, j, kv)[:g.HeadDim], p*f, dOut)
		g.addTo(g.from(g.DK, g.DKStride, sequence, j, kv)[:g.HeadDim], ds, q)
		g.addTo(dq, ds, k)
	}
}

// dot is Σ_d x_d y_d over the head dimension, of operands rounded to bfloat16 when a says so.
func (a *Attention) dot(x, y []float32) float32 {
	var s float32
	for d := range a.HeadDim {
		s += float32(a.operand(x[d]) * a.operand(y[d]))
	}
	return s
}

// addTo adds p·x to dst.
func (a *Attention) addTo(dst []float32, p float32, x []float32) {
	p = a.operand(p)
	for d := range dst {
		dst[d] += float32(p * a.operand(x[d]))
	}
}

// operand is what a product reads of x.
func (a *Attention) operand(x float32) float32 {
	if a.BF16 {
		return f32FromBF16(bf16FromF32(x))
	}
	return x
}

// dropFactors sets f to what the probabilities of query i and the keys from j on are multiplied by.
func (a *Attention) dropFactors(f *[attentionTile]float32, sequence, head, i, j int) {
	for l := range f {
		f[l] = 1
	}
	if a.DropoutP > 0 {
		a.drop.row(Generic, f[:], f[:], dropElement(sequence*a.Heads+head, i, j))
	}
}
