package kcore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"sync/atomic"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format/edgelist"
	"github.com/seraph-ml/seraph/graph/edges"
	"github.com/seraph-ml/seraph/graph/kcore/rowfile"
	"github.com/seraph-ml/seraph/run"
)

// Import sorts the edges of lists into rows on disk, within a budget.
type Import struct {
	Options
	Dir     string        // where the files of the job go
	Spill   *memory.Spill // where runs of edges go
	Room    int64         // bytes for the files of the job, together with what Spill holds
	Memory  int64         // bytes to sort and write in, and for a dictionary of ids that are texts
	Budget  int64         // of the job, for the error that Memory is too little
	Workers int

	named *dictionary // of ids that are texts
	names int64       // bytes of the file of them
	sum   uint32      // and its CRC-32C
}

// The files of a job in its folder; the last one says that the others are complete.
const (
	rowsFile  = "rows"
	idsFile   = "ids"
	namesFile = "names"
	stateFile = "state"
	metaFile  = "graph.json"
)

// errSparse says that ids are no numbers of vertices, against expectation.
var errSparse = errors.New("ids that are far apart")

// Run reads the lists. Ids that are not much larger than there are pairs are their own numbers. Others, below 2^47, are replaced
// by their ranks: sorted a second time, by neighbour, the rows come in the order of what is to be numbered, so that no table is
// needed.
func (m *Import) Run(ctx context.Context, paths []string) error {
	for _, path := range paths {
		if path == "-" {
			continue
		}
		kind, list, err := recognise(path, m.IDs)
		if err != nil {
			return err
		}
		if !list {
			return run.Usagef("%s is a %s; graphs larger than memory are read from lists of edges", path, kind.Title)
		}
	}
	if m.IDs == Texts {
		return m.runNamed(ctx, paths)
	}
	size, err := Survey(paths, m.Options)
	if err != nil {
		return err
	}
	sparse := m.Vertices == 0 && !areNumbers(size.Greatest, size.Pairs)
	sparse = sparse || m.Vertices == 0 && slices.Contains(paths, "-") // what comes from a pipe comes once
	err = m.read(ctx, paths, sparse)
	if errors.Is(err, errSparse) && !sparse {
		err = m.read(ctx, paths, true)
	}
	return err
}

// writerRow is what Import gives the longest row, of its memory.
func writerRow(bytes int64) int64 {
	return min(max(bytes/32, 64<<10), 64<<20) / memory.BlockSize * memory.BlockSize
}

// read reads the lists; where sparse is false, and wrong, it is errSparse.
func (m *Import) read(ctx context.Context, paths []string, sparse bool) (err error) {
	o := edges.Options{Memory: m.Memory - rowfile.WriterBytes(writerRow(m.Memory)), Spill: m.Spill, Symmetric: true, Workers: m.Workers}
	if sparse {
		o.Memory /= 2
	}
	sorter, err := edges.NewSorter(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sorter.Close()) }()
	greatest, pairs, longer, err := m.collect(ctx, paths, sorter)
	if err != nil {
		return err
	}
	meta := meta{Version: metaVersion, Nodes: int(m.Vertices), Declared: m.Vertices > 0, Names: m.names, IDSum: m.sum, Counts: Counts{Longer: longer}}
	switch {
	case m.Vertices > 0 && greatest >= m.Vertices:
		return beyondDeclared(greatest, m.Vertices)
	case m.Vertices > 0:
	case areNumbers(greatest, pairs):
		meta.Nodes = int(greatest + 1)
	case !sparse:
		return errSparse
	case greatest >= rankOffset:
		return fmt.Errorf("an id of %d; graphs larger than memory have ids below 2^47", greatest)
	default:
		meta.Sparse = true
	}
	return m.write(ctx, sorter, o, &meta)
}

// runNamed is Run for ids that are texts: they are numbered by rank first, and the lists read once more.
func (m *Import) runNamed(ctx context.Context, paths []string) (err error) {
	switch {
	case m.Vertices > 0:
		return errNamedVertices
	case slices.Contains(paths, "-"):
		return run.Usagef("ids that are texts are read twice, which a pipe cannot be; write them to a file first, or give a --memory that the graph fits in")
	}
	least := edges.Least + rowfile.WriterBytes(writerRow(0))
	d, err := newDictionary(max(m.Memory-least, 1))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	for _, path := range paths {
		_, err := readNames(path, m.Options, m.Workers, d.number, func(int, []int64) error { return ctx.Err() })
		if errors.Is(err, errDictionary) {
			return m.tooSmall(d.bytes())
		}
		if err != nil {
			return err
		}
	}
	if short := d.bytes() + d.sortBytes() + least - m.Memory; short > 0 {
		return m.tooSmall(short)
	}
	_, ranks, err := d.sort()
	if err != nil {
		return err
	}
	if err := ranks.Close(); err != nil {
		return err
	}
	rest := *m
	rest.named = d
	rest.Memory -= d.bytes()
	if rest.names, rest.sum, err = d.write(filepath.Join(m.Dir, namesFile)); err != nil {
		return err
	}
	rest.Room -= rest.names
	return rest.read(ctx, paths, false)
}

func (m *Import) tooSmall(short int64) error {
	return &plan.TooSmallError{Budget: m.Budget, Smallest: roundUp(m.Budget+short, 1<<20), Stage: "the dictionary of ids"}
}

// collect gives all pairs to the sorter.
func (m *Import) collect(ctx context.Context, paths []string, sorter *edges.Sorter) (greatest, pairs, longer int64, err error) {
	type ends struct{ u, v []int64 }
	workers := make([]ends, m.Workers)
	var most atomic.Int64
	emit := func(worker int, ids []int64) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		e := &workers[worker]
		e.u, e.v = e.u[:0], e.v[:0]
		all, largest := int64(0), int64(0)
		for i := 0; i+1 < len(ids); i += 2 {
			u, v := ids[i], ids[i+1]
			all |= u | v
			largest = max(largest, u, v)
			e.u, e.v = append(e.u, u), append(e.v, v)
		}
		if all < 0 {
			return errNegative
		}
		for old := most.Load(); largest > old && !most.CompareAndSwap(old, largest); old = most.Load() {
		}
		return edges.Add(sorter, e.u, e.v)
	}
	for _, path := range paths {
		counts, err := m.readList(path, emit)
		if err != nil {
			return 0, 0, 0, err
		}
		pairs += counts.Pairs
		longer += counts.Longer
	}
	return most.Load(), pairs, longer, nil
}

// readList reads a list of numbers, or of texts as their ranks.
func (m *Import) readList(path string, emit func(worker int, ids []int64) error) (edgelist.PairCounts, error) {
	if m.named != nil {
		return readNames(path, m.Options, m.Workers, m.named.rank, emit)
	}
	if path == "-" {
		return edgelist.ReadPairsFrom("standard input", m.Stdin, m.Workers, emit)
	}
	kind, _, err := recognise(path, m.IDs)
	if err != nil {
		return edgelist.PairCounts{}, err
	}
	return readPairs(path, kind, m.Workers, emit)
}

// rankOffset is added to ranks while they are sorted by id, so that none is the id beside it, a self-loop.
const rankOffset = 1 << 47

// write writes the files of the job.
func (m *Import) write(ctx context.Context, sorter *edges.Sorter, o edges.Options, meta *meta) (err error) {
	w, err := m.create(meta)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	var counts edges.Counts
	if meta.Sparse {
		counts, err = m.rank(ctx, sorter, o, w)
	} else {
		counts, err = sorter.Rows(ctx, func(u uint64, neighbours []uint64) error {
			return w.row(int32(u), neighbours, 0)
		})
	}
	if err != nil {
		return err
	}
	meta.Counts.Edges, meta.Counts.Loops, meta.Counts.Duplicates = counts.Entries/2, counts.Loops, counts.Duplicates
	index, err := w.end(meta)
	if err != nil {
		return err
	}
	meta.Index = *index
	return writeMeta(m.Dir, meta)
}

// rank sorts the rows by neighbour, and writes them with ranks in the place of ids.
func (m *Import) rank(ctx context.Context, sorter *edges.Sorter, o edges.Options, w *rowsWriter) (counts edges.Counts, err error) {
	o.Symmetric = false
	second, err := edges.NewSorter(o)
	if err != nil {
		return counts, err
	}
	defer func() { err = errors.Join(err, second.Close()) }()
	rank, current := uint64(rankOffset), uint64(math.MaxUint64)
	var ranks []uint64
	counts, err = sorter.Rows(ctx, func(u uint64, neighbours []uint64) error {
		if u != current && current != math.MaxUint64 {
			rank++
		}
		current = u
		if len(neighbours) == 0 {
			return edges.Add(second, []uint64{u}, []uint64{u}) // a loop: an empty row
		}
		for len(neighbours) > 0 {
			n := min(len(neighbours), 4096)
			ranks = ranks[:0]
			for range n {
				ranks = append(ranks, rank)
			}
			if err := edges.Add(second, neighbours[:n], ranks); err != nil {
				return err
			}
			neighbours = neighbours[n:]
		}
		return nil
	})
	if err != nil {
		return counts, err
	}
	next, current := int32(-1), uint64(math.MaxUint64)
	_, err = second.Rows(ctx, func(v uint64, ranks []uint64) error {
		if v != current {
			current = v
			next++
			if err := w.id(v); err != nil {
				return err
			}
		}
		return w.row(next, ranks, rankOffset)
	})
	return counts, err
}

var errNegative = fmt.Errorf("a negative id; expected 0 … %d", int64(math.MaxInt64))

// rowsWriter writes rows, first estimates and ids.
type rowsWriter struct {
	arena  *memory.Arena
	file   *memory.File
	rows   *rowfile.Writer
	state  *stateWriter
	ids    *summedFile // nil where ids are numbers
	absent int32       // estimate of numbers without a row
	next   int32       // number whose estimate is to be written
	at     int32       // vertex of the row at hand, -1: none
}

func (m *Import) create(meta *meta) (w *rowsWriter, err error) {
	w = &rowsWriter{at: -1, absent: -1}
	if meta.Declared {
		w.absent = 0
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	row := writerRow(m.Memory)
	bytes := rowfile.WriterBytes(row)
	if w.arena, err = memory.NewArena(bytes); err != nil {
		return w, err
	}
	if w.file, err = memory.Create(filepath.Join(m.Dir, rowsFile)); err != nil {
		return w, err
	}
	room := func(bytes int64) error {
		if used := m.Spill.Used(); bytes+used > m.Room {
			return fmt.Errorf("%s of rows and %s of runs are more than the %s that --disk allows and has free; give it more, then --resume", memory.FormatSize(bytes), memory.FormatSize(used), memory.FormatSize(m.Room))
		}
		return nil
	}
	if w.rows, err = rowfile.NewWriter(w.file, w.arena.Bytes(0, int(bytes)), row, room); err != nil {
		return w, err
	}
	if meta.Sparse {
		if w.ids, err = createSummed(filepath.Join(m.Dir, idsFile)); err != nil {
			return w, err
		}
	}
	w.state, err = newStateWriter(filepath.Join(m.Dir, stateFile))
	return w, err
}

// row writes a piece of a row.
func (w *rowsWriter) row(v int32, neighbours []uint64, offset uint64) error {
	if v != w.at {
		if err := w.settle(); err != nil {
			return err
		}
		if err := w.rows.Begin(v); err != nil {
			return err
		}
		w.at = v
	}
	return w.rows.Append(neighbours, offset)
}

// settle writes the first estimate of the vertex at hand: its degree.
func (w *rowsWriter) settle() error {
	if w.at < 0 {
		return nil
	}
	if err := w.skip(w.at); err != nil {
		return err
	}
	w.next++
	return w.state.put(int32(w.rows.Degree()))
}

// skip writes the estimates of numbers below v that have no row.
func (w *rowsWriter) skip(v int32) error {
	for ; w.next < v; w.next++ {
		if err := w.state.put(w.absent); err != nil {
			return err
		}
	}
	return nil
}

func (w *rowsWriter) id(id uint64) error {
	var b [8]byte
	for i := range b {
		b[i] = byte(id >> (8 * i))
	}
	_, err := w.ids.Write(b[:])
	return err
}

// end ends all files.
func (w *rowsWriter) end(meta *meta) (*rowfile.Index, error) {
	if err := w.settle(); err != nil {
		return nil, err
	}
	index, err := w.rows.End()
	if err != nil {
		return nil, err
	}
	if meta.Sparse {
		meta.Nodes, meta.IDSum = int(w.next), w.ids.sum
		if err := w.ids.Commit(); err != nil {
			return nil, err
		}
	}
	if err := w.skip(int32(meta.Nodes)); err != nil {
		return nil, err
	}
	index.Nodes = meta.Nodes
	return index, w.state.end(Progress{})
}

func (w *rowsWriter) close() (err error) {
	if w.file != nil {
		err = errors.Join(err, w.file.Close())
	}
	if w.ids != nil {
		err = errors.Join(err, w.ids.Close())
	}
	if w.state != nil {
		err = errors.Join(err, w.state.file.Close())
	}
	if w.arena != nil {
		err = errors.Join(err, w.arena.Close())
	}
	return err
}
