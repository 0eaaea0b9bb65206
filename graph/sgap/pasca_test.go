package sgap

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/optim"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

const steps = 5

// built is a point of PaSca's space built by hand from its definition: the hops, and what a program makes of them.
type built struct {
	preset  string
	hops    graph.Propagation
	forward func(p *program.Program, x []*program.Value, training bool) *program.Value
}

// layer is a linear layer of the head by PyTorch's initial weights.
func layer(p *program.Program, i, out int, x *program.Value) *program.Value {
	defer p.Scope(strconv.Itoa(i))()
	in := x.Dim(-1).Size
	return p.Linear(x, p.Parameter("weight", nn.FanIn(in), out, in), p.Parameter("bias", nn.FanIn(in), out), false)
}

func drop(p *program.Program, x *program.Value, training bool) *program.Value {
	if !training {
		return x
	}
	return p.Dropout(x, 0.8)
}

func relu(p *program.Program, x *program.Value) *program.Value { return p.Activate(x, kernel.ReLU) }

// gated is Σ_k softmax_k(σ(a·x_k + b))·x_k.
func gated(p *program.Program, x []*program.Value, training bool) *program.Value {
	for k := range x {
		x[k] = drop(p, x[k], training)
	}
	end := p.Scope("attention")
	in := x[0].Dim(-1).Size
	a, b := p.Parameter("score.weight", nn.FanIn(in), 1, in), p.Parameter("score.bias", nn.FanIn(in), 1)
	end()
	var scores []*program.Value
	for _, z := range x {
		scores = append(scores, p.Activate(p.Linear(z, a, b, false), kernel.Sigmoid))
	}
	return p.Combine(p.Softmax(p.Concat(scores...)), x...)
}

const pascaClasses = 4

var standAlone = []built{
	{"sgc@pasca", graph.Propagation{First: 3, K: 3},
		func(p *program.Program, x []*program.Value, training bool) *program.Value {
			defer p.Scope("head")()
			return layer(p, 0, pascaClasses, x[0])
		}},
	{"sign@pasca", graph.Propagation{K: 3},
		func(p *program.Program, x []*program.Value, training bool) *program.Value {
			defer p.Scope("head")()
			return layer(p, 0, pascaClasses, p.Concat(x...))
		}},
	{"s2gc@pasca", graph.Propagation{First: 10, K: 10, Teleport: 0.1, Combine: graph.MeanWeights(10)},
		func(p *program.Program, x []*program.Value, training bool) *program.Value {
			defer p.Scope("head")()
			return layer(p, 0, pascaClasses, x[0])
		}},
	{"gbp@pasca", graph.Propagation{First: 4, K: 4, Combine: graph.PPRWeights(0.1, 4)}, twoLayers},
	{"appnp@pasca", graph.Propagation{}, twoLayers},
	{"pasca-v1", graph.Propagation{First: 3, K: 3, Teleport: 0.1, Combine: graph.PPRWeights(0.1, 3)}, twoLayers},
	{"pasca-v2", graph.Propagation{K: 6},
		func(p *program.Program, x []*program.Value, training bool) *program.Value {
			c := gated(p, x, training)
			defer p.Scope("head")()
			return layer(p, 1, pascaClasses, drop(p, relu(p, layer(p, 0, 128, c)), training))
		}},
	{"pasca-v3", graph.Propagation{K: 6},
		func(p *program.Program, x []*program.Value, training bool) *program.Value {
			c := gated(p, x, training)
			defer p.Scope("head")()
			h1 := relu(p, layer(p, 0, 128, c))
			h2 := relu(p, layer(p, 1, 128, drop(p, h1, training)))
			return layer(p, 2, pascaClasses, drop(p, p.Add(h2, h1), training))
		}},
}

func twoLayers(p *program.Program, x []*program.Value, training bool) *program.Value {
	defer p.Scope("head")()
	return layer(p, 1, pascaClasses, drop(p, relu(p, layer(p, 0, 128, drop(p, x[0], training))), training))
}

// blocks is a small data set with classes that neighbours share.
func blocks(t *testing.T) *dataset {
	t.Helper()
	const nodes, features = 90, 23
	r := rand.New(rand.NewPCG(5, 6))
	g := &format.Graph{Name: "blocks", Nodes: nodes, Classes: pascaClasses, Features: format.Features{Cols: features}}
	for u := range nodes {
		g.Labels = append(g.Labels, int32(u%pascaClasses))
		for range features {
			g.Features.Dense = append(g.Features.Dense, float32(r.Float64()+0.1))
		}
		for range 3 {
			v := (u + pascaClasses*r.IntN(nodes/pascaClasses)) % nodes
			g.Src, g.Dst = append(g.Src, int32(u)), append(g.Dst, int32(v))
		}
	}
	clean, err := graph.New(g, graph.All)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { clean.Close() })
	d := &dataset{Graph: clean}
	s := graph.Split{}
	for u := range int32(nodes) {
		switch {
		case u < 40:
			s.Train = append(s.Train, u)
		case u < 70:
			s.Val = append(s.Val, u)
		default:
			s.Test = append(s.Test, u)
		}
	}
	d.splits = []graph.Split{s}
	return d
}

// choiceOf is a preset with its defaults, but for some settings.
func choiceOf(t *testing.T, name string, set ...string) choice {
	t.Helper()
	for _, m := range Models() {
		if m.Spec().Name == name {
			c, err := run.Resolve(m.Spec(), run.Sources{Flags: map[string]string{"data": "none"}, Set: set})
			if err != nil {
				t.Fatal(err)
			}
			return m.(Model).preset.choice(c.Values, false)
		}
	}
	t.Fatalf("there is no preset %s", name)
	return choice{}
}

// TestPresetsOfPaScaHaveTheBitsOfStandAloneBuilds trains presets a few steps, beside programs written from the definitions.
func TestPresetsOfPaScaHaveTheBitsOfStandAloneBuilds(t *testing.T) {
	d := blocks(t)
	for _, b := range standAlone {
		want := b.train(t, d)
		got := trainDesign(t, d, choiceOf(t, b.preset))
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: weights by hand (-) and of the preset (+):\n%s", b.preset, d)
		}
	}
}

// TestDesignsWithoutHopsAreMLPs: a point of the space that propagates neither features nor predictions has the bits of mlp, or of logistic,
// with its settings.
func TestDesignsWithoutHopsAreMLPs(t *testing.T) {
	d := blocks(t)
	training := []string{"scaling=l1", "lr=0.01", "weight-decay=5e-4"}
	for preset, layers := range map[string][]string{
		"mlp": {"layers=2", "hidden=128", "dropout=0.8", "input-dropout=0.8"}, "logistic": nil,
	} {
		point := append(slices.Clone(layers), "hops=0", "post-hops=0")
		if preset == "logistic" {
			point = append(point, "layers=1")
		}
		want, got := choiceOf(t, preset, append(layers, training...)...), choiceOf(t, "pasca", append(point, training...)...)
		if d := cmp.Diff(trainDesign(t, d, want), trainDesign(t, d, got)); d != "" || got.design.Post.acts() {
			t.Errorf("weights of %s (-) and of the design (+):\n%s", preset, d)
		}
	}
}

// train builds and trains by hand.
func (b *built) train(t *testing.T, d *dataset) map[string][]float32 {
	t.Helper()
	p := b.hops
	p.Graph, p.Scaling = d.Graph, graph.ScaleL1
	if p.K > 0 {
		a, err := d.Normalize(graph.Symmetric)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		p.Adjacency = a
	}
	h, err := p.Run(t.Context(), p.Ways()[0], nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	train := d.splits[0].Train
	pr := program.New("by hand")
	rows := tensor.Fixed(len(train))
	var in, x []*program.Value
	for k := p.First; k <= p.K; k++ {
		in = append(in, pr.External(hopName(k), tensor.F32(rows, tensor.Fixed(d.Features.Cols))))
	}
	x = slices.Clone(in)
	labels := pr.Input("labels", tensor.I32(rows))
	loss, _ := pr.CrossEntropy(b.forward(pr, x, true), labels)
	pr.Output(loss)
	rule, err := optim.Named("adam")
	if err != nil {
		t.Fatal(err)
	}
	lr := optim.Minimize(pr, loss, rule, 0, optim.Group{Params: pr.Parameters(), WeightDecay: 5e-4}).LR
	c, err := program.Compile(pr, program.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	s, err := program.Start(nil, c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Initialize(7)
	e := s.Execution(c)
	for i, v := range in {
		data := make([]float32, len(train)*d.Features.Cols)
		if err := h.Gather(train, p.First+i, data); err != nil {
			t.Fatal(err)
		}
		e.Tensor(v).Bind(data)
	}
	for step := range uint64(steps) {
		s.Step = step + 1
		copy(e.Tensor(labels).Int32s(), d.labelsOf(train))
		e.Tensor(lr).Float32s()[0] = 0.01
		if err := e.Run(); err != nil {
			t.Fatal(err)
		}
	}
	return weightsOf(s)
}

// trainDesign trains a design as jobs do.
func trainDesign(t *testing.T, d *dataset, c choice) map[string][]float32 {
	t.Helper()
	shop, s := openDesign(t, d, c, nil)
	defer shop.close()
	defer s.Close()
	for range steps {
		if _, _, err := shop.runEpoch(); err != nil {
			t.Fatal(err)
		}
	}
	return weightsOf(shop.session)
}

// openDesign makes ready to train; the store is made for the design, unless there is one.
func openDesign(t *testing.T, d *dataset, c choice, s *store) (*workshop, *store) {
	t.Helper()
	if s == nil {
		s = propagated(t, d, c.design)
	}
	shop, err := newWorkshop(d, c, d.sizesOf(c, d.splits, way{blockBytes: largestBlock}, 1), true, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := shop.open(s, d.splits[0]); err != nil {
		t.Fatal(err)
	}
	shop.begin(7)
	return shop, s
}

// propagated are the hops of a design for all nodes.
func propagated(t *testing.T, d *dataset, design Design) *store {
	t.Helper()
	pl := &planner{job: &run.Job{Config: &run.Config{}}, data: d}
	if err := pl.normalize(&design); err != nil {
		t.Fatal(err)
	}
	defer pl.forget()
	p := pl.propagation(design, nil)
	propagate := p.Run
	if design.Local.acts() {
		propagate = func(ctx context.Context, w graph.Way, pool *kernel.Pool, spill *memory.Spill) (*graph.Hops, error) {
			h, _, err := smoothLocally(ctx, pl.smoothing(&design, nil), w, pool, spill)
			return h, err
		}
	}
	h, err := propagate(t.Context(), pl.hopWays(&design)[0], nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newStore(h, nil, d.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	s.combined = p.Combine != nil
	return s
}

func weightsOf(s *program.Session) map[string][]float32 {
	weights := map[string][]float32{}
	for _, p := range s.Persistent() {
		if isWeight(p.Kind) {
			weights[p.Name] = slices.Clone(p.Tensor.Float32s())
		}
	}
	return weights
}

// TestMessagesMadeOfSharedHopsHaveTheSameBits trains on hops that another design needs more of, as a search does.
func TestMessagesMadeOfSharedHopsHaveTheSameBits(t *testing.T) {
	d := blocks(t)
	for _, messages := range []string{"none", "mean", "max", "concatenate", "weighted", "adaptive"} {
		for _, sparse := range []string{"0", "0.8"} {
			c := choiceOf(t, "pasca", "hops=3", "aggregator=ppr-0.2", "messages="+messages, "layers=2", "input-dropout="+sparse)
			want := trainDesign(t, d, c)
			all := propagated(t, d, Design{Norm: c.design.Norm, Teleport: c.design.Teleport, Scaling: c.design.Scaling, Messages: Concat, Hops: 5})
			shop, _ := openDesign(t, d, c, all)
			for range steps {
				if _, _, err := shop.runEpoch(); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(want, weightsOf(shop.session)); d != "" {
				t.Errorf("%s, input dropout %s: weights from its own hops (-) and shared ones (+):\n%s", messages, sparse, d)
			}
			shop.close()
			all.Close()
		}
	}
}

// TestMaximumOfHops compares rows of a fold with the maximum of the hops' rows.
func TestMaximumOfHops(t *testing.T) {
	d := blocks(t)
	s := propagated(t, d, Design{Norm: graph.Symmetric, Scaling: graph.ScaleL1, Messages: Concat, Hops: 2})
	defer s.Close()
	b, err := newBuffer(d.Nodes, layout{hops: 1, features: d.Features.Cols}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	b.fold = &fold{hops: 2}
	var rows Rows
	if err := b.read(s, 0, d.Nodes, 0, &rows); err != nil {
		t.Fatal(err)
	}
	zero := make([]float32, d.Nodes*d.Features.Cols)
	if err := s.ReadRows(0, d.Nodes, 0, zero); err != nil {
		t.Fatal(err)
	}
	for i, got := range rows.Hops[0].Dense {
		if want := max(zero[i], s.Matrix(1)[i], s.Matrix(2)[i]); got != want {
			t.Fatalf("element %d is %g, the largest of the hops is %g", i, got, want)
		}
	}
}

// TestPostPropagation holds the propagation of predictions against its recursion in float64. Rows stay distributions where those of the
// operator sum to 1, and nowhere else.
func TestPostPropagation(t *testing.T) {
	d := blocks(t)
	logits := make([]float32, d.Nodes*d.Classes)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range logits {
		logits[i] = float32(3 * r.NormFloat64())
	}
	worst := 0.0
	for _, post := range []Post{
		{Norm: graph.Symmetric, Teleport: 0.3, Hops: 4}, {Norm: graph.Symmetric, Hops: 2}, {Norm: graph.Norm{Triangles: true}, Hops: 3},
		{Norm: graph.Norm{SelfLoops: true}, Teleport: 0.1, Hops: 3},
	} {
		a, err := d.Normalize(post.Norm)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		s, err := newSmoother(d, d.inMemory(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		s.set(0, logits[:40*d.Classes])
		s.set(40, logits[40*d.Classes:])
		h, err := s.run(t.Context(), &post, a, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		apart := 0.0 // from a sum of 1
		for u := range d.Nodes {
			sum := 0.0
			for _, p := range h.Matrix(post.Hops)[u*d.Classes:][:d.Classes] {
				sum += float64(p)
			}
			apart = max(apart, math.Abs(sum-1))
		}
		if distributions := apart < 1e-6; distributions != (post.Norm.R == 0) {
			t.Errorf("%+v: rows sum to 1 up to %g", post, apart)
		}
		for i, want := range recursion(a, logits, d.Classes, post) {
			worst = max(worst, math.Abs(float64(h.Matrix(post.Hops)[i])-want))
		}
		if s := d.scoreRows(h.Matrix(post.Hops), []int32{3, 8, 80}); s.Rows != 3 {
			t.Errorf("%d of 3 nodes were scored", s.Rows)
		}
	}
	if t.Logf("largest difference %.1e of 1e-6", worst); !(worst < 1e-6) {
		t.Errorf("predictions differ by %g", worst)
	}
}

// recursion is Q of Post in float64.
func recursion(a *graph.Adjacency, logits []float32, classes int, post Post) []float64 {
	zero := make([]float64, len(logits))
	for i := 0; i < len(logits); i += classes {
		sum := 0.0
		for c := range classes {
			zero[i+c] = math.Exp(float64(logits[i+c]))
			sum += zero[i+c]
		}
		for c := range classes {
			zero[i+c] /= sum
		}
	}
	q := zero
	for range post.Hops {
		next := make([]float64, len(q))
		for u := range a.Rows {
			for e := a.Indptr[u]; e < a.Indptr[u+1]; e++ {
				for c := range classes {
					next[u*classes+c] += (1 - post.Teleport) * float64(a.Values[e]) * q[int(a.Indices[e])*classes+c]
				}
			}
			for c := range classes {
				next[u*classes+c] += post.Teleport * zero[u*classes+c]
			}
		}
		q = next
	}
	return q
}

// TestLogarithmsKeepOrderAndTies brings rows of Q to logits whose softmax is the row at a sum of 1.
func TestLogarithmsKeepOrderAndTies(t *testing.T) {
	row := []float32{0.2, 0.5, 0.5, 0, math.Nextafter32(0.5, 0)}
	want := []float64{0.2 / 1.7, 0.5 / 1.7, 0.5 / 1.7, 0, 0.5 / 1.7}
	logarithms(row)
	if row[1] != 0 || row[2] != 0 || !(row[4] < 0) || argmax(row) != 1 {
		t.Errorf("order is lost: %v", row)
	}
	p := make([]float32, len(row))
	softmax(p, row)
	for i := range p {
		if math.Abs(float64(p[i])-want[i]) > 1e-6 {
			t.Errorf("probability %d is %g, expected %g", i, p[i], want[i])
		}
	}
	if softmax(row, []float32{0, 0, 0, 0, 0}); row[0] != 0.2 {
		t.Errorf("a row of zeros: %v", row)
	}
}
