package kcore

import (
	"errors"

	"github.com/seraph-ml/seraph/engine/kernel"
)

// Engine is a way of computing core numbers. All give the same ones.
type Engine string

// The engines.
const (
	Auto       Engine = "auto"     // whichever suits the graph and the machine
	Sequential Engine = "peel"     // Peel
	Parallel   Engine = "parallel" // PeelParallel
	Divided    Engine = "divide"   // Divide
	Scan       Engine = "scan"     // Divide without parts
	Ranked     Engine = "ranks"    // Ranks
)

// OnDisk says whether an engine works on a Store rather than on a Graph.
func (e Engine) OnDisk() bool { return e == Divided || e == Scan }

// Choose says which engine suits a graph in memory, and why.
func Choose(asked Engine, workers int) (e Engine, why string) {
	switch {
	case asked != Auto:
		return asked, "asked for"
	case workers > 1:
		return Parallel, "the graph fits in memory, and there are several threads"
	}
	return Sequential, "the graph fits in memory, and there is one thread"
}

// Decompose computes the core numbers of a graph in memory into core.
func Decompose(g *Graph, core []int32, e Engine, pool *kernel.Pool) error {
	work, err := NewWork(g.Nodes, pool.Workers())
	if err != nil {
		return err
	}
	switch e {
	case Sequential:
		Peel(g, core, work)
	case Parallel:
		PeelParallel(g, core, work, pool)
	default:
		err = errors.New("engine " + string(e) + " does not work in memory")
	}
	return errors.Join(err, work.Close())
}
