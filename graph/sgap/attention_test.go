package sgap

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/program"
)

// attending are the aggregators that learn weights.
var attending = []Messages{Gate, SelfGuided, JK, Recursive, Smoothing}

// sample is a design's program in float64: six rows of hops, every value known.
type sample struct {
	p      *program.Program
	in     inputs
	out    Outputs
	loss   *program.Value
	grads  []*program.Value
	values map[*program.Value]*program.Array
}

const sampleRows, sampleFeatures, sampleClasses = 6, 5, 3

// newSample builds the program of a design with random parameters and hops, and its gradients.
func newSample(t *testing.T, d *Design, training bool) *sample {
	t.Helper()
	s := &sample{p: program.New("sample"), values: map[*program.Value]*program.Array{}}
	s.in = d.inputs(s.p, sampleRows, sampleRows, Sizes{Features: sampleFeatures, Classes: sampleClasses}, nil, false)
	s.out = d.Forward(s.p, s.in.hops, sampleClasses, training)
	s.loss, _ = s.p.CrossEntropy(s.out.Logits, s.in.labels)
	if s.out.Guide != nil {
		guide, _ := s.p.CrossEntropy(s.out.Guide, s.in.labels)
		s.loss = s.p.Add(s.loss, s.p.Scale(guide, 0.7))
	}
	if training || !d.normalises() {
		s.grads = s.p.Differentiate(s.loss, s.p.Parameters()...)
	}
	r := rand.New(rand.NewPCG(3, 4))
	fill := func(v *program.Value, draw func() float64) {
		a := program.NewArray(v.Type)
		for i := range a.X {
			a.X[i] = draw()
		}
		s.values[v] = a
	}
	for _, x := range s.in.hops {
		fill(x.Dense, r.NormFloat64)
	}
	fill(s.in.labels, func() float64 { return float64(r.IntN(sampleClasses)) })
	for _, v := range s.p.Parameters() {
		fill(v, func() float64 { return 0.6 * r.NormFloat64() })
		if layer, ok := strings.CutSuffix(v.Name, ".norm.bias"); ok { // over the batch
			fill(s.p.State(layer+".norm.running_mean", nil, v.Type), r.NormFloat64)
			fill(s.p.State(layer+".norm.running_var", nn.Ones, v.Type), func() float64 { return 0.5 + r.Float64() })
		}
	}
	return s
}

// evaluate runs the program.
func (s *sample) evaluate(t *testing.T) {
	t.Helper()
	if err := s.p.Evaluate(s.values, 1, 1); err != nil {
		t.Fatal(err)
	}
}

// designs calls f with a design for every aggregator that learns weights and everything that scores are made of.
func designs(hops int, f func(name string, d *Design)) {
	for _, m := range attending {
		for _, on := range []AttentionInput{OnFeatures, OnHidden} {
			d := sampleDesign(m, hops)
			d.Attention.On = on
			f(fmt.Sprintf("%s on %s, K = %d", m, on, hops), d)
		}
	}
}

func sampleDesign(m Messages, hops int) *Design {
	return &Design{
		Hops: hops, Messages: m, Attention: Attention{On: OnFeatures, Layers: 2},
		Head: nn.MLP{Hidden: 4, Layers: 2, Activation: "tanh"},
	}
}

// TestGradientsOfAttention holds every parameter's gradient against finite differences in float64; the recursive attention's
// history carries it to all earlier scores.
func TestGradientsOfAttention(t *testing.T) {
	designs(3, func(name string, d *Design) {
		d.Head.Dropout, d.Head.InputDropout, d.Attention.Dropout = 0.3, 0.2, 0.2
		newSample(t, d, true).checkGradients(t, name)
	})
}

// checkGradients holds the gradient of every parameter against finite differences.
func (s *sample) checkGradients(t *testing.T, name string) {
	t.Helper()
	s.evaluate(t)
	var grads [][]float64
	for _, g := range s.grads {
		grads = append(grads, append([]float64(nil), s.values[g].X...))
	}
	worst := 0.0
	for i, v := range s.p.Parameters() {
		x := s.values[v].X
		for j := range x {
			const step = 1e-5
			at := x[j]
			loss := func(x0 float64) float64 {
				x[j] = x0
				s.evaluate(t)
				return s.values[s.loss].X[0]
			}
			want := (loss(at+step) - loss(at-step)) / (2 * step)
			x[j] = at
			off := math.Abs(grads[i][j]-want) / max(1e-3, math.Abs(want))
			worst = max(worst, off)
			if !(off < 1e-6) {
				t.Errorf("%s: gradient %g of %s[%d], finite differences give %g", name, grads[i][j], v.Name, j, want)
			}
		}
	}
	t.Logf("%s: largest relative difference %.1e of 1e-6", name, worst)
}

// TestWeightsOfHops checks that weights add up to 1 and stay where a sigmoid before the softmax lets them be; that without a
// score all are equal, and the message is the mean of hops; and that one hop is taken as it is.
func TestWeightsOfHops(t *testing.T) {
	for _, k := range []int{0, 1, 4} {
		designs(k, func(name string, d *Design) {
			s := newSample(t, d, false)
			s.evaluate(t)
			w := s.values[s.out.Hops]
			for i := range w.Rows() {
				sum := 0.0
				for _, x := range w.Row(i) {
					sum += x
					if lo, hi := 1/(1+math.E*float64(k)), math.E/(math.E+float64(k)); x < lo-1e-12 || x > hi+1e-12 {
						t.Errorf("%s: weight %g outside [%g, %g]", name, x, lo, hi)
					}
				}
				if math.Abs(sum-1) > 1e-12 {
					t.Errorf("%s: weights add up to %g", name, sum)
				}
			}
			for _, v := range s.p.Parameters() {
				switch v.Name {
				case "attention.score.weight", "attention.score.bias", "attention.context.weight":
					clear(s.values[v].X)
				}
			}
			s.evaluate(t)
			for _, x := range s.values[s.out.Hops].X {
				if math.Abs(x-1/float64(k+1)) > 1e-12 {
					t.Errorf("%s: weight %g without a score, expected 1/%d", name, x, k+1)
				}
			}
		})
	}
}

// TestHopsArePermutedWithTheirWeights: where the order of hops means nothing, permuting them permutes the weights; for JK with
// what its network has for each. The recursive attention reads them in order.
func TestHopsArePermutedWithTheirWeights(t *testing.T) {
	for _, m := range []Messages{Gate, JK, Recursive} {
		s := newSample(t, sampleDesign(m, 2), false)
		s.evaluate(t)
		before := append([]float64(nil), s.values[s.out.Hops].X...)
		swap := func(a, b *program.Value) { s.values[a], s.values[b] = s.values[b], s.values[a] }
		swap(s.in.hops[0].Dense, s.in.hops[2].Dense)
		if m == JK {
			byName := map[string]*program.Value{}
			for _, v := range s.p.Parameters() {
				byName[v.Name] = v
			}
			swap(byName["guide.net.0.hops.0.weight"], byName["guide.net.0.hops.2.weight"])
		}
		s.evaluate(t)
		apart := 0.0
		for i := range sampleRows {
			for k, w := range s.values[s.out.Hops].Row(i) {
				apart = max(apart, math.Abs(before[3*i+2-k]-w))
			}
		}
		if ordered := apart > 1e-12; ordered != (m == Recursive) {
			t.Errorf("%s: weights of reversed hops are %g from those reversed", m, apart)
		}
	}
}

// TestParametersOfGMLP counts (K+1)dh + h + hC + C + (h+d) + 1 + dh + h + hC + C, the program of the authors; on hidden rows
// the guide and the scores see h columns instead of d, and those have a gain.
func TestParametersOfGMLP(t *testing.T) {
	const k, d, h, c = 4, sampleFeatures, 8, sampleClasses
	design := sampleDesign(SelfGuided, k)
	design.Head.Hidden = h
	for on, x := range map[AttentionInput]int{OnFeatures: d, OnHidden: h} {
		design.Attention.On = on
		s := newSample(t, design, true)
		want := (k+1)*x*h + h + h*c + c + (h + x) + 1 + d*h + h + h*c + c
		if on == OnHidden {
			want += h
		}
		if got := nn.ParameterCount(s.p); got != want {
			t.Errorf("on %s: %d parameters, expected %d", on, got, want)
		}
	}
}

// named are the parameters by name.
func (s *sample) named() map[string]*program.Array {
	named := map[string]*program.Array{}
	for _, v := range s.p.Parameters() {
		named[v.Name] = s.values[v]
	}
	return named
}

// seen is x_ik, what the scores of a row are made of, computed from the hops by loops.
func (s *sample) seen(on AttentionInput, i, k int) []float64 {
	z := s.values[s.in.hops[k].Dense].Row(i)
	if on == OnFeatures {
		return z
	}
	named := s.named()
	x := apply(named["head.0.weight"], nil, z)
	square := 0.0
	for _, v := range x {
		square += v * v / float64(len(x))
	}
	for j := range x {
		x[j] *= named["attention.norm.weight"].X[j] / math.Sqrt(square)
	}
	return x
}

// apply is a linear layer on a row; bias may be nil.
func apply(weight, bias *program.Array, x []float64) []float64 {
	y := make([]float64, weight.Rows())
	for o := range y {
		if bias != nil {
			y[o] = bias.X[o]
		}
		for j, w := range weight.Row(o) {
			y[o] += w * x[j]
		}
	}
	return y
}

func tanhs(x []float64) []float64 {
	for i := range x {
		x[i] = math.Tanh(x[i])
	}
	return x
}

func softmaxOf(x []float64) []float64 {
	w, sum := make([]float64, len(x)), 0.0
	for i, v := range x {
		w[i] = math.Exp(v)
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}

// expectClose compares numbers in float64.
func expectClose(t *testing.T, got, want []float64, what string) {
	t.Helper()
	for j := range want {
		if !(math.Abs(got[j]-want[j]) <= 1e-10*max(1, math.Abs(want[j]))) {
			t.Errorf("%s: %v, expected %v", what, got, want)
			return
		}
	}
}

// TestRecursiveScoresFollowTheirDefinition computes them from matrices: h_k is made, not a·h_k from a·x_j.
func TestRecursiveScoresFollowTheirDefinition(t *testing.T) {
	const hops = 4
	for _, on := range []AttentionInput{OnFeatures, OnHidden} {
		d := sampleDesign(Recursive, hops)
		d.Attention.On = on
		s := newSample(t, d, false)
		s.evaluate(t)
		a, b := s.named()["attention.context.weight"], s.named()["attention.score.weight"]
		for i := range sampleRows {
			var scores []float64
			for k := range hops + 1 {
				w := []float64{1}
				if k > 0 {
					w = softmaxOf(scores)
				}
				history := make([]float64, a.Cols())
				for j, share := range w {
					for f, x := range s.seen(on, i, j) {
						history[f] += share * x
					}
				}
				score := apply(a, s.named()["attention.score.bias"], history)[0] + apply(b, nil, s.seen(on, i, k))[0]
				scores = append(scores, 1/(1+math.Exp(-score)))
			}
			expectClose(t, s.values[s.out.Hops].Row(i), softmaxOf(scores), fmt.Sprintf("on %s, weights of row %d", on, i))
		}
	}
}

// TestSmoothingScoresSeeWhatHopsTendTo computes them from what is read after the hops, which is no part of the message.
func TestSmoothingScoresSeeWhatHopsTendTo(t *testing.T) {
	const hops = 3
	for _, on := range []AttentionInput{OnFeatures, OnHidden} {
		d := sampleDesign(Smoothing, hops)
		d.Attention.On = on
		s := newSample(t, d, false)
		s.evaluate(t)
		named := s.named()
		for i := range sampleRows {
			var scores []float64
			limit := apply(named["attention.context.weight"], named["attention.score.bias"], s.seen(on, i, hops+1))[0]
			for k := range hops + 1 {
				score := limit + apply(named["attention.score.weight"], nil, s.seen(on, i, k))[0]
				scores = append(scores, 1/(1+math.Exp(-score)))
			}
			expectClose(t, s.values[s.out.Hops].Row(i), softmaxOf(scores), fmt.Sprintf("on %s, weights of row %d", on, i))
		}
	}
}

// TestGuideSeesAllHopsSideBySide holds the guide, whose first layer is a sum of products hop by hop, against that layer on the
// concatenated hops; and the weights against r from there.
func TestGuideSeesAllHopsSideBySide(t *testing.T) {
	const hops = 3
	for _, on := range []AttentionInput{OnFeatures, OnHidden} {
		d := sampleDesign(SelfGuided, hops)
		d.Attention.On = on
		s := newSample(t, d, false)
		s.evaluate(t)
		named := s.named()
		for i := range sampleRows {
			var all, scores []float64
			for k := range hops + 1 {
				all = append(all, s.seen(on, i, k)...)
			}
			r := make([]float64, d.Head.Hidden)
			for o := range r {
				var row []float64 // of the weight of the layer on all of them
				for k := range hops + 1 {
					row = append(row, named[fmt.Sprintf("guide.net.0.hops.%d.weight", k)].Row(o)...)
				}
				r[o] = named["guide.net.0.bias"].X[o]
				for j, x := range all {
					r[o] += row[j] * x
				}
			}
			r = tanhs(r)
			expectClose(t, s.values[s.out.Guide].Row(i), apply(named["guide.classes.weight"], named["guide.classes.bias"], r), "guide's logits")
			for k := range hops + 1 {
				score := apply(named["attention.score.weight"], named["attention.score.bias"], s.seen(on, i, k))[0]
				scores = append(scores, 1/(1+math.Exp(-score-apply(named["attention.context.weight"], nil, r)[0])))
			}
			expectClose(t, s.values[s.out.Hops].Row(i), softmaxOf(scores), "weights")
		}
	}
}

// TestTransformationOfTheMessage adds the hops up before the first layer, whatever the program does.
func TestTransformationOfTheMessage(t *testing.T) {
	designs(2, func(name string, d *Design) {
		s := newSample(t, d, false)
		s.evaluate(t)
		named := s.named()
		for i := range sampleRows {
			message := make([]float64, sampleFeatures)
			for k, w := range s.values[s.out.Hops].Row(i) {
				for f, x := range s.values[s.in.hops[k].Dense].Row(i) {
					message[f] += w * x
				}
			}
			h := tanhs(apply(named["head.0.weight"], named["head.0.bias"], message))
			expectClose(t, s.values[s.out.Logits].Row(i), apply(named["head.1.weight"], named["head.1.bias"], h), name+": logits")
		}
	})
}

// TestEqualHopsAreTheMessage has all hops be the same, as in a graph without edges: the logits are those of the head on that hop,
// whatever the weights.
func TestEqualHopsAreTheMessage(t *testing.T) {
	designs(3, func(name string, d *Design) {
		s := newSample(t, d, false)
		for _, x := range s.in.hops {
			s.values[x.Dense] = s.values[s.in.hops[0].Dense]
		}
		s.evaluate(t)
		named := s.named()
		for i := range sampleRows {
			h := tanhs(apply(named["head.0.weight"], named["head.0.bias"], s.values[s.in.hops[0].Dense].Row(i)))
			expectClose(t, s.values[s.out.Logits].Row(i), apply(named["head.1.weight"], named["head.1.bias"], h), name+": logits")
		}
	})
}

// TestWeightsDoNotDependOnTheScaleOfFeatures: on hidden rows small features leave the weights as they are. On features they
// make them equal.
func TestWeightsDoNotDependOnTheScaleOfFeatures(t *testing.T) {
	designs(3, func(name string, d *Design) {
		s := newSample(t, d, false)
		s.evaluate(t)
		before := append([]float64(nil), s.values[s.out.Hops].X...)
		for _, x := range s.in.hops {
			for j := range s.values[x.Dense].X {
				s.values[x.Dense].X[j] *= 1e-3
			}
		}
		s.evaluate(t)
		most, apart := 0.0, 0.0
		for i, w := range s.values[s.out.Hops].X {
			most, apart = max(most, math.Abs(w-before[i])), max(apart, math.Abs(w-0.25))
		}
		if d.Attention.On == OnHidden && most > 1e-5 {
			t.Errorf("%s: weights change by %g", name, most)
		}
		if d.Attention.On == OnFeatures && apart > 1e-2 {
			t.Errorf("%s: weights differ from 1/4 by %g", name, apart)
		}
	})
}

// ExampleDesign_FirstHop shows what each aggregator reads.
func ExampleDesign_FirstHop() {
	for _, m := range []Messages{Last, Weighted, Concat, JK} {
		d := Design{Hops: 3, Messages: m}
		fmt.Println(m, d.FirstHop(), d.Reads())
	}
	// Output:
	// last 3 1
	// weighted 3 1
	// concat 0 4
	// jk 0 4
}

// TestVariantsOfGMLP: each is the design that the paper's table names.
func TestVariantsOfGMLP(t *testing.T) {
	for _, want := range []struct {
		set      []string
		messages Messages
		teleport float64
		reads    int
	}{
		{nil, SelfGuided, 0, 11},
		{[]string{"messages=gate"}, Gate, 0, 11},
		{[]string{"messages=last", "teleport=0.1"}, Last, 0.1, 1},
	} {
		d := choiceOf(t, "gmlp", want.set...).design
		if d.Messages != want.messages || d.Teleport != want.teleport || d.Reads() != want.reads {
			t.Errorf("%v: messages %s, teleport %v, %d hops read", want.set, d.Messages, d.Teleport, d.Reads())
		}
	}
}
