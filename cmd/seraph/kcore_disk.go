package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/graph/kcore"
	"github.com/seraph-ml/seraph/run"
)

// checkEngine says what an engine cannot do.
func (c *kcoreVerb) checkEngine(e kcore.Engine) error {
	switch {
	case e.OnDisk() && (c.Order || c.Check || c.Edges):
		return run.Usagef("--order, --check and --edges need the graph in memory, and the engine is %s", e)
	case !e.OnDisk() && c.Resume:
		return run.Usagef("--resume goes on with a graph on disk, and the engine is %s", e)
	}
	return nil
}

// decomposeOnDisk sorts the edges into rows on disk, divides, and writes. What it has done is kept until all is.
func (c *kcoreVerb) decomposeOnDisk(a *app, budget int64, p planned, result *kcoreResult) (err error) {
	disk, err := memory.ParseDisk(c.Disk)
	if err != nil {
		return run.Usagef("%w", err)
	}
	ctx, stop := interrupted()
	defer stop()
	folder, err := kcore.OpenFolder(disk.Dir, c.Paths, c.Vertices, c.Resume)
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			err = folder.Remove()
			return
		}
		if errors.Is(err, context.Canceled) {
			err = run.ErrInterrupted
		}
		err = errors.Join(err, folder.Close())
	}()
	clock := stopwatch{result.Seconds, time.Now()}
	if !folder.Imported {
		if err := c.importEdges(ctx, folder, disk, p.disk.Import); err != nil {
			return err
		}
		clock.lap("sort")
	}
	return c.divide(ctx, a, folder, budget, p, result, &clock)
}

func (c *kcoreVerb) importEdges(ctx context.Context, folder *kcore.Folder, disk memory.Disk, bytes int64) (err error) {
	spill, err := memory.OpenSpill(disk)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, spill.Close()) }()
	room, err := disk.Room()
	if err != nil {
		return err
	}
	m := kcore.Import{Options: c.options(), Dir: folder.Path, Spill: spill, Room: room, Memory: bytes, Workers: c.Threads}
	return m.Run(ctx, c.Paths)
}

// divide plans again, now that the size is known, and finds the core numbers.
func (c *kcoreVerb) divide(ctx context.Context, a *app, folder *kcore.Folder, budget int64, p planned, result *kcoreResult, clock *stopwatch) (err error) {
	size, index, err := folder.Size()
	if err != nil {
		return err
	}
	again, err := kcore.PlanDisk(size, index, p.engine, c.Threads, budget)
	if err != nil {
		return fmt.Errorf("%w (the edges are sorted; --resume goes on from there)", err)
	}
	result.PlannedPeak = max(result.PlannedPeak, again.Peak())
	if err := c.showPlan(a, again.Job); err != nil {
		return err
	}
	store, err := kcore.OpenStore(folder.Path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	pool := kernel.NewPool(c.Threads)
	defer pool.Close()
	err = store.Decompose(ctx, kcore.Divide{Part: again.Part, Sweeps: kcore.Sweeps}, pool, func(p kcore.Progress) {
		if n := len(p.Stages); n > 0 {
			s := p.Stages[n-1]
			c.progress(a).Infof("part %d: above %d, %d vertices, %d edges", n, s.Threshold, s.Candidates, s.Edges)
		}
	})
	if err != nil {
		return err
	}
	clock.lap("decompose")
	if err := store.Name(); err != nil {
		return err
	}
	result.Progress = &store.Progress
	result.Result = kcore.Summarise(&store.Names, store.Counts, store.Core)
	if err := c.write(&store.Names, store.Core, nil, nil); err != nil {
		return err
	}
	clock.lap("write")
	return nil
}
