package graph

import (
	"errors"
	"fmt"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/sgraph"
)

// LoadBytes is the memory that Load takes; 0 for a graph that does not come from OpenStored.
func (g *Graph) LoadBytes() int64 {
	if g.stored == nil {
		return 0
	}
	c := &g.stored.file.Counts
	sum := 4*c.Entries + 4*memory.Align
	if g.stored.file.Parts().Sparse {
		return sum + 8*(c.Nodes+1) + 8*c.Nonzeros + 8*max(batchColumn, c.MaxNonzero)
	}
	return sum + 4*c.Nodes*c.Features
}

// Load reads the edges and features of a graph on disk into memory. Everything that is computed from it keeps its bits.
func (g *Graph) Load() error {
	arena, err := memory.NewArena(g.LoadBytes())
	if err != nil {
		return fmt.Errorf("read the graph %s: %w", g.Name, err)
	}
	s := g.stored
	s.loaded = arena
	b := &bump{arena: arena}
	indices := b.int32s(int(s.file.Entries))[:0]
	err = s.each(0, 0, s.file.Nodes, func(r *edgeReader) error {
		indices = append(indices, r.rows.Columns...)
		return nil
	})
	if err != nil {
		return errors.Join(err, g.Unload())
	}
	f := &g.Features
	switch {
	case f.Cols == 0:
	case s.file.Parts().Sparse:
		f.Sparse, err = s.loadSparse(b)
	default:
		f.Dense = b.float32s(f.Rows * f.Cols)
		err = s.rows.ReadFeatures(0, f.Dense)
	}
	if err != nil {
		return errors.Join(err, g.Unload())
	}
	f.Read = nil
	g.Indices = indices
	g.bytes += g.LoadBytes()
	return nil
}

// loadSparse reads sparse features; values of the same column of a row are added.
func (s *stored) loadSparse(b *bump) (*format.Sparse, error) {
	c := &s.file.Counts
	room, n := int(max(batchColumn, c.MaxNonzero)), int(c.Nodes)
	x := &format.Sparse{Rows: n, Cols: int(c.Features), Indptr: b.int64s(n + 1), Indices: b.int32s(int(c.Nonzeros)), Values: b.float32s(int(c.Nonzeros))}
	rows := sgraph.Rows[int32]{Indptr: make([]int64, 0, batchRows+1), Columns: b.int32s(room)[:0], Values: b.float32s(room)[:0]}
	end := int64(0)
	for first := int64(0); first < c.Nodes; first += int64(rows.Len()) {
		if err := sgraph.SparseFeatures(s.rows, first, c.Nodes, &rows); err != nil {
			return nil, err
		}
		for i := range rows.Len() {
			lo, hi := rows.Indptr[i], rows.Indptr[i+1]
			k := int64(copy(x.Indices[end:], rows.Columns[lo:hi]))
			copy(x.Values[end:], rows.Values[lo:hi])
			end += addRepeated(x.Indices[end:end+k], x.Values[end:end+k])
			x.Indptr[first+int64(i)+1] = end
		}
	}
	x.Indices, x.Values = x.Indices[:end], x.Values[:end]
	return x, nil
}

// Unload gives the memory of Load back: the graph is on disk again.
func (g *Graph) Unload() error {
	s := g.stored
	if s == nil || s.loaded == nil {
		return nil
	}
	if g.Indices != nil {
		g.bytes -= g.LoadBytes()
	}
	g.Indices, g.Features.Sparse, g.Features.Dense = nil, nil, nil
	if g.Features.Cols > 0 {
		g.Features.Read = s.rows.ReadFeatures
	}
	arena := s.loaded
	s.loaded = nil
	return arena.Close()
}

// Loaded describes a graph on disk to plans as it would be after Load. It has no content.
func (g *Graph) Loaded() *Graph {
	h := *g
	h.stored, h.arena, h.Indices = nil, nil, make([]int32, 0)
	f := &h.Features
	f.Read = nil
	if c := &g.stored.file.Counts; g.stored.file.Parts().Sparse {
		f.Sparse = &format.Sparse{Rows: f.Rows, Cols: f.Cols, Values: make([]float32, c.Nonzeros)}
	} else if f.Cols > 0 {
		f.Dense = []float32{}
	}
	return &h
}
