package metis

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/seraph-ml/seraph/format"
)

// reader collects the entries of the node lines.
type reader struct {
	*format.Text
	header
	src, dst []int32
	weights  []float32 // nil: not kept
	loops    int64     // entries of a node with itself
	balance  uint64    // zero if each edge is listed under both of its nodes, see pairHash
}

func newReader(t *format.Text, h header, weights bool) *reader {
	r := &reader{Text: t, header: h}
	r.src = format.Reserve[int32](2*h.edges, t.Size)
	r.dst = format.Reserve[int32](2*h.edges, t.Size)
	if weights {
		r.weights = format.Reserve[float32](2*h.edges, t.Size)
	}
	return r
}

// readAll reads the lines of all nodes, and verifies the counts of the header.
func (r *reader) readAll() error {
	for node := range int32(r.nodes) {
		if !r.Next() {
			return r.Corrupt("node lines", fmt.Sprintf("%d and the end of the file", node), fmt.Sprintf("%d as the header says", r.nodes), "the file is cut short; fetch it again")
		}
		if err := r.readNode(node); err != nil {
			return err
		}
	}
	for r.Next() {
		if r.More() {
			return r.Corrupt("node lines", "one more", fmt.Sprintf("%d as the header says", r.nodes), "")
		}
	}
	// An edge of a node with itself, which METIS does not know but others write, may be listed once or twice.
	if n := int64(len(r.src)); n != 2*r.edges && n != 2*r.edges-r.loops {
		return r.Corrupt("edges", fmt.Sprintf("%d entries", n), fmt.Sprintf("%d, two for each of the %d edges of the header", 2*r.edges, r.edges), "")
	}
	if r.balance != 0 {
		return r.unbalanced()
	}
	return r.Err()
}

// readNode reads the line of a node.
func (r *reader) readNode(node int32) error {
	for range r.ignored {
		if _, err := r.Natural("size or weight of a node", 0, math.MaxInt64); err != nil {
			return err
		}
	}
	for r.More() {
		neighbour, err := r.Natural("neighbour", 1, r.nodes)
		if err != nil {
			return err
		}
		if int64(len(r.src)) == 2*r.edges {
			return r.Corrupt("edges", fmt.Sprintf("more than %d entries", 2*r.edges), fmt.Sprintf("two for each of the %d edges of the header", r.edges), "")
		}
		r.add(node, int32(neighbour-1))
		if !r.edgeWeights {
			continue
		}
		w, err := r.Float32("edge weight")
		if err != nil {
			return err
		}
		if r.weights != nil {
			r.weights = append(r.weights, w)
		}
	}
	return r.Err()
}

func (r *reader) add(node, neighbour int32) {
	r.src = append(r.src, node)
	r.dst = append(r.dst, neighbour)
	switch {
	case node < neighbour:
		r.balance += pairHash(node, neighbour)
	case node > neighbour:
		r.balance -= pairHash(neighbour, node)
	default:
		r.loops++
	}
}

// pairHash scatters the pairs of nodes over 64 bits. With it added for an edge listed under its smaller node, subtracted
// for one under its larger node, the sum over a file whose lists agree is zero, and over another one is not, but for a
// chance of 2^-64: a lost or altered neighbour is found without memory or sorting.
func pairHash(u, v int32) uint64 {
	hi, lo := bits.Mul64(uint64(u)<<32|uint64(v)^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	hi, lo = bits.Mul64(hi^lo, 0xa0761d6478bd642f)
	return hi ^ lo
}

// unbalanced names an edge that is listed under one of its nodes more often than under the other.
func (r *reader) unbalanced() error {
	var up, down []uint64 // edges listed under their smaller, and their larger node
	for i, u := range r.src {
		switch v := r.dst[i]; {
		case u < v:
			up = append(up, uint64(u)<<32|uint64(v))
		case u > v:
			down = append(down, uint64(v)<<32|uint64(u))
		}
	}
	slices.Sort(up)
	slices.Sort(down)
	i := 0
	for i < len(up) && i < len(down) && up[i] == down[i] {
		i++
	}
	var edge uint64
	switch {
	case i == len(up):
		edge = down[i]
	case i == len(down):
		edge = up[i]
	default:
		edge = min(up[i], down[i])
	}
	return format.CorruptAt(r.Path, -1, fmt.Sprintf("edge between nodes %d and %d", edge>>32+1, edge&0xffffffff+1), "it under one of them only", "it in the lists of both").
		WithHint("each edge of a METIS file is listed twice; a list of directed edges can be read as an edge list")
}
