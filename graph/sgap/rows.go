package sgap

import (
	"errors"
	"fmt"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/graph/gnn"
)

// store is the hops of a propagation, with where each node stands among their rows, and beside them propagated labels.
type store struct {
	*graph.Hops
	nodes    []int32     // of the rows; nil where row u is that of node u
	labels   *graph.Hops // of the same nodes; nil where they are not used (yet)
	edges    *gnn.Edges  // between all nodes, for message passing
	arena    *memory.Arena
	position []int32       // of each node; nil where row u is that of node u
	combined bool          // the one matrix is the sum of the hops
	learner  *learner      // of the rows that train, where they are others; else nil
	subsets  []*graph.Hops // along each subset of relations, of which Hops is the first; nil where all edges are of one kind
}

// newStore takes over the hops with the nodes that they were computed for (nil: all).
func newStore(h *graph.Hops, nodes []int32, all int) (*store, error) {
	s := &store{Hops: h, nodes: nodes}
	if nodes == nil {
		return s, nil
	}
	var err error
	if s.arena, err = memory.NewArena(positionBytes(all)); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	s.position = s.arena.Int32s(0, all)
	for i, u := range nodes {
		s.position[u] = int32(i)
	}
	return s, nil
}

// positionBytes is what a store of some of all nodes takes beside the hops.
func positionBytes(all int) int64 { return 4 * int64(all) }

// Close gives the memory back, the hops' too.
func (s *store) Close() error {
	if s.Hops == nil {
		return nil
	}
	err := errors.Join(s.Hops.Close(), s.dropLabels(), s.edges.Close(), s.learner.close())
	for _, h := range s.subsets[min(1, len(s.subsets)):] {
		err = errors.Join(err, h.Close())
	}
	if s.arena != nil {
		err = errors.Join(err, s.arena.Close())
	}
	return err
}

// all are the hops: those along each subset of relations, where there are some.
func (s *store) all() []*graph.Hops {
	if s.subsets != nil {
		return s.subsets
	}
	return []*graph.Hops{s.Hops}
}

// scale is that of all hops; see [graph.Hops.Scale].
func (s *store) scale() []float32 {
	var factors []float32
	for _, h := range s.all() {
		factors = append(factors, h.Scale()...)
	}
	return factors
}

// exchanged are the bytes that ranks got from each other.
func (s *store) exchanged() (bytes int64) {
	for _, h := range s.all() {
		bytes += h.Exchanged
	}
	return bytes
}

// rescale takes the scale of other hops in place of their own.
func (s *store) rescale(factors []float32) error {
	if own := len(s.scale()); len(factors) != own {
		return fmt.Errorf("rescale hops: %d factors, expected %d", len(factors), own)
	}
	for _, h := range s.all() {
		n := len(h.Scale())
		if err := h.Rescale(factors[:n]); err != nil {
			return err
		}
		factors = factors[n:]
	}
	return nil
}

// dropLabels gives the memory of propagated labels back.
func (s *store) dropLabels() error {
	if s.labels == nil {
		return nil
	}
	labels := s.labels
	s.labels = nil
	return labels.Close()
}

// row is where a node stands.
func (s *store) row(node int32) int32 {
	if s.position == nil {
		return node
	}
	return s.position[node]
}

// rowsOf translates nodes into rows.
func (s *store) rowsOf(nodes []int32) []int32 {
	if s.position == nil {
		return nodes
	}
	rows := make([]int32, len(nodes))
	for i, u := range nodes {
		rows[i] = s.position[u]
	}
	return rows
}

// buffer is memory for rows of the matrices that a design reads.
type buffer struct {
	arena      *memory.Arena
	hops       [][]float32   // dense rows
	compressed []*compressed // the same memory for compressed rows; nil where the buffer is for dense ones alone
	staging    []float32     // a few rows on their way to be compressed
	layout     layout
	few        []float32 // a few rows on their way into a fold; of a buffer for one hop alone
	fold       *fold     // what makes that hop; nil where it is one as it is
}

// stagingRows is the number of rows that are compressed or folded at a time, of so many on their way into a buffer: few enough to stay near
// the processor, and enough for a read from disk to be worth its latency.
func stagingRows(rows, cols int) int {
	const near = 256 << 10
	return max(16, min(rows/4, near/(4*max(cols, 1))))
}

// bufferBytes is what a buffer takes; compress says whether rows may come compressed.
func bufferBytes(rows int, l layout, compress bool) int64 {
	var bytes int64
	for i := range l.matrices() {
		bytes += hopBytes(rows, l.width(i), compress)
	}
	if compress {
		bytes += stagingBytes(rows, l)
	}
	if l.hops == 1 {
		bytes += 4 * int64(stagingRows(rows, l.features)) * int64(l.features)
	}
	return bytes + memory.Align
}

// stagingBytes is what a few rows take on their way to be compressed.
func stagingBytes(rows int, l layout) int64 {
	n := 4 * int64(stagingRows(rows, l.widest())) * int64(l.widest())
	return (n + memory.Align - 1) / memory.Align * memory.Align
}

// hopBytes is the room for the rows of a hop.
func hopBytes(rows, cols int, compress bool) int64 {
	n := 4 * int64(rows) * int64(cols)
	if compress {
		n = max(n, compressedBytes(rows, cols))
	}
	return (n + memory.Align - 1) / memory.Align * memory.Align
}

// newBuffer makes a buffer.
func newBuffer(rows int, l layout, compress bool) (*buffer, error) {
	arena, err := memory.NewArena(bufferBytes(rows, l, compress))
	if err != nil {
		return nil, err
	}
	b := &buffer{arena: arena, layout: l}
	var at int64
	for i := range l.matrices() {
		cols := l.width(i)
		b.hops = append(b.hops, arena.Float32s(at, rows*cols))
		if compress {
			b.compressed = append(b.compressed, newCompressed(arena, at, rows, cols))
		}
		at += hopBytes(rows, cols, compress)
	}
	if compress {
		b.staging = arena.Float32s(at, stagingRows(rows, l.widest())*l.widest())
		at += stagingBytes(rows, l)
	}
	if l.hops == 1 {
		b.few = arena.Float32s(at, stagingRows(rows, l.features)*l.features)
	}
	return b, nil
}

func (b *buffer) close() error {
	if b == nil {
		return nil
	}
	return b.arena.Close()
}

// from is where matrix i is read: hop first+i, or where the layout has no more of them a hop of the labels.
func (b *buffer) from(s *store, first, i int) (*graph.Hops, int) {
	if i >= b.layout.hops {
		return s.labels, s.labels.First + i - b.layout.hops
	}
	if n := len(s.subsets); n > 0 {
		return s.subsets[i%n], first + i/n
	}
	if b.layout.limit && i == b.layout.hops-1 {
		return s.Hops, s.K + 1
	}
	return s.Hops, first + i
}

// gather fills the buffer with the rows of some nodes, hops first and following: hop i compressed where sparse[i] says so
// (nil: none).
func (b *buffer) gather(s *store, nodes, labels []int32, first int, sparse []bool) (*Rows, error) {
	r := &Rows{Count: len(nodes), Labels: labels}
	rows := s.rowsOf(nodes)
	for i, h := range b.hops {
		if sparse != nil && sparse[i] {
			ok, err := b.compress(s, rows, first, i)
			if err != nil {
				return nil, err
			}
			if !ok {
				return nil, fmt.Errorf("hop %d has more entries than were counted", first+i)
			}
			r.Hops = append(r.Hops, HopRows{rows: b.compressed[i]})
			continue
		}
		dst := h[:len(nodes)*b.layout.width(i)]
		if err := b.collect(s, rows, first, i, dst); err != nil {
			return nil, err
		}
		r.Hops = append(r.Hops, HopRows{Dense: dst})
	}
	return r, nil
}

// collect reads some rows of matrix i: of a hop, of what is made of the hops, or of labels.
func (b *buffer) collect(s *store, rows []int32, first, i int, dst []float32) error {
	if b.fold == nil || i > 0 {
		from, k := b.from(s, first, i)
		return from.Gather(rows, k, dst)
	}
	cols := b.layout.features
	return b.fold.make(dst[:len(rows)*cols], b.few, cols, func(k, lo, hi int, dst []float32) error {
		return s.Gather(rows[lo:hi], k, dst)
	})
}

// compress fills compressed rows of a hop, and says whether there was room.
func (b *buffer) compress(s *store, rows []int32, first, i int) (bool, error) {
	c := b.compressed[i]
	c.reset()
	few := len(b.staging) / c.cols
	for lo := 0; lo < len(rows); lo += few {
		part := rows[lo:min(lo+few, len(rows))]
		if err := b.collect(s, part, first, i, b.staging); err != nil {
			return false, err
		}
		for k := range part {
			if !c.add(b.staging[k*c.cols : (k+1)*c.cols]) {
				return false, nil
			}
		}
	}
	return true, nil
}

// sparse says of which hops the rows of some nodes fit compressed.
func (b *buffer) sparse(s *store, nodes []int32, first int) ([]bool, error) {
	rows := s.rowsOf(nodes)
	is := make([]bool, len(b.hops))
	for i := range is {
		var err error
		if is[i], err = b.compress(s, rows, first, i); err != nil {
			return nil, err
		}
	}
	return is, nil
}

// transpose makes the transposes of compressed rows.
func (r *Rows) transpose() {
	for _, h := range r.Hops {
		if h.rows != nil {
			h.rows.transpose()
		}
	}
}

// read fills the buffer with rows lo to hi of the store.
func (b *buffer) read(s *store, lo, hi, first int, into *Rows) error {
	into.Count = hi - lo
	into.Hops = into.Hops[:0]
	for i, h := range b.hops {
		cols := b.layout.width(i)
		dst := h[:(hi-lo)*cols]
		from, k := b.from(s, first, i)
		if b.fold != nil && i == 0 {
			err := b.fold.make(dst, b.few, cols, func(k, from, to int, dst []float32) error { return s.ReadRows(lo+from, lo+to, k, dst) })
			if err != nil {
				return err
			}
		} else if whole := from.Matrix(k); whole != nil {
			dst = whole[lo*cols : hi*cols]
		} else if err := from.ReadRows(lo, hi, k, dst); err != nil {
			return err
		}
		into.Hops = append(into.Hops, HopRows{Dense: dst})
	}
	return nil
}

// allot makes r the first rows of a buffer, which are yet to be filled.
func (r *Rows) allot(b *buffer, rows int) {
	r.Count = rows
	r.Hops, r.Labels = r.Hops[:0], r.Labels[:0]
	for i, h := range b.hops {
		r.Hops = append(r.Hops, HopRows{Dense: h[:rows*b.layout.width(i)]})
	}
}

// take copies some dense rows of r into the buffer: a batch.
func (b *buffer) take(r *Rows, rows []int32, into *Rows) {
	into.Count = len(rows)
	into.Hops, into.Labels = into.Hops[:0], into.Labels[:0]
	for i, h := range b.hops {
		cols := b.layout.width(i)
		for k, row := range rows {
			copy(h[k*cols:(k+1)*cols], r.Hops[i].Dense[int(row)*cols:])
		}
		into.Hops = append(into.Hops, HopRows{Dense: h[:len(rows)*cols]})
	}
	for _, row := range rows {
		into.Labels = append(into.Labels, r.Labels[row])
	}
}
