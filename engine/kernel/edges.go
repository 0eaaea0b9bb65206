package kernel

import "fmt"

// Edges are the entries of a square sparse matrix in compressed rows, entry e of row u in column v being an edge from u to v;
// the neighbours of a node ascend. Kernels over them keep numbers of every edge for a few heads, Heads × entries: those of a
// head lie together.
//
// What is added up over the edges of a node is a sum along a contiguous axis. Only the product [EdgeAggregate] depends on
// the level.
type Edges struct {
	Indptr  []int64 // nodes + 1, from 0 on
	Indices []int32

	// Mirror is, of each entry (u, v), the entry (v, u), where the pattern is symmetric: what EdgeMirror finds. The kernels that
	// have to read the numbers of the transposed matrix take them there.
	Mirror []int32
}

func (e *Edges) nodes() int { return len(e.Indptr) - 1 }

// check says where the edges are broken.
func (e *Edges) check(name string) error {
	a := CSR{Indptr: e.Indptr, Indices: e.Indices, Rows: e.nodes(), Cols: e.nodes()}
	if err := a.Check(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if e.Mirror != nil && len(e.Mirror) != len(e.Indices) {
		return fmt.Errorf("%s: %d mirrored entries of %d", name, len(e.Mirror), len(e.Indices))
	}
	return nil
}

// EdgeMirror fills mirror, as long as indices, for a symmetric pattern whose rows ascend, and says whether it is one. next is
// working memory, an element a node.
func EdgeMirror(mirror []int32, next []int64, indptr []int64, indices []int32) bool {
	n := len(indptr) - 1
	copy(next, indptr[:n])
	for u := range n {
		for e := indptr[u]; e < indptr[u+1]; e++ {
			v := indices[e]
			at := next[v] // rows are visited in ascending order, and so are the entries of row v
			if at == indptr[v+1] || indices[at] != int32(u) {
				return false
			}
			mirror[e] = int32(at)
			next[v]++
		}
	}
	return true
}

// edgeGrain is the number of nodes worth a hand-over.
func edgeGrain(e *Edges, heads int) int {
	return rowGrain(heads * (1 + len(e.Indices)/max(e.nodes(), 1)))
}

// EdgeAggregate adds up neighbours: for head h with Width columns of its own,
//
//	Y[u, h, ·] = Σ_{e = (u, v)} Weights[h, e]·X[v, h, ·],
//
// each head a sparse product [SpMM]. With Transposed, Weights[h, Mirror[e]] takes the place of Weights[h, e].
type EdgeAggregate struct {
	Edges
	Transposed   bool
	Weights      []float32 // Heads × entries
	X, Y         []float32 // nodes × Heads·Width
	Heads, Width int

	product SpMM
	weights []float32 // of a head
	turned  []float32
}

// Check says what is wrong with the sizes and the edges.
func (k *EdgeAggregate) Check() error {
	const name = "sum over neighbours"
	if err := k.check(name); err != nil {
		return err
	}
	n := k.nodes() * k.Heads * k.Width
	return checkSizes(name, length{"Weights", len(k.Weights), k.Heads * len(k.Indices)}, length{"X", len(k.X), n}, length{"Y", len(k.Y), n})
}

// ScratchBytes is the working memory that Run takes from a pool, for so many entries.
func (k *EdgeAggregate) ScratchBytes(entries int) int {
	if !k.Transposed {
		return 0
	}
	return 4 * entries
}

// Run adds up on the pool's workers.
func (k *EdgeAggregate) Run(p *Pool) { k.run(p, active) }

func (k *EdgeAggregate) run(p *Pool, level Level) {
	if k.Transposed {
		turned, back := p.borrow(len(k.Indices))
		k.turned = turned
		defer giveBack(back)
	}
	stride := k.Heads * k.Width
	for h := range k.Heads {
		k.weights = k.Weights[h*len(k.Indices):][:len(k.Indices)]
		if k.Transposed {
			p.For(len(k.weights), elementGrain, (*edgeTurn)(k))
			k.weights = k.turned
		}
		k.product = SpMM{
			A: CSR{Indptr: k.Indptr, Indices: k.Indices, Values: k.weights, Rows: k.nodes(), Cols: k.nodes()},
			X: k.X[h*k.Width:], Y: k.Y[h*k.Width:], XStride: stride, YStride: stride, Width: k.Width,
		}
		k.product.run(p, level)
	}
	k.weights, k.turned = nil, nil
}

// edgeTurn brings the weights of a head into the order of the transposed matrix, as a task: a unit is an entry.
type edgeTurn EdgeAggregate

// Do takes entries lo to hi.
func (k *edgeTurn) Do(_, lo, hi int) {
	for e := lo; e < hi; e++ {
		k.turned[e] = k.weights[k.Mirror[e]]
	}
}

// EdgeDots is the gradient of EdgeAggregate by its weights: S[h, e] = Σ_j L[u, h, j]·R[v, h, j] for e = (u, v).
type EdgeDots struct {
	Edges
	S            []float32 // Heads × entries
	L, R         []float32 // nodes × Heads·Width
	Heads, Width int
}

// Check says what is wrong with the sizes and the edges.
func (k *EdgeDots) Check() error {
	const name = "products along edges"
	if err := k.check(name); err != nil {
		return err
	}
	n := k.nodes() * k.Heads * k.Width
	return checkSizes(name, length{"S", len(k.S), k.Heads * len(k.Indices)}, length{"L", len(k.L), n}, length{"R", len(k.R), n})
}

// Run multiplies on the pool's workers.
func (k *EdgeDots) Run(p *Pool) { p.For(k.nodes(), edgeGrain(&k.Edges, k.Heads*k.Width), k) }

// Do computes the edges of nodes lo to hi.
func (k *EdgeDots) Do(_, lo, hi int) {
	entries, stride := len(k.Indices), k.Heads*k.Width
	for u := lo; u < hi; u++ {
		for h := range k.Heads {
			left := k.L[u*stride+h*k.Width:][:k.Width]
			for e := k.Indptr[u]; e < k.Indptr[u+1]; e++ {
				k.S[h*entries+int(e)] = rowDot(left, k.R[int(k.Indices[e])*stride+h*k.Width:])
			}
		}
	}
}

// EdgeScores adds what both ends of an edge bring: S[h, e] = L[u, h] + R[v, h] for e = (u, v).
type EdgeScores struct {
	Edges
	S     []float32 // Heads × entries
	L, R  []float32 // nodes × Heads
	Heads int
}

// Check says what is wrong with the sizes and the edges.
func (k *EdgeScores) Check() error {
	const name = "sums along edges"
	if err := k.check(name); err != nil {
		return err
	}
	n := k.nodes() * k.Heads
	return checkSizes(name, length{"S", len(k.S), k.Heads * len(k.Indices)}, length{"L", len(k.L), n}, length{"R", len(k.R), n})
}

// Run adds on the pool's workers.
func (k *EdgeScores) Run(p *Pool) { p.For(k.nodes(), edgeGrain(&k.Edges, k.Heads), k) }

// Do computes the edges of nodes lo to hi.
func (k *EdgeScores) Do(_, lo, hi int) {
	entries := len(k.Indices)
	for u := lo; u < hi; u++ {
		for h := range k.Heads {
			left := k.L[u*k.Heads+h]
			for e := k.Indptr[u]; e < k.Indptr[u+1]; e++ {
				k.S[h*entries+int(e)] = left + k.R[int(k.Indices[e])*k.Heads+h]
			}
		}
	}
}

// EdgeSums adds up the edges of every node, Y[u, h] = Σ_{e = (u, ·)} S[h, e], or, Transposed, those that lead to it, S[h, Mirror[e]]
// in place of S[h, e]: the gradients of EdgeScores by L and R.
type EdgeSums struct {
	Edges
	Transposed bool
	S          []float32 // Heads × entries
	Y          []float32 // nodes × Heads
	Heads      int
}

// Check says what is wrong with the sizes and the edges.
func (k *EdgeSums) Check() error {
	const name = "sums of edges"
	if err := k.check(name); err != nil {
		return err
	}
	return checkSizes(name, length{"S", len(k.S), k.Heads * len(k.Indices)}, length{"Y", len(k.Y), k.nodes() * k.Heads})
}

// Run adds up on the pool's workers.
func (k *EdgeSums) Run(p *Pool) { p.For(k.nodes(), edgeGrain(&k.Edges, k.Heads), k) }

// Do adds up the edges of nodes lo to hi.
func (k *EdgeSums) Do(_, lo, hi int) {
	for u := lo; u < hi; u++ {
		for h := range k.Heads {
			s := k.S[h*len(k.Indices):][:len(k.Indices)]
			begin, end := k.Indptr[u], k.Indptr[u+1]
			if !k.Transposed {
				k.Y[u*k.Heads+h] = rowSum(s[begin:end])
				continue
			}
			var sum lanes
			for i, e := range k.Mirror[begin:end] {
				sum[i%laneCount] += s[e]
			}
			k.Y[u*k.Heads+h] = sum.total()
		}
	}
}

// EdgeSoftmax is the softmax over the edges of every node: S[h, e] = exp(X[h, e] − max) / Σ exp(…), both over the edges of u.
// S may be X.
type EdgeSoftmax struct {
	Edges
	S, X  []float32 // Heads × entries
	Heads int
}

// Check says what is wrong with the sizes and the edges.
func (k *EdgeSoftmax) Check() error {
	const name = "softmax over edges"
	if err := k.check(name); err != nil {
		return err
	}
	n := k.Heads * len(k.Indices)
	return checkSizes(name, length{"S", len(k.S), n}, length{"X", len(k.X), n})
}

// Run computes the softmax on the pool's workers.
func (k *EdgeSoftmax) Run(p *Pool) { p.For(k.nodes(), edgeGrain(&k.Edges, k.Heads), k) }

// Do computes the edges of nodes lo to hi.
func (k *EdgeSoftmax) Do(_, lo, hi int) {
	for u := lo; u < hi; u++ {
		n := int(k.Indptr[u+1] - k.Indptr[u])
		for h := range k.Heads {
			at := h*len(k.Indices) + int(k.Indptr[u])
			dst, x := k.S[at:at+n], k.X[at:at+n]
			if n == 0 {
				continue
			}
			top := rowMax(x)
			var sum lanes
			for i, v := range x {
				dst[i] = exp(v - top)
				sum[i%laneCount] += dst[i]
			}
			r := 1 / sum.total()
			for i := range dst {
				dst[i] *= r
			}
		}
	}
}

// EdgeSoftmaxGrad is the gradient of S = EdgeSoftmax(X): DX = S·(DS − Σ DS·S), the sum over the edges of each node. DX may be
// DS.
type EdgeSoftmaxGrad struct {
	Edges
	DX, DS, S []float32 // Heads × entries
	Heads     int
}

// Check says what is wrong with the sizes and the edges.
func (k *EdgeSoftmaxGrad) Check() error {
	const name = "gradient of a softmax over edges"
	if err := k.check(name); err != nil {
		return err
	}
	n := k.Heads * len(k.Indices)
	return checkSizes(name, length{"DX", len(k.DX), n}, length{"DS", len(k.DS), n}, length{"S", len(k.S), n})
}

// Run computes the gradient on the pool's workers.
func (k *EdgeSoftmaxGrad) Run(p *Pool) { p.For(k.nodes(), edgeGrain(&k.Edges, k.Heads), k) }

// Do computes the edges of nodes lo to hi.
func (k *EdgeSoftmaxGrad) Do(_, lo, hi int) {
	for u := lo; u < hi; u++ {
		n := int(k.Indptr[u+1] - k.Indptr[u])
		for h := range k.Heads {
			at := h*len(k.Indices) + int(k.Indptr[u])
			ds, s := k.DS[at:at+n], k.S[at:at+n]
			mean := rowDot(ds, s)
			for i, d := range ds {
				k.DX[at+i] = s[i] * (d - mean)
			}
		}
	}
}
