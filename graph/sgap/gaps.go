package sgap

import (
	"slices"

	"github.com/seraph-ml/seraph/run"
)

// noteGaps tells what nodes lack, of labels where the job learns them: nothing fails for it, and results may surprise who does not know.
// Features that stay on disk are not looked through for it.
func (d *dataset) noteGaps(job *run.Job, learns bool) {
	alone, empty, unlabelled := 0, 0, 0
	for u := range d.Nodes {
		if d.Degree(u) == 0 {
			alone++
		}
		if learns && d.Labels != nil && d.Labels[u] < 0 {
			unlabelled++
		}
		if d.featureless(u) {
			empty++
		}
	}
	for _, gap := range []struct {
		nodes int
		what  string
	}{
		{alone, "have no edges: they are known by their features alone"},
		{empty, "have no features but zeros: they are known by their edges alone"},
		{unlabelled, "have no label: no split has them, they are part of the graph and are predicted"},
	} {
		if gap.nodes > 0 {
			job.Notef("%d of %d nodes %s", gap.nodes, d.Nodes, gap.what)
		}
	}
}

// featureless says whether all features of a node are zero, where they are in memory.
func (d *dataset) featureless(u int) bool {
	var row []float32
	switch f := &d.Features; {
	case f.Cols == 0:
		return false
	case f.Sparse != nil:
		row = f.Sparse.Values[f.Sparse.Indptr[u]:f.Sparse.Indptr[u+1]]
	case f.Dense != nil:
		row = f.Dense[u*f.Cols : (u+1)*f.Cols]
	default:
		return false
	}
	return !slices.ContainsFunc(row, func(x float32) bool { return x != 0 })
}
