package convert

import (
	"context"
	"io"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/format/parquet"
	"github.com/seraph-ml/seraph/format/table"
)

// blockRows is how many rows of a table are in memory at a time.
const blockRows = 1 << 16

// tableWriter is what tables are written by.
type tableWriter interface {
	Write(t *table.Table) error
	Close() error
}

func writeCSV(ctx context.Context, j *job) error {
	return j.writeTable(ctx, func(w io.Writer) tableWriter { return table.NewCSVWriter(w) })
}

func writeParquet(ctx context.Context, j *job) error {
	return j.writeTable(ctx, func(w io.Writer) tableWriter { return parquet.NewWriter(w) })
}

func (j *job) writeTable(ctx context.Context, to func(io.Writer) tableWriter) error {
	f, err := detect.OpenTable(j.in, table.Options{})
	if err != nil {
		return err
	}
	j.notes = append(j.notes, f.Notes...)
	return format.WriteFile(j.out, func(file io.Writer) error {
		w := to(file)
		written := false
		for block, err := range f.Blocks(blockRows) {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				err = w.Write(block)
			}
			if err != nil {
				return err
			}
			written = true
		}
		if !written { // no rows, but columns
			if err := w.Write(table.New(f.Columns, 0)); err != nil {
				return err
			}
		}
		return w.Close()
	})
}
