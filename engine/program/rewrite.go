package program

import (
	"maps"
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
)

// rewrite returns the operations of p as they will run. p keeps its own.
func rewrite(p *Program, o Options) []*node {
	nodes := make([]*node, len(p.nodes))
	for i, n := range p.nodes {
		copied := *n
		nodes[i] = &copied
	}
	nodes = dropDead(nodes)
	if o.Recompute {
		nodes = recompute(nodes)
	}
	nodes = fuseActivations(nodes)
	nodes = fuseSums(nodes)
	nodes = fuseChains(nodes)
	return hoistUpdates(nodes)
}

// dropDead leaves out operations whose results nobody reads.
func dropDead(nodes []*node) []*node {
	needed := map[*Value]bool{}
	for i, n := range slices.Backward(nodes) {
		alive := len(traits(n.op).Mutates) > 0 || len(n.out) == 0
		for _, v := range n.out {
			alive = alive || v.output || needed[v]
		}
		if !alive {
			nodes[i] = nil
			continue
		}
		for _, v := range n.in {
			needed[v] = true
		}
	}
	return compact(nodes)
}

func compact(nodes []*node) []*node {
	return slices.DeleteFunc(nodes, func(n *node) bool { return n == nil })
}

// users counts how often each value is read; what the caller reads counts too.
func users(nodes []*node) map[*Value]int {
	count := map[*Value]int{}
	for _, n := range nodes {
		for _, v := range n.in {
			count[v]++
		}
		for _, v := range n.out {
			if v.output {
				count[v]++
			}
		}
	}
	return count
}

// fuseActivations lets a product apply the activation that follows it. The product's own result stays where something
// else reads it (a gradient), as a second result.
func fuseActivations(nodes []*node) []*node {
	count := users(nodes)
	product := map[*Value]*node{}
	for i, n := range nodes {
		switch op := n.op.(type) {
		case matmul:
			if op.act == kernel.Identity && !op.accumulate {
				product[n.out[0]] = n
			}
		case mapping:
			pre := n.in[0]
			m := product[pre]
			if m == nil {
				continue
			}
			fused := m.op.(matmul)
			fused.act = op.act
			m.op, m.out = fused, []*Value{n.out[0]}
			if count[pre] > 1 {
				m.out = append(m.out, pre)
			}
			delete(product, pre)
			nodes[i] = nil
		}
	}
	return compact(nodes)
}

// fuseSums turns a sum with a product that nobody else reads into a product that adds to the other addend. It takes the
// place of the sum, so nothing may overwrite what it reads before.
func fuseSums(nodes []*node) []*node {
	count := users(nodes)
	product := map[*Value]int{}
	for i, n := range nodes {
		for _, k := range traits(n.op).Mutates {
			maps.DeleteFunc(product, func(_ *Value, at int) bool { return slices.Contains(nodes[at].in, n.in[k]) })
		}
		switch op := n.op.(type) {
		case matmul:
			if op.act == kernel.Identity && !op.accumulate && !op.bias && count[n.out[0]] == 1 {
				product[n.out[0]] = i
			}
		case binary:
			if op.op != kernel.Add {
				continue
			}
			for k, v := range n.in {
				at, ok := product[v]
				if !ok {
					continue
				}
				m := nodes[at]
				fused := m.op.(matmul)
				fused.accumulate = true
				nodes[i] = &node{op: fused, in: []*Value{m.in[0], m.in[1], n.in[1-k]}, out: n.out, path: n.path, backward: n.backward}
				nodes[at] = nil
				delete(product, v)
				break
			}
		}
	}
	return compact(nodes)
}

// hoistUpdates moves every operation that overwrites persistent tensors to right behind the last operation that it must
// follow: those that make what it reads, and those that read what it overwrites. A gradient then dies early.
func hoistUpdates(nodes []*node) []*node {
	var list []*node
	for _, n := range nodes {
		mutates := traits(n.op).Mutates
		at := len(list)
		if len(mutates) > 0 {
			at = 0
			for i, m := range list {
				if mustFollow(n, m) {
					at = i + 1
				}
			}
		}
		list = slices.Insert(list, at, n)
	}
	return list
}

// mustFollow says whether the updating operation n has to run after m, which stands before it.
func mustFollow(n, m *node) bool {
	for _, v := range n.in {
		if slices.Contains(m.out, v) {
			return true
		}
	}
	for _, i := range traits(n.op).Mutates {
		if slices.Contains(m.in, n.in[i]) {
			return true
		}
	}
	for _, i := range traits(m.op).Mutates {
		if slices.Contains(n.in, m.in[i]) {
			return true
		}
	}
	return false
}
