package kcore

import "github.com/seraph-ml/seraph/engine/memory"

// Work is the working memory of the engines that peel in memory, 8 bytes a vertex.
type Work struct {
	left, shell []int32 // shell has an entry a worker more than there are vertices: see lower
	arena       *memory.Arena
}

// WorkBytes is what NewWork takes.
func WorkBytes(nodes, workers int) int64 { return 8*int64(nodes) + 4*int64(workers) }

// NewWork makes room for graphs of that many vertices, and as many workers.
func NewWork(nodes, workers int) (*Work, error) {
	arena, err := memory.NewArena(WorkBytes(nodes, workers))
	if err != nil {
		return nil, err
	}
	return &Work{left: arena.Int32s(0, nodes), shell: arena.Int32s(4*int64(nodes), nodes+workers), arena: arena}, nil
}

// Close gives it back.
func (w *Work) Close() error { return w.arena.Close() }

// Vectors hold what is known of every vertex, outside the Go heap: its core number, the degeneracy order, and room to
// work. What is not used takes no memory.
type Vectors struct {
	Core, Order, Work []int32
	arena             *memory.Arena
}

// NewVectors makes vectors for that many vertices.
func NewVectors(nodes int) (*Vectors, error) {
	n := 4 * int64(nodes)
	arena, err := memory.NewArena(3 * n)
	if err != nil {
		return nil, err
	}
	return &Vectors{Core: arena.Int32s(0, nodes), Order: arena.Int32s(n, nodes), Work: arena.Int32s(2*n, nodes), arena: arena}, nil
}

// Close gives them back.
func (v *Vectors) Close() error { return v.arena.Close() }
