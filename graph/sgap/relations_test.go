package sgap

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/optim"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/ogb"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// subsetsByHand are those of the stand-alone build: names of relations.
var subsetsByHand = [][]string{{"writes", "cites"}, {"published_in"}, {"cites", "published_in", "knows"}}

// TestRelationSubsetsHaveTheBitsOfAStandAloneBuild trains GMLP's gate a few steps on three subsets of relations, beside a program
// written from the definition whose hops are those of three graphs of one kind of nodes.
func TestRelationSubsetsHaveTheBitsOfAStandAloneBuild(t *testing.T) {
	raw, err := ogb.ReadHetero(Library(t))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := graph.New(raw, graph.All)
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	d := &dataset{Graph: whole.Classified(), whole: whole}
	if d.subsets, err = whole.ParseRelations("writes+cites,published_in,cites+published_in+knows"); err != nil {
		t.Fatal(err)
	}
	d.splits = []graph.Split{*whole.Public}
	c := choiceOf(t, "gmlp", "messages=gate", "attention-on=features", "hops=2", "hidden=128", "dropout=0.8", "input-dropout=0.8", "weight-decay=5e-4", "lr=0.01")
	c.design.Subsets = len(d.subsets)
	pl := &planner{job: &run.Job{Config: &run.Config{}}, data: d}
	s, err := pl.propagateSubsets(&c.design, &graph.Propagation{Graph: whole, Scaling: c.design.Scaling, K: c.design.Hops, Rows: d.rows(nil)}, nil,
		func(p *graph.Propagation) (*graph.Hops, error) { return p.Run(t.Context(), p.Ways()[0], nil, nil) })
	if err != nil {
		t.Fatal(err)
	}
	defer pl.forget()
	defer s.Close()
	shop, _ := openDesign(t, d, c, s)
	defer shop.close()
	for range steps {
		if _, _, err := shop.runEpoch(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(trainSubsetsByHand(t, raw, whole.Features.Dense), weightsOf(shop.session)); diff != "" {
		t.Errorf("weights by hand (-) and of the model (+):\n%s", diff)
	}
}

// hopsByHand are the hops of a graph that has the edges of some relations alone.
func hopsByHand(t *testing.T, raw *format.Graph, features []float32, relations []string) *graph.Hops {
	t.Helper()
	plain := &format.Graph{Name: "plain", Nodes: raw.Nodes, Features: format.Features{Cols: len(features) / raw.Nodes, Dense: features}}
	at := 0
	for _, r := range raw.Relations {
		if slices.Contains(relations, r.Name) {
			plain.Src, plain.Dst = append(plain.Src, raw.Src[at:at+r.Edges]...), append(plain.Dst, raw.Dst[at:at+r.Edges]...)
		}
		at += r.Edges
	}
	g, err := graph.New(plain, graph.All)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	a, err := g.Normalize(graph.Symmetric)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	p := &graph.Propagation{Graph: g, Adjacency: a, Scaling: graph.ScaleL1, K: 2}
	h, err := p.Run(t.Context(), p.Ways()[0], nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// trainSubsetsByHand builds and trains by hand.
func trainSubsetsByHand(t *testing.T, raw *format.Graph, features []float32) map[string][]float32 {
	t.Helper()
	cols := len(features) / raw.Nodes
	train := slices.Clone(raw.Train)
	slices.Sort(train)
	pr := program.New("by hand")
	rows := tensor.Fixed(len(train))
	inputs := map[*program.Value][]float32{}
	parts := make([][]*program.Value, 3)
	for s, relations := range subsetsByHand {
		h := hopsByHand(t, raw, features, relations)
		for k := range parts {
			v := pr.External(fmt.Sprintf("hop.%d.%d", k, s), tensor.F32(rows, tensor.Fixed(cols)))
			inputs[v] = make([]float32, len(train)*cols)
			if err := h.Gather(train, k, inputs[v]); err != nil {
				t.Fatal(err)
			}
			parts[k] = append(parts[k], v)
		}
	}
	labels := pr.Input("labels", tensor.I32(rows))
	var z []*program.Value
	end := pr.Scope("relations")
	for k := range parts {
		a := func(s int) *program.Value {
			return pr.Parameter(fmt.Sprintf("%d.%d.weight", k, s), nn.Uniform(math.Sqrt(6/float64(3+cols))), cols)
		}
		first, second, third := pr.MulRow(parts[k][0], a(0)), pr.MulRow(parts[k][1], a(1)), pr.MulRow(parts[k][2], a(2))
		z = append(z, pr.Add(pr.Add(first, second), third))
	}
	end()
	c := gated(pr, z, true)
	end = pr.Scope("head")
	logits := layer(pr, 1, raw.Classes, drop(pr, relu(pr, layer(pr, 0, 128, c)), true))
	end()
	loss, _ := pr.CrossEntropy(logits, labels)
	pr.Output(loss)
	rule, err := optim.Named("adam")
	if err != nil {
		t.Fatal(err)
	}
	lr := optim.Minimize(pr, loss, rule, 0, optim.Group{Params: pr.Parameters(), WeightDecay: 5e-4}).LR
	compiled, err := program.Compile(pr, program.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	session, err := program.Start(nil, compiled)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	session.Initialize(7)
	e := session.Execution(compiled)
	for v, data := range inputs {
		e.Tensor(v).Bind(data)
	}
	for step := range uint64(steps) {
		session.Step = step + 1
		for i, u := range train {
			e.Tensor(labels).Int32s()[i] = raw.Labels[u]
		}
		e.Tensor(lr).Float32s()[0] = 0.01
		if err := e.Run(); err != nil {
			t.Fatal(err)
		}
	}
	return weightsOf(session)
}

// TestHopsOfRelationsAreCombinedAsDefined has the first matrices of a program agree with Σ_s a_{k,s} ⊙ X_{k,s}: with a single hop a model that
// weighs hops is the head on it.
func TestHopsOfRelationsAreCombinedAsDefined(t *testing.T) {
	d := sampleDesign(Recursive, 0)
	d.Subsets, d.Head.Layers = 3, 1
	s := newSample(t, d, false)
	s.evaluate(t)
	for i := range sampleRows {
		z := make([]float64, sampleFeatures)
		for part := range 3 {
			a := s.named()[fmt.Sprintf("relations.0.%d.weight", part)].X
			for j, x := range s.values[s.in.hops[part].Dense].Row(i) {
				z[j] += a[j] * x
			}
		}
		expectClose(t, s.values[s.out.Logits].Row(i), apply(s.named()["head.0.weight"], s.named()["head.0.bias"], z), fmt.Sprintf("logits of row %d", i))
	}
}

func TestGradientsOfRelations(t *testing.T) {
	for _, m := range []Messages{Gate, SelfGuided, JK, Recursive} {
		d := authorsDesign(m, 2)
		if m == Gate || m == SelfGuided {
			d = sampleDesign(m, 2)
		}
		d.Subsets, d.Head.InputDropout = 2, 0.3
		newSample(t, d, true).checkGradients(t, fmt.Sprintf("%s, 2 subsets", m))
	}
}
