package kcore

import (
	"fmt"
	"slices"
)

// Order fills order with the vertices in a degeneracy order: core numbers never decrease along it, and each vertex has at
// most core[v] neighbours behind it. It is made of the core numbers level by level, and so the same whichever engine found
// them: those of a shell that have at most k neighbours among what is left go first, then those that have so few without
// them, and so on; each such layer by number.
//
// residual has room for Nodes values. The cost is that of a peeling. Values that are no core numbers may have no such order: the
// error is a *WrongError then.
func Order(g *Graph, core, order, residual []int32) error {
	for v, k := range core {
		if d := g.Degree(v); k > d {
			return &WrongError{g.Label(v), k, fmt.Sprintf("and %d neighbours: too large", d)}
		}
	}
	starts := shells(core)
	byCore(core, order, starts)
	for v := range core {
		r := int32(0)
		for _, u := range g.Neighbours(v) {
			r += 1 ^ int32(uint32(core[u]-core[v])>>31)
		}
		residual[v] = r
	}
	for k := 0; k+1 < len(starts); k++ {
		if shell := order[starts[k]:starts[k+1]]; orderShell(g, core, residual, shell, int32(k)) < len(shell) {
			return stuck(g, core, residual, int32(k))
		}
	}
	return nil
}

// stuck is the error for a shell k that has no order.
func stuck(g *Graph, core, residual []int32, k int32) error {
	for v, r := range residual {
		if core[v] == k && r >= 0 {
			return inDenser(&g.Names, v, k)
		}
	}
	return nil
}

// inDenser is the error for a vertex that never becomes free, as if its core number were larger.
func inDenser(n *Names, v int, k int32) error {
	return &WrongError{n.Label(v), k, "and in a subgraph where everybody has more neighbours: too small, or another is too large"}
}

// orderShell puts the members of shell k into order, and says how many of them have a place. A vertex that is placed gets a residual of −1.
func orderShell(g *Graph, core, residual, shell []int32, k int32) (placed int) {
	for _, v := range shell { // those that are placed come to where others were looked at before
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
	return placed
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
