package graph_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/graph"
)

// A path of four nodes, one feature, two hops of SGC's operator.
func Example() {
	raw := &format.Graph{
		Name: "path", Nodes: 4, Src: []int32{0, 1, 2}, Dst: []int32{1, 2, 3},
		Features: format.Features{Cols: 1, Dense: []float32{1, 0, 0, 0}},
		Labels:   []int32{0, 0, 1, 1}, Classes: 2,
	}
	g, err := graph.New(raw, graph.All)
	if err != nil {
		log.Fatal(err)
	}
	defer g.Close()

	rule, err := graph.ParseSplit("per-class:1/0")
	if err != nil {
		log.Fatal(err)
	}
	splits, err := rule.Draw(g, []uint64{0})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("nodes that train:", len(splits[0].Train))

	a, err := g.Normalize(graph.Norm{R: 0, SelfLoops: true}) // the mean over a node and its neighbours
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	p := graph.Propagation{Graph: g, Adjacency: a, K: 2}
	hops, err := p.Run(context.Background(), p.Ways()[0], nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer hops.Close()
	column := make([]float32, 4)
	for k := range hops.K + 1 {
		if err := hops.ReadRows(0, 4, k, column); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("hop %d: %.4f\n", k, column)
	}
	// Output:
	// nodes that train: 2
	// hop 0: [1.0000 0.0000 0.0000 0.0000]
	// hop 1: [0.5000 0.3333 0.0000 0.0000]
	// hop 2: [0.4167 0.2778 0.1111 0.0000]
}

// The sum of S2GC on the same path: one matrix, read as the last hop.
func ExampleS2GCWeights() {
	raw := &format.Graph{
		Name: "path", Nodes: 4, Src: []int32{0, 1, 2}, Dst: []int32{1, 2, 3},
		Features: format.Features{Cols: 1, Dense: []float32{1, 0, 0, 0}},
	}
	g, err := graph.New(raw, graph.All)
	if err != nil {
		log.Fatal(err)
	}
	defer g.Close()
	a, err := g.Normalize(graph.Norm{R: 0, SelfLoops: true})
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	p := graph.Propagation{Graph: g, Adjacency: a, First: 2, K: 2, Combine: graph.S2GCWeights(0.2, 2)}
	hops, err := p.Run(context.Background(), p.Ways()[0], nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer hops.Close()
	fmt.Printf("%.4f\n", hops.Matrix(2)) // 0.2·H_0 + 0.4·H_1 + 0.4·H_2
	// Output: [0.5667 0.2444 0.0444 0.0000]
}
