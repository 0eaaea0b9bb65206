package kcore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/graph/kcore/rowfile"
)

// part is the vertices W = {t < x(v) ≤ above} of a divided graph in memory: their rows, compressed as they stand on disk, hold the
// neighbours in W, and of those beyond above, whose core numbers are known, each vertex knows how many they are.
//
// The memory is filled with rows from its front; behind them lie the arrays of vertices, as many as there will be. When rows
// come to the arrays, t rises: what falls out of the part then makes room.
type part struct {
	core  []int32 // estimates x
	pool  *kernel.Pool
	arena *memory.Arena
	size  int64 // bytes for rows and vertices
	above int32
	t     int32

	raw     []byte // rows
	used    int
	ids     []int32 // vertices
	degrees []int32 // of them: neighbours in the part, and beyond above
	ends    []int32 // of their rows, as uint32
	n       int     // vertices that have come
	levels  []int64 // vertices of each estimate
	sizes   []int64 // bytes of rows of each estimate, while t rises

	members []uint64 // bitmap of the vertices
	ranks   []int32  // vertices before each word of it
	chunks  [][]int32
}

const partVertex = 12 // bytes a vertex beside its row

// LeastPart is the least memory of a part.
const LeastPart = 64 << 10

// partBytes is what a part takes beside the memory that it is given.
func partBytes(nodes, workers int) int64 {
	return 12*int64((nodes+63)/64) + int64(workers)*4*chunkLen
}

// newPart makes a part in so many bytes, and partBytes.
func newPart(core []int32, bytes int64, pool *kernel.Pool) (*part, error) {
	words := (len(core) + 63) / 64
	bytes = bytes / memory.BlockSize * memory.BlockSize
	arena, err := memory.NewArena(bytes + partBytes(len(core), pool.Workers()))
	if err != nil {
		return nil, err
	}
	p := &part{core: core, pool: pool, arena: arena, size: bytes, members: arena.Uint64s(bytes, words), ranks: arena.Int32s(bytes+8*int64(words), words)}
	for w := range pool.Workers() {
		p.chunks = append(p.chunks, arena.Int32s(bytes+12*int64(words)+int64(w)*4*chunkLen, chunkLen))
	}
	return p, nil
}

// Close gives the memory back.
func (p *part) Close() error { return p.arena.Close() }

// errNoRoom says that not even the vertices of the largest estimate fit.
var errNoRoom = errors.New("no room for a part")

// RoomError says that a part is too small for what takes too long otherwise.
type RoomError struct {
	Short int64  // bytes that a larger part has more
	What  string // needs them
}

func (e *RoomError) Error() string {
	return fmt.Sprintf("%s needs %s more", e.What, memory.FormatSize(e.Short))
}

// load fills the part with the vertices of estimates above t, or above more than that where they do not fit.
func (p *part) load(ctx context.Context, rows *rowfile.File, t, above int32) error {
	if err := p.begin(t, above); err != nil {
		return err
	}
	return rows.Pass(ctx, p.pool,
		func(first, end int32) bool { return anyWithin(p.core[first:end], p.t, above) },
		p.choose, p.append)
}

// begin empties the part. t is raised as far as the arrays of vertices would take more than half of the memory.
func (p *part) begin(t, above int32) error {
	p.levels = append(p.levels[:0], make([]int64, above+1)...)
	for _, e := range p.core {
		if t < e && e <= above {
			p.levels[e]++
		}
	}
	count := int64(0)
	for _, n := range p.levels {
		count += n
	}
	for ; 2*(partVertex*count+4) > p.size; t++ {
		count -= p.levels[t+1]
	}
	if t >= above {
		return errNoRoom
	}
	p.t, p.above, p.n, p.used = t, above, 0, 0
	p.raw, p.ids, p.degrees, p.ends = p.layout(int(count))
	return nil
}

// layout divides the memory for so many vertices. degrees has one more than there are: see Peel.
func (p *part) layout(count int) (raw []byte, ids, degrees, ends []int32) {
	end := p.size
	from := func(words int) []int32 {
		end -= 4 * int64(words)
		return p.arena.Int32s(end, words)
	}
	ends, degrees, ids = from(count), from(count+1), from(count)
	return p.arena.Bytes(0, int(min(end, math.MaxUint32))), ids, degrees, ends
}

// choose leaves of a block the rows of the part, and of them the neighbours in it; the degree counts those beyond above as well.
func (p *part) choose(worker int, b *rowfile.Block) error {
	b.Tag = p.t
	return b.Rewrite(func(r *rowfile.Rows) (int, []byte, bool) {
		if e := p.core[r.Vertex]; e <= p.t || e > p.above {
			return 0, nil, false
		}
		left, inside, beyond := p.filter(r.Neighbours, p.chunks[worker])
		return inside + beyond, left, true
	})
}

// filter leaves the neighbours in the part where they stand, and counts them and those beyond above.
func (p *part) filter(packed []byte, chunk []int32) (left []byte, inside, beyond int) {
	n, rest, last, before, bytes := 0, packed, uint32(0), uint32(0), 0
	for len(rest) > 0 {
		n, rest, last = rowfile.Unpack(chunk, rest, last)
		kept := 0
		for _, u := range chunk[:n] {
			e := p.core[u]
			far := int(uint32(p.above-e) >> 31) // 1 where e > above
			beyond += far
			chunk[kept] = u
			kept += int(uint32(p.t-e)>>31) - far
		}
		var written int
		written, before = rowfile.Pack(packed[bytes:], chunk[:kept], before)
		bytes += written
		inside += kept
	}
	return packed[:bytes], inside, beyond
}

// append appends what choose has left of a block.
func (p *part) append(b *rowfile.Block) error {
	r := b.Rows()
	for r.Next() {
		v, row, degree := r.Vertex, r.Neighbours, r.Degree
		for len(p.raw)-p.used < len(row) {
			if !p.rise() {
				return errNoRoom
			}
		}
		if p.core[v] <= p.t {
			continue
		}
		if b.Tag < p.t { // t has risen since
			var gone int
			row, gone = p.thin(row, p.chunks[0])
			degree -= gone
		}
		p.used += copy(p.raw[p.used:], row)
		p.ids[p.n], p.degrees[p.n], p.ends[p.n] = v, int32(degree), int32(uint32(p.used))
		p.n++
	}
	return nil
}

// count is the number of neighbours: each ends with a byte below 0x80.
func count(packed []byte) (n int) {
	for _, b := range packed {
		n += int(1 ^ b>>7)
	}
	return n
}

// rise raises t until a quarter of the room for rows is free. It is false when nothing is left then.
func (p *part) rise() bool {
	p.sizes = append(p.sizes[:0], make([]int64, p.above+1)...)
	begin, vertices := uint32(0), int64(len(p.ids))
	for i, v := range p.ids[:p.n] {
		end := uint32(p.ends[i])
		p.sizes[p.core[v]] += int64(end - begin)
		begin = end
	}
	t, kept := p.t, int64(p.used)
	for {
		t++
		kept -= p.sizes[t]
		vertices -= p.levels[t]
		if t == p.above {
			return false
		}
		if room := p.size - partVertex*vertices - 4; 4*kept <= 3*room {
			break
		}
	}
	p.t = t
	p.shrink(int(vertices))
	return true
}

// thin leaves the neighbours in the part of a row that had no others before t rose, where they stand, and says how many have gone.
func (p *part) thin(row []byte, chunk []int32) (left []byte, gone int) {
	before := count(row)
	left, inside, _ := p.filter(row, chunk)
	return left, before - inside
}

// shrink drops what is not above t any more, and makes the arrays fit so many vertices.
func (p *part) shrink(vertices int) {
	pieces := make([]piece, 4*p.pool.Workers())
	for i := range pieces {
		first, end := i*p.n/len(pieces), (i+1)*p.n/len(pieces)
		pieces[i] = piece{first: first, end: end, begin: p.begins(first)}
	}
	p.pool.For(len(pieces), 1, &thinning{p, pieces})
	used, n := 0, 0
	for _, c := range pieces {
		from, size := c.first, c.end-c.first
		moved := uint32(c.begin - used)
		used += copy(p.raw[used:], p.raw[c.begin:c.begin+c.used])
		copy(p.ids[n:], p.ids[from:from+size])
		copy(p.degrees[n:], p.degrees[from:from+size])
		for i, end := range p.ends[from : from+size] {
			p.ends[n+i] = int32(uint32(end) - moved)
		}
		n += size
	}
	raw, ids, degrees, ends := p.layout(vertices)
	copy(ends, p.ends[:n]) // the arrays move up, the last one first: none comes upon another
	copy(degrees, p.degrees[:n])
	copy(ids, p.ids[:n])
	p.raw, p.ids, p.degrees, p.ends, p.n, p.used = raw, ids, degrees, ends, n, used
}

// begins is where row i begins.
func (p *part) begins(i int) int {
	if i == 0 {
		return 0
	}
	return int(uint32(p.ends[i-1]))
}

// piece is some of the vertices of a part: those that are left come to its front, and their rows, in so many bytes, to where the
// first one began.
type piece struct{ first, end, begin, used int }

// thinning drops from pieces what is not above t any more: a unit is a piece.
type thinning struct {
	*part
	pieces []piece
}

// Do thins pieces lo to hi.
func (p *thinning) Do(worker, lo, hi int) {
	for i := lo; i < hi; i++ {
		c := &p.pieces[i]
		n, begin, at := c.first, c.begin, c.begin
		for j := c.first; j < c.end; j++ {
			v, row := p.ids[j], p.raw[begin:uint32(p.ends[j])]
			begin += len(row)
			if p.core[v] <= p.t {
				continue
			}
			row, gone := p.thin(row, p.chunks[worker])
			at += copy(p.raw[at:], row)
			p.ids[n], p.degrees[n], p.ends[n] = v, p.degrees[j]-int32(gone), int32(uint32(at))
			n++
		}
		c.end, c.used = n, at-c.begin
	}
}

// peel computes the core numbers of the vertices that have more than t; those of the others are at most t, which becomes their
// estimate. This is Peel on compressed rows: neighbours beyond above never go, and nobody is followed to t and below.
func (p *part) peel() {
	p.number()
	left, shell := p.ids[:p.n], p.degrees[:p.n+1]
	for i, v := range left {
		p.core[v] = max(p.degrees[i], p.t)
	}
	for k := p.t; len(left) > 0; k++ {
		var removed int
		left, removed = level(p.core, left, shell, k)
		for at := 0; at < removed; at++ {
			n, rest, last := 0, p.row(shell[at]), uint32(0)
			for len(rest) > 0 {
				n, rest, last = rowfile.Unpack(p.chunks[0], rest, last)
				removed = lower(p.core, p.chunks[0][:n], shell, removed, k)
			}
		}
	}
}

// number makes the bitmap by which rows are found.
func (p *part) number() {
	clear(p.members)
	for _, v := range p.ids[:p.n] {
		p.members[v/64] |= 1 << (v % 64)
	}
	sum := int32(0)
	for i, word := range p.members {
		p.ranks[i] = sum
		sum += int32(bits.OnesCount64(word))
	}
}

// row is the row of a vertex.
func (p *part) row(v int32) []byte {
	i := int(p.ranks[v/64]) + bits.OnesCount64(p.members[v/64]&(1<<(v%64)-1))
	return p.raw[p.begins(i):uint32(p.ends[i])]
}

// Stage is a part that has been solved: its vertices, the edges inside and the pairs with finished neighbours.
type Stage struct {
	Threshold  int32 `json:"threshold"`         // core numbers above it are known now
	Candidates int   `json:"candidates"`        // vertices of the part
	Edges      int64 `json:"edges"`             // inside it
	External   int64 `json:"external"`          // pairs of a vertex in it and a neighbour that is finished
	Rounds     int   `json:"rounds,omitempty"`  // of lowering estimates, where there are rounds
	Updates    int64 `json:"updates,omitempty"` // estimates that were lowered
	Finished   int   `json:"finished"`          // vertices whose core number is found
}

// conquer peels the part, and says what it was.
func (p *part) conquer() Stage {
	inside, all := int64(count(p.raw[:p.used])), int64(0)
	for _, d := range p.degrees[:p.n] {
		all += int64(d)
	}
	s := Stage{Threshold: p.t, Candidates: p.n, Edges: inside / 2, External: all - inside}
	p.peel()
	for i, word := range p.members {
		for ; word != 0; word &= word - 1 {
			if p.core[64*i+bits.TrailingZeros64(word)] > p.t {
				s.Finished++
			}
		}
	}
	return s
}
