package graph

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/sgraph"
)

// stored is the file of a graph whose edges and features stay on disk until Load.
type stored struct {
	file    *sgraph.File
	work    *memory.Arena
	loaded  *memory.Arena  // of what Load has read; nil while all is on disk
	rows    *sgraph.Reader // of features
	readers []edgeReader   // of edges, one a worker
	parts   []int64        // where the rows of each part of about equal work begin, and their end
}

// edgeReader reads rows of edges into buffers of its own.
type edgeReader struct {
	*sgraph.Reader
	rows    sgraph.Rows[int32]
	indptr  []int64 // room for the entries of Â in those rows
	indices []int32
	values  []float32
}

const (
	windowBytes = 1<<20 + sgraph.BlockSize // what a reader reads at a time, and a block of the index
	batchRows   = 4096                     // rows that are read before they are computed with
	batchColumn = 16384                    // and their entries, at least those of one row: they stay in the second cache
	leastPart   = 1 << 12                  // entries of a part, of which each worker has several
	largestPart = 1 << 18                  // larger than what is read twice at its ends
)

// batchEntries is the room for the entries of a batch.
func batchEntries(c *sgraph.Counts) int64 { return max(batchColumn, c.MaxDegree) }

// Storable says why a Seraph graph cannot be used where it lies, "" if it can: where nothing about its edges is to be
// cleaned or looked up by [New].
func Storable(c *sgraph.Counts) string {
	switch {
	case !c.Undirected:
		return "its edges are not marked as simple and undirected"
	case c.Weights:
		return "its edges have weights"
	case c.Nodes > format.MaxNodes:
		return "it has more than 2^31 nodes"
	}
	return ""
}

// StoredBytes is the memory that OpenStored takes for a file and so many workers.
func StoredBytes(f *sgraph.File, workers int) int64 {
	n, p := f.Nodes, f.Parts()
	sum := 8*(n+1) + 4*(p.Train+p.Val+p.Test) + 8*memory.Align
	if p.Labels {
		sum += 4 * n
	}
	if p.IDs {
		sum += 8 * n
	}
	return sum + storedWork(f, workers)
}

// storedWork is what the readers take.
func storedWork(f *sgraph.File, workers int) int64 {
	reader := windowBytes + 8*(batchRows+1) + 4*batchEntries(&f.Counts) + // as they are read
		8*(batchRows+1) + 8*(batchEntries(&f.Counts)+batchRows) + 5*memory.Align + memory.BlockSize
	return windowBytes + memory.BlockSize + int64(workers)*reader
}

// OpenStored opens a Seraph graph without reading its edges and features into memory: [Graph.Normalize] makes a matrix whose
// entries are made from the rows in the file whenever it is multiplied, and Features.Read reads. Labels, ids and split are
// read, and the edges once, to count them and to see that they are undirected. It serves pools of up to so many workers;
// a file that is not [Storable] is an error. See [StoredBytes] for the memory it takes.
func OpenStored(path string, workers int) (*Graph, error) {
	f, err := sgraph.Open(path)
	if err != nil {
		return nil, err
	}
	if why := Storable(&f.Counts); why != "" {
		return nil, errors.Join(fmt.Errorf("open %s: %s; it has to be read into memory", path, why), f.Close())
	}
	g := &Graph{
		Name: format.BaseName(path), Format: "sgraph", Nodes: int(f.Nodes), Classes: int(f.Classes), stored: &stored{file: f}, grouped: &grouping{},
		Features: Features{Rows: int(f.Nodes), Cols: int(f.Features)},
	}
	if err := g.open(workers); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// open reads what is kept in memory.
func (g *Graph) open(workers int) error {
	s := g.stored
	var err error
	if g.arena, err = memory.NewArena(StoredBytes(s.file, workers) - storedWork(s.file, workers)); err != nil {
		return err
	}
	if err := s.makeReaders(workers); err != nil {
		return err
	}
	b := &bump{arena: g.arena}
	g.Indptr = b.int64s(g.Nodes + 1)
	if err := s.count(g.Indptr); err != nil {
		return err
	}
	s.cut(g.Indptr)
	if g.Features.Cols > 0 {
		g.Features.Read = s.rows.ReadFeatures
	}
	if err := g.readNodes(b); err != nil {
		return err
	}
	g.bytes = b.next + s.work.Size()
	return nil
}

func (s *stored) close() error {
	err := s.file.Close()
	for _, arena := range []*memory.Arena{s.work, s.loaded} {
		if arena != nil {
			err = errors.Join(err, arena.Close())
		}
	}
	return err
}

// makeReaders makes the readers, each with memory of its own.
func (s *stored) makeReaders(workers int) error {
	var err error
	if s.work, err = memory.NewArena(storedWork(s.file, workers)); err != nil {
		return err
	}
	b := &bump{arena: s.work}
	if s.rows, err = s.file.Reader(b.staging(windowBytes).raw); err != nil {
		return err
	}
	entries := int(batchEntries(&s.file.Counts))
	for range workers {
		r := edgeReader{}
		if r.Reader, err = s.file.Reader(b.staging(windowBytes).raw); err != nil {
			return err
		}
		r.rows = sgraph.Rows[int32]{Indptr: b.int64s(batchRows + 1)[:0], Columns: b.int32s(entries)[:0]}
		r.indptr, r.indices, r.values = b.int64s(batchRows+1), b.int32s(entries+batchRows), b.float32s(entries+batchRows)
		s.readers = append(s.readers, r)
	}
	return nil
}

// each reads the rows first … end−1 with a worker's reader, batch after batch.
func (s *stored) each(worker int, first, end int64, visit func(r *edgeReader) error) error {
	r := &s.readers[worker]
	for first < end {
		if err := sgraph.Neighbours(r.Reader, first, end, &r.rows); err != nil {
			return err
		}
		if err := visit(r); err != nil {
			return err
		}
		first += int64(r.rows.Len())
	}
	return nil
}

// count fills indptr, and sees that the edges are those of an undirected graph.
func (s *stored) count(indptr []int64) error {
	lean := uint64(0)
	err := s.each(0, 0, s.file.Nodes, func(r *edgeReader) error {
		first := r.rows.First
		for i, end := range r.rows.Indptr {
			indptr[first+int64(i)] = indptr[first] + end
		}
		more, err := sgraph.Simple(r.Reader, &r.rows)
		lean += more
		return err
	})
	if err == nil && (lean != 0 || indptr[s.file.Nodes] != s.file.Entries) {
		err = s.file.LopsidedError()
	}
	return err
}

// cut cuts the rows into parts at groups of the index.
func (s *stored) cut(indptr []int64) {
	n := len(indptr) - 1
	s.parts = []int64{0}
	part := min(max(indptr[n]/int64(8*len(s.readers)), leastPart), largestPart)
	for first := 0; first < n; {
		want := indptr[first] + part
		end := sort.Search(n-first, func(i int) bool { return indptr[first+i+1] >= want }) + first + 1
		end = min((end+sgraph.GroupRows-1)/sgraph.GroupRows*sgraph.GroupRows, n)
		s.parts = append(s.parts, int64(end))
		first = end
	}
}

// readNodes reads labels, ids and the split.
func (g *Graph) readNodes(b *bump) error {
	f, r := g.stored.file, g.stored.rows
	p := f.Parts()
	if p.Labels {
		g.Labels = b.int32s(g.Nodes)
		if err := r.ReadLabels(0, g.Labels); err != nil {
			return err
		}
		for u, class := range g.Labels {
			if class < -1 || int(class) >= g.Classes {
				return format.CorruptAt(g.Name, -1, fmt.Sprintf("label of node %d", u), fmt.Sprint(class), fmt.Sprintf("-1 … %d", g.Classes-1))
			}
		}
	}
	if p.IDs {
		g.IDs = b.int64s(g.Nodes)
		if err := r.ReadIDs(0, g.IDs); err != nil {
			return err
		}
	}
	var err error
	if g.ClassNames, err = r.ClassNames(); err != nil || !p.Split || !p.Labels {
		return err
	}
	g.Public = &Split{}
	unlabelled := 0
	for i, to := range []*[]int32{&g.Public.Train, &g.Public.Val, &g.Public.Test} {
		part := b.int32s(int([]int64{p.Train, p.Val, p.Test}[i]))
		if err := r.ReadSplit(i, part); err != nil {
			return err
		}
		slices.Sort(part)
		*to = slices.DeleteFunc(part, func(u int32) bool { return g.Labels[u] < 0 })
		unlabelled += len(part) - len(*to)
	}
	if unlabelled > 0 {
		g.note("%d nodes of the public split have no label and are left out of it", unlabelled)
	}
	return g.Public.check(g, g.Name, " of the public split")
}

// stream multiplies by a matrix whose entries are made from the file: y = Â·x, in width columns.
func (a *Adjacency) stream(x, y strip, width int, pool *kernel.Pool) error {
	s := a.graph.stored
	if pool.Workers() > len(s.readers) {
		return fmt.Errorf("multiply by the edges in a file: %d workers, it was opened for %d", pool.Workers(), len(s.readers))
	}
	t := &streamed{Adjacency: a, x: x, y: y, width: width, errs: make([]error, len(s.readers))}
	pool.For(len(s.parts)-1, 1, t)
	return errors.Join(t.errs...)
}

// streamed is that product as a task: a unit is a part of the rows.
type streamed struct {
	*Adjacency
	x, y  strip
	width int
	errs  []error // of each worker
}

// Do computes parts lo to hi.
func (t *streamed) Do(worker, lo, hi int) {
	if t.errs[worker] != nil {
		return
	}
	s := t.graph.stored
	t.errs[worker] = s.each(worker, s.parts[lo], s.parts[hi], func(r *edgeReader) error {
		a := t.entries(r)
		y := t.y.data[int(r.rows.First)*t.y.stride:]
		product := kernel.SpMM{A: a, X: t.x.data, Y: y, XStride: t.x.stride, YStride: t.y.stride, Width: t.width}
		product.Run(nil)
		return nil
	})
}

// entries makes the rows of Â of those that have been read, as Adjacency.fill does.
func (a *Adjacency) entries(r *edgeReader) kernel.CSR {
	indptr := a.graph.Indptr
	at, n := 0, r.rows.Len()
	for i := range n {
		u := int(r.rows.First) + i
		left := a.left[indptr[u+1]-indptr[u]]
		put := func(v int32) {
			r.indices[at] = v
			r.values[at] = float32(left * a.right[indptr[v+1]-indptr[v]])
			at++
		}
		diagonal := a.Norm.SelfLoops
		for _, v := range r.rows.Columns[r.rows.Indptr[i]:r.rows.Indptr[i+1]] {
			if diagonal && v > int32(u) {
				put(int32(u))
				diagonal = false
			}
			put(v)
		}
		if diagonal {
			put(int32(u))
		}
		r.indptr[i+1] = int64(at)
	}
	return kernel.CSR{Rows: n, Cols: a.Cols, Indptr: r.indptr[:n+1], Indices: r.indices[:at], Values: r.values[:at]}
}
