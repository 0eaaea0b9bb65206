package sgap

import (
	"math"
	"testing"

	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/format/planetoid"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/internal/realdata"
)

// convex is SGC without a bias on the rows that train: mean cross-entropy + λ/2 ‖W‖², which has one minimum.
type convex struct {
	trainer *trainer
	rows    *Rows
	w       []float32
}

const (
	convexDecay = 1e-5
	convexRate  = 8192 // so large that the step drowns the rounding of the weights
)

// at returns the objective and its gradient: a step of gradient descent takes just that off the weights, times the rate.
func (c *convex) at(t *testing.T, w []float64) (objective float64, gradient []float64) {
	t.Helper()
	gradient = make([]float64, len(w))
	c.trainer.reset(0) // the momentum, too
	for i, v := range w {
		c.w[i] = float32(v)
		gradient[i] = float64(c.w[i])
		objective += convexDecay / 2 * gradient[i] * gradient[i]
	}
	loss, err := c.trainer.fit(c.rows, convexRate)
	if err != nil {
		t.Fatal(err)
	}
	for i := range gradient {
		gradient[i] = (gradient[i] - float64(c.w[i])) / convexRate
	}
	return objective + loss, gradient
}

// minimise finds the minimum by L-BFGS (Nocedal, 1980), from zero.
func (c *convex) minimise(t *testing.T) (objective float64, w []float64) {
	t.Helper()
	const memory = 30
	w = make([]float64, len(c.w))
	var steps, changes [][]float64
	f, g := c.at(t, w)
	for dot(g, g) > 2*convexDecay*1e-7 { // the objective is convexDecay-strongly convex: 1e-7 above the minimum, at most
		d := direction(g, steps, changes)
		slope, size := dot(d, g), 1.0
		next := make([]float64, len(w))
		var fn float64
		var gn []float64
		for ; ; size /= 2 {
			for i := range w {
				next[i] = w[i] + size*d[i]
			}
			if fn, gn = c.at(t, next); fn <= f+1e-4*size*slope {
				break
			}
			if size < 1e-6 { // as near as float32 comes
				return f, w
			}
		}
		step, change := make([]float64, len(w)), make([]float64, len(w))
		for i := range w {
			step[i], change[i] = next[i]-w[i], gn[i]-g[i]
		}
		if dot(step, change) > 0 {
			steps, changes = append(steps, step), append(changes, change)
		}
		if len(steps) > memory {
			steps, changes = steps[1:], changes[1:]
		}
		w, f, g = next, fn, gn
	}
	return f, w
}

// direction is −H g with the inverse Hessian H of the last steps: the two-loop recursion.
func direction(g []float64, steps, changes [][]float64) []float64 {
	d := make([]float64, len(g))
	for i, v := range g {
		d[i] = -v
	}
	n := len(steps)
	if n == 0 {
		return d
	}
	along := make([]float64, n)
	add := func(x []float64, a float64) {
		for i, v := range x {
			d[i] += a * v
		}
	}
	for k := n - 1; k >= 0; k-- {
		along[k] = dot(steps[k], d) / dot(steps[k], changes[k])
		add(changes[k], -along[k])
	}
	scale := dot(steps[n-1], changes[n-1]) / dot(changes[n-1], changes[n-1])
	for i := range d {
		d[i] *= scale
	}
	for k := range n {
		add(steps[k], along[k]-dot(changes[k], d)/dot(steps[k], changes[k]))
	}
	return d
}

func dot(a, b []float64) (sum float64) {
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// TestSGCHasTheOneOptimum minimises to the end what has a single minimum. Objectives and accuracies are those of an independent program (SciPy, L-BFGS
// in float64): whatever is wrong in operator, features, labels or split moves them.
func TestSGCHasTheOneOptimum(t *testing.T) {
	x := realdata.Path(t, "data/graph/planetoid/ind.cora.x")
	for _, c := range []struct {
		name                 string
		hops                 int
		objective, val, test float64
	}{
		{"cora", 2, .4563631, .792, .806}, {"cora", 0, .2416176, .576, .596}, {"cora", 1, .3966108, .756, .764}, {"cora", 3, .5081474, .792, .807},
		{"cora", 5, .578869, .794, .806}, {"cora", 10, .71949, .786, .811},
		{"citeseer", 0, .3021589, .570, .601}, {"citeseer", 1, .5004324, .696, .690}, {"citeseer", 2, .5837485, .718, .713},
		{"citeseer", 3, .6406148, .732, .709}, {"citeseer", 5, .7014113, .740, .708}, {"citeseer", 10, .7835186, .726, .711},
	} {
		if testing.Short() && (c.name != "cora" || c.hops != 2) {
			continue
		}
		raw, err := planetoid.Read(x[:len(x)-len("cora.x")] + c.name)
		if err != nil {
			t.Fatal(err)
		}
		g, err := graph.New(raw, graph.All)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		design := Design{Norm: graph.Symmetric, Hops: c.hops, Scaling: graph.ScaleL1, Messages: Last, Head: nn.MLP{Layers: 1, NoBias: true}}
		d := &dataset{Graph: g, splits: []graph.Split{*g.Public}}
		s := propagated(t, d, design)
		defer s.Close()
		gather := func(nodes []int32) *Rows {
			rows := &Rows{Count: len(nodes), Labels: d.labelsOf(nodes), Hops: []HopRows{{Dense: make([]float32, len(nodes)*g.Features.Cols)}}}
			if err := s.Gather(nodes, c.hops, rows.Hops[0].Dense); err != nil {
				t.Fatal(err)
			}
			return rows
		}
		train := gather(g.Public.Train)
		ps, err := design.Compile(Training{WeightDecay: convexDecay, Optimizer: "sgd"},
			Sizes{Features: g.Features.Cols, Classes: g.Classes, Train: train.Count, Val: 1000, Eval: 1000, Threads: 1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := newTrainer(ps, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer tr.close()
		problem := &convex{tr, train, tr.session.Tensor("head.0.weight").Float32s()}
		objective, w := problem.minimise(t)
		for i, v := range w {
			problem.w[i] = float32(v)
		}
		t.Logf("%s, %d hops: objective %.7f", c.name, c.hops, objective)
		if math.Abs(objective-c.objective) > 2e-6 {
			t.Errorf("%s, %d hops: objective %.7f, expected %.7f", c.name, c.hops, objective, c.objective)
		}
		for nodes, want := range map[*[]int32]float64{&g.Public.Val: c.val, &g.Public.Test: c.test} {
			score, err := tr.score(gather(*nodes), g.Classes)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(score.Accuracy()-want) > 0.0041 { // a node or two
				t.Errorf("%s, %d hops: accuracy %.3f of %d nodes, expected %.3f", c.name, c.hops, score.Accuracy(), len(*nodes), want)
			}
		}
	}
}
