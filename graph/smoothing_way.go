package graph

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
)

// Ways returns the ways to smooth from the fastest on: the result in memory first, then on disk, with narrower and narrower
// blocks. One block of all columns finds the steps without the table of nodes × Kmax distances that several need, so a
// narrower way may take more memory.
func (s *Smoothing) Ways() []Way { return s.hopZero().Ways() }

// width is the number of columns of a block. Blocks begin at multiples of columnStep, so that distances have the same bits
// in all of them.
func (s *Smoothing) width(w Way) int {
	width := min(max(w.Width, 1), maxWidth)
	return min((width+columnStep-1)/columnStep*columnStep, s.features().Cols)
}

// aligned is what an array takes of an arena.
func aligned(bytes int64) int64 { return (bytes + memory.Align - 1) / memory.Align * memory.Align }

// stepsBytes is the memory of LocalSteps.
func (s *Smoothing) stepsBytes() int64 { return 4 * int64(s.Graph.Nodes) }

// stripBytes is the memory of a block of columns of so many rows.
func (s *Smoothing) stripBytes(rows int, w Way) int { return 4 * padRows(rows) * s.width(w) }

// relayBytes is the memory of a relay.
func (s *Smoothing) relayBytes(w Way) int64 {
	f := s.features()
	return 2*int64(s.stripBytes(s.Graph.Nodes, w)) + scaledBytes(f, s.Scaling) + layOutBytes(f, s.width(w))
}

// tableRows is the number of steps whose distances are kept at the same time.
func (s *Smoothing) tableRows(w Way) int {
	if s.width(w) >= s.features().Cols {
		return 1
	}
	return s.Kmax
}

// distanceBytes is what finding the steps by features takes beside the relay: the stationary distribution, the stationary
// features, and the distances.
func (s *Smoothing) distanceBytes(w Way) int64 {
	n := int64(s.Graph.Nodes)
	return aligned(8*n) + aligned(8*int64(s.groups().count)*int64(s.width(w))) + aligned(8*n*int64(s.tableRows(w)))
}

// influenceBytes is what finding the steps by influence takes.
func (s *Smoothing) influenceBytes(workers int) int64 {
	return (2 + 3*int64(workers)) * aligned(8*int64(s.Graph.Nodes))
}

// groupsBytes is what finding the components takes on the Go heap.
func (s *Smoothing) groupsBytes() int64 {
	if s.Stationarity != StationaryComponent {
		return 0
	}
	return s.Graph.componentBytes()
}

// sumBytes is what averaging takes beside the relay and the result.
func (s *Smoothing) sumBytes(w Way) int64 {
	if !w.Spill {
		return 0
	}
	return int64(s.stripBytes(s.kept(), w)) + memory.BlockSize
}

// resultBytes is the memory of the result.
func (s *Smoothing) resultBytes(w Way) int64 {
	if w.Spill {
		return stagingBytes
	}
	return 4 * int64(s.kept()) * int64(s.features().Cols)
}

// Items are what the result holds in memory until it is closed: part of every stage that reads it.
func (s *Smoothing) Items(w Way) []plan.Item {
	if w.Spill {
		note := fmt.Sprintf("%s on disk", memory.FormatSize(tileBytes(s.kept(), s.features().Cols)))
		return []plan.Item{{Name: "buffer for smoothed features", Bytes: s.resultBytes(w), Where: plan.Streamed, Note: note}}
	}
	return []plan.Item{{Name: "smoothed features", Bytes: s.resultBytes(w), Where: plan.Resident}}
}

// Stages are the plans of Steps and Smooth on so many workers: what each holds beside graph and adjacency matrix, and what
// it computes and moves at most, as if no node came near before step Kmax−1. The steps of the first are held in the second.
func (s *Smoothing) Stages(w Way, workers int) []plan.Stage {
	steps := plan.Item{Name: "steps of the nodes", Bytes: s.stepsBytes(), Where: plan.Resident}
	find := plan.Stage{Name: "local steps", Items: []plan.Item{steps}}
	if groups := s.groupsBytes(); groups > 0 {
		find.Items = append(find.Items, plan.Item{Name: "components", Bytes: groups, Where: plan.Resident})
	}
	n, entries := float64(s.Graph.Nodes), float64(s.Adjacency.Indptr[s.Graph.Nodes])
	if s.Distance == DistanceInfluence {
		find.Items = append(find.Items, plan.Item{Name: "influence on a node", Bytes: s.influenceBytes(workers), Where: plan.Resident})
		find.Flops = float64(s.Kmax) * n * (2*entries + 3*n)
	} else {
		find.Items = append(find.Items, s.blocksItem(w), plan.Item{
			Name: "distances", Bytes: s.distanceBytes(w), Where: plan.Resident, Note: fmt.Sprintf("of %d steps at a time", s.tableRows(w)),
		})
		s.countHops(&find, w, 3)
	}
	average := plan.Stage{Name: "smooth", Items: append(s.Items(w), steps, s.blocksItem(w))}
	if sum := s.sumBytes(w); sum > 0 {
		average.Items = append(average.Items, plan.Item{Name: "block of sums", Bytes: sum, Where: plan.Resident})
		average.DiskWrite += tileBytes(s.kept(), s.features().Cols)
	}
	if groups := s.groupsBytes(); groups > 0 {
		average.Items = append(average.Items, plan.Item{Name: "components", Bytes: groups, Where: plan.Resident})
	}
	s.countHops(&average, w, 2)
	return []plan.Stage{find, average}
}

// blocksItem is the memory of a relay.
func (s *Smoothing) blocksItem(w Way) plan.Item {
	width, cols := s.width(w), s.features().Cols
	note := fmt.Sprintf("%d of %d columns", (cols+width-1)/width, width)
	return plan.Item{Name: "blocks of hops", Bytes: s.relayBytes(w), Where: plan.Resident, Note: note}
}

// countHops adds what Kmax hops, and so many operations on every element of them, take.
func (s *Smoothing) countHops(stage *plan.Stage, w Way, operations float64) {
	f := s.features()
	n, cols, entries, hops := float64(s.Graph.Nodes), float64(f.Cols), float64(s.Adjacency.Indptr[s.Graph.Nodes]), float64(s.Kmax)
	width := s.width(w)
	blocks := float64((f.Cols + width - 1) / width)
	stage.Flops += hops * cols * (2*entries + operations*n)
	stage.Traffic += hops * (cols*(12*n+4*entries) + 8*blocks*entries)
	if a := s.Adjacency; a.graph != nil {
		stage.DiskRead += int64(blocks*hops) * a.graph.stored.file.Parts().EdgeBytes
	}
	if f.Read != nil {
		stage.DiskRead += 4*int64(f.Rows)*int64(f.Cols) + tileBytes(f.Rows, f.Cols)
		stage.DiskWrite += tileBytes(f.Rows, f.Cols)
	}
}
