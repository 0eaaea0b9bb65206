package kcore

import "fmt"

// Verify proves that core holds the core numbers of g, from a degeneracy order and in one pass over the edges:
// if every vertex v has core[v] neighbours u with core[u] ≥ core[v], then {core ≥ k} is a subgraph of minimum degree
// k, and no value is too large; if core never decreases along the order and every vertex has at most core[v]
// neighbours behind it, then whatever subgraph it lies in has a vertex, the first one in the order, of no higher degree,
// and none is too small. place has room for Nodes values.
func Verify(g *Graph, core, order, place []int32) error {
	if err := verifyOrder(g, core, order, place); err != nil {
		return err
	}
	for v, k := range core {
		support, behind := int32(0), int32(0)
		for _, u := range g.Neighbours(v) {
			if core[u] >= k {
				support++
			}
			if place[u] > place[v] {
				behind++
			}
		}
		if err := witness(&g.Names, v, k, support, behind); err != nil {
			return err
		}
	}
	return nil
}

// witness judges a core number by how many neighbours have at least that, and how many stand behind the vertex in the order.
func witness(n *Names, v int, k, support, behind int32) error {
	if support < k {
		return &WrongError{n.Label(v), k, fmt.Sprintf("and %d neighbours of at least that: too large", support)}
	}
	if behind > k {
		return &WrongError{n.Label(v), k, fmt.Sprintf("and %d neighbours behind it in the order: too small, or no degeneracy order", behind)}
	}
	return nil
}

// verifyOrder makes place the inverse of the order, which must hold each vertex once, by ascending core number.
func verifyOrder(g *Graph, core, order, place []int32) error {
	if len(core) != g.Nodes || len(order) != g.Nodes {
		return fmt.Errorf("%d core numbers and an order of %d for %d vertices", len(core), len(order), g.Nodes)
	}
	for v := range place {
		place[v] = -1
	}
	for i, v := range order {
		if v < 0 || int(v) >= g.Nodes || place[v] >= 0 {
			return fmt.Errorf("place %d of the order: vertex %d, which is none or there already", i, v)
		}
		if i > 0 && core[v] < core[order[i-1]] {
			return fmt.Errorf("place %d of the order: vertex %s has core number %d, the one before it %d", i, g.Label(int(v)), core[v], core[order[i-1]])
		}
		place[v] = int32(i)
	}
	return nil
}
