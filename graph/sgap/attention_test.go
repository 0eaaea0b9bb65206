package sgap

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// attending are the aggregators that learn weights.
var attending = []Messages{Gate, SelfGuided, JK, Recursive}

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
	rows := tensor.Fixed(sampleRows)
	for k := range d.Reads() {
		s.in.hops = append(s.in.hops, nn.Matrix{Dense: s.p.External(hopName(k), tensor.F32(rows, tensor.Fixed(sampleFeatures)))})
	}
	s.in.labels = s.p.Input("labels", tensor.I32(rows))
	s.out = d.Forward(s.p, s.in.hops, sampleClasses, training)
	s.loss, _ = s.p.CrossEntropy(s.out.Logits, s.in.labels)
	if s.out.Guide != nil {
		guide, _ := s.p.CrossEntropy(s.out.Guide, s.in.labels)
		s.loss = s.p.Add(s.loss, s.p.Scale(guide, 0.7))
	}
	s.grads = s.p.Differentiate(s.loss, s.p.Parameters()...)
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

func sampleDesign(m Messages, hops int) *Design {
	return &Design{
		Hops: hops, Messages: m, Attention: Attention{Layers: 2},
		Head: nn.MLP{Hidden: 4, Layers: 2, Activation: "tanh"},
	}
}

// TestGradientsOfAttention holds every parameter's gradient against finite differences in float64; the recursive attention's
// history carries it to all earlier scores.
func TestGradientsOfAttention(t *testing.T) {
	for _, m := range attending {
		d := sampleDesign(m, 3)
		d.Head.Dropout, d.Head.InputDropout, d.Attention.Dropout = 0.3, 0.2, 0.2
		s := newSample(t, d, true)
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
					t.Errorf("%s: gradient %g of %s[%d], finite differences give %g", m, grads[i][j], v.Name, j, want)
				}
			}
		}
		t.Logf("%s: largest relative difference %.1e of 1e-6", m, worst)
	}
}

// TestWeightsOfHops checks that weights add up to 1 and stay where a sigmoid before the softmax lets them be; that without a
// score all are equal, and the message is the mean of hops; and that one hop is taken as it is.
func TestWeightsOfHops(t *testing.T) {
	for _, m := range attending {
		for _, k := range []int{0, 1, 4} {
			s := newSample(t, sampleDesign(m, k), false)
			s.evaluate(t)
			w := s.values[s.out.Hops]
			for i := range w.Rows() {
				sum := 0.0
				for _, x := range w.Row(i) {
					sum += x
					if lo, hi := 1/(1+math.E*float64(k)), math.E/(math.E+float64(k)); x < lo-1e-12 || x > hi+1e-12 {
						t.Errorf("%s, K = %d: weight %g outside [%g, %g]", m, k, x, lo, hi)
					}
				}
				if math.Abs(sum-1) > 1e-12 {
					t.Errorf("%s, K = %d: weights add up to %g", m, k, sum)
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
					t.Errorf("%s, K = %d: weight %g without a score, expected 1/%d", m, k, x, k+1)
				}
			}
		}
	}
}

// TestHopsArePermutedWithTheirWeights: where the order of hops means nothing, permuting them permutes the weights; the
// recursive attention reads them in order.
func TestHopsArePermutedWithTheirWeights(t *testing.T) {
	s := newSample(t, sampleDesign(Gate, 2), false)
	s.evaluate(t)
	before := append([]float64(nil), s.values[s.out.Hops].X...)
	a, b := s.in.hops[0].Dense, s.in.hops[2].Dense
	s.values[a], s.values[b] = s.values[b], s.values[a]
	s.evaluate(t)
	after := s.values[s.out.Hops].X
	for i := range sampleRows {
		for k := range 3 {
			if math.Abs(before[3*i+k]-after[3*i+2-k]) > 1e-12 {
				t.Fatalf("row %d: weights %v, with hops reversed %v", i, before[3*i:3*i+3], after[3*i:3*i+3])
			}
		}
	}
}

// TestParametersOfGMLP counts (K+1)dh + h + hC + C + (h+d) + 1 + dh + h + hC + C, the program of the authors.
func TestParametersOfGMLP(t *testing.T) {
	const k, d, h, c = 4, sampleFeatures, 8, sampleClasses
	design := sampleDesign(SelfGuided, k)
	design.Head.Hidden = h
	s := newSample(t, design, true)
	want := (k+1)*d*h + h + h*c + c + (h + d) + 1 + d*h + h + h*c + c
	if got := nn.ParameterCount(s.p); got != want {
		t.Errorf("%d parameters, expected %d", got, want)
	}
}

// TestRecursiveScoresFollowTheirDefinition computes them from matrices: h_k is made, not a·h_k from a·z_j.
func TestRecursiveScoresFollowTheirDefinition(t *testing.T) {
	const hops = 4
	s := newSample(t, sampleDesign(Recursive, hops), false)
	s.evaluate(t)
	named := map[string][]float64{}
	for _, v := range s.p.Parameters() {
		named[v.Name] = s.values[v].X
	}
	a, b, bias := named["attention.context.weight"], named["attention.score.weight"], named["attention.score.bias"][0]
	softmax := func(x []float64) []float64 {
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
	for i := range sampleRows {
		var scores []float64
		for k := range hops + 1 {
			history := make([]float64, sampleFeatures)
			w := []float64{1}
			if k > 0 {
				w = softmax(scores)
			}
			for j, share := range w {
				for f, x := range s.values[s.in.hops[j].Dense].Row(i) {
					history[f] += share * x
				}
			}
			score := bias
			for f, x := range s.values[s.in.hops[k].Dense].Row(i) {
				score += a[f]*history[f] + b[f]*x
			}
			scores = append(scores, 1/(1+math.Exp(-score)))
		}
		for k, want := range softmax(scores) {
			if got := s.values[s.out.Hops].Row(i)[k]; math.Abs(got-want) > 1e-12 {
				t.Errorf("row %d, hop %d: weight %g, expected %g", i, k, got, want)
			}
		}
	}
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
