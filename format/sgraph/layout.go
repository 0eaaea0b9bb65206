package sgraph

import (
	"encoding/binary"
	"fmt"

	"github.com/seraph-ml/seraph/format"
)

// BlockSize is the size in bytes of a block, its checksum included.
const BlockSize = 1 << 16

// GroupRows is the number of rows between two entries of an index.
const GroupRows = 256

const (
	version      = 1
	trailerBytes = 8
	payloadBytes = BlockSize - trailerBytes
	headBytes    = 16
	entryBytes   = 24
	countBytes   = 80
	maxNodes     = 1 << 48
	startMark    = "\x89SGRAPH\n"
	endMark      = "ENDGRAPH"
)

// section is the kind of a section.
type section uint32

const (
	edges section = 1 + iota
	edgeIndex
	featureRows
	featureIndex
	denseFeatures
	labels
	ids
	classNames
	train
	val
	test
	afterSections
)

var sectionNames = [afterSections]string{"", "edges", "edge index", "sparse features", "feature index", "dense features", "labels", "ids", "class names", "training nodes", "validation nodes", "test nodes"}

// The flags of a file.
const (
	flagWeights = 1 << iota
	flagValues
	flagUndirected
	afterFlags
)

// Counts is what the foot of a file says.
type Counts struct {
	Nodes      int64 // 1 … 2⁴⁸
	Entries    int64 // of all rows of edges
	MaxDegree  int64 // of the longest row of edges: what a buffer must hold
	Features   int64 // columns, 0 for none
	Nonzeros   int64 // entries of sparse features
	MaxNonzero int64 // of the longest row of sparse features
	Classes    int64

	Weights    bool // edges have weights
	Values     bool // entries of sparse features have values; otherwise all are 1
	Undirected bool // no self-loops, no duplicates, each edge in the rows of both its ends
}

// place is where a section lies in the stream.
type place struct {
	at, size int64
	there    bool
}

func (p place) end() int64 { return p.at + p.size }

type table [afterSections]place

func align(at int64) int64 { return (at + 7) &^ 7 }

// fileOffset is where a stream offset stands in the file.
func fileOffset(at int64) int64 { return at/payloadBytes*BlockSize + at%payloadBytes }

// footPlace is where the foot of k sections begins after the end of the last one.
func footPlace(end int64, k int) int64 {
	at := align(end)
	if at%payloadBytes+int64(k*entryBytes+countBytes) > payloadBytes {
		at = (at/payloadBytes + 1) * payloadBytes
	}
	return at
}

// foot encodes counts and table.
func foot(c *Counts, t *table) []byte {
	var b []byte
	k := uint32(0)
	le := binary.LittleEndian
	for kind, p := range t {
		if p.there {
			b = le.AppendUint64(b, uint64(kind))
			b = le.AppendUint64(b, uint64(p.at))
			b = le.AppendUint64(b, uint64(p.size))
			k++
		}
	}
	for _, n := range []int64{c.Nodes, c.Entries, c.MaxDegree, c.Features, c.Nonzeros, c.MaxNonzero, c.Classes} {
		b = le.AppendUint64(b, uint64(n))
	}
	flags := uint32(0)
	for i, on := range []bool{c.Weights, c.Values, c.Undirected} {
		if on {
			flags |= 1 << i
		}
	}
	b = le.AppendUint32(b, flags)
	b = le.AppendUint32(b, k)
	b = le.AppendUint64(b, 0)
	return append(b, endMark...)
}

// parseFoot is the inverse of foot, for a last block whose payload begins at stream offset start.
func (f *File) parseFoot(payload []byte, start int64) error {
	bad := func(what, found, expected string) error {
		return f.source.Corrupt(fileOffset(start), what, found, expected).WithHint("the file is cut short or damaged; fetch or write it again")
	}
	n := len(payload)
	if n < countBytes || string(payload[n-8:]) != endMark {
		return bad("foot", "no end mark", endMark+" at the end of the file")
	}
	le := binary.LittleEndian
	c := payload[n-countBytes:]
	for i, to := range []*int64{&f.Nodes, &f.Entries, &f.MaxDegree, &f.Features, &f.Nonzeros, &f.MaxNonzero, &f.Classes} {
		v := le.Uint64(c[8*i:])
		if v > maxNodes {
			return bad("counts", fmt.Sprint(v), "at most 2^48")
		}
		*to = int64(v)
	}
	flags, k := le.Uint32(c[56:]), int64(le.Uint32(c[60:]))
	if flags >= afterFlags || k >= int64(afterSections) || le.Uint64(c[64:]) != 0 {
		return bad("flags and number of sections", fmt.Sprintf("%d, %d", flags, k), "those of version 1")
	}
	f.Weights, f.Values, f.Undirected = flags&flagWeights != 0, flags&flagValues != 0, flags&flagUndirected != 0
	at := int64(n) - countBytes - k*entryBytes
	if at < 0 {
		return bad("foot", fmt.Sprintf("%d sections", k), "a foot within the last block")
	}
	end, last := int64(headBytes), section(0)
	for i := range k {
		e := payload[at+i*entryBytes:]
		kind, offset, size := le.Uint64(e), le.Uint64(e[8:]), le.Uint64(e[16:])
		if kind <= uint64(last) || kind >= uint64(afterSections) || offset != uint64(align(end)) || size > uint64(start+at)-min(offset, uint64(start+at)) {
			return bad(fmt.Sprintf("section %d", i), fmt.Sprintf("kind %d, %d bytes at %d", kind, size, offset), fmt.Sprintf("an ascending kind at %d, within the file", align(end)))
		}
		last = section(kind)
		f.table[last] = place{int64(offset), int64(size), true}
		end = int64(offset + size)
	}
	if footPlace(end, int(k)) != start+at {
		return bad("foot", fmt.Sprintf("it at %d", start+at), fmt.Sprint(footPlace(end, int(k))))
	}
	f.end = end
	return f.checkSizes(bad)
}

// checkSizes holds the counts against the bytes of the sections, so that either bounds what is allocated for the other.
func (f *File) checkSizes(bad func(what, found, expected string) error) error {
	t := &f.table
	if f.Nodes < 1 || f.Features > format.MaxNodes || f.Classes > format.MaxNodes {
		return bad("counts", fmt.Sprintf("%d nodes, %d columns, %d classes", f.Nodes, f.Features, f.Classes), "at least one node, fewer than 2^31 others")
	}
	size := func(kind section, unit, n int64) error {
		p := t[kind]
		if p.there && (p.size%unit != 0 || p.size/unit != n) {
			return bad(sectionNames[kind], fmt.Sprintf("%d bytes", p.size), fmt.Sprintf("%d × %d", n, unit))
		}
		return nil
	}
	for _, s := range []struct {
		kind    section
		unit, n int64
	}{{edgeIndex, 16, groups(f.Nodes) + 1}, {featureIndex, 16, groups(f.Nodes) + 1}, {labels, 4, f.Nodes}, {ids, 8, f.Nodes}, {train, 8, t[train].size / 8}, {val, 8, t[val].size / 8}, {test, 8, t[test].size / 8}} {
		if err := size(s.kind, s.unit, s.n); err != nil {
			return err
		}
	}
	if p := t[denseFeatures]; p.there && (f.Features == 0 || p.size%4 != 0 || p.size/4%f.Features != 0 || p.size/4/f.Features != f.Nodes) {
		return bad("dense features", fmt.Sprintf("%d bytes", p.size), fmt.Sprintf("4 × %d × %d", f.Nodes, f.Features))
	}
	there := func(kind section) bool { return t[kind].there }
	switch {
	case !there(edges) || !there(edgeIndex) || there(featureRows) != there(featureIndex) || there(featureRows) && there(denseFeatures),
		(f.Features > 0) != (there(featureRows) || there(denseFeatures)), there(train) != there(val) || there(val) != there(test),
		there(classNames) && !there(labels), f.Classes > 0 && !there(labels), there(classNames) && t[classNames].size < f.Classes:
		return bad("sections", "a combination of them that cannot be", "what docs/formats.md allows")
	}
	for _, m := range []*matrix{f.edges(), f.sparse()} {
		least := int64(1)
		if m.valued {
			least = 5
		}
		if m.place.there && (m.rows > m.place.size || m.entries > (m.place.size-m.rows)/least) || m.longest > m.entries || !m.place.there && (m.entries > 0 || m.valued) {
			return bad(m.name, fmt.Sprintf("%d rows, %d entries, %d in the longest, in %d bytes", m.rows, m.entries, m.longest, m.place.size), "counts that the bytes can hold")
		}
	}
	return nil
}

func groups(rows int64) int64 { return (rows + GroupRows - 1) / GroupRows }

// matrix is a section of rows and its index.
type matrix struct {
	name                            string
	place, index                    place
	rows, columns, entries, longest int64
	valued                          bool
}

func (f *File) edges() *matrix {
	return &matrix{"edges", f.table[edges], f.table[edgeIndex], f.Nodes, f.Nodes, f.Entries, f.MaxDegree, f.Weights}
}

func (f *File) sparse() *matrix {
	return &matrix{"sparse features", f.table[featureRows], f.table[featureIndex], f.Nodes, f.Features, f.Nonzeros, f.MaxNonzero, f.Values}
}
