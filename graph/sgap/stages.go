package sgap

import (
	"fmt"

	"github.com/seraph-ml/seraph/format/safetensors"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// knownName is the tensor of a checkpoint that is Y of a stage after the first.
const knownName = "labels.known"

// stageRecord is the stages of a training that are over, in a checkpoint.
type stageRecord struct {
	Done   []stage `json:"done,omitempty"`
	Epochs int     `json:"epochs,omitempty"` // they took
}

// stage is one that is over: its best epoch, and how many nodes the next one learned from.
type stage struct {
	best
	Reliable int `json:"reliable"`
}

// metrics are what the stages that are over came to.
func (r *stageRecord) metrics() (list []run.Metric) {
	for i, s := range r.Done {
		list = append(list, run.Metric{Name: fmt.Sprintf("val_accuracy_stage_%d", i+1), Value: s.Accuracy},
			run.Metric{Name: fmt.Sprintf("reliable_stage_%d", i+2), Value: float64(s.Reliable)})
	}
	return list
}

// enter makes the label input of the stage that a training begins with, or that it was in at a checkpoint.
func (w *work) enter(s *store, shop *workshop, split graph.Split, c *run.Checkpoint) error {
	shop.stages = stageRecord{}
	if t := shop.teaching; t != nil {
		t.forget()
		t.store, t.first = s, w.design.FirstHop()
	}
	var p progress
	if c != nil {
		if err := c.State(&p); err != nil {
			return err
		}
	}
	if len(p.Stages.Done) == 0 {
		return w.tellLabels(s, &w.design, split)
	}
	if shop.teaching == nil {
		return fmt.Errorf("the checkpoint is of stage %d of a training in one stage", len(p.Stages.Done)+1)
	}
	if err := c.Read(knownName, shop.teaching.y); err != nil {
		return err
	}
	shop.teaching.settle(split.Train, w.data.labelsOf(split.Train), 0) // rows that were not reliable are zero
	return w.propagateLabels(s, &w.design, shop.teaching.features())
}

// nextStage begins the stage after the one that is over, and says whether there is one.
func (w *work) nextStage(s *store, shop *workshop, split graph.Split) (bool, error) {
	r, t := &w.training.Reliable, shop.teaching
	if t == nil || len(shop.stages.Done)+1 >= r.Stages {
		return false, nil
	}
	err := shop.applyAll(s, shop.testRows, &w.design, func(lo int, logits []float32) error {
		t.predicted(lo, logits, r.Temperature)
		return w.job.Interrupted()
	})
	if err != nil {
		return false, err
	}
	t.settle(split.Train, w.data.labelsOf(split.Train), r.Threshold)
	w.job.Progress.Infof("stage %d of %d: validation accuracy %.4f at epoch %d; the next learns from %d reliable nodes",
		len(shop.stages.Done)+1, r.Stages, shop.best.Accuracy, shop.best.Epoch, len(t.nodes))
	shop.stages.Done = append(shop.stages.Done, stage{shop.best, len(t.nodes)})
	shop.stages.Epochs += shop.trainer.epoch
	if err := w.propagateLabels(s, &w.design, t.features()); err != nil {
		return false, err
	}
	if err := shop.open(s, split); err != nil {
		return false, err
	}
	shop.begin(shop.seed)
	return true, nil
}

// knownTensors is what a checkpoint keeps of the stages before.
func (f *fitter) knownTensors() []safetensors.Input {
	if len(f.stages.Done) == 0 {
		return nil
	}
	t := f.teaching
	return []safetensors.Input{safetensors.Float32(knownName, []int{len(t.y) / t.classes, t.classes}, t.y)}
}
