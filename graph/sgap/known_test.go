package sgap

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// smallGraph is a random graph with an isolated node, for matrices that are multiplied out in float64.
func smallGraph(t *testing.T) *graph.Graph {
	t.Helper()
	const nodes, classes = 40, 3
	r := rand.New(rand.NewPCG(1, 2))
	raw := &format.Graph{Name: "small", Nodes: nodes, Classes: classes}
	for range 90 {
		raw.Src, raw.Dst = append(raw.Src, int32(r.IntN(nodes-1))), append(raw.Dst, int32(r.IntN(nodes-1)))
	}
	for range nodes {
		raw.Labels = append(raw.Labels, int32(r.IntN(classes)))
	}
	g, err := graph.New(raw, graph.All)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// spread multiplies y (nodes × cols) by D^(r−1) A D^(−r) of the edges alone, in float64.
func spread(g *graph.Graph, r float64, y []float64, cols int) []float64 {
	z := make([]float64, len(y))
	for u := range g.Nodes {
		for _, v := range g.Indices[g.Indptr[u]:g.Indptr[u+1]] {
			w := math.Pow(float64(g.Degree(u)), r-1) * math.Pow(float64(g.Degree(int(v))), -r)
			for c := range cols {
				z[u*cols+c] += w * y[int(v)*cols+c]
			}
		}
	}
	return z
}

// TestLabelInputIsWhatWalksEndIn has Ŷ agree with matrices multiplied out: with r = 0, Σ_c Y^(k)_ic is the probability that k
// random steps from i end in a node that trains. Y^(k) depends linearly on Y.
func TestLabelInputIsWhatWalksEndIn(t *testing.T) {
	g := smallGraph(t)
	var train []int32
	for u := int32(0); int(u) < g.Nodes; u += 3 {
		train = append(train, u)
	}
	w := &work{ctx: t.Context(), planner: planner{job: &run.Job{}, data: &dataset{Graph: g}, chosen: way{propagate: graph.Way{Width: 16}}}}
	for _, r := range []float64{0, 0.5} {
		for hops := 1; hops <= 4; hops++ {
			d := &Design{Norm: graph.Norm{R: r, SelfLoops: true}, Labels: LabelUse{Kind: LabelInput, Hops: hops}}
			s := &store{}
			y, err := newKnown(g.Nodes, g.Classes, train, w.data.labelsOf(train))
			if err != nil {
				t.Fatal(err)
			}
			if err := w.propagateLabels(s, d, y.Features); err != nil {
				t.Fatal(err)
			}
			want, walks := make([]float64, g.Nodes*g.Classes), make([]float64, g.Nodes)
			for _, u := range train {
				want[int(u)*g.Classes+int(g.Labels[u])] = 1
				walks[u] = 1
			}
			for range hops {
				want, walks = spread(g, r, want, g.Classes), spread(g, r, walks, 1)
			}
			var squares float64
			for _, x := range want {
				squares += x * x
			}
			factor := math.Sqrt(float64(g.Nodes) / squares)
			got := s.labels.Matrix(hops)
			for u := range g.Nodes {
				sum := 0.0
				for c := range g.Classes {
					at := u*g.Classes + c
					sum += float64(got[at]) / factor
					if math.Abs(float64(got[at])-factor*want[at]) > 2e-6*factor {
						t.Fatalf("r %g, %d hops: %g of node %d, class %d, expected %g", r, hops, got[at], u, c, factor*want[at])
					}
				}
				if r == 0 && (math.Abs(sum-walks[u]) > 1e-5 || sum > 1+1e-5) {
					t.Errorf("%d hops: labels of node %d sum up to %g, a walk ends in one with probability %g", hops, u, sum, walks[u])
				}
			}
			if err := s.dropLabels(); err != nil {
				t.Fatal(err)
			}
			if err := y.close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestGradientsOfLabelInput holds every parameter's gradient against finite differences in float64, and checks that labels
// are added to what the hops say.
func TestGradientsOfLabelInput(t *testing.T) {
	d := sampleDesign(JK, 2)
	d.Labels = LabelUse{Kind: LabelInput, Hops: 3, Layers: 2}
	p := program.New("sample")
	in := d.inputs(p, sampleRows, sampleRows, Sizes{Features: sampleFeatures, Classes: sampleClasses}, nil, false)
	logits := d.Forward(p, in.hops, sampleClasses, true).Logits
	loss, _ := p.CrossEntropy(logits, in.labels)
	params := p.Parameters()
	grads := p.Differentiate(loss, params...)
	alone := nn.MLP{Hidden: d.Head.Hidden, Out: sampleClasses, Layers: 2, Activation: "tanh"}.Apply(p, "again", in.hops[3].Dense, true)
	r := rand.New(rand.NewPCG(3, 4))
	values := map[*program.Value]*program.Array{}
	fill := func(v *program.Value, draw func() float64) {
		values[v] = program.NewArray(v.Type)
		for i := range values[v].X {
			values[v].X[i] = draw()
		}
	}
	for _, x := range in.hops {
		fill(x.Dense, r.NormFloat64)
	}
	fill(in.labels, func() float64 { return float64(r.IntN(sampleClasses)) })
	byName := map[string]*program.Value{}
	for _, v := range p.Parameters() {
		fill(v, func() float64 { return 0.6 * r.NormFloat64() })
		byName[v.Name] = v
	}
	evaluate := func() float64 {
		if err := p.Evaluate(values, 1, 1); err != nil {
			t.Fatal(err)
		}
		return values[loss].X[0]
	}
	for _, name := range []string{"0.weight", "0.bias", "1.weight", "1.bias"} {
		values[byName["again."+name]] = values[byName["labels."+name]]
	}
	evaluate()
	var kept [][]float64
	for _, g := range grads {
		kept = append(kept, append([]float64(nil), values[g].X...))
	}
	with := append([]float64(nil), values[logits].X...)
	said := append([]float64(nil), values[alone].X...)
	worst, moved := 0.0, 0
	for i, v := range params {
		for j := range values[v].X {
			const step = 1e-5
			at := values[v].X[j]
			values[v].X[j] = at + step
			up := evaluate()
			values[v].X[j] = at - step
			want := (up - evaluate()) / (2 * step)
			values[v].X[j] = at
			if want != 0 {
				moved++
			}
			off := math.Abs(kept[i][j]-want) / max(1e-3, math.Abs(want))
			worst = max(worst, off)
			if !(off < 1e-6) {
				t.Errorf("gradient %g of %s[%d], finite differences give %g", kept[i][j], v.Name, j, want)
			}
		}
	}
	t.Logf("largest relative difference %.1e of 1e-6, of %d elements", worst, moved)
	values[byName["labels.1.weight"]] = program.NewArray(byName["labels.1.weight"].Type)
	values[byName["labels.1.bias"]] = program.NewArray(byName["labels.1.bias"].Type)
	evaluate()
	for i, x := range values[logits].X {
		if math.Abs(x+said[i]-with[i]) > 1e-12 {
			t.Errorf("logit %d is %g, of the hops %g and of the labels %g", i, with[i], x, said[i])
		}
	}
}
