package kcore

import (
	"math/bits"
	"strconv"
)

// Names say which numbers are vertices, and what the files call them. They ascend with the numbers.
type Names struct {
	Nodes int // numbers in use, below 2^31; those that are not Present are no vertices

	labels   *labels  // the ids are texts; nil: they are numbers
	base     int64    // the id of number 0, where ids is nil and those of the others follow
	ids      []int64  // ascending, nil where they follow each other
	declared bool     // every number is a vertex, and has been said to be one
	present  []uint64 // bitmap of the numbers that are vertices, nil: all are
}

// newPresence makes room for a bitmap of so many numbers, none of which is a vertex yet.
func newPresence(nodes int) []uint64 { return make([]uint64, (nodes+63)/64) }

// Texts says whether the ids are texts.
func (n *Names) Texts() bool { return n.labels != nil }

// Label is what the file calls vertex v.
func (n *Names) Label(v int) string { return string(n.append(nil, v)) }

// append appends what the file calls vertex v.
func (n *Names) append(line []byte, v int) []byte {
	if n.labels != nil {
		return append(line, n.labels.text(v)...)
	}
	return strconv.AppendInt(line, n.ID(v), 10)
}

// ID is what the file calls vertex v, if ids are numbers.
func (n *Names) ID(v int) int64 {
	if n.ids != nil {
		return n.ids[v]
	}
	return n.base + int64(v)
}

// Present says whether number v is a vertex: declared by a header or seen in the file.
func (n *Names) Present(v int) bool {
	return n.present == nil || n.present[v/64]>>(v%64)&1 == 1
}

// note makes number v a vertex, where that is not clear anyway.
func (n *Names) note(v int) {
	if n.present != nil {
		n.present[v/64] |= 1 << (v % 64)
	}
}

// Declared says whether the vertices are Nodes ids in a row, whatever the edges.
func (n *Names) Declared() bool { return n.declared }

// Vertices is the number of vertices.
func (n *Names) Vertices() int {
	if n.present == nil {
		return n.Nodes
	}
	sum := 0
	for _, word := range n.present {
		sum += bits.OnesCount64(word)
	}
	return sum
}
