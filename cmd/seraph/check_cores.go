package main

import (
	"errors"
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/graph/kcore"
)

// checkCores proves core numbers right or wrong.
func (c *check) checkCores(a *app) error {
	f := kcoreFlags{outputFlags: c.outputFlags, Paths: c.Graph, Memory: c.Memory, Disk: c.Disk, Threads: c.Threads, Vertices: c.Vertices, IDs: c.IDs, Engine: kcore.Auto, vectors: 1}
	if c.Order != "" {
		f.vectors = 2
	}
	budget, p, err := f.begin()
	if err != nil {
		return err
	}
	prove := c.proveInMemory
	if p.engine.OnDisk() {
		prove = func(f *kcoreFlags) (int, error) { return c.proveOnDisk(f, budget, p) }
	}
	vertices, err := prove(&f)
	if err != nil {
		return err
	}
	return c.print(a, struct {
		Event    string `json:"event"`
		Path     string `json:"path"`
		Format   string `json:"format"`
		Vertices int    `json:"vertices"`
		OK       bool   `json:"ok"`
	}{"check", c.Path, "core numbers", vertices, true}, fmt.Sprintf("%s: the core numbers of all %d vertices are right", c.Path, vertices))
}

// wrong is the error for core numbers that are not those of the graph.
func (c *check) wrong(err error) error {
	return format.CorruptAt(c.Path, -1, "core numbers", "", "").WithCause(err)
}

func (c *check) proveInMemory(f *kcoreFlags) (vertices int, err error) {
	pool := kernel.NewPool(f.Threads)
	defer pool.Close()
	g, err := kcore.Read(f.Paths, f.options(), pool)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	v, err := kcore.NewVectors(g.Nodes)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	if err := kcore.ReadCores(c.Path, &g.Names, nil, v.Core); err != nil {
		return 0, err
	}
	if c.Order == "" {
		if err := kcore.Order(g, v.Core, v.Order, v.Work); err != nil {
			return 0, c.wrong(err)
		}
	} else if err := kcore.ReadOrder(c.Order, &g.Names, v.Order); err != nil {
		return 0, err
	}
	if err := kcore.Verify(g, v.Core, v.Order, v.Work); err != nil {
		return 0, c.wrong(err)
	}
	return g.Vertices(), nil
}

func (c *check) proveOnDisk(f *kcoreFlags, budget int64, p planned) (vertices int, err error) {
	ctx, stop := interrupted()
	defer stop()
	store, err := f.sortToDisk(ctx, budget, p, false, func() {})
	if err != nil {
		return 0, err
	}
	defer func() { err = store.close(err) }()
	if err := store.Name(); err != nil {
		return 0, err
	}
	pool := kernel.NewPool(f.Threads)
	defer pool.Close()
	if c.Order != "" {
		err = store.proveOrder(ctx, c.Path, c.Order, pool)
	} else {
		err = store.prove(ctx, func(claimed []int32) error { return kcore.ReadCores(c.Path, &store.Names, nil, claimed) }, pool)
	}
	var wrong *kcore.WrongError
	if errors.As(err, &wrong) {
		err = c.wrong(err)
	}
	return store.Vertices(), err
}
