package edges

import (
	"context"

	"github.com/seraph-ml/seraph/format/sgraph"
)

// WriteRows writes the rows of all nodes, 0 … w.Nodes−1, where ids that are in no pair have empty ones. The Go heap holds the
// longest row, as long as it is longer than [Options.Row].
func (s *Sorter) WriteRows(ctx context.Context, w *sgraph.Writer) (Counts, error) {
	next := int64(0)
	var long []int64 // the pieces of a row so far, or the row
	at := int64(-1)  // its node
	end := func() error {
		if at < 0 {
			return nil
		}
		for ; next < at; next++ {
			if err := sgraph.AppendRow[int64](w, nil, nil); err != nil {
				return err
			}
		}
		next++
		return sgraph.AppendRow(w, long, nil)
	}
	counts, err := s.Rows(ctx, func(u uint64, neighbours []uint64) error {
		if int64(u) != at {
			if err := end(); err != nil {
				return err
			}
			at, long = int64(u), long[:0]
		}
		for _, v := range neighbours {
			long = append(long, int64(v))
		}
		return nil
	})
	if err == nil {
		err = end()
	}
	for ; err == nil && next < w.Nodes; next++ {
		err = sgraph.AppendRow[int64](w, nil, nil)
	}
	return counts, err
}
