package graph

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"runtime/debug"
	"sync/atomic"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/format/edgelist"
	"github.com/seraph-ml/seraph/format/ogb"
	"github.com/seraph-ml/seraph/format/sgraph"
	"github.com/seraph-ml/seraph/graph/edges"
	"github.com/seraph-ml/seraph/run"
)

// Conversion writes a graph of any format as a Seraph graph, without weights of edges. Of edge lists and folders in the OGB layout the
// edges are sorted within the budget, on disk where it is short, and features pass through in blocks: what has to fit are 12 bytes for 64
// ids of a list up to the largest, and 16 bytes a node of a folder. Other formats are read as a whole. The bytes of the file depend neither
// on memory, disk nor workers.
type Conversion struct {
	In, Out    string
	Undirected bool // each edge in both directions, once, and no self-loops: what models make of any graph
	Budget     int64
	Baseline   int64 // of the budget: what the process holds before
	Spill      *memory.Spill
	Workers    int
	Progress   *run.Progress

	Notes []string // what was read otherwise than one may think, once Run is over
}

// feed hands on all edges of a graph, from any goroutine.
type feed func(emit func(src, dst []int32) error) error

// Run converts. A budget that is too small is a *plan.TooSmallError.
func (c *Conversion) Run(ctx context.Context) error {
	kind, err := detect.RecogniseGraph(c.In)
	if err != nil {
		return err
	}
	defer c.Progress.Start(c.Budget)()
	switch kind.Name {
	case "edgelist":
		return c.list(ctx)
	case "ogb":
		return c.folder(ctx)
	}
	return c.whole(ctx)
}

func (c *Conversion) note(message string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(message, args...))
}

// room is what is left of the budget to sort in, beside so many bytes.
func (c *Conversion) room(beside int64, stage string) (int64, error) {
	room := c.Budget - c.Baseline - beside
	if room < edges.Least {
		return 0, &plan.TooSmallError{Budget: c.Budget, Smallest: c.Baseline + beside + edges.Least, Stage: stage}
	}
	return room, nil
}

// whole converts a graph that is read into memory.
func (c *Conversion) whole(ctx context.Context) error {
	bytes, err := detect.ImportBytes(c.In)
	if err != nil {
		return err
	}
	room, err := c.room(bytes, "read "+c.In)
	if err != nil {
		return err
	}
	g, err := detect.ReadGraph(c.In, detect.Options{})
	if err != nil {
		return err
	}
	c.Notes = append(c.Notes, g.Notes...)
	debug.FreeOSMemory() // what the reader left
	counts := countsOf(g, g.Features.Cols)
	counts.Values = sgraph.HasValues(g)
	return c.write(ctx, counts, room, len(g.Src), func(emit func(src, dst []int32) error) error {
		const block = 1 << 16
		for lo := 0; lo < len(g.Src); lo += block {
			hi := min(lo+block, len(g.Src))
			if err := emit(g.Src[lo:hi], g.Dst[lo:hi]); err != nil {
				return err
			}
		}
		return nil
	}, func(w *sgraph.Writer) error { return w.WriteNodes(g) })
}

// countsOf are what a file of the graph begins with, but for what is counted.
func countsOf(g *format.Graph, cols int) sgraph.Counts {
	return sgraph.Counts{Nodes: int64(g.Nodes), Features: int64(cols), Classes: int64(g.Classes)}
}

// folderBytes is what readers of text and a block of features take.
const folderBytes = 4 << 20

// folder converts a folder in the OGB layout.
func (c *Conversion) folder(ctx context.Context) error {
	s, err := ogb.Open(c.In)
	if err != nil {
		return err
	}
	beside := folderBytes + 16*int64(s.Nodes) + 4*int64(s.Cols) // labels, split, and the sorted split
	room, err := c.room(beside, "labels and split of "+c.In)
	if err != nil {
		return err
	}
	g, err := s.Labels()
	if err != nil {
		return err
	}
	c.Notes = append(c.Notes, g.Notes...)
	return c.write(ctx, countsOf(g, s.Cols), room, int(s.Edges), s.EachEdge, func(w *sgraph.Writer) error {
		if s.Cols > 0 {
			if err := c.features(ctx, s, w); err != nil {
				return err
			}
		}
		return w.WriteNodes(g)
	})
}

// features copies those of a folder, block by block.
func (c *Conversion) features(ctx context.Context, s *ogb.Set, w *sgraph.Writer) (err error) {
	f, err := s.Features()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	c.Progress.Begin("features", "nodes", s.Nodes)
	block := make([]float32, max(1, folderBytes/16/s.Cols)*s.Cols)
	for done := 0; ; {
		rows, err := f.Read(block)
		if err == io.EOF {
			return nil
		}
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if err := w.WriteFeatures(block[:rows*s.Cols]); err != nil {
			return err
		}
		done += rows
		c.Progress.Advance(done)
	}
}

// listBytes is what reading pairs takes for each worker; probe is what ids may take where the budget is too small for them, so that
// the refusal names one that is not.
const (
	listBytes = 1 << 20
	probe     = 64 << 20
)

// list converts a list of edges, which is read twice: first for the ids, whose ranks are the numbers of the nodes.
func (c *Conversion) list(ctx context.Context) (err error) {
	reading := listBytes * int64(c.Workers+2)
	ids, err := newIDs(max((c.Budget-c.Baseline-reading)/2, probe))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ids.arena.Close()) }()
	c.Progress.Begin("ids", "edges", 0)
	counts, err := c.pairs(ctx, func(_ int, pairs []int64) error { return ids.add(pairs) })
	if err != nil {
		return err
	}
	if counts.Headers > 0 {
		c.note("the first line is taken for a header and skipped")
	}
	if counts.Longer > 0 {
		c.note("%d lines have values behind the node ids, which are ignored", counts.Longer)
	}
	room, err := c.room(reading+ids.bytes(), "sort the edges of "+c.In)
	if err != nil {
		return err
	}
	if !ids.fit() {
		c.Notes = nil
		return c.whole(ctx) // where it fits
	}
	nodes := ids.number()
	if nodes > format.MaxNodes {
		return format.CorruptAt(c.In, -1, "node ids", fmt.Sprintf("%d different ones", nodes), fmt.Sprintf("at most %d", format.MaxNodes))
	}
	blocks := make([]struct{ src, dst []int32 }, c.Workers)
	each := func(emit func(src, dst []int32) error) error {
		_, err := c.pairs(ctx, func(worker int, pairs []int64) error {
			b := &blocks[worker]
			b.src, b.dst = b.src[:0], b.dst[:0]
			for i := 0; i < len(pairs); i += 2 {
				b.src, b.dst = append(b.src, ids.rank(pairs[i])), append(b.dst, ids.rank(pairs[i+1]))
			}
			return emit(b.src, b.dst)
		})
		return err
	}
	return c.write(ctx, sgraph.Counts{Nodes: int64(nodes)}, room, int(counts.Pairs), each, func(w *sgraph.Writer) error {
		if ids.greatest.Load() == int64(nodes)-1 {
			return nil // they are 0 … n − 1 already
		}
		return ids.write(w)
	})
}

// pairs reads the list.
func (c *Conversion) pairs(ctx context.Context, emit func(worker int, pairs []int64) error) (edgelist.PairCounts, error) {
	return edgelist.ReadPairs(c.In, c.Workers, func(worker int, pairs []int64) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return emit(worker, pairs)
	})
}

// write sorts the edges in so much memory, of which total are expected, and writes the file: rows, and then what rest writes.
func (c *Conversion) write(ctx context.Context, counts sgraph.Counts, room int64, total int, each feed, rest func(w *sgraph.Writer) error) (err error) {
	sorter, err := edges.NewSorter(edges.Options{Memory: room, Spill: c.Spill, Symmetric: c.Undirected, Keep: !c.Undirected, Workers: c.Workers})
	if err != nil {
		return err
	}
	open := true
	defer func() {
		if open {
			err = errors.Join(err, sorter.Close())
		}
	}()
	c.Progress.Begin("sort", "edges", total)
	var done atomic.Int64
	err = each(func(src, dst []int32) error {
		c.Progress.Advance(int(done.Add(int64(len(src)))))
		return errors.Join(ctx.Err(), edges.Add(sorter, src, dst))
	})
	if err != nil {
		return err
	}
	counts.Undirected = c.Undirected
	w, err := sgraph.Create(c.Out, counts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	c.Progress.Begin("write", "edges", 0)
	found, err := sorter.WriteRows(ctx, w)
	if err != nil {
		return err
	}
	if c.Undirected && found.Loops+found.Duplicates > 0 {
		c.note("%d self-loops and %d edges that were there before, in either direction, are dropped", found.Loops, found.Duplicates)
	}
	open = false
	if err := sorter.Close(); err != nil {
		return err
	}
	if err := rest(w); err != nil {
		return err
	}
	return w.Commit()
}

// ids are the different ids of a list: a bit each, up to the largest that there is memory for.
type ids struct {
	arena    *memory.Arena
	words    []uint64
	before   []int32      // ids in the words before each
	greatest atomic.Int64 // of all, whether there is a bit or not
}

// wordBytes is what 64 ids take.
const wordBytes = 8 + 4

// newIDs has that many bytes for ids, which become resident as they are needed.
func newIDs(bytes int64) (*ids, error) {
	n := int(bytes / wordBytes / 16 * 16)
	arena, err := memory.NewArena(wordBytes * int64(n))
	if err != nil {
		return nil, fmt.Errorf("tell ids apart: %w", err)
	}
	return &ids{arena: arena, words: arena.Uint64s(0, n), before: arena.Int32s(8*int64(n), n)}, nil
}

// add takes ids; several goroutines may call it.
func (s *ids) add(list []int64) error {
	greatest := int64(0)
	for _, id := range list {
		greatest = max(greatest, id)
		if w := id / 64; w < int64(len(s.words)) {
			if bit := uint64(1) << (id % 64); atomic.LoadUint64(&s.words[w])&bit == 0 {
				atomic.OrUint64(&s.words[w], bit)
			}
		}
	}
	for old := s.greatest.Load(); greatest > old && !s.greatest.CompareAndSwap(old, greatest); old = s.greatest.Load() {
	}
	return nil
}

// fit says whether there was a bit for each.
func (s *ids) fit() bool { return s.greatest.Load()/64 < int64(len(s.words)) }

// bytes is what they take, if they fit.
func (s *ids) bytes() int64 {
	if !s.fit() {
		return 0
	}
	return wordBytes * (s.greatest.Load()/64 + 1)
}

// number counts them: then they have ranks.
func (s *ids) number() int {
	n := 0
	for i, word := range s.words[:s.greatest.Load()/64+1] {
		s.before[i] = int32(n)
		n += bits.OnesCount64(word)
	}
	return n
}

// rank is how many are smaller than one of them.
func (s *ids) rank(id int64) int32 {
	return s.before[id/64] + int32(bits.OnesCount64(s.words[id/64]&(1<<(id%64)-1)))
}

// write writes them in their order.
func (s *ids) write(w *sgraph.Writer) error {
	block := make([]int64, 0, 1<<13)
	for i, word := range s.words[:s.greatest.Load()/64+1] {
		for ; word != 0; word &= word - 1 {
			block = append(block, int64(64*i+bits.TrailingZeros64(word)))
		}
		if len(block) > cap(block)-64 {
			if err := w.WriteIDs(block); err != nil {
				return err
			}
			block = block[:0]
		}
	}
	return w.WriteIDs(block)
}
