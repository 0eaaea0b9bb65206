package sgap

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// TestSmoothingThatKeepsFeaturesIsAnMLP has a restart of 1, and a single step to look at: ndls-f is mlp then, to the bit.
func TestSmoothingThatKeepsFeaturesIsAnMLP(t *testing.T) {
	d := blocks(t)
	training := []string{"lr=0.01", "dropout=0.3", "input-dropout=0.3"}
	want := trainDesign(t, d, choiceOf(t, "mlp", training...))
	for _, kept := range []string{"restart=1", "kmax=1"} {
		got := trainDesign(t, d, choiceOf(t, "ndls-f", append(training, "epsilon=0.001", kept)...))
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: weights of mlp (-) and ndls-f (+):\n%s", kept, d)
		}
	}
	if d := cmp.Diff(want, trainDesign(t, d, choiceOf(t, "ndls-f", append(training, "epsilon=0.001")...))); d == "" {
		t.Error("features were not smoothed where they are to be")
	}
}

// TestDesignsReadSmoothedFeatures compares what a training of ndls-f reads with graph.Smoothing.
func TestDesignsReadSmoothedFeatures(t *testing.T) {
	d := blocks(t)
	c := choiceOf(t, "ndls-f", "epsilon=0.002", "kmax=9", "averaging=formula", "restart=0", "stationarity=component", "scaling=l2")
	a, err := d.Normalize(localNorm)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	s := &graph.Smoothing{Graph: d.Graph, Adjacency: a, Scaling: graph.ScaleL2, Epsilon: 0.002, Kmax: 9, Averaging: graph.AverageFormula, Stationarity: graph.StationaryComponent}
	local, err := s.Steps(t.Context(), s.Ways()[0], nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	want, err := s.Smooth(t.Context(), s.Ways()[0], local.K, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	shop, st := openDesign(t, d, c, nil)
	defer shop.close()
	defer st.Close()
	for i, u := range d.splits[0].Train {
		cols := d.Features.Cols
		if !slices.Equal(shop.train.Hops[0].Dense[i*cols:(i+1)*cols], want.Matrix(0)[int(u)*cols:(int(u)+1)*cols]) {
			t.Fatalf("node %d has other features", u)
		}
	}
}

// TestPredictionsAreSmoothedByTheFormula holds the smoothing of predictions against its definition in float64.
func TestPredictionsAreSmoothedByTheFormula(t *testing.T) {
	d := blocks(t)
	r := rand.New(rand.NewPCG(3, 4))
	logits := make([]float32, d.Nodes*d.Classes)
	for i := range logits {
		logits[i] = float32(3 * r.NormFloat64())
	}
	post := choiceOf(t, "ndls-l", "label-epsilon=0.2", "label-kmax=6", "averaging=formula", "restart=0.1").design.Post
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
	s.set(0, logits)
	q, err := s.run(t.Context(), &post, a, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	want, steps := smoothedByFormula(a, d, logits, post.Local)
	worst := 0.0
	for i, w := range want {
		worst = max(worst, math.Abs(float64(q.Matrix(0)[i])-w))
	}
	if t.Logf("largest difference %.1e of 1e-6", worst); !(worst < 1e-6) {
		t.Errorf("smoothed predictions differ by %g", worst)
	}
	counts := make([]int, slices.Max(steps)+1)
	for _, k := range steps {
		counts[k]++
	}
	if d := cmp.Diff(counts, s.steps.Counts); d != "" || len(counts) < 3 {
		t.Errorf("nodes by their steps, by the formula (-) and as counted (+):\n%s", d)
	}
}

// smoothedByFormula is α P_i + (1−α)/(K_i+1) Σ_{k≤K_i} (Â^k P)_i, K_i the first k with ‖(Â^k P)_i − πP‖ < ε, in float64.
func smoothedByFormula(a *graph.Adjacency, d *dataset, logits []float32, l Local) (q []float64, steps []int) {
	classes := d.Classes
	p, ref := recursion(a, logits, classes, Post{}), make([]float64, classes)
	for u := range d.Nodes {
		for c := range classes {
			ref[c] += float64(d.Degree(u)+1) / float64(2*d.Edges()+d.Nodes) * p[u*classes+c]
		}
	}
	var hops [][]float64
	for k := range l.Kmax {
		hops = append(hops, recursion(a, logits, classes, Post{Hops: k}))
	}
	q, steps = make([]float64, len(p)), make([]int, d.Nodes)
	for u := range d.Nodes {
		steps[u] = l.Kmax - 1
		for k := l.Kmax - 1; k >= 0; k-- {
			sum := 0.0
			for c, r := range ref {
				sum += (hops[k][u*classes+c] - r) * (hops[k][u*classes+c] - r)
			}
			if math.Sqrt(sum) < l.Epsilon {
				steps[u] = k
			}
		}
		for c := range classes {
			i := u*classes + c
			for k := range steps[u] + 1 {
				q[i] += (1 - l.Restart) * hops[k][i] / float64(steps[u]+1)
			}
			q[i] += l.Restart * p[i]
		}
	}
	return q, steps
}

// TestTheSearchChoosesHowToSmoothPredictions reads from the record of a search which way was chosen.
func TestTheSearchChoosesHowToSmoothPredictions(t *testing.T) {
	for _, given := range []string{"", "0.1"} {
		flags := map[string]string{"data": Blocks(t), "epochs": "8", "tune": "3", "seeds": "3"}
		ways := 1 + 9
		if given != "" {
			flags["label-epsilon"] = given
			ways = 1 + 3
		}
		out := filepath.Join(t.TempDir(), "run")
		if _, err := run.Train(t.Context(), ModelNamed(t, "ndls-l"), run.Options{Out: out, Sources: run.Sources{Flags: flags}}); err != nil {
			t.Fatal(err)
		}
		r := recordOf(t, out)
		c := &r.Candidates[r.Chosen]
		best := c.bestSmoothed()
		for _, s := range c.Smoothed {
			if mean(s.Gain) > mean(best.Gain) || len(s.Gain) != 3 {
				t.Errorf("%v adds %v, the best is %v with %v", s.Settings, s.Gain, best.Settings, best.Gain)
			}
			if s.Settings["label-kmax"] == "1" && mean(s.Gain) != 0 {
				t.Errorf("smoothing over no steps adds %v", s.Gain)
			}
		}
		if len(c.Smoothed) != ways {
			t.Errorf("%d ways to smooth were tried, expected %d", len(c.Smoothed), ways)
		}
		settings, err := os.ReadFile(filepath.Join(out, "config.toml"))
		if err != nil {
			t.Fatal(err)
		}
		for key, value := range c.settings() {
			if x, err := strconv.ParseFloat(value, 64); err != nil {
				value = strconv.Quote(value)
			} else {
				value = strconv.FormatFloat(x, 'g', -1, 64)
			}
			if line := regexp.MustCompile(`(?m)^` + key + ` = (\S+)`).FindSubmatch(settings); line == nil || string(line[1]) != value {
				t.Errorf("config.toml has %q, %s = %s was chosen", line, key, value)
			}
		}
	}
}
