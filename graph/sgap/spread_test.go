package sgap

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/format/table"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/internal/realdata"
	"github.com/seraph-ml/seraph/run"
)

// newSpreader is a job on a small graph, and the nodes of it that train.
func newSpreader(t *testing.T, m run.Model, set ...string) (*spreader, []int32) {
	t.Helper()
	g := smallGraph(t)
	c, err := run.Resolve(m.Spec(), run.Sources{Flags: map[string]string{"data": "none"}, Set: set})
	if err != nil {
		t.Fatal(err)
	}
	s := &spreader{&work{ctx: t.Context(), planner: planner{job: &run.Job{Config: c}, data: &dataset{Graph: g}}}, false}
	s.chosen.propagate = graph.Way{Width: 16}
	s.design.Hops, s.design.Norm = c.Int("hops"), graph.Norm{R: c.Float("r"), SelfLoops: c.Bool("self-loops")}
	if err := s.normalize(&s.design); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.forget() })
	var train []int32
	for u := int32(0); int(u) < g.Nodes; u += 3 {
		train = append(train, u)
	}
	return s, train
}

// travel is Q_k in float64, from a matrix written out.
func travel(g *graph.Graph, norm graph.Norm, k int, alpha float64, y []float64) []float64 {
	loop := 0.0
	if norm.SelfLoops {
		loop = 1
	}
	degree := func(u int) float64 { return max(float64(g.Degree(u))+loop, 1) } // an isolated node has a row of zeros
	a := make([]float64, g.Nodes*g.Nodes)
	for u := range g.Nodes {
		for _, v := range append(slices.Clone(g.Indices[g.Indptr[u]:g.Indptr[u+1]]), int32(u)) {
			weight := 1.0
			if int(v) == u {
				weight = loop
			}
			a[u*g.Nodes+int(v)] = weight * math.Pow(degree(u), norm.R-1) * math.Pow(degree(int(v)), -norm.R)
		}
	}
	q := y
	for range k {
		next := make([]float64, len(q))
		for u := range g.Nodes {
			for c := range g.Classes {
				for v := range g.Nodes {
					next[u*g.Classes+c] += (1 - alpha) * a[u*g.Nodes+v] * q[v*g.Classes+c]
				}
				next[u*g.Classes+c] += alpha * y[u*g.Classes+c]
			}
		}
		q = next
	}
	return q
}

// oneHot is Y in float64.
func oneHot(g *graph.Graph, train []int32) []float64 {
	y := make([]float64, g.Nodes*g.Classes)
	for _, u := range train {
		y[int(u)*g.Classes+int(g.Labels[u])] = 1
	}
	return y
}

// agree holds what arrived against what was expected.
func agree(t *testing.T, name string, q *graph.Hops, want []float64) {
	t.Helper()
	worst := 0.0
	for i, x := range q.Matrix(q.K) {
		worst = max(worst, math.Abs(float64(x)-want[i]))
	}
	if t.Logf("%s: largest difference %.1e of 2e-6", name, worst); !(worst < 2e-6) {
		t.Errorf("%s: differs by %g", name, worst)
	}
	if err := q.Close(); err != nil {
		t.Error(err)
	}
}

func TestLabelPropagationIsAProductOfMatrices(t *testing.T) {
	for _, set := range [][]string{
		{"hops=7", "alpha=0", "r=0"}, {"hops=7", "alpha=0.1", "r=0.5"}, {"hops=3", "alpha=0.3", "r=0.5", "self-loops=false"}, {"hops=1", "alpha=1"},
	} {
		s, train := newSpreader(t, Spreading{&labelPropagation}, set...)
		q, err := s.spread(train, s.data.labelsOf(train))
		if err != nil {
			t.Fatal(err)
		}
		g := s.data.Graph
		agree(t, strings.Join(set, " "), q, travel(g, s.design.Norm, s.design.Hops, s.job.Float("alpha"), oneHot(g, train)))
	}
}

// writeGuesses writes predictions of all nodes and returns them and the path.
func writeGuesses(t *testing.T, d *dataset) (z []float32, path string) {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 6))
	logits := make([]float32, d.Nodes*d.Classes)
	for i := range logits {
		logits[i] = float32(r.NormFloat64())
	}
	path = filepath.Join(t.TempDir(), "p.csv")
	err := writeTable(path, func(write func(*table.Table) error) error { return write(d.predictions(0, logits)) })
	if err != nil {
		t.Fatal(err)
	}
	z = make([]float32, len(logits))
	for i := 0; i < len(z); i += d.Classes {
		softmax(z[i:i+d.Classes], logits[i:i+d.Classes])
	}
	return z, path
}

// TestCorrectAndSmoothIsAProductOfMatrices goes through both halves in float64.
func TestCorrectAndSmoothIsAProductOfMatrices(t *testing.T) {
	for _, set := range [][]string{{"hops=6"}, {"hops=5", "correct-alpha=0.1", "alpha=0.4", "self-loops=true", "r=0"}} {
		z, path := writeGuesses(t, &dataset{Graph: smallGraph(t)})
		s, train := newSpreader(t, Spreading{&correctAndSmooth}, append(set, "predictions="+path)...)
		g := s.data.Graph
		q, err := s.correctAndSmooth(train, s.data.labelsOf(train))
		if err != nil {
			t.Fatal(err)
		}
		y, e, sigma := oneHot(g, train), make([]float64, len(z)), 0.0
		for _, u := range train {
			for c := range g.Classes {
				i := int(u)*g.Classes + c
				e[i] = y[i] - float64(z[i])
				sigma += math.Abs(e[i]) / float64(len(train))
			}
		}
		e = travel(g, s.design.Norm, s.design.Hops, s.job.Float("correct-alpha"), e)
		for u := range g.Nodes {
			if slices.Contains(train, int32(u)) {
				continue
			}
			norm := 0.0
			for c := range g.Classes {
				norm += math.Abs(e[u*g.Classes+c])
			}
			for c := range g.Classes {
				i := u*g.Classes + c
				y[i] = float64(z[i])
				if norm > 0 {
					y[i] += sigma * e[i] / norm
				}
			}
		}
		agree(t, strings.Join(set, " "), q, travel(g, s.design.Norm, s.design.Hops, s.job.Float("alpha"), y))
	}
}

// TestLabelPropagationHasTheAccuracyOfItsOracle on Cora and Citeseer: that of sparse products in SciPy.
func TestLabelPropagationHasTheAccuracyOfItsOracle(t *testing.T) {
	for _, want := range []struct {
		settings       string
		cora, citeseer float64
	}{
		{"r=0 alpha=0 hops=10", 0.700, 0.482}, {"r=0 alpha=0 hops=50", 0.599, 0.510}, {"r=0.5 alpha=0 hops=10", 0.713, 0.482},
		{"r=0 alpha=0.1 hops=50", 0.707, 0.495}, {"r=0.5 alpha=0.1 hops=50", 0.710, 0.498},
	} {
		for data, accuracy := range map[string]float64{"cora": want.cora, "citeseer": want.citeseer} {
			path := strings.TrimSuffix(realdata.Path(t, "data/graph/planetoid/ind."+data+".x"), ".x")
			o := run.Options{Out: filepath.Join(t.TempDir(), "run"), Sources: run.Sources{
				Flags: map[string]string{"data": path}, Set: strings.Fields(want.settings),
			}}
			r, err := run.Train(t.Context(), Spreading{&labelPropagation}, o)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Metrics["test_accuracy"]; math.Abs(got-accuracy) > 1e-9 {
				t.Errorf("%s, %s: test accuracy %.4f, expected %.3f", data, want.settings, got, accuracy)
			}
		}
	}
}

// TestPredictionsThatDoNotFitAreRefused changes a table of predictions in ways that it may be wrong.
func TestPredictionsThatDoNotFitAreRefused(t *testing.T) {
	d := &dataset{Graph: smallGraph(t)}
	_, path := writeGuesses(t, d)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\r\n")
	for _, c := range []struct {
		want   string
		change func(lines []string) []string
	}{
		{"no row of node 2, nor of 0 others", func(l []string) []string { return slices.Delete(l, 3, 4) }},
		{"a second one of node 0", func(l []string) []string { return append(l, l[1]) }},
		{"no column p_1", func(l []string) []string { l[0] = strings.Replace(l[0], "p_1", "q", 1); return l }},
		{"expected a probability", func(l []string) []string { l[2] = "1,0,0.5,-0.5,1"; return l }},
		{"expected a probability", func(l []string) []string { l[2] = "1,0,0.5,,1"; return l }},
		{"column id holds no numbers", func(l []string) []string { l[1] = "x" + l[1]; return l }},
	} {
		bad := filepath.Join(t.TempDir(), "bad.csv")
		if err := os.WriteFile(bad, []byte(strings.Join(c.change(slices.Clone(lines)), "\n")), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := d.readGuesses(bad, make([]float32, d.Nodes*d.Classes)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, expected %q", err, c.want)
		}
	}
	if err := d.readGuesses(path, make([]float32, d.Nodes*d.Classes)); err != nil {
		t.Error(err)
	}
}
