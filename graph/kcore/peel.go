package kcore

// Peel computes the core numbers, core[v] of vertex v, by peeling (Matula and Beck 1983; Batagelj and Zaveršnik 2003):
//
//	for k = 0, 1, 2, …: while a vertex has at most k neighbours left, its core number is k; remove it
//
// core has room for Nodes values. The vertices that are left are kept as a list, from which every level drops those that
// the one before removed: over all levels that looks at vertex v core[v] times, so at all together less often than at edges.
// No buckets are needed.
func Peel(g *Graph, core []int32, work *Work) {
	left, shell := work.left, work.shell
	for v := range core {
		core[v] = g.Degree(v) // of what is left; in the end, the core number
		left[v] = int32(v)
	}
	for k := int32(0); len(left) > 0; k++ {
		var removed int
		left, removed = level(core, left, shell, k)
		for at := 0; at < removed; at++ {
			removed = lower(core, g.Neighbours(int(shell[at])), shell, removed, k)
		}
	}
}

// lower takes a neighbour from those of the vertices that are left, and puts the ones that come down to k into the shell.
// There are no branches, as half of them would go either way; shell[removed] is written whether it counts or not.
func lower(core, vertices, shell []int32, removed int, k int32) int {
	for _, u := range vertices {
		d := core[u]
		above := uint32(k-d) >> 31 // 1 where d > k: u is left
		d -= int32(above)
		core[u] = d
		shell[removed] = u
		removed += int(above &^ (uint32(k-d) >> 31)) // 1 where that brings it down to k
	}
	return removed
}

// level takes the vertices that were removed at levels below k out of the list, and those of degree k into the shell.
func level(core, left, shell []int32, k int32) (still []int32, removed int) {
	n := 0
	for _, v := range left {
		switch d := core[v]; {
		case d > k:
			left[n] = v
			n++
		case d == k:
			shell[removed] = v
			removed++
		}
	}
	return left[:n], removed
}
