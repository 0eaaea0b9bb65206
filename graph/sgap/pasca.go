package sgap

import (
	"strings"

	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/graph/search"
	"github.com/seraph-ml/seraph/run"
)

// The points of PaSca's design space (search.PaSca; Zhang et al., WWW 2022, table 1) as designs:
//
//	GA   aug-na       H_k = Â H_{k−1}, Â = D̃^(−½) (A + I) D̃^(−½)
//	     ppr-α        H_k = (1−α) Â H_{k−1} + α X
//	     triangle-ia  H_k = D_tri⁻¹ A_tri H_{k−1}; a node in no triangle keeps its features
//	MA   none         H_K
//	     mean         1/(K+1) Σ_k H_k
//	     max          max_k H_k, element by element
//	     concatenate  [H_0 | … | H_K]
//	     weighted     Σ_k β(1−β)^k H_k with β = 0.1, GBP's
//	     adaptive     Σ_k w_ik H_k, w_i = softmax over k of σ(a·H_k + b)
//
// Hop 0 is one of the messages of every aggregator but none: the authors' two programs disagree, the paper includes it. Of
// transformation steps, K_trans are linear layers, the last without activation; from the third on a layer takes the sum of what
// the two before it give, and one layer alone is logistic regression, without dropout. Predictions are propagated after the
// softmax.
const pascaDecay = 0.1 // β

// pascaMessages are the message aggregators of the space, by their names there.
var pascaMessages = map[string]Messages{
	"none": Last, "mean": Mean, "max": Max, "concatenate": Joined, "weighted": Weighted, "adaptive": Gate,
}

// pascaGraph is a graph aggregator of the space.
func pascaGraph(name string) (norm graph.Norm, teleport float64) {
	switch {
	case name == "triangle-ia":
		return graph.Norm{Triangles: true}, 0
	case strings.HasPrefix(name, "ppr-"):
		return graph.Symmetric, map[string]float64{"ppr-0.1": 0.1, "ppr-0.2": 0.2, "ppr-0.3": 0.3}[name]
	}
	return graph.Symmetric, 0
}

// pascaDesign makes d the point of the space that its names describe; without steps the aggregators mean nothing.
func pascaDesign(d *Design, pre int, aggregator, messages string, post int, postAggregator string) {
	d.Hops, d.Messages = pre, Last
	if pre > 0 {
		d.Norm, d.Teleport = pascaGraph(aggregator)
		d.Messages = pascaMessages[messages]
		if d.Messages == Weighted {
			d.Weighting = Weighting{Kind: PPR, Alpha: pascaDecay}
		}
		d.Attention.On = OnFeatures
	}
	if d.Post.Hops = post; post > 0 {
		d.Post.Norm, d.Post.Teleport = pascaGraph(postAggregator)
	}
	d.Head.Residual = true
	if d.Head.Layers == 1 {
		d.Head.InputDropout = 0
	}
}

// pascaSettings are the settings of a point of the space: pre-propagation, messages, layers, post-propagation, and what they
// are trained with.
func pascaSettings(tune, pre, aggregator, messages, layers, post, postAggregator string) []run.Setting {
	space := []run.Setting{
		{Key: "hops", Type: run.Int, Default: pre, Min: "0", Max: "1000", Doc: "steps of propagation of the features"},
		{Key: "aggregator", Type: run.Choice, Choices: search.GraphAggregators, Default: aggregator, Doc: "of these steps: normalised adjacency, personalised PageRank, triangles"},
		{Key: "messages", Type: run.Choice, Choices: search.MessageAggregators, Default: messages, Doc: "how the messages of all steps become one"},
		{Key: "post-hops", Type: run.Int, Default: post, Min: "0", Max: "1000", Doc: "steps of propagation of the predictions"},
		{Key: "post-aggregator", Type: run.Choice, Choices: search.GraphAggregators, Default: postAggregator, Doc: "of these steps"},
		ranksSetting(),
	}
	list := head(layers, "128", "0.8", "0.01", "5e-4")
	for i := range list {
		if list[i].Key == "input-dropout" {
			list[i].Default = "0.8"
			list[i].Doc = "rate on the input; a single layer has none"
		}
	}
	return settings(tune, space, list)
}

const pascaPaper = "Zhang et al., PaSca: a Graph Neural Architecture Search System under the Scalable Paradigm, WWW 2022"

// pascaPresets are the published models as points of PaSca's space, with its definitions and not their own papers', and the
// three that its authors found.
func pascaPresets() []preset {
	const one = "One of the points that the paper names; the model of its own paper has the name before the @."
	var list []preset
	for _, p := range []struct {
		name, title                                             string
		pre, aggregator, messages, layers, post, postAggregator string
		use                                                     string
	}{
		{"pasca", "any point of PaSca's design space: propagate, aggregate, transform, propagate the predictions", "6", "aug-na", "adaptive", "3", "4", "ppr-0.3",
			"What seraph search pasca finds is trained with it."},
		{"sgc@pasca", "SGC as a point of PaSca's space: the last message, one layer", "3", "aug-na", "none", "1", "0", "aug-na", one},
		{"sign@pasca", "SIGN as a point of PaSca's space: all messages side by side, one layer", "3", "aug-na", "concatenate", "1", "0", "aug-na", one},
		{"s2gc@pasca", "S2GC as a point of PaSca's space: the mean over steps of personalised PageRank, one layer", "10", "ppr-0.1", "mean", "1", "0", "aug-na", one},
		{"gbp@pasca", "GBP as a point of PaSca's space: messages that count less the further they come, two layers", "4", "aug-na", "weighted", "2", "0", "aug-na", one},
		{"appnp@pasca", "APPNP as a point of PaSca's space: an MLP whose predictions go through personalised PageRank", "0", "aug-na", "none", "2", "10", "ppr-0.1", one},
		{"pasca-v1", "PaSca-V1: three steps of personalised PageRank, weighted, two layers", "3", "ppr-0.1", "weighted", "2", "0", "aug-na",
			"The fastest of the three that the paper's search found."},
		{"pasca-v2", "PaSca-V2: every node weighs six steps, two layers", "6", "aug-na", "adaptive", "2", "0", "aug-na",
			"Between PaSca-V1 and PaSca-V3 in accuracy and cost."},
		{"pasca-v3", "PaSca-V3: every node weighs six steps, three layers, and predictions are propagated", "6", "aug-na", "adaptive", "3", "4", "ppr-0.3",
			"The most accurate of the three that the paper's search found."},
	} {
		list = append(list, preset{
			name: p.name, title: p.title, paper: pascaPaper,
			settings: pascaSettings("24", p.pre, p.aggregator, p.messages, p.layers, p.post, p.postAggregator),
			tuned:    pascaAxes(p.layers), use: p.use,
		})
	}
	return list
}

// pascaAxes are what tuning chooses: how a point is trained, not the point.
func pascaAxes(layers string) []axis {
	if layers == "1" {
		return []axis{
			{"scaling", []string{"l1", "rms", "l2"}},
			{"weight-decay", []string{"1e-3", "1e-4", "1e-5", "1e-6"}},
			{"lr", []string{"0.2", "0.05", "0.01"}},
		}
	}
	return []axis{
		{"scaling", []string{"l1", "rms", "l2"}},
		{"weight-decay", []string{"5e-3", "5e-4", "5e-5"}},
		{"input-dropout", []string{"0", "0.5", "0.8"}},
		{"dropout", []string{"0.5", "0.8"}},
		{"lr", []string{"0.01", "0.003"}},
	}
}
