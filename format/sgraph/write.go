package sgraph

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
)

// Writer writes a graph from front to back, atomically: first a row of edges for each node, then what else there is in the
// order of the methods, each called as often as there are pieces, then Commit. The same calls give the same bytes. The
// first error sticks. It keeps 16 bytes for 256 rows beside its buffers.
type Writer struct {
	Counts
	path  string
	out   *memory.AtomicFile
	block []byte // payload that is not written yet
	at    int64  // in the stream
	table table
	open  section
	rows  int64
	index []byte
	line  []byte
	err   error
}

// Create begins a file. Of the counts, Nodes, Weights and Undirected are needed, for Features also Features and Values;
// the others are counted. Undirected is the caller's word for the edges; Check verifies it.
func Create(path string, c Counts) (*Writer, error) {
	if c.Nodes < 1 || c.Nodes > maxNodes || c.Features < 0 || c.Features > format.MaxNodes {
		return nil, fmt.Errorf("write %s: %d nodes, %d columns of features", path, c.Nodes, c.Features)
	}
	out, err := memory.CreateAtomic(path)
	if err != nil {
		return nil, err
	}
	c.Entries, c.MaxDegree, c.Nonzeros, c.MaxNonzero = 0, 0, 0, 0
	w := &Writer{Counts: c, path: path, out: out, block: make([]byte, 0, BlockSize)}
	head := binary.LittleEndian.AppendUint32([]byte(startMark), version)
	w.write(binary.LittleEndian.AppendUint32(head, BlockSize))
	return w, nil
}

func (w *Writer) fail(message string, args ...any) error {
	if w.err == nil {
		w.err = fmt.Errorf("write %s: %w", w.path, fmt.Errorf(message, args...))
	}
	return w.err
}

// write appends to the stream.
func (w *Writer) write(p []byte) {
	for len(p) > 0 && w.err == nil {
		n := min(len(p), payloadBytes-len(w.block))
		w.block = append(w.block, p[:n]...)
		p, w.at = p[n:], w.at+int64(n)
		if len(w.block) == payloadBytes {
			w.seal()
		}
	}
}

// seal ends a block.
func (w *Writer) seal() {
	if len(w.block) == 0 {
		return
	}
	w.block = binary.LittleEndian.AppendUint32(w.block, uint32((w.at-1)/payloadBytes))
	w.block = binary.LittleEndian.AppendUint32(w.block, crc32.Checksum(w.block, castagnoli))
	if _, err := w.out.Write(w.block); err != nil && w.err == nil {
		w.err = err
	}
	w.block = w.block[:0]
}

func (w *Writer) pad(to int64) { w.write(make([]byte, to-w.at)) }

// begin goes on with a section, or ends the one before and begins it.
func (w *Writer) begin(kind section) error {
	if w.err != nil || w.open == kind {
		return w.err
	}
	if kind < w.open || w.open == 0 && kind != edges {
		return w.fail("%s after %s: sections stand in their order", sectionNames[kind], sectionNames[w.open])
	}
	if err := w.finish(); err != nil {
		return err
	}
	w.pad(align(w.at))
	w.open, w.rows, w.index = kind, 0, w.index[:0]
	w.table[kind] = place{w.at, 0, true}
	return w.err
}

// finish ends the open section, and writes the index of rows.
func (w *Writer) finish() error {
	p := &w.table[w.open]
	p.size = w.at - p.at
	want := map[section]int64{labels: 4 * w.Nodes, ids: 8 * w.Nodes, denseFeatures: 4 * w.Nodes * w.Features}
	if n, fixed := want[w.open]; fixed && p.size != n {
		return w.fail("%s: %d bytes of %d were given", sectionNames[w.open], p.size, n)
	}
	if w.open != edges && w.open != featureRows {
		return w.err
	}
	if w.rows != w.Nodes {
		return w.fail("%s: %d rows of %d were given", sectionNames[w.open], w.rows, w.Nodes)
	}
	entries := w.Entries
	if w.open == featureRows {
		entries = w.Nonzeros
	}
	w.mark(p.size, entries)
	w.pad(align(w.at))
	w.table[w.open+1] = place{w.at, int64(len(w.index)), true}
	w.write(w.index)
	w.open++
	return w.err
}

func (w *Writer) mark(size, entries int64) {
	w.index = binary.LittleEndian.AppendUint64(w.index, uint64(size))
	w.index = binary.LittleEndian.AppendUint64(w.index, uint64(entries))
}

// AppendRow writes the neighbours of the next node, ascending, and their weights where the file has some.
func AppendRow[V Vertex](w *Writer, neighbours []V, weights []float32) error {
	return appendRow(w, edges, neighbours, weights, w.Nodes, w.Weights, &w.Entries, &w.MaxDegree)
}

// AppendFeatures writes the columns of the next row of sparse features, ascending, and their values where the file has some.
func AppendFeatures[V Vertex](w *Writer, columns []V, values []float32) error {
	return appendRow(w, featureRows, columns, values, w.Features, w.Values, &w.Nonzeros, &w.MaxNonzero)
}

func appendRow[V Vertex](w *Writer, kind section, columns []V, values []float32, bound int64, valued bool, entries, longest *int64) error {
	if err := w.begin(kind); err != nil {
		return err
	}
	if valued && len(values) != len(columns) || !valued && values != nil || w.rows == w.Nodes {
		return w.fail("row %d of %s: %d columns and %d values", w.rows, sectionNames[kind], len(columns), len(values))
	}
	if w.rows%GroupRows == 0 {
		w.mark(w.at-w.table[kind].at, *entries)
	}
	b := binary.AppendUvarint(w.line[:0], uint64(len(columns)))
	before := int64(0)
	for _, c := range columns {
		if int64(c) < before || int64(c) >= bound {
			return w.fail("row %d of %s: column %d after %d, expected ascending ones below %d", w.rows, sectionNames[kind], c, before, bound)
		}
		b = binary.AppendUvarint(b, uint64(int64(c)-before))
		before = int64(c)
	}
	if err := w.finite(values); err != nil {
		return err
	}
	w.line = append(b, format.Bytes(values)...)
	w.write(w.line)
	w.rows++
	*entries += int64(len(columns))
	*longest = max(*longest, int64(len(columns)))
	return w.err
}

func (w *Writer) finite(values []float32) error {
	if i := notFinite(values); i >= 0 {
		return w.fail("value %v, expected a finite number", values[i])
	}
	return nil
}

func notFinite(values []float32) int {
	for i, v := range values {
		if math.Float32bits(v)&0x7f800000 == 0x7f800000 {
			return i
		}
	}
	return -1
}

// WriteFeatures writes the next whole rows of dense features, row-major.
func (w *Writer) WriteFeatures(rows []float32) error {
	if err := w.begin(denseFeatures); err != nil {
		return err
	}
	if err := w.finite(rows); err != nil {
		return err
	}
	w.write(format.Bytes(rows))
	return w.err
}

// WriteLabels writes the classes of the next nodes, −1 for none. The number of classes is one more than the largest unless
// Classes is larger.
func (w *Writer) WriteLabels(classes []int32) error {
	if err := w.begin(labels); err != nil {
		return err
	}
	for _, c := range classes {
		if c < -1 {
			return w.fail("label %d, expected -1 or more", c)
		}
		w.Classes = max(w.Classes, int64(c)+1)
	}
	w.write(format.Bytes(classes))
	return w.err
}

// WriteIDs writes the original ids of the next nodes.
func (w *Writer) WriteIDs(original []int64) error {
	if err := w.begin(ids); err != nil {
		return err
	}
	w.write(format.Bytes(original))
	return w.err
}

// WriteClassNames writes the name of every class.
func (w *Writer) WriteClassNames(names []string) error {
	if err := w.begin(classNames); err != nil {
		return err
	}
	if int64(len(names)) != w.Classes {
		return w.fail("%d names of %d classes", len(names), w.Classes)
	}
	for _, name := range names {
		w.write(append(binary.AppendUvarint(nil, uint64(len(name))), name...))
	}
	return w.err
}

// WriteSplit writes the nodes that train, validate and test.
func WriteSplit[V Vertex](w *Writer, parts [3][]V) error {
	for i, part := range parts {
		if err := w.begin(train + section(i)); err != nil {
			return err
		}
		for _, u := range part {
			if int64(u) < 0 || int64(u) >= w.Nodes {
				return w.fail("node %d of the split, expected 0 … %d", u, w.Nodes-1)
			}
			w.line = binary.LittleEndian.AppendUint64(w.line[:0], uint64(u))
			w.write(w.line)
		}
	}
	return w.err
}

// Commit ends the file and puts it in its place.
func (w *Writer) Commit() error {
	if w.open == 0 {
		return w.fail("no edges were given")
	}
	if err := w.finish(); err != nil {
		return err
	}
	k := 0
	for _, p := range w.table {
		if p.there {
			k++
		}
	}
	w.pad(footPlace(w.at, k))
	w.write(foot(&w.Counts, &w.table))
	w.seal()
	if w.err != nil {
		return w.err
	}
	return w.out.Commit()
}

// Close drops what was written unless Commit has been called.
func (w *Writer) Close() error { return w.out.Close() }
