package sgap

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/graph/search"
	"github.com/seraph-ml/seraph/run"
)

// costSize is what the cost of a design depends on beside it.
type costSize struct {
	nodes, features, classes int
	entries                  map[graph.Norm]int64 // of the adjacency matrices
}

// cost is the number of multiply-adds that a prediction of all n nodes takes, with d features and C classes:
//
//	K_pre (nnz(Â) + n) d                 steps, of which each but those of powers of Â adds α X: n d; none for those
//	(K_pre + 1) n d                      mean, max and weighted; adaptive twice that: scores, and the sum
//	n Σ_i in_i out_i                     linear layers, of which the first takes (K_pre + 1) d where messages are side by side
//	K_post (nnz(Â) + n) C                steps of predictions, likewise
func (z *costSize) cost(d *Design) float64 {
	n, features := float64(z.nodes), float64(z.features)
	steps := z.steps(d.Norm, d.Teleport, d.Hops) * features
	var messages float64
	switch {
	case d.Messages == Gate:
		messages = 2 * float64(d.Hops+1) * n * features
	case d.Messages == Max || d.Messages.sums():
		messages = float64(d.Hops+1) * n * features
	}
	weights, _ := z.parameters(d)
	return steps + messages + n*weights + z.steps(d.Post.Norm, d.Post.Teleport, d.Post.Hops)*float64(z.classes)
}

// steps is the multiply-adds of steps of propagation, a column.
func (z *costSize) steps(norm graph.Norm, teleport float64, steps int) float64 {
	one := float64(z.entries[norm])
	if teleport > 0 {
		one += float64(z.nodes)
	}
	return float64(steps) * one
}

// parameters are those of the linear layers: weights, and biases.
func (z *costSize) parameters(d *Design) (weights, biases float64) {
	in := float64(z.features)
	if d.Messages == Joined {
		in *= float64(d.Hops + 1)
	}
	for range d.Head.Layers - 1 {
		weights, biases = weights+in*float64(d.Head.Hidden), biases+float64(d.Head.Hidden)
		in = float64(d.Head.Hidden)
	}
	return weights + in*float64(z.classes), biases + float64(z.classes)
}

// memory is the bytes that a prediction keeps: parameters, the matrices that the design reads, and predictions before and after
// their propagation, all in float32.
func (z *costSize) memory(d *Design) float64 {
	weights, biases := z.parameters(d)
	numbers := weights + biases + float64(z.nodes)*float64(z.features)*float64(d.Reads())
	if d.Messages == Gate {
		numbers += float64(z.features) + 1
	}
	if d.Post.Hops > 0 {
		numbers += 2 * float64(z.nodes) * float64(z.classes)
	}
	return 4 * numbers
}

// objective is one of the numbers that a search minimises. Costs count by their logarithm to base 10: half the cost is the same
// gain anywhere.
type objective struct {
	name      string
	low, high float64 // the box that hypervolumes are shares of; high is the reference
	of        func(e *tried) float64
	show      func(e *tried) float64 // as people read it
	unit      string
}

// objectiveNames are those of the setting.
var objectiveNames = []string{"error", "cost", "time", "memory"}

// checkObjectives checks the setting.
func checkObjectives(text string) error {
	names := strings.Split(text, ",")
	for i, name := range names {
		if !slices.Contains(objectiveNames, name) || slices.Contains(names[:i], name) {
			return fmt.Errorf("expected two or three of %s, each once, between commas", strings.Join(objectiveNames, ", "))
		}
	}
	if len(names) < 2 || len(names) > 3 {
		return fmt.Errorf("expected two or three of %s", strings.Join(objectiveNames, ", "))
	}
	return nil
}

// objectivesOf are the objectives that the setting names. The box of costs and memory is that of all designs; that of the error
// ends where guessing begins, that of times at 1000 seconds.
func (s *designSearch) objectivesOf(names string) []objective {
	z := s.sizeOfCost()
	cost := objective{name: "cost", of: func(e *tried) float64 { return math.Log10(e.Cost) }, show: func(e *tried) float64 { return e.Cost }, unit: "multiply-adds"}
	memory := objective{name: "memory", of: func(e *tried) float64 { return math.Log10(e.Memory) }, show: func(e *tried) float64 { return e.Memory }, unit: "bytes"}
	cost.low, memory.low = math.Inf(1), math.Inf(1)
	for d := range search.PaSca().Designs() {
		c := designChoice(s.base, d)
		e := tried{Cost: z.cost(&c.design), Memory: z.memory(&c.design)}
		for _, o := range []*objective{&cost, &memory} {
			o.low, o.high = min(o.low, o.of(&e)), max(o.high, o.of(&e))
		}
	}
	all := map[string]objective{
		"error":  {"error", 0, 1 - 1/float64(z.classes), func(e *tried) float64 { return 1 - e.Accuracy }, func(e *tried) float64 { return 1 - e.Accuracy }, "of validation nodes"},
		"cost":   cost,
		"time":   {"time", -6, 3, func(e *tried) float64 { return math.Log10(max(e.Seconds, 1e-9)) }, func(e *tried) float64 { return e.Seconds }, "seconds"},
		"memory": memory,
	}
	var list []objective
	for name := range strings.SplitSeq(names, ",") {
		list = append(list, all[name])
	}
	return list
}

// values are the objectives of a design; nil if it failed.
func (e *tried) values(list []objective) []float64 {
	if e.Failed != "" {
		return nil
	}
	values := make([]float64, len(list))
	for i, o := range list {
		values[i] = o.of(e)
	}
	return values
}

// hypervolume is that of the first n trials, as a share of the box.
func (s *designSearch) hypervolume(n int) float64 {
	var points [][]float64
	for i := range n {
		if v := s.trials[i].values(s.objectives); v != nil {
			points = append(points, v)
		}
	}
	reference, box := make([]float64, len(s.objectives)), 1.0
	for i, o := range s.objectives {
		reference[i] = o.high
		box *= o.high - o.low
	}
	return search.Hypervolume(points, reference) / box
}

// bestAccuracy is the best validation accuracy so far.
func (s *designSearch) bestAccuracy() run.Metric {
	best := 0.0
	for i := range s.trials {
		best = max(best, s.trials[i].Accuracy)
	}
	return run.Metric{Name: "best_val_accuracy", Value: best}
}
