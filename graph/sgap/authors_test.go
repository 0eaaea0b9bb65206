package sgap

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/program"
)

// authorsNetwork are the settings of GAMLP as its authors build it for OGB's graphs: docs/models/graph.md has them as command lines.
var authorsNetwork = []string{
	"hop-layers=2", "label-layers=4", "initial-residual=true", "batch-norm=true", "activation=prelu", "attention-on=features", "labels=input", "residual=true",
}

// TestParametersOfGAMLP counts what the authors' programs train, to the unit: the figures of the GAMLP repository's README. On papers100M theirs declares the residual
// layer and does not use it: without it there are 128·1024 + 1024 fewer.
func TestParametersOfGAMLP(t *testing.T) {
	for _, c := range []struct {
		data, preset      string
		features, classes int
		subsets           int // of relations
		set               []string
		want              int64
	}{
		{"ogbn-products", "gamlp-r", 100, 47, 0, []string{"hops=5", "hidden=512", "layers=4"}, 3_335_831},
		{"ogbn-papers100M", "gamlp-r", 128, 172, 0, []string{"hops=6", "hidden=1024", "layers=6"}, 16_308_751},
		{"ogbn-mag", "gamlp-jk", 256, 349, 8, []string{"hops=5", "hidden=512", "layers=4", "reference-layers=4"}, 6_734_882},
	} {
		ch := choiceOf(t, c.preset, append(slices.Clone(authorsNetwork), c.set...)...)
		ch.design.Subsets = c.subsets
		ps, err := ch.design.Compile(ch.training, Sizes{Features: c.features, Classes: c.classes, Train: 16, Val: 16, Eval: 16, Threads: 1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := trained(ps.Train); got != c.want {
			t.Errorf("%s: %d parameters, the authors' program has %d", c.data, got, c.want)
		}
	}
}

// trained is the number of trained elements of a compiled program.
func trained(c *program.Compiled) (n int64) {
	for i := range c.Graph.Tensors {
		if v := &c.Graph.Tensors[i]; v.Kind == plan.Parameter {
			n += v.Bytes / 4
		}
	}
	return n
}

// authorsDesign is a small one of their networks.
func authorsDesign(m Messages, hops int) *Design {
	d := sampleDesign(m, hops)
	d.Attention.HopLayers, d.Attention.Residual, d.Attention.Activation = 2, true, ScoreLeaky
	d.Head.InitialResidual, d.Head.BatchNorm, d.Head.Layers, d.Attention.Layers = true, true, 3, 3
	return d
}

// TestGradientsOfGAMLP goes through every kind of attention that has the settings, and through each setting alone.
func TestGradientsOfGAMLP(t *testing.T) {
	for _, m := range []Messages{JK, Recursive, Smoothing} {
		for _, k := range []int{0, 2} {
			d := authorsDesign(m, k)
			d.Head.Dropout, d.Head.InputDropout, d.Attention.Dropout = 0.3, 0.2, 0.2
			newSample(t, d, true).checkGradients(t, fmt.Sprintf("%s, K = %d", m, k))
		}
	}
	for name, change := range map[string]func(d *Design){
		"hop-layers":       func(d *Design) { d.Attention.HopLayers = 2 },
		"residual":         func(d *Design) { d.Attention.Residual = true },
		"initial-residual": func(d *Design) { d.Head.InitialResidual = true },
		"relu":             func(d *Design) { d.Attention.Activation = ScoreReLU },
	} {
		for _, on := range []AttentionInput{OnFeatures, OnHidden} {
			d := sampleDesign(JK, 2)
			d.Attention.On, d.Head.Activation = on, "prelu"
			change(d)
			newSample(t, d, true).checkGradients(t, fmt.Sprintf("%s alone, on %s", name, on))
		}
	}
}

// byHand is a network of the authors, computed by loops from the definition.
type byHand struct {
	d *Design
	s *sample
}

func (h *byHand) parameter(name string) *program.Array { return h.s.named()[name] }

// state is a running statistic.
func (h *byHand) state(name string, of *program.Array) []float64 {
	for v, a := range h.s.values {
		if v.Name == name && len(a.X) == len(of.X) {
			return a.X
		}
	}
	return nil
}

// norm is batch normalisation by running statistics.
func (h *byHand) norm(layer string, x []float64) []float64 {
	gain, bias := h.parameter(layer+".norm.weight"), h.parameter(layer+".norm.bias")
	mean, variance := h.state(layer+".norm.running_mean", gain), h.state(layer+".norm.running_var", gain)
	y := make([]float64, len(x))
	for j := range x {
		y[j] = (x[j]-mean[j])/math.Sqrt(variance[j]+float64(float32(1e-5)))*gain.X[j] + bias.X[j]
	}
	return y
}

// prelu is that of a stack.
func (h *byHand) prelu(stack string, x []float64) []float64 {
	slope := h.parameter(stack + "act.weight").X[0]
	y := make([]float64, len(x))
	for j, v := range x {
		y[j] = max(v, 0) + slope*min(v, 0)
	}
	return y
}

func sum(a, b []float64) []float64 {
	c := make([]float64, len(a))
	for i := range c {
		c[i] = a[i] + b[i]
	}
	return c
}

// feedForward is FFN: linear, norm, PReLU, linear.
func (h *byHand) feedForward(name string, x []float64) []float64 {
	x = apply(h.parameter(name+".0.weight"), h.parameter(name+".0.bias"), x)
	return apply(h.parameter(name+".1.weight"), h.parameter(name+".1.bias"), h.prelu(name+".", h.norm(name+".0", x)))
}

// blocks is FFN2 from the product of its first layer, with one block in the middle.
func (h *byHand) blocks(name string, x, product []float64) []float64 {
	first := h.norm(name+".0", product)
	if len(first) == len(x) {
		first = sum(first, x)
	}
	y := h.prelu(name+".", first)
	in := make([]float64, len(y))
	for j := range in {
		in[j] = 0.5*y[j] + 0.5*first[j]
	}
	y = h.prelu(name+".", sum(h.norm(name+".1", apply(h.parameter(name+".1.weight"), nil, in)), y))
	out := h.norm(name+".2", apply(h.parameter(name+".2.weight"), nil, y))
	if len(out) == len(y) {
		out = sum(out, y)
	}
	return out
}

// logits are those of a row.
func (h *byHand) logits(i int) (logits, weights []float64) {
	var z [][]float64
	var all []float64
	for k := range h.d.Hops + 1 {
		z = append(z, h.feedForward(fmt.Sprintf("hops.%d", k), h.s.values[h.s.in.hops[k].Dense].Row(i)))
		all = append(all, z[k]...)
	}
	a, b := h.parameter("attention.context.weight"), h.parameter("attention.score.weight")
	score := func(reference, x []float64) float64 {
		s := apply(a, h.parameter("attention.score.bias"), reference)[0] + apply(b, nil, x)[0]
		return max(s, float64(float32(0.2))*s)
	}
	var scores []float64
	for k := range z {
		var reference []float64
		switch h.d.Messages {
		case JK:
			var product []float64
			for j := range z {
				part := apply(h.parameter(fmt.Sprintf("guide.net.0.hops.%d.weight", j)), nil, z[j])
				if product == nil {
					product = make([]float64, len(part))
				}
				product = sum(product, part)
			}
			reference = h.prelu("", h.blocks("guide.net", all, product))
		case Recursive:
			w := []float64{1}
			if k > 0 {
				w = softmaxOf(scores)
			}
			reference = weighed(w, z)
		}
		scores = append(scores, score(reference, z[k]))
	}
	weights = softmaxOf(scores)
	own := apply(h.parameter("residual.weight"), h.parameter("residual.bias"), h.s.values[h.s.in.hops[0].Dense].Row(i))
	message := h.prelu("", sum(weighed(weights, z), own))
	return h.blocks("head", message, apply(h.parameter("head.0.weight"), nil, message)), weights
}

// weighed is Σ_k w_k z_k.
func weighed(w []float64, z [][]float64) []float64 {
	y := make([]float64, len(z[0]))
	for k := range w {
		for j := range y {
			y[j] += w[k] * z[k][j]
		}
	}
	return y
}

// TestGAMLPFollowsItsDefinition holds the whole network against the definition of the authors' program (layer.py and model.py of the GAMLP repository).
func TestGAMLPFollowsItsDefinition(t *testing.T) {
	for _, m := range []Messages{JK, Recursive} {
		d := authorsDesign(m, 3)
		d.Head.Activation = "prelu"
		s := newSample(t, d, false)
		s.evaluate(t)
		h := byHand{d, s}
		for i := range sampleRows {
			logits, weights := h.logits(i)
			expectClose(t, s.values[s.out.Hops].Row(i), weights, fmt.Sprintf("%s: weights of row %d", m, i))
			expectClose(t, s.values[s.out.Logits].Row(i), logits, fmt.Sprintf("%s: logits of row %d", m, i))
		}
	}
}

// TestEvaluationInBlocksIsThatAtOnce: no row depends on those beside it. Whatever is normalised over a batch in training, evaluation takes
// running statistics.
func TestEvaluationInBlocksIsThatAtOnce(t *testing.T) {
	const rows = 13
	logits := func(d *Design, block int) (list []float32) {
		ps, err := d.Compile(Training{Optimizer: "adam"}, Sizes{Features: 5, Classes: 3, Train: rows, Val: rows, Eval: block, Threads: 1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := newTrainer(ps, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer tr.close()
		tr.reset(1)
		all := Rows{Count: rows, Labels: make([]int32, rows)}
		for k := range uint64(d.Reads()) {
			x := make([]float32, rows*5)
			(&kernel.Normal{Dst: x, Std: 1, Key: kernel.Key{Seed: 2, Stream: k}}).Run(nil)
			all.Hops = append(all.Hops, HopRows{Dense: x})
		}
		for range 5 { // so that running statistics are none of their first
			if _, err := tr.fit(&all, 0.01); err != nil {
				t.Fatal(err)
			}
		}
		for lo := 0; lo < rows; lo += block {
			all.Slice(lo, min(lo+block, rows), &tr.block)
			part, _, err := tr.apply(&tr.block)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, part[:3*tr.block.Count]...)
		}
		return list
	}
	check := func(name string, d *Design) {
		want := logits(d, rows)
		for _, block := range []int{1, 5} {
			if got := logits(d, block); !slices.Equal(got, want) {
				t.Errorf("%s: logits in blocks of %d rows: %v, at once %v", name, block, got, want)
			}
		}
	}
	check("as the authors build it", authorsDesign(Recursive, 2))
	designs(2, check)
}
