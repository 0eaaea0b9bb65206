package graph

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
)

// Ways returns the ways to smooth from the fastest on: the result in memory first, then on disk, with narrower and narrower
// blocks. One block of all columns finds the steps without the table of nodes × Kmax distances that several need, so a
// narrower way may take more memory. The last are narrower than [Smoothing.Steps] can be, which holds two blocks at a time where
// [Smoothing.Smooth] holds three.
func (s *Smoothing) Ways() []Way {
	ways := s.hopZero().Ways()
	for _, width := range []int{12, 8} {
		if width < s.features().Cols {
			ways = append(ways, Way{Width: width, Spill: true})
		}
	}
	return ways
}

// width is the number of columns of a block that is averaged.
func (s *Smoothing) width(w Way) int { return min(max(w.Width, 1), maxWidth, s.features().Cols) }

// stepsWidth is the number of columns of a block that steps are found with. Blocks begin at multiples of columnStep, so that
// distances have the same bits in all of them.
func (s *Smoothing) stepsWidth(w Way) int {
	return min((s.width(w)+columnStep-1)/columnStep*columnStep, s.features().Cols)
}

// aligned is what an array takes of an arena.
func aligned(bytes int64) int64 { return (bytes + memory.Align - 1) / memory.Align * memory.Align }

// stepsBytes is the memory of LocalSteps.
func (s *Smoothing) stepsBytes() int64 { return 4 * int64(s.Graph.Nodes) }

// relayBytes is the memory of a relay of blocks of so many columns.
func (s *Smoothing) relayBytes(width int) int64 {
	f := s.features()
	return 2*4*int64(padRows(s.Graph.Nodes))*int64(width) + scaledBytes(f, s.Scaling) + layOutBytes(f, width)
}

// tableRows is the number of steps whose distances are kept at the same time, and tableInMemory how many of them in memory: all,
// or those of the step at hand and of the one after.
func (s *Smoothing) tableRows(w Way) int {
	if s.stepsWidth(w) >= s.features().Cols {
		return 1
	}
	return s.Kmax
}

func (s *Smoothing) tableInMemory(w Way) int {
	rows := s.tableRows(w)
	if w.Spill {
		return min(rows, 2)
	}
	return rows
}

// tableBytes is what so many rows of distances take.
func (s *Smoothing) tableBytes(rows int) int64 {
	return 8 * int64(padRows(s.Graph.Nodes)) * int64(rows)
}

// tableDisk is what the table takes of the disk.
func (s *Smoothing) tableDisk(w Way) int64 {
	if rows := s.tableRows(w); rows > s.tableInMemory(w) {
		return s.tableBytes(rows)
	}
	return 0
}

// distanceBytes is what finding the steps by features takes beside the relay: the stationary distribution, the stationary
// features, and the distances.
func (s *Smoothing) distanceBytes(w Way) int64 {
	n := int64(s.Graph.Nodes)
	return aligned(8*n) + aligned(8*int64(s.groups().count)*int64(s.stepsWidth(w))) + memory.BlockSize + s.tableBytes(s.tableInMemory(w))
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
	return stripBytes(s.kept(), s.width(w))
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
		width := s.stepsWidth(w)
		note := fmt.Sprintf("of %d steps at a time", s.tableInMemory(w))
		if disk := s.tableDisk(w); disk > 0 {
			note += fmt.Sprintf(", %s on disk", memory.FormatSize(disk))
			moved := int64(s.blocks(width)-1) * disk
			find.DiskRead, find.DiskWrite = moved, moved
		}
		find.Items = append(find.Items, s.blocksItem(width), plan.Item{Name: "distances", Bytes: s.distanceBytes(w), Where: plan.Resident, Note: note})
		s.countHops(&find, width, 3)
	}
	average := plan.Stage{Name: "smooth", Items: append(s.Items(w), steps, s.blocksItem(s.width(w)))}
	if sum := s.sumBytes(w); sum > 0 {
		average.Items = append(average.Items, plan.Item{Name: "block of sums", Bytes: sum, Where: plan.Resident})
		average.DiskWrite += tileBytes(s.kept(), s.features().Cols)
	}
	if groups := s.groupsBytes(); groups > 0 {
		average.Items = append(average.Items, plan.Item{Name: "components", Bytes: groups, Where: plan.Resident})
	}
	s.countHops(&average, s.width(w), 2)
	return []plan.Stage{find, average}
}

// blocks is the number of blocks of so many columns.
func (s *Smoothing) blocks(width int) int { return (s.features().Cols + width - 1) / width }

// blocksItem is the memory of a relay of blocks of so many columns.
func (s *Smoothing) blocksItem(width int) plan.Item {
	note := fmt.Sprintf("%d of %d columns", s.blocks(width), width)
	return plan.Item{Name: "blocks of hops", Bytes: s.relayBytes(width), Where: plan.Resident, Note: note}
}

// countHops adds what Kmax hops in blocks of so many columns, and so many operations on every element of them, take.
func (s *Smoothing) countHops(stage *plan.Stage, width int, operations float64) {
	f := s.features()
	n, cols, entries, hops := float64(s.Graph.Nodes), float64(f.Cols), float64(s.Adjacency.Indptr[s.Graph.Nodes]), float64(s.Kmax)
	blocks := float64(s.blocks(width))
	stage.Flops += hops * cols * (2*entries + operations*n)
	stage.Traffic += hops * (cols*(12*n+4*entries) + 8*blocks*entries)
	if a := s.Adjacency; a.graph != nil {
		stage.DiskRead += int64(blocks*hops) * a.graph.stored.file.Parts().EdgeBytes
		stage.Traffic += unpacking * blocks * hops * entries
	}
	if f.Read != nil {
		stage.DiskRead += 4*int64(f.Rows)*int64(f.Cols) + tileBytes(f.Rows, f.Cols)
		stage.DiskWrite += tileBytes(f.Rows, f.Cols)
	}
}
