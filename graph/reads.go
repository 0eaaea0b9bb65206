package graph

import (
	"math"

	"github.com/seraph-ml/seraph/engine/memory"
)

// ReadBytes is what reading so many rows of each of the hops that are kept takes from disk: of rows drawn at random, gathered in ascending
// order; all of them are the hops as they lie there.
func (p *Propagation) ReadBytes(w Way, rows int) (bytes int64) {
	cols, width := p.Graph.Features.Cols, p.width(w)
	for k := p.First; k <= p.K; k++ {
		switch {
		case p.where(k, w) == onDisk:
			bytes += readBytes(p.kept(), rows, cols, width)
		case p.where(k, w) == nowhere && p.Graph.Features.Read != nil:
			bytes += readBytes(p.Graph.Nodes, rows, cols, width)
		}
	}
	return bytes
}

// ReadBytes is what reading so many rows of the smoothed features takes from disk.
func (s *Smoothing) ReadBytes(w Way, rows int) int64 {
	if !w.Spill {
		return 0
	}
	return readBytes(s.kept(), rows, s.features().Cols, s.width(w))
}

// readBytes is for one matrix as tiles. A gap between two rows that is no larger than farApart is read along with them, and gaps between
// rows at random are distributed exponentially: with a mean of µ bytes, of which the row is a part, they add µ(1 − (1+x)e^(−x)), x = farApart/µ,
// and with probability e^(−x) a row begins a read of its own, of blocks.
func readBytes(all, rows, cols, width int) (bytes int64) {
	if rows >= all {
		return 4 * int64(all) * int64(cols)
	}
	for lo := 0; lo < cols && rows > 0; lo += width {
		row := 4 * float64(min(width, cols-lo))
		mean := row * float64(all) / float64(rows)
		x := farApart / mean
		bytes += int64(float64(rows) * (mean*(1-(1+x)*math.Exp(-x)) + (memory.BlockSize+row)*math.Exp(-x)))
	}
	return bytes
}
