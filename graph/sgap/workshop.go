package sgap

import (
	"errors"
	"fmt"
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
	Sizes
	train    int  // most rows of any split
	compress bool // rows may come compressed: steps take them all, in float32
	shelved  bool // rows that train, if a step takes a part of them, and those that validate are on disk
}

// sizesOf are the sizes for some splits.
func (d *dataset) sizesOf(c choice, splits []graph.Split, w way, threads int) sizes {
	s := sizes{Sizes: Sizes{Features: d.Features.Cols, Classes: d.Classes, Threads: threads}}
	for _, split := range splits {
		s.train, s.Val = max(s.train, len(split.Train)), max(s.Val, len(split.Val))
	}
	s.Train = s.train
	if c.design.Labels.Kind == ReliableLabels {
		s.Train = d.Nodes
	}
	if c.training.Batch > 0 {
		s.Train = min(c.training.Batch, s.Train)
	}
	var row int64
	l := c.design.layout(d.Features.Cols, d.Classes)
	for i := range l.matrices() {
		row += hopBytes(1, l.width(i), false)
	}
	s.Eval = int(min(max(w.blockBytes/row, 16), 2048, int64(d.Nodes)))
	s.shelved = w.shelve && c.design.Labels.Kind != ReliableLabels && !c.design.passes()
	s.compress = !s.shelved && !s.batched() && !c.design.Head.BF16 && c.design.takesSparse() && c.design.Labels.reads() == 0
	if c.design.passes() {
		s.whole(d, c.design.Norm)
	}
	return s
}

// batched says whether a step takes a part of the rows.
func (s *sizes) batched() bool { return s.Train < s.train }

// check refuses steps of a single row where rows are normalised over the step. From three rows on, the step before one that
// has a single row left leaves it a second.
func (s *sizes) check(d *Design) error {
	if d.Labels.Kind == ReliableLabels && s.Train == 1 {
		return run.Usagef("labels=rlu needs two rows in every step, one that trains and a reliable one")
	}
	if d.normalises() && (s.Train == 1 || s.Train == 2 && s.train%2 == 1) {
		return run.Usagef("batch-norm needs two rows in every step; %d rows to train on in batches of %d leave one alone", s.train, s.Train)
	}
	return nil
}

// allSparse is the choice of compressed rows for every hop: with none, the two ends of what programs take.
func allSparse(design *Design) []bool {
	all := make([]bool, design.Reads())
	for i := range all {
		all[i] = true
	}
	return all
}

// compileEnds compiles the programs for dense rows, and those for compressed ones where rows may come so.
func (s *sizes) compileEnds(c choice) ([]*Programs, error) {
	ends := [][]bool{nil}
	if s.compress {
		ends = append(ends, allSparse(&c.design))
	}
	var list []*Programs
	for _, sparse := range ends {
		ps, err := c.design.Compile(c.training, s.Sizes, sparse)
		if err != nil {
			return nil, err
		}
		list = append(list, ps)
	}
	return list, nil
}

// workshop is the memory of a training: programs, the rows of a split, the weights of the best epoch.
type workshop struct {
	*fitter
	data     *dataset
	design   Design
	sizes    sizes
	pool     *kernel.Pool
	sparse   []bool  // which hops' rows the programs take compressed
	rows     *buffer // of the training nodes
	valRows  *buffer
	keep     *memory.Arena
	testRows *buffer
	attended *attended // of the test nodes last scored; nil where no weights are learned
}

// workItems is what a workshop holds at most: whichever rows come compressed.
func (d *dataset) workItems(design *Design, ends []*Programs, s sizes, test bool) []plan.Item {
	var persistent, shared, scratch int64
	for _, ps := range ends {
		a, b, c := program.Sizes(ps.All()...)
		persistent, shared, scratch = max(persistent, a), max(shared, b), max(scratch, c)
	}
	l := design.layout(d.Features.Cols, d.Classes)
	items := append(s.rowItems(l, design.passes() && d.learning == nil),
		plan.Item{Name: "parameters and optimizer state", Bytes: persistent, Where: plan.Resident},
		plan.Item{Name: "activations and gradients", Bytes: shared, Where: plan.Resident},
		plan.Item{Name: "working memory of kernels", Bytes: scratch, Where: plan.Resident},
		plan.Item{Name: "weights of the best epoch", Bytes: keptBytes(ends[0]), Where: plan.Resident})
	if design.Labels.Kind == ReliableLabels {
		items = append(items, teachingItems(d.Nodes, s, l)...)
	}
	items = append(items, passingItems(d, s)...)
	if (test || s.shelved) && !design.passes() {
		items = append(items, plan.Item{Name: "block of rows to evaluate", Bytes: bufferBytes(s.Eval, l, false), Where: plan.Resident})
	}
	return items
}

// rowItems are the rows that train and validate, which may lie together.
func (s *sizes) rowItems(l layout, together bool) []plan.Item {
	var gathered int64
	if s.batched() {
		gathered += bufferBytes(s.Train, l, false) + placesBytes(s.train)
	}
	if !s.shelved && !together {
		gathered += bufferBytes(s.Val, l, s.compress)
	}
	if !s.shelved || !s.batched() {
		gathered += bufferBytes(s.train, l, s.compress)
	}
	items := []plan.Item{{Name: "rows of training and validation nodes", Bytes: gathered, Where: plan.Resident}}
	if s.shelved {
		note := fmt.Sprintf("%s on disk, shards of %d rows", memory.FormatSize(s.shelvedBytes(l)), shardRows)
		items = append(items, plan.Item{Name: "two shards of rows", Bytes: shelfBytes(s.shelvedTrain(), s.Val, l), Where: plan.Streamed, Note: note})
	}
	return items
}

// shelvedTrain is the number of training rows on disk.
func (s *sizes) shelvedTrain() int {
	if s.shelved && s.batched() {
		return s.train
	}
	return 0
}

// shelvedBytes is what rows take on disk.
func (s *sizes) shelvedBytes(l layout) int64 {
	if !s.shelved {
		return 0
	}
	return recordsBytes(s.shelvedTrain(), l) + recordsBytes(s.Val, l)
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

// newWorkshop makes the memory for a training, but for that of the programs, which open knows.
func newWorkshop(d *dataset, c choice, s sizes, test bool, pool *kernel.Pool, spill *memory.Spill) (w *workshop, err error) {
	w = &workshop{data: d, design: c.design, sizes: s, pool: pool, fitter: &fitter{Training: c.training, classes: d.Classes}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	w.Batch, w.pairs = s.Train, c.design.normalises()
	l := c.design.layout(d.Features.Cols, d.Classes)
	if !s.shelved || !s.batched() {
		if w.rows, err = newBuffer(s.train, l, s.compress); err != nil {
			return w, err
		}
	}
	if c.design.passes() {
		if d.learning != nil {
			w.valRows, err = newBuffer(s.Val, l, s.compress)
		}
		return w, err // else one buffer has all rows
	}
	if s.shelved {
		w.shelf, err = newShelf(s.shelvedTrain(), s.Val, l, spill)
	} else {
		w.valRows, err = newBuffer(s.Val, l, s.compress)
	}
	if err != nil {
		return w, err
	}
	if s.batched() {
		if w.batch, err = newBuffer(s.Train, l, false); err != nil {
			return w, err
		}
		if w.places, err = newPlaces(s.train); err != nil {
			return w, err
		}
	}
	if c.design.Labels.Kind == ReliableLabels {
		if w.teaching, err = newTeaching(d.Nodes, s.Train, l); err != nil {
			return w, err
		}
	}
	if test || s.shelved {
		w.testRows, err = newBuffer(s.Eval, l, false)
		w.block = w.testRows
	}
	return w, err
}

// compile makes the programs for a choice of compressed rows, and gives them memory.
func (w *workshop) compile(sparse []bool) error {
	ps, err := w.design.Compile(w.Training, w.sizes.Sizes, sparse)
	if err != nil {
		return err
	}
	if w.trainer != nil {
		if err := w.trainer.close(); err != nil {
			return err
		}
		w.trainer = nil
	}
	w.sparse = sparse
	if w.trainer, err = newTrainer(ps, w.pool); err != nil {
		return err
	}
	w.taught = w.teaching
	if w.keep == nil {
		if w.keep, err = memory.NewArena(keptBytes(ps)); err != nil {
			return err
		}
	}
	w.fitter.keep = w.fitter.keep[:0]
	var at int64
	for _, t := range w.session.Persistent() {
		if isWeight(t.Kind) {
			n := t.Tensor.Len()
			w.fitter.keep = append(w.fitter.keep, w.keep.Float32s(at, n))
			at += (4*int64(n) + memory.Align - 1) / memory.Align * memory.Align
		}
	}
	return nil
}

// open gathers the rows of a split, compressed where they have few entries.
func (w *workshop) open(s *store, split graph.Split) (err error) {
	if w.design.passes() {
		return w.openAll(s, split)
	}
	first := w.design.FirstHop()
	from, nodes, err := s.thatTrain(split.Train)
	if err != nil {
		return err
	}
	for _, b := range []*buffer{w.rows, w.valRows, w.testRows} {
		if b != nil {
			b.fold = foldOf(s, &w.design)
		}
	}
	var sparse []bool
	if w.sizes.compress {
		if sparse, err = w.valRows.sparse(s, split.Val, first); err != nil {
			return err
		}
		train, err := w.rows.sparse(from, nodes, first)
		if err != nil {
			return err
		}
		for i := range sparse {
			sparse[i] = sparse[i] && train[i]
		}
		if !slices.Contains(sparse, true) {
			sparse = nil
		}
	}
	if w.trainer == nil || !slices.Equal(sparse, w.sparse) {
		if err := w.compile(sparse); err != nil {
			return err
		}
	}
	w.order = nil
	var dealt, room []int32
	if w.places != nil {
		w.places.use(len(split.Train))
		dealt, room = w.places.dealt, w.places.order
	}
	if w.rows != nil {
		if w.train, err = w.rows.gather(from, nodes, w.data.labelsOf(split.Train), first, w.design.stepSparse(sparse)); err != nil {
			return err
		}
		w.train.transpose()
	}
	if w.shelf != nil {
		return w.shelf.fill(w, s, split, dealt, room)
	}
	w.val, err = w.valRows.gather(s, split.Val, w.data.labelsOf(split.Val), first, sparse)
	return err
}

// test scores the test nodes of a split, block by block: where they are most nodes, in the order of the hops.
func (w *workshop) test(s *store, split graph.Split) (*Score, error) {
	score := NewScore(w.classes)
	w.attended = nil
	if w.design.Messages.attends() {
		w.attended = &attended{}
	}
	if w.design.passes() {
		all := *w.val
		all.Labels = w.data.only(split.Test)
		return score, w.addScore(score, &all)
	}
	first := w.design.FirstHop()
	if s.position == nil && 2*len(split.Test) > w.data.Nodes {
		return score, w.testInOrder(score, s, split.Test)
	}
	for lo := 0; lo < len(split.Test); lo += w.sizes.Eval {
		nodes := split.Test[lo:min(lo+w.sizes.Eval, len(split.Test))]
		rows, err := w.testRows.gather(s, nodes, w.data.labelsOf(nodes), first, nil)
		if err != nil {
			return nil, err
		}
		if err := w.addTest(score, rows, func(i int) int { return int(nodes[i]) }); err != nil {
			return nil, err
		}
	}
	return score, nil
}

// addTest scores a block of rows, whose nodes node names, and collects the weights of their hops.
func (w *workshop) addTest(score *Score, rows *Rows, node func(i int) int) error {
	if err := w.addScore(score, rows); err != nil || w.attended == nil {
		return err
	}
	weights := w.trainer.weights()
	for i, label := range rows.Labels {
		if label >= 0 {
			w.attended.add(w.data.Degree(node(i)), weights[i*(w.design.Hops+1):(i+1)*(w.design.Hops+1)])
		}
	}
	return nil
}

// close gives the memory back.
func (w *workshop) close() error {
	var errs []error
	if w.trainer != nil {
		errs = append(errs, w.trainer.close())
	}
	errs = append(errs, w.batch.close(), w.rows.close(), w.valRows.close(), w.testRows.close(), w.teaching.close(), w.places.close(), w.shelf.close())
	if w.keep != nil {
		errs = append(errs, w.keep.Close())
	}
	return errors.Join(errs...)
}
