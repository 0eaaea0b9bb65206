package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// rmat writes an R-MAT graph.
func (m *makeGraph) rmat(a *app, r graph.RMAT) error {
	if err := r.Check(); err != nil {
		return err
	}
	for key := range m.settings {
		if key != "seed" {
			return run.Usagef("--%s is no setting of R-MAT graphs; they have --seed and --edge-factor", key)
		}
	}
	if _, err := os.Lstat(m.Out); err == nil {
		return run.Usagef("%s exists; give another --out", m.Out)
	}
	if err := checkOut(m.Out, nil); err != nil {
		return err
	}
	ctx, stop := interrupted()
	defer stop()
	pool := kernel.NewPool(m.Threads)
	defer pool.Close()
	if err := format.WriteFile(m.Out, func(w io.Writer) error { return r.WriteText(stoppableWriter{w, ctx}, pool) }); err != nil {
		return err
	}
	return m.print(a, struct {
		Event    string `json:"event"`
		Out      string `json:"out"`
		Vertices int64  `json:"vertices"`
		Samples  int64  `json:"samples"`
	}{"graph", m.Out, 1 << r.Scale, r.Samples()}, fmt.Sprintf("%s: an R-MAT graph of %d vertices and %d directed samples", m.Out, int64(1)<<r.Scale, r.Samples()))
}

// stoppableWriter is a writer that fails once its context is done.
type stoppableWriter struct {
	io.Writer
	ctx context.Context
}

func (w stoppableWriter) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.Writer.Write(p)
}
