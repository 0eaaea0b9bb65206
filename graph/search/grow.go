package search

import (
	"cmp"
	"slices"
)

// grower grows one tree.
type grower struct {
	space     *Space
	positions []int // (observations, parameters)
	values    []float64
	random    *draw

	tree       tree
	parameters []int
	buckets    []bucket
}

// bucket gathers the observations of a node that share a parameter's value.
type bucket struct {
	position, count int
	sum             float64
}

// split is a way to divide a node: the buckets before cut go left, when they lie in the order that was tried.
type split struct {
	node
	gain float64
}

// grow returns a tree on a bootstrap sample.
func (g *grower) grow() tree {
	n := len(g.values)
	if n == 0 {
		return tree{{parameter: -1, last: -1}}
	}
	rows := make([]int, n)
	for i := range rows {
		rows[i] = g.random.below(n)
	}
	g.parameters = make([]int, len(g.space.sizes))
	for i := range g.parameters {
		g.parameters[i] = i
	}
	g.node(rows)
	return g.tree
}

// node appends the tree of the observations and returns its number. The rows are reordered.
func (g *grower) node(rows []int) int32 {
	at := int32(len(g.tree))
	mean, variance := g.moments(rows)
	g.tree = append(g.tree, node{parameter: -1, last: -1, value: mean})
	if len(rows) < minSplit || variance <= pureEnough {
		return at
	}
	best := g.best(rows, mean)
	if best.gain <= 0 {
		return at
	}
	d := len(g.space.sizes)
	left := 0
	for i, r := range rows {
		if best.goesLeft(g.positions[r*d+int(best.parameter)]) {
			rows[left], rows[i] = r, rows[left]
			left++
		}
	}
	best.left = g.node(rows[:left])
	best.right = g.node(rows[left:])
	g.tree[at] = best.node
	return at
}

func (g *grower) moments(rows []int) (mean, variance float64) {
	for _, r := range rows {
		mean += g.values[r]
	}
	n := float64(len(rows))
	mean /= n
	for _, r := range rows {
		variance += (g.values[r] - mean) * (g.values[r] - mean)
	}
	return mean, variance / n
}

// best returns the split with the largest reduction of the squared error, over a random choice of 5/6 of the parameters;
// of equal ones the first that was drawn. Its gain is 0 if none is possible.
func (g *grower) best(rows []int, mean float64) split {
	k := max(1, 5*len(g.parameters)/6)
	g.random.choose(g.parameters, k)
	var best split
	for _, i := range g.parameters[:k] {
		g.fill(rows, i, mean)
		if g.space.parameters[i].Values != nil {
			// For squared error the best of all 2^(n−1) ways to divide n categories is among the n−1 that divide them when
			// they lie in the order of their means (Breiman et al., Classification and regression trees, 1984, theorem 4.5).
			slices.SortFunc(g.buckets, func(a, b bucket) int {
				return cmp.Or(cmp.Compare(a.sum/float64(a.count), b.sum/float64(b.count)), cmp.Compare(a.position, b.position))
			})
		}
		if cut, gain := g.cut(len(rows)); gain > best.gain {
			best = split{g.divide(i, cut), gain}
		}
	}
	return best
}

// fill sorts the observations into buckets by the value of parameter i, in the order of positions. Values count from the
// mean of the node, so that sums do not cancel.
func (g *grower) fill(rows []int, i int, mean float64) {
	d := len(g.space.sizes)
	g.buckets = g.buckets[:0]
	for _, r := range rows {
		p := g.positions[r*d+i]
		at, found := slices.BinarySearchFunc(g.buckets, p, func(b bucket, p int) int { return cmp.Compare(b.position, p) })
		if !found {
			g.buckets = slices.Insert(g.buckets, at, bucket{position: p})
		}
		g.buckets[at].count++
		g.buckets[at].sum += g.values[r] - mean
	}
}

// cut returns how many buckets go left at best, and the reduction of the squared error of n observations: with sums s of
// values that sum to 0, it is s_l²/n_l + s_r²/n_r.
func (g *grower) cut(n int) (at int, gain float64) {
	count, sum := 0, 0.0
	for j, b := range g.buckets[:len(g.buckets)-1] {
		count += b.count
		sum += b.sum
		if count < minLeaf || n-count < minLeaf {
			continue
		}
		if x := sum * sum * (1/float64(count) + 1/float64(n-count)); x > gain {
			at, gain = j+1, x
		}
	}
	return at, gain
}

// divide returns the node that sends the first cut of the buckets to the left, and draws where unobserved values go.
func (g *grower) divide(i, cut int) node {
	n := node{parameter: int32(i), last: -1}
	if g.space.parameters[i].Values == nil {
		low, high := g.buckets[cut-1].position, g.buckets[cut].position
		n.last = low + g.random.below(high-low)
		return n
	}
	seen := uint64(0)
	for j, b := range g.buckets {
		seen |= 1 << b.position
		if j < cut {
			n.categories |= 1 << b.position
		}
	}
	unseen := ^seen & (uint64(g.random.Word())<<32 | uint64(g.random.Word()))
	n.categories |= unseen
	return n
}
