package rowfile

import (
	"encoding/binary"

	"github.com/seraph-ml/seraph/format"
)

// Block is a block that was read. Whoever works on it may write over Body.
type Block struct {
	First int32  // vertex
	End   int32  // a number above that of its last vertex
	Body  []byte // rows
	Tag   int32  // for whoever works on it

	rows   int
	path   string
	offset int64 // in the file
	raw    []byte
}

// Rows returns an iterator of the rows.
func (b *Block) Rows() Rows { return Rows{rest: b.Body, left: b.rows, Vertex: b.First} }

// Rewrite leaves of the block what keep makes of its rows: for each, whether its vertex has one still, of what degree and with
// which neighbours, which may lie where the old ones did. No row grows.
func (b *Block) Rewrite(keep func(r *Rows) (degree int, neighbours []byte, kept bool)) error {
	bytes, rows, before := 0, 0, b.First
	r := b.Rows()
	for r.Next() {
		degree, neighbours, kept := keep(&r)
		if !kept {
			continue
		}
		bytes += PutRow(b.Body[bytes:], uint32(r.Vertex-before), degree, neighbours)
		before = r.Vertex
		rows++
	}
	if r.Broken() {
		return b.Corrupt()
	}
	b.rows, b.Body = rows, b.Body[:bytes]
	return nil
}

// Rows walks the rows of a block.
type Rows struct {
	Vertex     int32
	Degree     int
	Neighbours []byte // for Unpack
	rest       []byte
	left       int
}

// Next goes to the next row; it is false at the end, and when what is left is no row.
func (r *Rows) Next() bool {
	if r.left == 0 {
		return false
	}
	gap, degree, bytes := r.uvarint(), r.uvarint(), uint64(0)
	if degree > 0 {
		bytes = r.uvarint()
	}
	if bytes > uint64(len(r.rest)) || r.left < 0 {
		r.left = -1
		return false
	}
	r.left--
	r.Vertex += int32(gap)
	r.Degree = int(degree)
	r.Neighbours, r.rest = r.rest[:bytes], r.rest[bytes:]
	return true
}

// Broken says whether a walk ended early, before what is no row.
func (r *Rows) Broken() bool { return r.left != 0 }

func (r *Rows) uvarint() uint64 {
	x, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.left = -1
		return 0
	}
	r.rest = r.rest[n:]
	return x
}

// Unpack decodes neighbours into dst, as many as it holds or there are: n of them. What is left is rest, and last stands
// before it: both are to be given to the next call, last being 0 in the first one.
func Unpack(dst []int32, packed []byte, last uint32) (n int, rest []byte, before uint32) {
	i := 0
	for n < len(dst) && i < len(packed) {
		x := uint32(packed[i])
		i++
		if x >= 0x80 {
			x &= 0x7f
			for shift := 7; i < len(packed); shift += 7 {
				b := uint32(packed[i])
				i++
				x |= b & 0x7f << shift
				if b < 0x80 {
					break
				}
			}
		}
		last += x
		dst[n] = int32(last)
		n++
	}
	return n, packed[i:], last
}

// Pack is the reverse of Unpack: it encodes neighbours that follow before, and returns the bytes that they took and the last one.
func Pack(dst []byte, neighbours []int32, before uint32) (n int, last uint32) {
	for _, u := range neighbours {
		n += put(dst[n:], uint32(u)-before)
		before = uint32(u)
	}
	return n, before
}

// Corrupt is the error for a block that does not hold what its checksum vouches for.
func (b *Block) Corrupt() error {
	return format.CorruptAt(b.path, b.offset, "block of rows", "what is no row", "rows as Seraph writes them")
}
