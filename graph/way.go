package graph

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
)

// Way is how a propagation is carried out within a budget. It never changes a bit of the hops.
type Way struct {
	Width int  // feature columns of a block
	Spill bool // hops go to disk
}

// maxWidth bounds a block, so that a row of it passes through the buffers of the disk.
const maxWidth = 1 << 16

// columnStep is what widths are multiples of: a cache line.
const columnStep = 16

// widestStrip is the size that the block of one hop has where memory is plenty, by measurement: larger ones leave the cache,
// smaller ones scatter what is written.
const widestStrip = 64 << 20

// Ways returns the ways from the fastest to the one that takes the least memory: hops in memory first, then on disk with
// narrower and narrower blocks.
func (p *Propagation) Ways() []Way {
	cols := p.Graph.Features.Cols
	widest := min(cols, maxWidth, max(128, widestStrip/(4*p.Graph.Nodes)))
	var widths []int
	for parts := (cols + widest - 1) / widest; ; parts += max(1, parts/2) {
		width := min(cols, ((cols+parts-1)/parts+columnStep-1)/columnStep*columnStep)
		if len(widths) == 0 || width < widths[len(widths)-1] {
			widths = append(widths, width)
		}
		if width <= columnStep {
			break
		}
	}
	var ways []Way
	for _, spill := range []bool{false, true} {
		for _, width := range widths {
			ways = append(ways, Way{Width: width, Spill: spill})
		}
		if p.K == 0 && p.Combine == nil {
			break
		}
	}
	return ways
}

// Choose returns the fastest way whose job fits the budget, and the job. job makes the plan of the whole job around a way,
// of which [Propagation.Stage] is one stage and [Propagation.Items] belong to every later stage that reads the hops. When
// none fits the error is a *plan.TooSmallError.
func (p *Propagation) Choose(budget int64, job func(Way) *plan.Job) (Way, *plan.Job, error) {
	var tried Way
	ways := p.Ways()
	chosen, err := plan.Choose(budget, func(i int) (*plan.Job, bool) {
		if i == len(ways) {
			return nil, false
		}
		tried = ways[i]
		return job(tried), true
	})
	return tried, chosen, err
}

// width is the number of columns of a block.
func (p *Propagation) width(w Way) int { return max(1, min(w.Width, p.Graph.Features.Cols, maxWidth)) }

// location is where a hop lies.
type location uint8

const (
	nowhere  location = iota // it is made from the features when read
	inMemory                 // a matrix in memory
	onDisk                   // tiles on disk
)

// where says where hop k, which is kept, will lie. Hop 0 stays what it is, unless its rows are wanted in another order than
// the disk has them, or it is but part of a sum.
func (p *Propagation) where(k int, w Way) location {
	switch {
	case k == 0 && p.Combine == nil && (p.Graph.Features.Read == nil || p.Rows == nil):
		return nowhere
	case w.Spill:
		return onDisk
	}
	return inMemory
}

// reads says whether the hops are read from disk.
func (p *Propagation) reads(w Way) bool {
	return w.Spill || p.Graph.Features.Read != nil && (p.First == 0 && p.Combine == nil || p.Limit)
}

// computed is the largest number of rows that any hop is computed for.
func (p *Propagation) computed() int {
	rows := 0
	for k, f := range p.frontiers() {
		if k > 0 || !p.isThin() {
			rows = max(rows, f.rows(p.Graph.Nodes))
		}
	}
	return rows
}

// direct says whether blocks of hop 0 are the features themselves, which lie in memory as they are wanted.
func (p *Propagation) direct() bool {
	return p.Graph.Features.Dense != nil && !p.Scaling.scalesRows() && p.frontiers()[0].nodes == nil
}

// isThin says whether hop 0 is never written out: its sparse rows go into hop 1 as they are. It pays up to about one value in
// eight, where a vector takes eight to sixteen at once.
func (p *Propagation) isThin() bool {
	f := &p.Graph.Features
	if p.K > 0 && p.Adjacency.graph != nil || p.ranked() {
		return false // its rows come as a few at a time, or go from rank to rank
	}
	return f.Sparse != nil && 8*int64(len(f.Sparse.Values)) <= int64(f.Rows)*int64(f.Cols)
}

// idle says whether there is nothing to compute: hop 0 alone is wanted, and made when it is read.
func (p *Propagation) idle() bool {
	return p.K == 0 && p.where(0, Way{}) == nowhere && p.Scaling != ScaleRMS
}

// strips is the number of strips that hops take by turns: one for each hop that is not computed where it stays, but no more
// than two at a time. Hop 0 may have one of its own.
func (p *Propagation) strips(w Way) int {
	if p.idle() {
		return 0
	}
	n := 0
	for k := range p.K + 1 {
		if !p.inPlace(k, w) && (k > 0 || !p.holdsZero()) {
			n++
		}
	}
	return min(n, 2)
}

// inPlace says whether hop k is computed where it stays, or is there already.
func (p *Propagation) inPlace(k int, w Way) bool {
	if k == 0 {
		return p.direct() || p.isThin()
	}
	return p.Combine == nil && p.keptInPlace(k, w)
}

// keptInPlace says whether what is kept as hop k, the hop or the sum, k ≥ 1 or a sum, is made where it stays.
func (p *Propagation) keptInPlace(k int, w Way) bool {
	return k >= p.First && p.where(k, w) == inMemory && p.frontiers()[k].pick == nil
}

// pickedRows is how many of the rows that are kept go to disk at a time: whole shards.
func (p *Propagation) pickedRows(w Way) int {
	return max(1, min(largestPiece/(4*shardRows*p.width(w)), padRows(p.kept())/shardRows)) * shardRows
}

// need is what a way takes, in bytes.
type need struct {
	strips, frontiers, layOut, staging, thin, squares, adding int64 // while propagating
	matrices, scaled, reading, limit                          int64 // as long as the hops
	heap, ranks                                               int64 // components; what ranks take
	hopsDisk, featuresDisk                                    int64
}

func (n *need) work() int64 {
	return n.strips + n.frontiers + n.layOut + n.staging + n.thin + n.squares + n.adding
}
func (n *need) hops() int64 { return n.matrices + n.scaled + n.reading + n.limit }

// need computes what a way takes.
func (p *Propagation) need(w Way) need {
	var n need
	nodes, cols, width := p.Graph.Nodes, p.Graph.Features.Cols, p.width(w)
	n.strips = int64(p.strips(w)) * stripBytes(p.computed(), width)
	if p.holdsZero() {
		n.strips += stripBytes(nodes, width)
	}
	if p.sums(w) {
		n.strips += stripBytes(p.summed(), width)
	}
	n.frontiers = frontierBytes(p.frontiers(), nodes)
	n.layOut = layOutBytes(&p.Graph.Features, width)
	if w.Spill && p.Rows != nil {
		n.staging = 4*int64(p.pickedRows(w))*int64(width) + memory.BlockSize
	}
	if p.ranked() {
		n.ranks = ranksBytes(p.Ranks, nodes, p.frontiers()[p.K].nnz, width)
	}
	if p.isThin() {
		n.thin = 16*int64(nodes) + 2*memory.Align
	}
	if p.Scaling == ScaleRMS {
		n.squares = 8*int64(padRows(nodes)/shardRows)*int64(width) + memory.Align
	}
	for k := p.First; k <= p.K; k++ {
		switch p.where(k, w) {
		case inMemory:
			n.matrices += 4*int64(p.kept())*int64(cols) + memory.Align
		case onDisk:
			n.hopsDisk += tileBytes(p.kept(), cols)
		}
	}
	n.limit, n.adding, n.heap = p.limitBytes()
	n.scaled = scaledBytes(&p.Graph.Features, p.Scaling)
	if p.reads(w) {
		n.reading = stagingBytes + memory.BlockSize
	}
	if p.Graph.Features.Read != nil {
		n.featuresDisk = tileBytes(nodes, cols)
	}
	return n
}

// Items are what the hops hold in memory until they are closed: part of every stage that reads them.
func (p *Propagation) Items(w Way) []plan.Item {
	n := p.need(w)
	var items []plan.Item
	add := func(name string, bytes int64, where plan.Where, note string) {
		if bytes > 0 {
			items = append(items, plan.Item{Name: name, Bytes: bytes, Where: where, Note: note})
		}
	}
	note := fmt.Sprintf("%d … %d", max(p.First, 1), p.K)
	if p.Combine != nil {
		note = fmt.Sprintf("sum of 0 … %d", p.K)
	}
	add("hops", n.matrices, plan.Resident, note)
	add("limit of the hops", n.limit+n.heap, plan.Resident, "Â^∞ X, a row a component")
	add("scaling of features", n.scaled, plan.Resident, string(p.Scaling))
	add("buffer for hops", n.reading, plan.Streamed, fmt.Sprintf("%s on disk", memory.FormatSize(n.hopsDisk+n.featuresDisk)))
	return items
}

// unpacking is what making an entry of Â from the edges in a file takes, in bytes of memory moved in the same time.
const unpacking = 64

// Stage is the plan of the propagation alone: what it holds beside the graph, and what it computes and moves.
func (p *Propagation) Stage(w Way) plan.Stage {
	n := p.need(w)
	nodes, cols, width := p.Graph.Nodes, p.Graph.Features.Cols, p.width(w)
	s := plan.Stage{Name: "propagate", Items: p.Items(w)}
	blocks := (cols + width - 1) / width
	s.Items = append(s.Items, plan.Item{
		Name: "blocks of hops", Bytes: n.strips, Where: plan.Resident,
		Note: fmt.Sprintf("%d of %d columns", blocks, width),
	})
	if rest := n.work() - n.strips; rest > 0 {
		s.Items = append(s.Items, plan.Item{Name: "working memory", Bytes: rest, Where: plan.Resident})
	}
	if n.ranks > 0 {
		s.Items = append(s.Items, plan.Item{Name: "ranks", Bytes: n.ranks, Where: plan.Resident, Note: fmt.Sprintf("%d ranges of nodes, with rows of others", p.Ranks)})
	}
	for k, f := range p.frontiers() {
		rows := float64(f.rows(nodes))
		if k == 0 && p.isThin() {
			continue
		}
		s.Traffic += 8 * rows * float64(cols) // a strip is written: read for ownership, too
		switch {
		case k == 1 && p.isThin():
			pairs := float64(f.nnz) * float64(len(p.Graph.Features.Sparse.Values)) / float64(nodes)
			s.Flops += 2 * pairs
			s.Traffic += 16 * pairs // column, value, and the sum there and back
		case k > 0:
			s.Flops += 2 * float64(f.nnz) * float64(cols)
			s.Traffic += 4*float64(f.nnz)*float64(cols) + 8*float64(f.nnz)*float64(blocks)
		}
	}
	if p.K > 0 && p.Adjacency.graph != nil {
		edges := int64(blocks*p.K) * p.Adjacency.graph.stored.file.Parts().EdgeBytes
		s.DiskRead += edges
		s.Traffic += unpacking * float64(blocks*p.K) * float64(p.Adjacency.graph.Indptr[nodes])
	}
	for _, cost := range []func() (flops, traffic float64){p.teleportCost, p.combineCost} {
		flops, traffic := cost()
		s.Flops += flops
		s.Traffic += traffic
	}
	s.DiskWrite = n.hopsDisk + n.featuresDisk
	s.DiskRead += n.featuresDisk
	if p.Graph.Features.Read != nil {
		s.DiskRead += 4 * int64(nodes) * int64(cols)
	}
	return s
}
