package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/graph/kcore"
	"github.com/seraph-ml/seraph/run"
)

// stored is a graph on disk, in a folder that stays until all is done.
type stored struct {
	*kcore.Store
	folder  *kcore.Folder
	plan    kcore.DiskPlan // made when the size was known
	resumes bool
}

// sortToDisk sorts the edges into rows on disk, or finds them there, and plans again. Sorted is called in between.
func (f *kcoreFlags) sortToDisk(ctx context.Context, budget int64, p planned, resume bool, sorted func()) (s *stored, err error) {
	disk, err := memory.ParseDisk(f.Disk)
	if err != nil {
		return nil, run.Usagef("%w", err)
	}
	folder, err := kcore.OpenFolder(disk.Dir, f.Paths, f.options(), resume)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, leave(folder, f.resumes))
		}
	}()
	if !folder.Imported {
		if err := f.importEdges(ctx, folder, disk, budget, p.disk.Import); err != nil {
			return nil, err
		}
		sorted()
	}
	size, index, err := folder.Size()
	if err != nil {
		return nil, err
	}
	again, err := kcore.PlanDisk(size, index, p.engine, f.Threads, f.vectors, budget)
	if err != nil {
		return nil, canResume(err, f.resumes)
	}
	store, err := kcore.OpenStore(folder.Path)
	return &stored{store, folder, again, f.resumes}, err
}

// canResume says in an error that a larger budget goes on from here, if so.
func canResume(err error, resumes bool) error {
	if !resumes {
		return err
	}
	return fmt.Errorf("%w (what was done is kept: --resume goes on from there)", err)
}

// leave leaves the folder of a job that failed to the one that goes on with it, or to nobody.
func leave(folder *kcore.Folder, resumes bool) error {
	if resumes {
		return folder.Close()
	}
	return folder.Remove()
}

func (f *kcoreFlags) importEdges(ctx context.Context, folder *kcore.Folder, disk memory.Disk, budget, bytes int64) (err error) {
	spill, err := memory.OpenSpill(disk)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, spill.Close()) }()
	room, err := disk.Room()
	if err != nil {
		return err
	}
	m := kcore.Import{Options: f.options(), Dir: folder.Path, Spill: spill, Room: room, Memory: bytes, Budget: budget, Workers: f.Threads}
	return m.Run(ctx, f.Paths)
}

// close closes the graph, and removes its folder where the job is done.
func (s *stored) close(err error) error {
	err = errors.Join(err, s.Store.Close())
	return errors.Join(err, leave(s.folder, err != nil && s.resumes))
}

// prove proves the core numbers that claim fills in right, or says *kcore.WrongError; those of the store are these afterwards.
func (s *stored) prove(ctx context.Context, claim func(core []int32) error, pool *kernel.Pool) (err error) {
	return s.beside(1, func(v [][]int32, part int64) error {
		if err := claim(v[0]); err != nil {
			return err
		}
		return s.Verify(ctx, v[0], part, pool)
	})
}

// proveOrder is prove by an order: the cores of one file, and the order of another.
func (s *stored) proveOrder(ctx context.Context, cores, order string, pool *kernel.Pool) error {
	return s.beside(2, func(v [][]int32, _ int64) error {
		claimed, place := v[0], v[1]
		if err := kcore.ReadCores(cores, &s.Names, nil, claimed); err != nil {
			return err
		}
		if err := kcore.ReadPlaces(order, &s.Names, claimed, place); err != nil {
			return err
		}
		return s.VerifyOrder(ctx, claimed, place, pool)
	})
}

// writeOrder writes the degeneracy order.
func (s *stored) writeOrder(ctx context.Context, w io.Writer, pool *kernel.Pool) error {
	return s.beside(1, func(v [][]int32, part int64) (err error) {
		if err := s.Place(ctx, v[0], part, pool); err != nil {
			return err
		}
		window, err := memory.NewArena(part)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, window.Close()) }()
		return kcore.WritePlaces(w, &s.Names, v[0], window.Int32s(0, int(part/4)))
	})
}

// beside calls do with so many vectors of a value a vertex, no more than were planned, and with the bytes that they leave of the plan's part.
func (s *stored) beside(vectors int, do func(v [][]int32, part int64) error) (err error) {
	part := s.plan.Part - 4*int64(vectors)*int64(s.Nodes)
	arena, err := memory.NewArena(4 * int64(vectors) * int64(s.Nodes))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, arena.Close()) }()
	v := make([][]int32, vectors)
	for i := range v {
		v[i] = arena.Int32s(4*int64(i)*int64(s.Nodes), s.Nodes)
	}
	err = do(v, part)
	var room *kcore.RoomError
	if errors.As(err, &room) {
		return canResume(&plan.TooSmallError{Budget: s.plan.Budget, Smallest: s.plan.Budget + room.Short, Stage: room.What}, s.resumes)
	}
	return err
}

// cost is what dividing a graph on disk takes.
type cost struct {
	Passes  int64   `json:"passes"` // over the rows
	Read    int64   `json:"bytes_read"`
	Written int64   `json:"bytes_written"`
	Seconds float64 `json:"seconds"`
}

// divided is what dividing was expected to take when the edges were sorted, and what it took. What an interrupted job did before is not in it.
type divided struct {
	Planned cost `json:"planned"`
	Actual  cost `json:"actual"`
}

func (d *divided) String() string {
	p, q := &d.Planned, &d.Actual
	return fmt.Sprintf("divided in %d passes (%d expected), %s (%s), %s read (%s), %s written (%s)", q.Passes, p.Passes,
		plan.FormatSeconds(q.Seconds), plan.FormatSeconds(p.Seconds), memory.FormatSize(q.Read), memory.FormatSize(p.Read), memory.FormatSize(q.Written), memory.FormatSize(p.Written))
}

// watch begins to watch what dividing takes; what it returns ends that.
func (s *stored) watch() func(p *kcore.Progress) *divided {
	start, passes := time.Now(), s.Progress.Sweeps+len(s.Progress.Stages)
	before, _ := memory.IOCounters() // zero where it cannot be measured
	return func(p *kcore.Progress) *divided {
		after, _ := memory.IOCounters()
		planned := &s.plan.Stages[0]
		return &divided{
			Planned: cost{s.plan.Passes, planned.DiskRead, planned.DiskWrite, planned.Seconds},
			Actual:  cost{int64(p.Sweeps + len(p.Stages) - passes), after.Read - before.Read, after.Write - before.Write, time.Since(start).Seconds()},
		}
	}
}

// decomposeOnDisk sorts the edges, divides, and writes.
func (c *kcoreVerb) decomposeOnDisk(a *app, budget int64, p planned, result *kcoreResult) (err error) {
	ctx, stop := interrupted()
	defer stop()
	defer func() {
		if errors.Is(err, context.Canceled) {
			err = run.ErrInterrupted
		}
	}()
	clock := stopwatch{result.Seconds, time.Now()}
	s, err := c.sortToDisk(ctx, budget, p, c.Resume, func() { clock.lap("sort") })
	if err != nil {
		return err
	}
	defer func() { err = s.close(err) }()
	result.PlannedPeak, result.plan = max(result.PlannedPeak, s.plan.Peak()), s.plan.Job
	if err := c.showPlan(a, s.plan.Job); err != nil {
		return err
	}
	pool := kernel.NewPool(c.Threads)
	defer pool.Close()
	stages := len(s.Progress.Stages)
	watch := s.watch()
	d := kcore.Divide{Part: s.plan.Part, Sweeps: kcore.Sweeps}
	if p.engine == kcore.Scan {
		d.Part = 0
	}
	err = s.Decompose(ctx, d, pool, func(p kcore.Progress) {
		for ; stages < len(p.Stages); stages++ {
			s := p.Stages[stages]
			c.progress(a).Infof("part %d: core numbers above %d, of %d vertices and %d edges", stages+1, s.Threshold, s.Candidates, s.Edges)
		}
	})
	if err != nil {
		return err
	}
	result.Divided = watch(&s.Progress)
	c.progress(a).Infof("%s", result.Divided)
	clock.lap("decompose")
	if err := s.Name(); err != nil {
		return err
	}
	if c.Check {
		if err := s.prove(ctx, func(claimed []int32) error { copy(claimed, s.Core); return nil }, pool); err != nil {
			return fmt.Errorf("prove the result: %w", err)
		}
		result.Checked = true
		clock.lap("check")
	}
	if c.Stats {
		if result.Shells, err = s.Shells(ctx, pool); err != nil {
			return err
		}
		clock.lap("stats")
	}
	result.Progress = &s.Progress
	c.summarise(result, &s.Names, s.Counts, s.Core)
	err = c.write(&s.Names, s.Core,
		func(w io.Writer) error { return s.writeOrder(ctx, w, pool) },
		func(w io.Writer) error { return s.WriteCoreEdges(ctx, w, c.K, pool) })
	if err != nil {
		return err
	}
	clock.lap("write")
	return nil
}
