package edges_test

import (
	"context"
	"fmt"

	"github.com/seraph-ml/seraph/graph/edges"
)

// A triangle, one edge of it twice, and an id with nothing but a loop.
func Example() {
	s, err := edges.NewSorter(edges.Options{Memory: 1 << 20, Symmetric: true, Workers: 2})
	if err != nil {
		panic(err)
	}
	defer s.Close()
	if err := edges.Add(s, []uint64{10, 20, 30, 20, 99}, []uint64{20, 30, 10, 10, 99}); err != nil {
		panic(err)
	}
	counts, err := s.Rows(context.Background(), func(u uint64, neighbours []uint64) error {
		fmt.Println(u, neighbours)
		return nil
	})
	fmt.Println(counts.Entries/2, "edges,", counts.Loops, "loop,", counts.Duplicates, "duplicate", err)
	// Output:
	// 10 [20 30]
	// 20 [10 30]
	// 30 [10 20]
	// 99 []
	// 3 edges, 1 loop, 1 duplicate <nil>
}
