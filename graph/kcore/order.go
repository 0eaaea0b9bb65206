package kcore

import "slices"

// Order fills order with the vertices in a degeneracy order: core numbers never decrease along it, and each vertex has at
// most core[v] neighbours behind it. It is made of the core numbers level by level, and so the same whichever engine found
// them: those of a shell that have at most k neighbours among what is left go first, then those that have so few without
// them, and so on; each such layer by number.
//
// residual has room for Nodes values. The cost is that of a peeling.
func Order(g *Graph, core, order, residual []int32) {
	starts := shells(core)
	byCore(core, order, starts)
	for v := range core {
		r := int32(0)
		for _, u := range g.Neighbours(v) {
			r += 1 ^ int32(uint32(core[u]-core[v])>>31)
		}
		residual[v] = r
	}
	var members []int32
	for k := 0; k+1 < len(starts); k++ {
		shell := order[starts[k]:starts[k+1]]
		members = append(members[:0], shell...)
		orderShell(g, core, residual, shell, members, int32(k))
	}
}

// orderShell puts the members of shell k into order. A vertex that is placed gets a residual of −1.
func orderShell(g *Graph, core, residual, shell, members []int32, k int32) {
	placed := 0
	for _, v := range members {
		if residual[v] <= k {
			shell[placed] = v
			placed++
		}
	}
	for layer := 0; layer < placed; {
		end := placed
		for _, v := range shell[layer:end] {
			residual[v] = -1
		}
		for _, v := range shell[layer:end] {
			for _, u := range g.Neighbours(int(v)) {
				if core[u] != k || residual[u] < 0 {
					continue
				}
				if residual[u]--; residual[u] == k {
					shell[placed] = u
					placed++
				}
			}
		}
		layer = end
		slices.Sort(shell[layer:placed])
	}
}

// shells returns where in the order each shell begins, k = 0 … degeneracy, and the end.
func shells(core []int32) []int {
	var sizes []int
	for _, k := range core {
		for len(sizes) <= int(k) {
			sizes = append(sizes, 0)
		}
		sizes[k]++
	}
	starts := make([]int, len(sizes)+1)
	for k, n := range sizes {
		starts[k+1] = starts[k] + n
	}
	return starts
}

// byCore sorts the vertices by core number, then by number.
func byCore(core, order []int32, starts []int) {
	next := slices.Clone(starts)
	for v, k := range core {
		order[next[k]] = int32(v)
		next[k]++
	}
}
