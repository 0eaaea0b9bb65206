package sgap

import (
	"context"
	"path/filepath"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format/ogb"
	"github.com/seraph-ml/seraph/graph"
)

// Demo implements run.Model: a block-model graph in OGB's layout, on which a node's neighbours tell far more about its class
// than its own features do.
func (m Model) Demo(_ context.Context, dir string, seed uint64) (data string, set map[string]string, err error) {
	b := graph.DefaultBlockModel
	b.Seed = seed
	data = filepath.Join(dir, "block-model")
	w, err := ogb.NewWriter(data, b.Nodes)
	if err != nil {
		return "", nil, err
	}
	pool := kernel.NewPool(memory.CPUs())
	defer pool.Close()
	return data, map[string]string{"tune": "8", "epochs": "100"}, b.Write(w, pool)
}
