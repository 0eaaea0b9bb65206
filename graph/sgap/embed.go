package sgap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/format/table"
	"github.com/seraph-ml/seraph/run"
)

// Embed implements run.Embedder: what the last linear layer of the transformation takes of every node, which of a linear model is
// the message, and with label input beside it what the last layer of the labels' MLP takes. So the logits, before predictions are
// propagated, are [W | W_labels]·embedding + biases, through the batch normalisation of designs whose last layer has one. Of message
// passing it is what the last layer takes, before it adds up neighbours.
func (m Model) Embed(ctx context.Context, job *run.Job, out string) error {
	write := (*applied).writeArray
	if isParquet(out) {
		write = (*applied).writeTable
	} else if !strings.EqualFold(filepath.Ext(out), ".npy") {
		return run.Usagef("embeddings to %s: expected a name that ends in .npy or .parquet", out)
	}
	embeds := func(d *Design) { d.Embeds, d.Post = true, Post{} }
	return m.apply(ctx, job, out, embeds, func(a *applied, s *store) error { return write(a, s, out) })
}

// writeArray writes embeddings as an array (nodes, width) of float32.
func (a *applied) writeArray(s *store, out string) error {
	return format.WriteFile(out, func(w io.Writer) error {
		return a.compute(s, func(lo, width int, rows []float32) error {
			var head error
			if lo == 0 {
				head = npy.WriteHead(w, npy.DType{Kind: 'f', Size: 4}, a.data.Nodes, width)
			}
			_, err := w.Write(format.Bytes(rows))
			return errors.Join(head, err)
		})
	})
}

// writeTable writes embeddings as a table with the columns id, e_0, e_1, ….
func (a *applied) writeTable(s *store, out string) error {
	return writeTable(out, func(write func(*table.Table) error) error {
		return a.compute(s, func(lo, width int, rows []float32) error {
			n := len(rows) / width
			columns := make([]table.Column, 1+width)
			columns[0] = table.Column{Name: "id", Kind: table.Int, Ints: make([]int64, n)}
			for i := range n {
				columns[0].Ints[i] = a.data.ID(lo + i)
			}
			values := make([]float32, len(rows))
			for c := range width {
				column := values[c*n : (c+1)*n]
				for i := range column {
					column[i] = rows[i*width+c]
				}
				columns[1+c] = table.Column{Name: fmt.Sprintf("e_%d", c), Kind: table.Float32, Float32s: column}
			}
			return write(&table.Table{Rows: n, Columns: columns})
		})
	})
}
