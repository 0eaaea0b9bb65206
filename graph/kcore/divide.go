package kcore

import (
	"context"
	"errors"
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/graph/kcore/rowfile"
)

// Divide computes the core numbers of a graph on disk by dividing it by core number (K-Core Decomposition on Super Large Graphs
// with Limited Resources, 2022; EMCore of Cheng et al., ICDE 2011): from the densest part down, each part W = {t < x(v) ≤ above}
// is read into memory, as low a t as there is room for, and peeled; the next parts see of what is finished only how many
// neighbours are.
//
// Estimates x are never below the core numbers: degrees at first, then what some sweeps make of them (the better they are, the
// fewer vertices of a part are in vain). Where a part whose estimates are all the same has no room in memory, sweeps go on
// instead until it has, or until nothing changes, and everything is done.
type Divide struct {
	Rows   *rowfile.File
	Core   []int32 // estimates, −1 where there is no vertex; in the end core numbers
	Part   int64   // bytes for parts; 0: none, sweeps alone find the core numbers
	Sweeps int     // to make before the first part
	// At are thresholds t to divide at, descending, as far as there is room. Without, every part is as large as there is room for.
	At []int32

	// Save is called after every sweep and part, with what is to be given to Run to go on from there.
	Save func(Progress) error
}

// Run computes, from the progress that was made before.
func (d *Divide) Run(ctx context.Context, pool *kernel.Pool, done Progress) (p Progress, err error) {
	sweeps, err := newSweeping(d.Rows, d.Core, pool.Workers())
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, sweeps.Close()) }()
	part := &part{}
	if d.Part > 0 {
		if part, err = newPart(d.Core, d.Part, pool); err != nil {
			return done, err
		}
		defer func() { err = errors.Join(err, part.Close()) }()
	}
	p = done
	above := slices.Max(d.Core) // core numbers beyond it are known
	if n := len(p.Stages); n > 0 {
		above = p.Stages[n-1].Threshold
	}
	for above > 1 && !p.Done {
		err := errNoRoom
		if d.Part > 0 && p.Sweeps >= d.Sweeps {
			err = part.load(ctx, d.Rows, d.threshold(above), above)
		}
		switch {
		case err == nil:
			p.Stages = append(p.Stages, part.conquer())
			above = part.t
		case errors.Is(err, errNoRoom):
			changed, err := sweeps.sweep(ctx, pool, above)
			if err != nil {
				return p, err
			}
			p.Sweeps++
			p.Done = changed == 0
			above = min(above, slices.Max(d.Core))
		default:
			return p, err
		}
		if err := d.Save(p); err != nil {
			return p, err
		}
	}
	p.Done = true
	return p, d.Save(p)
}

// threshold is how far down the next part may reach: estimates of 1 are right.
func (d *Divide) threshold(above int32) int32 {
	for _, t := range d.At {
		if t < above {
			return t
		}
	}
	return 1
}
