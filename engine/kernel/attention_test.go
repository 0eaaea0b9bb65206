package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seraph-ml/seraph/internal/race"
)

// attention64 is attention in float64, by its formulas: operands are (Batch, Seq, heads, HeadDim) without gaps.
type attention64 struct {
	Attention
	q, k, v, dOut        []float64
	out, lse, dq, dk, dv []float64
	factor               []float64 // (Batch, Heads, Seq, Seq), of dropout; nil without
}

// attentionIn64 returns the float64 twin of g, with its operands.
func attentionIn64(g *AttentionGrad) *attention64 {
	r := &attention64{Attention: g.Attention}
	pack := func(x []float32, stride, heads int) []float64 {
		var y []float64
		for t := range g.Batch * g.Seq {
			for _, e := range x[t*stride:][:heads*g.HeadDim] {
				y = append(y, float64(e))
			}
		}
		return y
	}
	r.q, r.dOut = pack(g.Q, g.QStride, g.Heads), pack(g.DOut, g.DOutStride, g.Heads)
	r.k, r.v = pack(g.K, g.KStride, g.KVHeads), pack(g.V, g.VStride, g.KVHeads)
	r.out, r.dq = make([]float64, len(r.q)), make([]float64, len(r.q))
	r.dk, r.dv = make([]float64, len(r.k)), make([]float64, len(r.k))
	r.lse = make([]float64, g.Batch*g.Heads*g.Seq)
	return r
}

// head returns the elements of a head of a token.
func (r *attention64) head(x []float64, heads, sequence, token, head int) []float64 {
	return x[((sequence*r.Seq+token)*heads+head)*r.HeadDim:][:r.HeadDim]
}

func dot64(x, y []float64) (s float64) {
	for i := range x {
		s += x[i] * y[i]
	}
	return s
}

func axpy64(dst []float64, a float64, x []float64) {
	for i := range dst {
		dst[i] += a * x[i]
	}
}

// run computes out and lse and, when backward, the gradients.
func (r *attention64) run(backward bool) {
	clear(r.out)
	if backward {
		clear(r.dq)
		clear(r.dk)
		clear(r.dv)
	}
	for unit := range r.Batch * r.Heads * r.Seq {
		b, h, i := unit/r.Seq/r.Heads, unit/r.Seq%r.Heads, unit%r.Seq
		kv := h / (r.Heads / r.KVHeads)
		q, out := r.head(r.q, r.Heads, b, i, h), r.head(r.out, r.Heads, b, i, h)
		n := r.visible(i)
		s, top, sum := make([]float64, n), math.Inf(-1), 0.0
		for j := range s {
			s[j] = float64(r.Scale) * dot64(q, r.head(r.k, r.KVHeads, b, j, kv))
			top = math.Max(top, s[j])
		}
		if math.IsInf(top, -1) {
			top = 0 // any shift will do; the sum is 0
		}
		for j := range s {
			s[j] = math.Exp(s[j] - top)
			sum += s[j]
		}
		r.lse[unit] = top + math.Log(sum)
		factor := make([]float64, n)
		for j := range s {
			s[j] /= sum
			factor[j] = 1
			if r.factor != nil {
				factor[j] = r.factor[unit*r.Seq+j]
			}
			axpy64(out, s[j]*factor[j], r.head(r.v, r.KVHeads, b, j, kv))
		}
		if !backward {
			continue
		}
		dOut, dq := r.head(r.dOut, r.Heads, b, i, h), r.head(r.dq, r.Heads, b, i, h)
		d := dot64(dOut, out)
		for j, p := range s {
			axpy64(r.head(r.dv, r.KVHeads, b, j, kv), p*factor[j], dOut)
			ds := float64(r.Scale) * p * (factor[j]*dot64(dOut, r.head(r.v, r.KVHeads, b, j, kv)) - d)
			axpy64(dq, ds, r.head(r.k, r.KVHeads, b, j, kv))
			axpy64(r.head(r.dk, r.KVHeads, b, j, kv), ds, q)
		}
	}
}

// attentionSize is one attention to test.
type attentionSize struct {
	batch, heads, kvHeads, seq, dim int
	causal                          bool
	interleaved                     bool // q, k and v lie in one tensor, and so do their gradients
}

func (s attentionSize) String() string {
	return fmt.Sprintf("batch %d, heads %d/%d, seq %d, dim %d, causal %v, interleaved %v", s.batch, s.heads, s.kvHeads, s.seq, s.dim, s.causal, s.interleaved)
}

// floatsOf makes an operand of n elements; tests put it where they like.
type floatsOf func(n int) []float32

func misaligned(n int) []float32 { return alignedFloats(n + 3)[3:] }

// randomAttention returns an attention with normal operands, and outputs full of NaN.
func randomAttention(r *rand.Rand, s attentionSize, place floatsOf) *AttentionGrad {
	g := &AttentionGrad{Attention: Attention{
		Batch: s.batch, Heads: s.heads, KVHeads: s.kvHeads, Seq: s.seq, HeadDim: s.dim,
		Scale: float32(1 / math.Sqrt(float64(s.dim))), Causal: s.causal,
	}}
	wide, narrow := s.heads*s.dim, s.kvHeads*s.dim
	operand := func(width, stride int) []float32 {
		x := place((s.batch*s.seq-1)*stride + width)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	triple := func() (q, k, v []float32, qs, ks, vs int) {
		if s.interleaved {
			all := operand(wide+2*narrow, wide+2*narrow)
			return all, all[wide:], all[wide+narrow:], wide + 2*narrow, wide + 2*narrow, wide + 2*narrow
		}
		return operand(wide, wide), operand(narrow, narrow+5), operand(narrow, narrow+1), wide, narrow + 5, narrow + 1
	}
	g.Q, g.K, g.V, g.QStride, g.KStride, g.VStride = triple()
	g.DQ, g.DK, g.DV, g.DQStride, g.DKStride, g.DVStride = triple()
	g.OutStride, g.DOutStride = wide+2, wide
	g.Out, g.DOut = operand(wide, g.OutStride), operand(wide, g.DOutStride)
	g.LSE = place(s.batch * s.heads * s.seq)
	g.clearOutputs()
	return g
}

// clearOutputs fills what is computed with NaN.
func (g *AttentionGrad) clearOutputs() {
	for _, x := range [][]float32{g.Out, g.LSE, g.DQ, g.DK, g.DV} {
		for i := range x {
			x[i] = float32(math.NaN())
		}
	}
}

// outputs returns copies of what is computed, by name, without the gaps between tokens.
func (g *AttentionGrad) outputs() map[string][]float32 {
	rows := func(x []float32, stride, heads int) []float32 {
		var y []float32
		for t := range g.Batch * g.Seq {
			y = append(y, x[t*stride:][:heads*g.HeadDim]...)
		}
		return y
	}
	return map[string][]float32{
		"Out": rows(g.Out, g.OutStride, g.Heads), "LSE": append([]float32(nil), g.LSE...),
		"DQ": rows(g.DQ, g.DQStride, g.Heads), "DK": rows(g.DK, g.DKStride, g.KVHeads), "DV": rows(g.DV, g.DVStride, g.KVHeads),
	}
}

// both computes forward and backward with the kernels of a level.
func (g *AttentionGrad) both(p *Pool, level Level) map[string][]float32 {
	g.clearOutputs()
	g.Attention.run(p, level)
	g.run(p, level)
	return g.outputs()
}

// relativeDistance is the largest difference between got and want, relative to the largest want or 1.
func relativeDistance(got []float32, want []float64) float64 {
	var err, size float64 = 0, 1
	for i, w := range want {
		size = max(size, math.Abs(w))
		if d := math.Abs(float64(got[i]) - w); !(d <= err) {
			err = d
		}
	}
	return err / size
}

// agrees reports outputs that are further from the reference than bound, and returns how far each is.
func (g *AttentionGrad) agrees(t *testing.T, what string, got map[string][]float32, want *attention64, bound float64) map[string]float64 {
	t.Helper()
	off := map[string]float64{}
	for name, w := range map[string][]float64{"Out": want.out, "LSE": want.lse, "DQ": want.dq, "DK": want.dk, "DV": want.dv} {
		off[name] = relativeDistance(got[name], w)
		if !(off[name] <= bound) {
			t.Errorf("%s: %s is off by %.2g, bound %.2g", what, name, off[name], bound)
		}
	}
	return off
}

func attentionSizes(r *rand.Rand) []attentionSize {
	sizes := []attentionSize{
		{2, 4, 4, 64, 32, true, true}, {1, 2, 2, 256, 64, true, true}, {1, 2, 1, 200, 64, false, false}, {1, 1, 1, 530, 40, true, false}, {1, 1, 1, 67, 300, true, false},
	}
	step := 1
	switch {
	case race.Enabled:
		// Every access is watched: long sequences would take minutes, and show nothing that these do not.
		sizes, step = []attentionSize{{2, 4, 4, 64, 32, true, true}, {1, 2, 1, attentionTile + 9, 12, true, false}, {1, 2, 2, attentionTile + 1, 10, false, false}}, 11
	case testing.Short():
		step = 5
	}
	for seq := 1; seq <= 67; seq += step {
		groups := 1 + r.IntN(3)
		kv := 1 + r.IntN(2)
		sizes = append(sizes, attentionSize{1 + r.IntN(2), kv * groups, kv, seq, 1 + r.IntN(67), seq%2 == 0, seq%3 == 0})
	}
	return sizes
}

func TestAttentionAgreesWithFloat64(t *testing.T) {
	oneGoroutine(t)
	const bound = 2e-6 // of the largest element
	r := rand.New(rand.NewPCG(3, 1))
	used := map[string]float64{}
	for _, size := range attentionSizes(r) {
		g := randomAttention(r, size, misaligned)
		if err := g.Check(); err != nil {
			t.Fatal(err)
		}
		want := attentionIn64(g)
		want.run(true)
		for _, level := range append(levels(), Generic) {
			for name, d := range g.agrees(t, fmt.Sprintf("%v, level %v", size, level), g.both(nil, level), want, bound) {
				used[name] = max(used[name], d)
			}
		}
	}
	t.Logf("largest difference over the largest element, at most %v: %v", bound, used)
}

func TestReferenceGradientAgreesWithFiniteDifferences(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 2))
	for _, size := range []attentionSize{{2, 4, 2, 5, 3, true, false}, {1, 3, 1, 7, 2, false, false}} {
		ref := attentionIn64(randomAttention(r, size, alignedFloats))
		ref.run(true)
		loss := func() float64 {
			ref.run(false)
			return dot64(ref.out, ref.dOut)
		}
		for _, c := range []struct {
			name    string
			x, grad []float64
		}{{"dQ", ref.q, ref.dq}, {"dK", ref.k, ref.dk}, {"dV", ref.v, ref.dv}} {
			for i := range c.x {
				const h = 1e-5
				x := c.x[i]
				c.x[i] = x + h
				up := loss()
				c.x[i] = x - h
				down := loss()
				c.x[i] = x
				if d := (up - down) / (2 * h); math.Abs(d-c.grad[i]) > 1e-8 {
					t.Fatalf("%v: %s[%d] is %v, the difference quotient %v", size, c.name, i, c.grad[i], d)
				}
			}
		}
	}
}

// dropFactorsOf runs attention of equal scores over unit vectors as values: Out then holds the probabilities that are left.
func dropFactorsOf(a Attention, p *Pool, level Level) []float64 {
	n, rows := a.Seq, a.Batch*a.Seq
	a.HeadDim, a.KVHeads = n, 1
	a.QStride, a.KStride, a.VStride, a.OutStride = a.Heads*n, n, n, a.Heads*n
	a.Q, a.K, a.V = make([]float32, rows*a.Heads*n), make([]float32, rows*n), make([]float32, rows*n)
	a.Out, a.LSE = make([]float32, rows*a.Heads*n), nil
	for t := range rows {
		a.V[t*n+t%n] = 1
	}
	a.run(p, level)
	factor := make([]float64, len(a.Out)/n*n)
	for unit := range a.Batch * a.Heads * n {
		b, h, i := unit/n/a.Heads, unit/n%a.Heads, unit%n
		for j, x := range a.Out[((b*n+i)*a.Heads+h)*n:][:n] {
			factor[unit*n+j] = float64(x) * float64(a.visible(i))
		}
	}
	return factor
}

func TestAttentionDropout(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	pool := NewPool(2)
	defer pool.Close()
	seq := 150
	if race.Enabled || testing.Short() {
		seq = attentionTile + 6
	}
	for _, p := range []float64{0.2, 0.75} {
		g := randomAttention(r, attentionSize{2, 6, 2, seq, 20, true, false}, misaligned)
		g.DropoutP, g.Key = p, Key{Seed: 5, Stream: 6, Step: 7}
		factor := dropFactorsOf(g.Attention, nil, Generic)

		kept, all := 0.0, 0.0
		for unit := range g.Batch * g.Heads * g.Seq {
			for j, f := range factor[unit*g.Seq:][:g.Seq] {
				if j > unit%g.Seq {
					continue
				}
				all++
				if f != 0 {
					kept++
					if math.Abs(f*(1-p)-1) > 1e-5 {
						t.Fatalf("P %v: a probability is kept with the factor %v", p, f)
					}
				}
			}
		}
		if sigma := math.Sqrt(all * p * (1 - p)); math.Abs(kept-all*(1-p)) > 4*sigma {
			t.Errorf("P %v: %v of %v are kept, expected %v ± %.0f", p, kept, all, all*(1-p), sigma)
		}
		// Neighbours along every axis of the mask agree as often as independent ones do.
		for axis, step := range map[string]int{"key": 1, "query": g.Seq, "head": g.Seq * g.Seq, "sequence": g.Heads * g.Seq * g.Seq} {
			same, pairs := 0.0, 0.0
			for e := 0; e+step < len(factor); e++ {
				if j, i := e%g.Seq, e/g.Seq%g.Seq; j < i && i+1 < g.Seq {
					pairs++
					if (factor[e] == 0) == (factor[e+step] == 0) {
						same++
					}
				}
			}
			q := p*p + (1-p)*(1-p)
			if sigma := math.Sqrt(pairs * q * (1 - q)); math.Abs(same-pairs*q) > 5*sigma {
				t.Errorf("P %v: %v of %v neighbours along the %s axis are alike, expected %v ± %.0f", p, same, pairs, axis, pairs*q, sigma)
			}
		}

		want := attentionIn64(g)
		want.factor = factor
		want.run(true)
		for _, level := range append(levels(), Generic) {
			g.agrees(t, fmt.Sprintf("P %v, level %v", p, level), g.both(pool, level), want, 3e-6)
			again := dropFactorsOf(g.Attention, nil, level)
			for e := range again {
				if (again[e] == 0) != (factor[e] == 0) {
					t.Fatalf("P %v, level %v: another mask", p, level)
				}
			}
		}
		g.Key.Step++
		other, differ := dropFactorsOf(g.Attention, nil, Generic), 0
		for e := range other {
			if (other[e] == 0) != (factor[e] == 0) {
				differ++
			}
		}
		if q := all * 2 * p * (1 - p); math.Abs(float64(differ)-q) > 5*math.Sqrt(q) {
			t.Errorf("P %v: the next step's mask differs in %v places, expected %v", p, differ, q)
		}
	}
}

func TestAttentionInBF16(t *testing.T) {
	oneGoroutine(t)
	// P is rounded to 8 bits: half a place of each term, and the gradients have several such factors.
	const bound = 6e-3
	r := rand.New(rand.NewPCG(3, 5))
	used := map[string]float64{}
	for _, size := range attentionSizes(r) {
		g := randomAttention(r, size, misaligned)
		g.BF16 = true
		want := attentionIn64(g)
		for _, x := range [][]float64{want.q, want.k, want.v, want.dOut} {
			for i := range x {
				x[i] = float64(f32FromBF16(bf16FromF32(float32(x[i]))))
			}
		}
		want.run(true)
		for _, level := range append(levels(), Generic) {
			for name, d := range g.agrees(t, fmt.Sprintf("%v, level %v", size, level), g.both(nil, level), want, bound) {
				used[name] = max(used[name], d)
			}
		}
	}
	t.Logf("largest difference over the largest element, at most %v: %v", bound, used)
}

func TestAttentionBitsDependOnNothingElse(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 6))
	pools := []*Pool{nil, NewPool(2), NewPool(3)}
	defer pools[1].Close()
	defer pools[2].Close()
	sizes := append(attentionSizes(r), attentionSize{1, 2, 2, 600, 33, true, true}, attentionSize{1, 4, 2, 300, 16, false, true})
	for n, size := range sizes {
		g := randomAttention(r, size, misaligned)
		if n%2 == 1 {
			g.DropoutP = 0.3
		}
		for _, g.BF16 = range []bool{false, true} {
			first := map[int]map[string][]float32{}
			for _, level := range levels() {
				bits := 0 // what fixes them: with bfloat16, whether there is arithmetic for it
				if g.BF16 && level >= AVX512BF16 {
					bits = 1
				}
				for _, pool := range pools {
					got := g.both(pool, level)
					if first[bits] == nil {
						first[bits] = got
					}
					for name := range got {
						if _, other := differs(got[name], first[bits][name]); other {
							t.Fatalf("%v, bfloat16 %v, level %v, %d workers: other bits of %s", size, g.BF16, level, pool.Workers(), name)
						}
					}
				}
			}
		}
	}
}

func TestCausalAttentionDoesNotDependOnWhatFollows(t *testing.T) {
	oneGoroutine(t)
	r := rand.New(rand.NewPCG(3, 7))
	for _, seq := range []int{300, 70, 15} {
		g := randomAttention(r, attentionSize{1, 2, 1, seq, 24, true, false}, misaligned)
		g.DropoutP = 0.1
		for _, g.BF16 = range []bool{false, true} {
			for _, level := range append(levels(), Generic) {
				g.Seq = seq
				whole := g.both(nil, level)
				for g.Seq = 1; g.Seq < seq; g.Seq += 1 + r.IntN(seq/4) {
					short := *g
					short.LSE = make([]float32, g.Heads*g.Seq)
					got := short.both(nil, level)
					if _, other := differs(whole["Out"], got["Out"]); other {
						t.Fatalf("level %v: the first %d of %d rows of Out have other bits", level, g.Seq, seq)
					}
					for h := range g.Heads {
						if _, other := differs(whole["LSE"][h*seq:], got["LSE"][h*g.Seq:][:g.Seq]); other {
							t.Fatalf("level %v: the first %d of %d LSE have other bits", level, g.Seq, seq)
						}
					}
				}
				g.Seq = seq
			}
		}
	}
}

// numberClass is what must agree of numbers that need not be finite.
func numberClass(x float64) string {
	switch {
	case x != x:
		return "NaN"
	case math.IsInf(x, 0):
		return fmt.Sprint(x)
	}
	return "finite"
}

func TestAttentionOfInfinitiesAndNaN(t *testing.T) {
	oneGoroutine(t)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	r := rand.New(rand.NewPCG(3, 8))
	const seq = 135
	for _, causal := range []bool{true, false} {
		for _, c := range []struct {
			name  string
			spoil func(g *AttentionGrad)
		}{
			{"NaN in a query", func(g *AttentionGrad) { g.Q[70*g.QStride+3] = nan }},
			{"NaN in a key", func(g *AttentionGrad) { g.K[71*g.KStride+3] = nan }},
			{"NaN in the last key", func(g *AttentionGrad) { g.K[134*g.KStride] = nan }},
			{"NaN in a value", func(g *AttentionGrad) { g.V[69*g.VStride+3] = nan }},
			{"NaN in the next value", func(g *AttentionGrad) { g.V[70*g.VStride+3] = nan }},
			{"infinity in a value", func(g *AttentionGrad) { g.V[9*g.VStride+2] = -inf }},
			{"infinity in a query", func(g *AttentionGrad) { g.Q[9*g.QStride+2] = inf }},
			{"infinity in a key", func(g *AttentionGrad) { g.K[20*g.KStride+2] = inf }},
			{"scores of −∞ but for the last keys", func(g *AttentionGrad) {
				for j := range seq {
					for d := range g.HeadDim {
						g.Q[j*g.QStride+d] = 1
						if j < 100 {
							g.K[j*g.KStride+d] = -inf
						}
					}
				}
			}},
			{"scores beyond float32", func(g *AttentionGrad) {
				for i := range g.Q {
					g.Q[i] *= 1e30
				}
			}},
		} {
			g := randomAttention(r, attentionSize{1, 1, 1, seq, 10, causal, false}, misaligned)
			c.spoil(g)
			want := attentionIn64(g)
			want.run(false)
			for _, g.BF16 = range []bool{false, true} {
				for _, level := range append(levels(), Generic) {
					got := g.both(nil, level)
					for i, w := range want.out {
						if numberClass(float64(got["Out"][i])) != numberClass(w) {
							t.Fatalf("%s, causal %v, bfloat16 %v, level %v: Out[%d, %d] is %v, expected %v", c.name, causal, g.BF16, level, i/g.HeadDim, i%g.HeadDim, got["Out"][i], w)
						}
					}
					for i, w := range want.lse {
						if numberClass(float64(got["LSE"][i])) != numberClass(w) {
							t.Fatalf("%s, causal %v, bfloat16 %v, level %v: LSE[%d] is %v, expected %v", c.name, causal, g.BF16, level, i, got["LSE"][i], w)
						}
					}
				}
			}
		}
	}
}

func TestAttentionAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	g := randomAttention(r, attentionSize{2, 4, 2, 70, 20, true, true}, alignedFloats)
	g.DropoutP = 0.1
	for _, g.BF16 = range []bool{false, true} {
		for _, workers := range []int{1, 2} {
			p := NewPool(workers)
			defer p.Close()
			if err := p.Reserve(max(g.Attention.ScratchBytes(workers), g.ScratchBytes(workers))); err != nil {
				t.Fatal(err)
			}
			reserved := len(p.scratch.mem)
			if n := testing.AllocsPerRun(20, func() {
				g.Attention.Run(p)
				g.Run(p)
			}); n != 0 {
				t.Errorf("bfloat16 %v, %d workers: %v allocations", g.BF16, workers, n)
			}
			if len(p.scratch.mem) != reserved {
				t.Errorf("bfloat16 %v, %d workers: ScratchBytes is too little", g.BF16, workers)
			}
		}
	}
}

func TestAttentionCheckSaysWhatIsWrong(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, c := range []struct {
		spoil func(*AttentionGrad)
		want  string
	}{
		{func(g *AttentionGrad) { g.Seq = -1 }, "attention: a batch of 2, 4 heads, -1 tokens; none may be negative"},
		{func(g *AttentionGrad) { g.KVHeads = 3 }, "attention: 4 heads do not share 3 key-value heads evenly"},
		{func(g *AttentionGrad) { g.HeadDim = 600 }, "attention: head dimension 600, expected 1 to 512"},
		{func(g *AttentionGrad) { g.Scale = 0 }, "attention: the scale is 0, expected a positive number"},
		{func(g *AttentionGrad) { g.DropoutP = 1 }, "attention: DropoutP is 1, expected 0 ≤ DropoutP < 1"},
		{func(g *AttentionGrad) { g.DropoutP, g.Seq = 0.1, 1<<21 }, "attention: dropout for 2097152 tokens and 8 heads of sequences, expected at most 1048576 and 16777216"},
		{func(g *AttentionGrad) { g.LSE = g.LSE[1:] }, "attention: LSE has 39 elements, expected 40"},
		{func(g *AttentionGrad) { g.LSE = nil }, "attention gradient: LSE is missing"},
		{func(g *AttentionGrad) { g.KStride = 11 }, "attention: tokens of K are 11 elements apart, expected at least 12 (2 heads of 6)"},
		{func(g *AttentionGrad) { g.DV = g.DV[1:] }, "attention: DV has 128 elements, expected at least 129 (10 tokens 13 apart, the last of 12)"},
	} {
		g := randomAttention(r, attentionSize{2, 4, 2, 5, 6, true, false}, alignedFloats)
		c.spoil(g)
		if err := g.Check(); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}
