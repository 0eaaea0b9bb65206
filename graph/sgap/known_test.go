package sgap

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
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
	w := &work{ctx: t.Context(), planner: planner{job: &run.Job{Config: &run.Config{}}, data: &dataset{Graph: g}, chosen: way{propagate: graph.Way{Width: 16}}}}
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
			got := allRows(t, s.labels, hops)
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

// allRows are the rows of a hop as they are read.
func allRows(t *testing.T, h *graph.Hops, k int) []float32 {
	t.Helper()
	rows := make([]float32, h.Rows*h.Cols)
	if err := h.ReadRows(0, h.Rows, k, rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestWhatComesBackOfANodesOwnLabel gives every node a class of its own, so that row i of Ŷ is what i is told of each node:
// after one hop nothing of itself, after two more than after three, and less the further labels travel. With self-loops, which
// labels do not travel over, it would be 1/d̃ of itself at once.
func TestWhatComesBackOfANodesOwnLabel(t *testing.T) {
	g := smallGraph(t)
	all := make([]int32, g.Nodes)
	for u := range all {
		all[u] = int32(u)
	}
	w := &work{ctx: t.Context(), planner: planner{job: &run.Job{Config: &run.Config{}}, data: &dataset{Graph: g}, chosen: way{propagate: graph.Way{Width: 16}}}}
	own := func(hops int) (mean float64) {
		y, err := newKnown(g.Nodes, g.Nodes, all, all)
		if err != nil {
			t.Fatal(err)
		}
		s := &store{}
		if err := w.propagateLabels(s, &Design{Norm: graph.Norm{SelfLoops: true}, Labels: LabelUse{Kind: LabelInput, Hops: hops}}, y.Features); err != nil {
			t.Fatal(err)
		}
		got := allRows(t, s.labels, hops)
		for u := range g.Nodes {
			sum := 0.0
			for _, x := range got[u*g.Nodes : (u+1)*g.Nodes] {
				sum += float64(x)
			}
			if g.Degree(u) > 0 {
				mean += float64(got[u*g.Nodes+u]) / sum / float64(g.Nodes)
			}
		}
		if err := errors.Join(s.dropLabels(), y.close()); err != nil {
			t.Fatal(err)
		}
		return mean
	}
	shares := []float64{own(1), own(2), own(3), own(4), own(9)}
	t.Logf("mean share of a node's own label after 1, 2, 3, 4 and 9 hops: %.3f", shares)
	if shares[0] != 0 || shares[1] <= shares[2] || shares[3] >= shares[1] || shares[4] >= shares[3] {
		t.Errorf("mean share of a node's own label after 1, 2, 3, 4 and 9 hops: %v", shares)
	}
}

// labelledDesign is a design that takes labels, of three hops.
func labelledDesign(m Messages, residual bool) *Design {
	d := sampleDesign(m, 2)
	d.Labels = LabelUse{Kind: LabelInput, Residual: residual, Hops: 3, Layers: 2}
	return d
}

// TestGradientsOfLabelInput goes through what adds the labels, alone and weighed, to what every kind of attention makes of features.
func TestGradientsOfLabelInput(t *testing.T) {
	newSample(t, labelledDesign(JK, false), true).checkGradients(t, "the last label hop")
	for _, m := range append(attending, Mean) {
		newSample(t, labelledDesign(m, true), true).checkGradients(t, fmt.Sprintf("label hops beside %s", m))
	}
}

// TestLabelsAreAddedToWhatHopsSay takes their part away.
func TestLabelsAreAddedToWhatHopsSay(t *testing.T) {
	d := labelledDesign(JK, false)
	s := newSample(t, d, false)
	alone := nn.MLP{Hidden: d.Head.Hidden, Out: sampleClasses, Layers: 2, Activation: "tanh"}.Apply(s.p, "again", s.in.hops[3].Dense, false)
	byName := map[string]*program.Value{}
	for _, v := range s.p.Parameters() {
		byName[v.Name] = v
	}
	for _, name := range []string{"0.weight", "0.bias", "1.weight", "1.bias"} {
		s.values[byName["again."+name]] = s.values[byName["labels."+name]]
	}
	s.evaluate(t)
	with, said := slices.Clone(s.values[s.out.Logits].X), slices.Clone(s.values[alone].X)
	clear(s.values[byName["labels.1.weight"]].X)
	clear(s.values[byName["labels.1.bias"]].X)
	s.evaluate(t)
	for i, x := range s.values[s.out.Logits].X {
		if math.Abs(x+said[i]-with[i]) > 1e-12 {
			t.Errorf("logit %d is %g, of the hops %g and of the labels %g", i, with[i], x, said[i])
		}
	}
}

// TestLastResidual has the first label hop become the last one, and the last stay what it is.
func TestLastResidual(t *testing.T) {
	const hops = 4
	p := program.New("residual")
	values := map[*program.Value]*program.Array{}
	var in []*program.Value
	for i := range hops {
		v := p.Input(fmt.Sprint(i), tensor.F32(tensor.Of(1, 2)...))
		values[v] = program.NewArray(v.Type)
		values[v].X[0], values[v].X[1] = float64(i+1), float64(i*i)
		in = append(in, v)
	}
	out := mixLast(p, in)
	if err := p.Evaluate(values, 1, 1); err != nil {
		t.Fatal(err)
	}
	for i, alpha := range []float64{1, math.Cos(math.Pi / 8), math.Sqrt(0.5), math.Sin(math.Pi / 8)} {
		for j, last := range values[in[hops-1]].X {
			want := (1-alpha)*values[in[i]].X[j] + alpha*last
			if got := values[out[i]].X[j]; math.Abs(got-want) > 1e-6 || (i == 0 && got != last) {
				t.Errorf("label hop %d becomes %g, expected %g", i+1, got, want)
			}
		}
	}
}
