package program

import "slices"

// recompute lets the backward pass make again what costs little: results of row-wise operations without products
// (activations, norms, dropout) that only later operations of the forward pass keep from being forgotten. The same
// kernels on the same rows give the same bits. Attention and products are never made again, nor what depends on a
// persistent tensor that has changed since.
func recompute(nodes []*node) []*node {
	again := map[*Value]*Value{} // what the backward pass reads instead
	producer := map[*Value]*node{}
	place := map[*node]int{}
	for i, n := range nodes {
		place[n] = i
		for _, v := range n.out {
			producer[v] = n
		}
	}
	changed := map[*Value]int{} // where a persistent tensor was overwritten last, so far
	var list []*node
	// remake returns the value that stands for v in the backward pass, appending the operations that make it.
	var remake func(v *Value) *Value
	remake = func(v *Value) *Value {
		if w, ok := again[v]; ok {
			return w
		}
		n := producer[v]
		stale := n != nil && slices.ContainsFunc(n.in, func(in *Value) bool { return changed[in] > place[n] })
		if n == nil || n.backward || stale || !cheap(n) || v.output {
			again[v] = v
			return v
		}
		c := &node{op: n.op, path: n.path, backward: true}
		for _, in := range n.in {
			c.in = append(c.in, remake(in))
		}
		for _, out := range n.out {
			w := *out
			w.Name, w.producer, w.output = "again."+w.Name, c, false
			c.out = append(c.out, &w)
			again[out] = &w
		}
		list = append(list, c)
		return again[v]
	}
	for i, n := range nodes {
		for _, k := range traits(n.op).Mutates {
			changed[n.in[k]] = i
		}
		if n.backward {
			n.in = slices.Clone(n.in)
			for i, v := range n.in {
				n.in[i] = remake(v)
			}
		}
		list = append(list, n)
	}
	return list
}

// cheap says whether an operation is worth making again: row-wise, only a few operations an element, and from one operand,
// since keeping two to forget one saves nothing.
func cheap(n *node) bool {
	operands := 0
	for _, v := range n.in {
		if !v.Kind.Persistent() {
			operands++
		}
	}
	if !traits(n.op).RowWise || len(traits(n.op).Mutates) > 0 || operands != 1 {
		return false
	}
	const most = 16 // operations an element of the result
	work := cost(n.op, typesOf(n.in), typesOf(n.out))
	return work.Flops <= most*float64(n.out[0].Type.Shape.Len())
}
