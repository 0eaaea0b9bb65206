package graph_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/graph"
)

// A star: the hub is near the stationary state sooner than the leaves, and is smoothed over fewer hops.
func ExampleSmoothing() {
	raw := &format.Graph{
		Name: "star", Nodes: 5, Src: []int32{0, 0, 0, 0}, Dst: []int32{1, 2, 3, 4},
		Features: format.Features{Cols: 1, Dense: []float32{0, 1, 0, 0, 0}},
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

	s := &graph.Smoothing{Graph: g, Adjacency: a, Epsilon: 0.05, Kmax: 200}
	way := s.Ways()[0]
	local, err := s.Steps(context.Background(), way, nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer local.Close()
	smooth, err := s.Smooth(context.Background(), way, local.K, nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer smooth.Close()
	fmt.Printf("steps: %v\nfeatures: %.3f\n", local.K, smooth.Matrix(0))
	// Output:
	// steps: [1 4 3 3 3]
	// features: [0.100 0.459 0.055 0.055 0.055]
}
