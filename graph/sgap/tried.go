package sgap

import (
	"errors"
	"time"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/graph/search"
)

// tried is what came of a design: means over the seeds that it was trained on.
type tried struct {
	design search.Design

	Accuracy float64 `json:"val_accuracy"` // after the propagation of predictions
	Test     float64 `json:"test_accuracy"`
	Cost     float64 `json:"cost"`              // multiply-adds to predict all nodes
	Memory   float64 `json:"memory"`            // bytes
	Seconds  float64 `json:"seconds,omitempty"` // to predict all nodes, where that is an objective
	Failed   string  `json:"failed,omitempty"`
}

// errStopped is the end of a training that nobody waits for any more.
var errStopped = errors.New("stopped")

// try trains a design on the splits of the first seeds. One that diverges has failed.
func (s *designSearch) try(t task, pool *kernel.Pool, stop <-chan struct{}) (e tried, err error) {
	d := t.design
	c := designChoice(s.base, d)
	size := s.sizeOfCost()
	e = tried{design: d, Cost: size.cost(&c.design), Memory: size.memory(&c.design)}
	store, step, err := s.messages.of(&c.design)
	if err != nil {
		return e, err
	}
	w := &work{ctx: s.ctx, planner: s.planner, choice: c, pool: pool}
	way := w.chosen
	way.shelve = false
	shop, err := newWorkshop(w.data, c, w.data.sizesOf(c, w.data.splits, way, pool.Workers()), true, pool, nil)
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, shop.close()) }()
	for i := range t.seeds {
		if err := s.fit(shop, store, i, stop); errors.Is(err, errDiverged) {
			return tried{design: d, Cost: e.Cost, Memory: e.Memory, Failed: err.Error()}, nil
		} else if err != nil {
			return e, err
		}
		if err := s.score(w, shop, store, i, &e); err != nil {
			return e, err
		}
	}
	n := float64(t.seeds)
	e.Accuracy, e.Test, e.Seconds = e.Accuracy/n, e.Test/n, e.Seconds/n
	if e.Seconds > 0 {
		e.Seconds += step * float64(c.design.Hops)
	}
	return e, nil
}

// fit trains on split i as a training job does.
func (s *designSearch) fit(shop *workshop, store *store, i int, stop <-chan struct{}) error {
	if err := shop.open(store, s.data.splits[i]); err != nil {
		return err
	}
	shop.begin(s.job.Seed + uint64(i))
	for !shop.finished() {
		if _, _, err := shop.runEpoch(); err != nil {
			return err
		}
		select {
		case <-stop:
			return errStopped
		default:
		}
		if err := s.job.Interrupted(); err != nil {
			return err
		}
	}
	shop.restoreBest()
	return nil
}

// score adds what the trained design does on split i to the sums of e.
func (s *designSearch) score(w *work, shop *workshop, store *store, i int, e *tried) error {
	split := w.data.splits[i]
	if w.design.Post.Hops > 0 {
		began := time.Now()
		q, _, err := w.smoothBy(s.messages.adjacency[w.design.Post.Norm], w.data.inMemory(), shop.trainer, shop.testRows, store)
		if err != nil {
			return err
		}
		if s.timed() {
			e.Seconds += time.Since(began).Seconds()
		}
		rows := q.Matrix(w.design.Post.Hops)
		e.Accuracy += w.data.scoreRows(rows, split.Val).Accuracy()
		e.Test += w.data.scoreRows(rows, split.Test).Accuracy()
		return q.Close()
	}
	e.Accuracy += shop.best.Accuracy
	test, err := shop.test(store, split)
	if err != nil {
		return err
	}
	e.Test += test.Accuracy()
	if s.timed() {
		began := time.Now()
		err = shop.trainer.applyAll(store, shop.testRows, &w.design, func(int, []float32) error { return nil })
		e.Seconds += time.Since(began).Seconds()
	}
	return err
}

// timed says whether predictions are to be timed.
func (s *designSearch) timed() bool {
	for _, o := range s.objectives {
		if o.name == "time" {
			return true
		}
	}
	return false
}

// sizeOfCost is what costs depend on beside the design.
func (s *designSearch) sizeOfCost() *costSize {
	z := &costSize{nodes: s.data.Nodes, features: s.data.Features.Cols, classes: s.data.Classes, entries: map[graph.Norm]int64{}}
	for norm, a := range s.messages.adjacency {
		z.entries[norm] = a.Indptr[a.Rows]
	}
	return z
}
