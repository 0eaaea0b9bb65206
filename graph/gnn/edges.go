package gnn

import (
	"errors"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/graph"
)

// Edges are the edges of a graph as programs take them: those of an adjacency matrix, which is not closed before, and where
// each is mirrored.
type Edges struct {
	adjacency *graph.Adjacency
	mirror    []int32
	arena     *memory.Arena
}

// EdgeBytes is what NewEdges takes for so many nodes and entries.
func EdgeBytes(nodes, entries int) int64 {
	return (4*int64(entries)+memory.Align-1)/memory.Align*memory.Align + 8*int64(nodes)
}

// NewEdges finds the mirrored edges of a symmetric adjacency matrix.
func NewEdges(a *graph.Adjacency) (*Edges, error) {
	entries := len(a.Indices)
	arena, err := memory.NewArena(EdgeBytes(a.Rows, entries))
	if err != nil {
		return nil, err
	}
	e := &Edges{adjacency: a, arena: arena, mirror: arena.Int32s(0, entries)}
	at := EdgeBytes(0, entries)
	if !kernel.EdgeMirror(e.mirror, arena.Int64s(at, a.Rows), a.Indptr, a.Indices) {
		return nil, errors.Join(errors.New("message passing: the adjacency matrix is not symmetric"), e.Close())
	}
	return e, nil
}

// Bind makes the edges those that an execution runs on.
func (e *Edges) Bind(run *program.Execution, a *Adjacency) {
	run.Tensor(a.Indptr).BindInt64(e.adjacency.Indptr)
	run.Tensor(a.Indices).BindInt32(e.adjacency.Indices)
	run.Tensor(a.Mirror).BindInt32(e.mirror)
	if t := run.Tensor(a.Weights); t != nil {
		t.Bind(e.adjacency.Values)
	}
}

// Close gives the memory back, but for that of the adjacency matrix.
func (e *Edges) Close() error {
	if e == nil {
		return nil
	}
	return e.arena.Close()
}
