package kcore_test

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/graph/kcore"
)

func Example() {
	pool := kernel.NewPool(1)
	defer pool.Close()

	//  10 ─ 11 ─ 12
	//   │  ╳  │
	//  13 ─ 14
	g, err := kcore.FromPairs([]int64{10, 11, 10, 13, 11, 14, 13, 14, 10, 14, 11, 13, 11, 12}, 0, pool)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer g.Close()
	work, err := kcore.NewWork(g.Nodes, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer work.Close()
	core := make([]int32, g.Nodes)
	kcore.Peel(g, core, work)
	for v, k := range core {
		if g.Present(v) {
			fmt.Println(g.ID(v), k)
		}
	}
	// Output:
	// 10 3
	// 11 3
	// 12 1
	// 13 3
	// 14 3
}
