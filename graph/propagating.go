package graph

import (
	"context"
	"errors"
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// propagating is a propagation at work.
type propagating struct {
	*Propagation
	way   Way
	hops  *Hops
	pool  *kernel.Pool
	width int // columns of a block

	field   []frontier
	work    *memory.Arena
	strips  []strip // a block of one hop each; used in turn, so that one goes to disk while the next is computed
	turn    int
	held    strip // for hop 0, where it is teleported to
	zero    strip // the block of hop 0 at hand where it has the rows of all nodes, else nothing
	sum     strip // for the sum of hops, where it is not made where it stays
	writer  writer
	staging staging // of the writer
	sparse  thin
	squares squares
	ranks   *ranks // nil where nothing is divided
}

// strip holds a block of columns of a hop: row i begins at i·stride.
type strip struct {
	data   []float32
	raw    []byte // the same memory, where it may pass to and from the disk
	stride int
}

// newStrip takes the memory of a strip of so many rows, whole shards of them.
func newStrip(rows, width int, b *bump) strip {
	s := b.staging(4 * padRows(rows) * width)
	return strip{s.floats, s.raw, width}
}

// stripBytes is what newStrip takes.
func stripBytes(rows, width int) int64 { return 4*int64(padRows(rows))*int64(width) + memory.BlockSize }

// begin sets the memory of a propagation aside. What it returns has to be closed even after an error.
func (p *Propagation) begin(way Way, pool *kernel.Pool, spill *memory.Spill) (r *propagating, err error) {
	width := p.width(way)
	need := p.need(way)
	r = &propagating{Propagation: p, way: way, hops: &Hops{}, pool: pool, width: width, field: p.frontiers(), work: &memory.Arena{}}
	arena, err := memory.NewArena(need.work())
	if err != nil {
		return r, err
	}
	r.work = arena
	work := &bump{arena: arena}
	if p.K > 0 {
		attach(r.field, &p.Adjacency.CSR, work)
	}
	if p.ranked() {
		if r.ranks, err = newRanks(&p.Adjacency.CSR, p.Ranks, width); err != nil {
			return r, err
		}
	}
	for range p.strips(way) {
		r.strips = append(r.strips, newStrip(p.computed(), width, work))
	}
	if p.holdsZero() {
		r.held = newStrip(p.Graph.Nodes, width, work)
	}
	if p.sums(way) {
		r.sum = newStrip(p.summed(), width, work)
	}
	if way.Spill && p.Rows != nil {
		r.staging = work.staging(4 * p.pickedRows(way) * width)
	}
	if p.Scaling == ScaleRMS {
		r.squares = newSquares(p, width, work)
	}
	if err := r.hops.open(p, way, need, spill, work); err != nil {
		return r, err
	}
	if p.isThin() {
		r.sparse = newThin(r.hops.source, work)
	}
	return r, nil
}

func (r *propagating) close() error {
	return errors.Join(r.writer.wait(), r.ranks.close(), r.work.Close())
}

// run computes block after block.
func (r *propagating) run(ctx context.Context) error {
	if r.idle() {
		return nil
	}
	cols := r.hops.Cols
	done, total := 0, (cols+r.width-1)/r.width*(r.K+1)
	for lo := 0; lo < cols; lo += r.width {
		hi := min(lo+r.width, cols)
		var x strip
		for k := 0; k <= r.K; k++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			y, err := r.compute(k, x, lo, hi)
			if err != nil {
				return err
			}
			x = y
			done++
			if r.Progress != nil {
				r.Progress(done, total)
			}
		}
	}
	if r.Scaling == ScaleRMS {
		if r.Limit {
			r.squares.total[r.K+1] = r.hops.kept[r.K+1-r.First].limit.squares
		}
		r.hops.scale(r.squares.total, r.Graph.Nodes)
	}
	if r.ranks != nil {
		r.hops.Exchanged = r.ranks.exchanged
	}
	return r.writer.wait()
}

// compute makes columns lo … hi−1 of hop k from x, those of hop k−1, keeps what is to be kept of them, and returns where
// they are.
func (r *propagating) compute(k int, x strip, lo, hi int) (y strip, err error) {
	if y, err = r.make(k, x, lo, hi); err != nil {
		return y, err
	}
	switch {
	case r.Combine != nil:
		if err := r.accumulate(k, y, lo, hi); err != nil || k < r.K {
			return y, err
		}
		return y, r.keep(k, r.total(lo, hi), lo, hi)
	case k >= r.First:
		return y, r.keep(k, y, lo, hi)
	}
	return y, nil
}

// make makes columns lo … hi−1 of hop k from x, those of hop k−1.
func (r *propagating) make(k int, x strip, lo, hi int) (y strip, err error) {
	inPlace := r.inPlace(k, r.way)
	switch {
	case inPlace:
		y = r.place(k, lo)
	case k == 0 && r.holdsZero():
		y = strip{r.held.data, r.held.raw, hi - lo}
		err = r.await(y)
	default:
		y, err = r.take(hi - lo)
	}
	if err != nil {
		return y, err
	}
	switch {
	case k == 0:
		if !inPlace {
			err = r.hops.source.block(y, r.field[0].nodes, lo, hi, r.pool)
		}
		if r.field[0].nodes == nil {
			r.zero = y
		}
		return y, err
	case k == 1 && r.isThin():
		r.sparse.multiply(&r.field[1].a, y, lo, hi, r.pool)
	case r.Adjacency.graph != nil:
		err = r.Adjacency.stream(x, y, hi-lo, r.pool)
	case r.ranks != nil:
		r.ranks.multiply(x, y, hi-lo, r.pool)
	default:
		product := kernel.SpMM{A: r.field[k].a, X: x.data, Y: y.data, XStride: x.stride, YStride: y.stride, Width: hi - lo}
		product.Run(r.pool)
	}
	if err == nil {
		r.teleport(k, y, lo, hi)
	}
	return y, err
}

// keep keeps y, columns lo … hi−1 of hop k or of the sum of hops.
func (r *propagating) keep(k int, y strip, lo, hi int) error {
	switch {
	case r.Scaling != ScaleRMS:
	case k > 0 || r.Combine != nil || !r.isThin():
		r.squares.add(k, y, hi-lo, r.Graph.Nodes, r.pool)
	case lo == 0:
		r.squares.total[0] = sumSquares(r.hops.source.values)
	}
	kept := &r.hops.kept[k-r.First]
	pick := r.field[k].pick
	switch {
	case kept.tiles != nil:
		return r.writer.start(&tileWrite{to: kept.tiles, from: y, pick: pick, lo: lo, staging: r.staging})
	case kept.matrix != nil && !r.keptInPlace(k, r.way):
		pick := pickRows{dst: strip{data: kept.matrix[lo:], stride: r.hops.Cols}, src: y, pick: pick, width: hi - lo}
		r.pool.For(len(pick.pick), 64, &pick)
	}
	return nil
}

// place returns where the block of columns from lo on of a hop is that is computed in place. Very sparse features have none.
func (r *propagating) place(k, lo int) strip {
	switch {
	case k > 0:
		return strip{data: r.hops.kept[k-r.First].matrix[lo:], stride: r.hops.Cols}
	case r.isThin():
		return strip{}
	}
	return strip{data: r.Graph.Features.Dense[lo:], stride: r.hops.Cols}
}

// take returns the strip whose turn it is, for rows of width elements, once nobody reads it any more.
func (r *propagating) take(width int) (strip, error) {
	s := r.strips[r.turn%len(r.strips)]
	r.turn++
	s.stride = width
	return s, r.await(s)
}

// await returns when a strip is not being written to disk any more.
func (r *propagating) await(s strip) error {
	if r.writer.writing(s) {
		return r.writer.wait()
	}
	return nil
}

// pickRows copies the rows that are kept, as a task: a unit is a row.
type pickRows struct {
	dst, src strip
	pick     []int32
	width    int
}

// Do copies rows lo to hi.
func (p *pickRows) Do(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		copy(p.dst.data[i*p.dst.stride:][:p.width], p.src.data[int(p.pick[i])*p.src.stride:])
	}
}

// squares sums up the squares of each hop. The sum of a column runs over its rows in shards, the shards' sums follow in
// order, and columns follow in order: blocks of columns make no difference.
type squares struct {
	partial []float64 // shards × width
	total   []float64 // of each hop
}

func newSquares(p *Propagation, width int, b *bump) squares {
	return squares{b.float64s(padRows(p.Graph.Nodes) / shardRows * width), make([]float64, p.K+2)}
}

// add adds a block of all rows of hop k.
func (s *squares) add(k int, y strip, width, rows int, pool *kernel.Pool) {
	shards := padRows(rows) / shardRows
	pool.For(shards, 1, &shardSquares{s.partial, y, width, rows})
	for c := range width {
		for shard := range shards {
			s.total[k] += s.partial[shard*width+c]
		}
	}
}

// shardSquares sums the squares of each column of a shard, as a task: a unit is a shard.
type shardSquares struct {
	partial     []float64
	y           strip
	width, rows int
}

// Do sums shards lo to hi.
func (s *shardSquares) Do(_, lo, hi int) {
	for shard := lo; shard < hi; shard++ {
		sum := s.partial[shard*s.width : (shard+1)*s.width]
		clear(sum)
		for i := shard * shardRows; i < min((shard+1)*shardRows, s.rows); i++ {
			for c, v := range s.y.data[i*s.y.stride:][:s.width] {
				sum[c] += float64(float64(v) * float64(v))
			}
		}
	}
}

// sumSquares is the sum of the squares of all values, in their order.
func sumSquares(values []float32) float64 {
	sum := 0.0
	for _, v := range values {
		sum += float64(float64(v) * float64(v))
	}
	return sum
}

// rmsFactor is what a hop of so many rows is multiplied by, given the sum of its squares, so that its rows have the root
// mean square norm 1.
func rmsFactor(squares float64, rows int) float32 {
	if squares == 0 {
		return 1
	}
	return float32(math.Sqrt(float64(rows) / squares))
}
