package graph

// Components numbers the connected components in the order of their lowest nodes: the component of each node, and how many
// nodes each has.
func (g *Graph) Components() (of []int32, sizes []int) {
	of = make([]int32, g.Nodes)
	for i := range of {
		of[i] = -1
	}
	var queue []int32
	for start := range of {
		if of[start] >= 0 {
			continue
		}
		c := int32(len(sizes))
		of[start] = c
		queue = append(queue[:0], int32(start))
		size := 0
		for len(queue) > 0 {
			u := queue[len(queue)-1]
			queue = queue[:len(queue)-1]
			size++
			for _, v := range g.Indices[g.Indptr[u]:g.Indptr[u+1]] {
				if of[v] < 0 {
					of[v] = c
					queue = append(queue, v)
				}
			}
		}
		sizes = append(sizes, size)
	}
	return of, sizes
}

// largest returns the nodes of the largest component, ascending, or nil when there is only one component.
func (g *Graph) largest() []int32 {
	of, sizes := g.Components()
	best := 0
	for c, size := range sizes {
		if size > sizes[best] {
			best = c
		}
	}
	if len(sizes) == 1 {
		g.note("the graph is connected")
		return nil
	}
	g.note("largest of %d components: %d of %d nodes", len(sizes), sizes[best], g.Nodes)
	kept := make([]int32, 0, sizes[best])
	for u, c := range of {
		if c == int32(best) {
			kept = append(kept, int32(u))
		}
	}
	return kept
}

// restrict keeps a whole component, given by its nodes in ascending order (nil = all).
func (g *Graph) restrict(kept []int32) {
	if kept == nil {
		return
	}
	number := make([]int32, g.Nodes) // within the component
	for i, u := range kept {
		number[u] = int32(i)
	}
	end := int64(0)
	for i, u := range kept {
		lo, hi := g.Indptr[u], g.Indptr[u+1]
		g.Indptr[i] = end // i ≤ u: what is overwritten has been read
		for at := lo; at < hi; at++ {
			g.Indices[end] = number[g.Indices[at]]
			if g.Weights != nil {
				g.Weights[end] = g.Weights[at]
			}
			end++
		}
	}
	g.Nodes = len(kept)
	g.Indptr[g.Nodes] = end
	g.Indptr = g.Indptr[:g.Nodes+1]
	g.Indices = g.Indices[:end]
	if g.Weights != nil {
		g.Weights = g.Weights[:end]
	}
}
