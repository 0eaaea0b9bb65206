package graph

import (
	"context"
	"errors"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// stepsByFeatures finds the first step at which the features of each node are near the stationary ones. A distance runs
// over all columns: what the blocks before have added up to stands in a table of nodes × Kmax, in memory or on disk, which a
// single block does not need.
func (s *Smoothing) stepsByFeatures(ctx context.Context, w Way, steps []int32, pool *kernel.Pool, spill *memory.Spill) (err error) {
	width, cols := s.stepsWidth(w), s.features().Cols
	r, err := s.newRelay(width, s.distanceBytes(w), pool, spill)
	defer func() { err = errors.Join(err, r.close()) }()
	if err != nil {
		return err
	}
	ref := references{groups: s.groups(), pi: s.stationary(&r.work), sums: r.work.float64s(s.groups().count * width)}
	table, err := s.newTable(w, &r.work, spill)
	defer func() { err = errors.Join(err, table.close()) }()
	if err != nil {
		return err
	}
	d := distances{ref: &ref, steps: steps, bound: s.Epsilon * s.Epsilon}
	done, total := 0, (cols+width-1)/width*s.Kmax
	for lo := 0; lo < cols; lo += width {
		hi := min(lo+width, cols)
		x, err := r.first(lo, hi)
		if err != nil {
			return err
		}
		ref.run(x, hi-lo, pool)
		for k := range s.Kmax {
			if err := ctx.Err(); err != nil {
				return err
			}
			if k > 0 {
				if x, err = r.next(); err != nil {
					return err
				}
			}
			d.now = table.row()
			d.add(x, lo == 0, pool)
			done++
			if s.Progress != nil {
				s.Progress(done, total)
			}
			if hi == cols && d.decide(k) == 0 {
				return nil
			}
			if err := table.done(); err != nil {
				return err
			}
		}
	}
	return nil
}

// distances adds up the squared distances of the nodes from their stationary features, as a task: a unit is a node.
type distances struct {
	ref   *references
	steps []int32   // of each node, where they are known
	now   []float64 // of each node: what the blocks so far add up to after the step at hand
	bound float64   // ε²

	x     strip
	fresh bool // this is the first block
}

// add adds the block x.
func (d *distances) add(x strip, fresh bool, pool *kernel.Pool) {
	d.x, d.fresh = x, fresh
	pool.For(len(d.steps), 64, d)
}

// Do adds what nodes lo to hi have in the block.
func (d *distances) Do(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		if d.steps[i] != undecided {
			continue
		}
		sum := 0.0
		if !d.fresh {
			sum = d.now[i]
		}
		d.now[i] = squaredDistance(sum, d.bound, d.x.data[i*d.x.stride:][:d.x.stride], d.ref.row(i))
	}
}

// decide gives the nodes that are near enough after step k, which is at hand, their number of steps, once all blocks have been added,
// and returns how many are left.
func (d *distances) decide(k int) int {
	left := 0
	for i, sum := range d.now {
		switch {
		case d.steps[i] != undecided:
		case sum < d.bound:
			d.steps[i] = int32(k)
		default:
			left++
		}
	}
	return left
}
