package sgap

import (
	"errors"
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

func isWeight(k plan.Kind) bool { return slices.Contains(run.Weights, k) }

// sizes are what memory and programs of a training depend on.
type sizes struct {
	train, val int // most rows of any split
	batch      int // rows of a step
	block      int // rows of an evaluation
}

// sizesOf are the sizes for some splits; blockBytes bounds the rows of hops that pass through an evaluation of the test nodes.
func (d *dataset) sizesOf(design Design, t Training, splits []graph.Split, blockBytes int64) sizes {
	var s sizes
	for _, split := range splits {
		s.train, s.val = max(s.train, len(split.Train)), max(s.val, len(split.Val))
	}
	s.batch = s.train
	if t.Batch > 0 {
		s.batch = min(t.Batch, s.train)
	}
	row := bufferBytes(1, design.Reads(), d.Features.Cols)
	s.block = int(min(max(blockBytes/row, 16), 2048, int64(d.Nodes)))
	return s
}

// workshop is the memory of a training: programs, the rows of a split, the weights of the best epoch.
type workshop struct {
	*fitter
	data     *dataset
	design   Design
	sizes    sizes
	rows     *buffer // of the training nodes
	valRows  *buffer
	keep     *memory.Arena
	testRows *buffer
}

// workItems is what a workshop holds.
func (d *dataset) workItems(design Design, ps *Programs, s sizes, test bool) []plan.Item {
	persistent, shared, scratch := program.Sizes(ps.Train, ps.Eval)
	reads, cols := design.Reads(), d.Features.Cols
	gathered := bufferBytes(s.train, reads, cols) + bufferBytes(s.val, reads, cols)
	if s.batch < s.train {
		gathered += bufferBytes(s.batch, reads, cols)
	}
	items := []plan.Item{
		{Name: "rows of training and validation nodes", Bytes: gathered, Where: plan.Resident},
		{Name: "parameters and optimizer state", Bytes: persistent, Where: plan.Resident},
		{Name: "activations and gradients", Bytes: shared, Where: plan.Resident},
		{Name: "working memory of kernels", Bytes: scratch, Where: plan.Resident},
		{Name: "weights of the best epoch", Bytes: keptBytes(ps), Where: plan.Resident},
	}
	if test {
		items = append(items, plan.Item{Name: "block of rows to evaluate", Bytes: bufferBytes(s.block, reads, cols), Where: plan.Resident})
	}
	return items
}

// keptBytes is what a copy of the weights takes.
func keptBytes(ps *Programs) int64 {
	var sum int64
	for i := range ps.Train.Graph.Tensors {
		if t := &ps.Train.Graph.Tensors[i]; isWeight(t.Kind) {
			sum += (t.Bytes + memory.Align - 1) / memory.Align * memory.Align
		}
	}
	return sum
}

// newWorkshop makes the memory for compiled programs.
func newWorkshop(d *dataset, design Design, t Training, ps *Programs, s sizes, test bool, pool *kernel.Pool) (w *workshop, err error) {
	w = &workshop{data: d, design: design, sizes: s}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	tr, err := newTrainer(ps, pool)
	if err != nil {
		return w, err
	}
	w.fitter = &fitter{trainer: tr, Training: t, classes: d.Classes}
	w.Batch = s.batch
	reads, cols := design.Reads(), d.Features.Cols
	if w.rows, err = newBuffer(s.train, reads, cols); err != nil {
		return w, err
	}
	if w.valRows, err = newBuffer(s.val, reads, cols); err != nil {
		return w, err
	}
	if s.batch < s.train {
		if w.batch, err = newBuffer(s.batch, reads, cols); err != nil {
			return w, err
		}
	}
	if test {
		if w.testRows, err = newBuffer(s.block, reads, cols); err != nil {
			return w, err
		}
	}
	if w.keep, err = memory.NewArena(keptBytes(ps)); err != nil {
		return w, err
	}
	var at int64
	for _, t := range w.session.Persistent() {
		if isWeight(t.Kind) {
			n := t.Tensor.Len()
			w.fitter.keep = append(w.fitter.keep, w.keep.Float32s(at, n))
			at += (4*int64(n) + memory.Align - 1) / memory.Align * memory.Align
		}
	}
	return w, nil
}

// open gathers the rows of a split.
func (w *workshop) open(s *store, split graph.Split) (err error) {
	first := w.design.FirstHop()
	if w.train, err = w.rows.gather(s, split.Train, w.data.labelsOf(split.Train), first); err != nil {
		return err
	}
	w.val, err = w.valRows.gather(s, split.Val, w.data.labelsOf(split.Val), first)
	w.order = nil
	return err
}

// test scores the test nodes of a split, block by block: where they are most nodes, in the order of the hops.
func (w *workshop) test(s *store, split graph.Split) (*Score, error) {
	score := NewScore(w.classes)
	first := w.design.FirstHop()
	var block Rows
	if s.position == nil && 2*len(split.Test) > w.data.Nodes {
		labels := make([]int32, w.data.Nodes)
		for i := range labels {
			labels[i] = -1
		}
		for _, u := range split.Test {
			labels[u] = w.data.Labels[u]
		}
		for lo := 0; lo < w.data.Nodes; lo += w.sizes.block {
			hi := min(lo+w.sizes.block, w.data.Nodes)
			if err := w.testRows.read(s, lo, hi, first, &block); err != nil {
				return nil, err
			}
			block.Labels = labels[lo:hi]
			if err := w.addScore(score, &block); err != nil {
				return nil, err
			}
		}
		return score, nil
	}
	for lo := 0; lo < len(split.Test); lo += w.sizes.block {
		nodes := split.Test[lo:min(lo+w.sizes.block, len(split.Test))]
		rows, err := w.testRows.gather(s, nodes, w.data.labelsOf(nodes), first)
		if err != nil {
			return nil, err
		}
		if err := w.addScore(score, rows); err != nil {
			return nil, err
		}
	}
	return score, nil
}

// close gives the memory back.
func (w *workshop) close() error {
	var errs []error
	if w.fitter != nil {
		errs = append(errs, w.session.Close(), w.batch.close())
	}
	errs = append(errs, w.rows.close(), w.valRows.close(), w.testRows.close())
	if w.keep != nil {
		errs = append(errs, w.keep.Close())
	}
	return errors.Join(errs...)
}
