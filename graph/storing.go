package graph

import (
	"context"
	"errors"

	"github.com/seraph-ml/seraph/format/sgraph"
	"github.com/seraph-ml/seraph/graph/edges"
)

// StoreSink is a [Sink] that writes a Seraph graph: undirected, without duplicates and self-loops, as [New] would make it.
// What it holds grows with the nodes by a few bytes each, not with edges or features.
type StoreSink struct {
	ctx    context.Context
	writer *sgraph.Writer
	sorter *edges.Sorter
	Counts edges.Counts // once the edges are written
}

// NewStoreSink begins a file of a graph with so many columns of features, whose edges are sorted as the options say. Close
// is to be called in any case.
func NewStoreSink(ctx context.Context, path string, nodes, cols int, o edges.Options) (*StoreSink, error) {
	o.Symmetric = true
	sorter, err := edges.NewSorter(o)
	if err != nil {
		return nil, err
	}
	w, err := sgraph.Create(path, sgraph.Counts{Nodes: int64(nodes), Features: int64(cols), Undirected: true})
	if err != nil {
		return nil, errors.Join(err, sorter.Close())
	}
	return &StoreSink{ctx: ctx, writer: w, sorter: sorter}, nil
}

// Edges implements Sink.
func (s *StoreSink) Edges(fill func(emit func(src, dst []int32) error) error) error {
	err := fill(func(src, dst []int32) error { return errors.Join(s.ctx.Err(), edges.Add(s.sorter, src, dst)) })
	if err != nil {
		return err
	}
	if s.Counts, err = s.sorter.WriteRows(s.ctx, s.writer); err != nil {
		return err
	}
	sorter := s.sorter
	s.sorter = nil
	return sorter.Close()
}

// Features implements Sink.
func (s *StoreSink) Features(_ int, fill func(emit func(block []float32) error) error) error {
	return fill(func(block []float32) error { return errors.Join(s.ctx.Err(), s.writer.WriteFeatures(block)) })
}

// Labels implements Sink.
func (s *StoreSink) Labels(labels []int32) error { return s.writer.WriteLabels(labels) }

// Split implements Sink.
func (s *StoreSink) Split(_ string, train, val, test []int32) error {
	return sgraph.WriteSplit(s.writer, [3][]int32{train, val, test})
}

// Finish implements Sink.
func (s *StoreSink) Finish() error { return s.writer.Commit() }

// Close gives memory and disk back, and drops the file unless Finish has been called.
func (s *StoreSink) Close() error {
	err := s.writer.Close()
	if s.sorter != nil {
		err = errors.Join(err, s.sorter.Close())
	}
	return err
}
