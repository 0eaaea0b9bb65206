package sgap

import (
	"errors"
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/format/safetensors"
	"github.com/seraph-ml/seraph/run"
)

// best is the best epoch of a training so far.
type best struct {
	Epoch    int     `json:"epoch"` // 0: none yet
	Accuracy float64 `json:"val_accuracy"`
	Loss     float64 `json:"val_loss"`
	Stale    int     `json:"stale"` // epochs since
}

// errDiverged is the end of a training whose loss is no number any more.
var errDiverged = errors.New("the training has diverged; try a smaller lr")

// better says whether a validation score beats the best one: by accuracy, then by loss.
func (b *best) better(s *Score) bool {
	return b.Epoch == 0 || s.Accuracy() > b.Accuracy || s.Accuracy() == b.Accuracy && s.MeanLoss() < b.Loss
}

// fitter trains a design on the rows of a split.
type fitter struct {
	*trainer
	Training
	classes    int
	train, val *Rows
	batch      *buffer // nil where all rows make one step
	pairs      bool    // no step has a single row
	keep       [][]float32
	teaching   *teaching // nil but for training in stages

	best   best
	stages stageRecord
	seed   uint64
	order  []int32 // of the first list of a stage
	rows   Rows

	places *places // of the rows that train, where a step takes a part of them; else nil
	shelf  *shelf  // rows on disk; nil where they are in memory
	block  *buffer // for a block of those that validate
}

// begin starts a training from the seed.
func (f *fitter) begin(seed uint64) {
	f.reset(seed)
	f.seed, f.best = seed, best{}
}

// runEpoch trains once on all rows, validates, and keeps the weights when they are the best so far.
func (f *fitter) runEpoch() (loss float64, val *Score, err error) {
	f.guidance = float32(math.Cos(math.Pi * float64(f.trainer.epoch) / (2 * float64(f.Epochs)))) // GMLP's: from 1 to 0
	switch {
	case f.teaching != nil && len(f.teaching.nodes) > 0:
		loss, err = f.lessons()
	case f.batch == nil:
		loss, err = f.fit(f.train, f.LR)
	default:
		loss, err = f.batches()
	}
	if err != nil {
		return 0, nil, err
	}
	f.trainer.epoch++
	if err := f.checkLoss("loss", loss); err != nil {
		return 0, nil, err
	}
	if val, err = f.validate(); err != nil {
		return 0, nil, err
	}
	if err := f.checkLoss("validation loss", val.MeanLoss()); err != nil {
		return 0, nil, err
	}
	f.best.Stale++
	if f.best.better(val) {
		f.best = best{Epoch: f.trainer.epoch, Accuracy: val.Accuracy(), Loss: val.MeanLoss()}
		f.copyWeights(func(kept, live []float32) { copy(kept, live) })
	}
	return loss, val, nil
}

// checkLoss returns errDiverged for what is no number.
func (f *fitter) checkLoss(name string, loss float64) error {
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("the %s of epoch %d is %v: %w", name, f.trainer.epoch, loss, errDiverged)
	}
	return nil
}

// batches makes the steps of an epoch in an order drawn by seed and epoch.
func (f *fitter) batches() (float64, error) {
	order := f.places.order
	n := len(order)
	arrange(order, f.seed, f.trainer.epoch)
	if f.shelf == nil {
		for i, place := range order {
			order[i] = f.places.dealt[place]
		}
	}
	var sum float64
	for lo := 0; lo < n; {
		hi := min(lo+f.Batch, n)
		if f.pairs && hi == n-1 {
			hi--
		}
		if f.shelf == nil {
			f.batch.take(f.train, order[lo:hi], &f.rows)
		} else if err := f.shelf.take(order, lo, hi, f.batch, &f.rows); err != nil {
			return 0, err
		}
		lo = hi
		loss, err := f.fit(&f.rows, f.LR)
		if err != nil {
			return 0, err
		}
		sum += loss * float64(f.rows.Count)
	}
	return sum / float64(n), nil
}

// validate scores the rows that validate.
func (f *fitter) validate() (*Score, error) {
	if f.shelf == nil {
		return f.score(f.val, f.classes)
	}
	s := NewScore(f.classes)
	var rows Rows
	return s, f.shelf.blocks(f.Sizes.Eval, f.block, &rows, func() error { return f.addScore(s, &rows) })
}

// finished says whether the training is over.
func (f *fitter) finished() bool {
	return f.trainer.epoch >= f.Epochs || f.Patience > 0 && f.best.Stale >= f.Patience
}

// restoreBest makes the weights of the best epoch the current ones.
func (f *fitter) restoreBest() { f.copyWeights(func(kept, live []float32) { copy(live, kept) }) }

// copyWeights moves parameters and states between the session and what is kept.
func (f *fitter) copyWeights(move func(kept, live []float32)) {
	i := 0
	for _, t := range f.session.Persistent() {
		if isWeight(t.Kind) {
			move(f.keep[i], t.Tensor.Float32s())
			i++
		}
	}
}

// progress is what a checkpoint keeps beside the tensors.
type progress struct {
	Epoch int    `json:"epoch"`
	Step  uint64 `json:"step"`
	Best  best   `json:"best"`

	Stages stageRecord `json:"stages"`
}

// snapshot is what the training needs to go on.
func (f *fitter) snapshot() run.Snapshot {
	tensors := run.SessionTensors(f.session, run.Everything)
	i := 0
	for _, t := range f.session.Persistent() {
		if isWeight(t.Kind) {
			tensors = append(tensors, safetensors.Float32("best."+t.Name, t.Tensor.Dims, f.keep[i]))
			i++
		}
	}
	tensors = append(tensors, f.knownTensors()...)
	return run.Snapshot{Tensors: tensors, State: progress{f.trainer.epoch, f.step, f.best, f.stages}}
}

// resume goes back to a checkpoint.
func (f *fitter) resume(c *run.Checkpoint) error {
	if err := run.ReadSession(f.session, run.Everything, c.Read); err != nil {
		return err
	}
	i := 0
	for _, t := range f.session.Persistent() {
		if isWeight(t.Kind) {
			if err := c.Read("best."+t.Name, f.keep[i]); err != nil {
				return err
			}
			i++
		}
	}
	var p progress
	if err := c.State(&p); err != nil {
		return err
	}
	f.trainer.epoch, f.step, f.best, f.stages = p.Epoch, p.Step, p.Best, p.Stages
	return nil
}
