package kcore

import "github.com/seraph-ml/seraph/engine/memory"

// Work is the working memory of the engines that peel in memory, 8 bytes a vertex.
type Work struct {
	left, shell []int32 // shell has an entry more than there are vertices: see Peel
	arena       *memory.Arena
}

// WorkBytes is what NewWork takes.
func WorkBytes(nodes int) int64 { return 8*int64(nodes) + 4 }

// NewWork makes room for graphs of that many vertices.
func NewWork(nodes int) (*Work, error) {
	arena, err := memory.NewArena(WorkBytes(nodes))
	if err != nil {
		return nil, err
	}
	return &Work{left: arena.Int32s(0, nodes), shell: arena.Int32s(4*int64(nodes), nodes+1), arena: arena}, nil
}

// Close gives it back.
func (w *Work) Close() error { return w.arena.Close() }
