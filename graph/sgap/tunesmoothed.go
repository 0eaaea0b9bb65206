package sgap

import (
	"errors"
	"maps"
	"slices"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/graph"
)

// smoothed is a way to smooth the predictions of a candidate locally. Training does not see it, so all of a small grid are
// tried on each training.
type smoothed struct {
	Settings map[string]string `json:"settings"`
	Gain     []float64         `json:"gain"` // of each seed tried: validation accuracy of the best epoch with it less that without

	post Post
}

// choosesSmoothing says whether there are ways to smooth predictions to choose from.
func (w *work) choosesSmoothing() bool {
	return slices.ContainsFunc(w.preset.tunedLabels, func(a axis) bool { return !w.job.Given(a.key) })
}

// addSmoothed gives every candidate the ways to smooth its predictions: the settings as they are, and then the grid.
func (t *tuning) addSmoothed() error {
	w := t.work
	if len(w.preset.tunedLabels) == 0 {
		return nil
	}
	now := map[string]string{}
	grid := []map[string]string{{}}
	for _, a := range w.preset.tunedLabels {
		if w.job.Given(a.key) {
			continue
		}
		now[a.key] = w.job.Lookup(a.key).Text
		var next []map[string]string
		for _, texts := range grid {
			for _, value := range a.values {
				texts := maps.Clone(texts)
				texts[a.key] = value
				next = append(next, texts)
			}
		}
		grid = next
	}
	if len(now) > 0 {
		grid = append([]map[string]string{now}, grid...)
	}
	for _, texts := range grid {
		values, err := w.job.Values.With(texts)
		if err != nil {
			return err
		}
		post := w.preset.choice(values, false).design.Post
		for i := range t.candidates {
			t.candidates[i].Smoothed = append(t.candidates[i].Smoothed, smoothed{Settings: texts, post: post})
		}
	}
	return nil
}

// trySmoothed smooths the predictions of a training in all ways that are to be tried.
func (t *tuning) trySmoothed(c *candidate, shop *workshop, s *store, split graph.Split) (err error) {
	if len(c.Smoothed) == 0 {
		return nil
	}
	if shop.best.Epoch == 0 { // diverged at once
		for i := range c.Smoothed {
			c.Smoothed[i].Gain = append(c.Smoothed[i].Gain, 0)
		}
		return nil
	}
	w := t.work
	shop.restoreBest()
	if err := w.adjacencyOf(c.own.design.Post.Norm); err != nil {
		return err
	}
	sm, err := w.predicted(shop.trainer, shop.testRows, s, &c.own.design, w.data.inMemory())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sm.close()) }()
	for i := range c.Smoothed {
		try := &c.Smoothed[i]
		q, err := sm.run(w.ctx, &try.post, w.adjacency, w.pool)
		if err != nil {
			return err
		}
		with := w.data.scoreRows(q.Matrix(try.post.Hops), split.Val).Accuracy()
		try.Gain = append(try.Gain, with-shop.best.Accuracy)
		if err := q.Close(); err != nil {
			return err
		}
	}
	return nil
}

// bestSmoothed is the way that adds most; of several the first. nil where none was tried.
func (c *candidate) bestSmoothed() *smoothed {
	var best *smoothed
	for i := range c.Smoothed {
		if best == nil || mean(c.Smoothed[i].Gain) > mean(best.Gain) {
			best = &c.Smoothed[i]
		}
	}
	return best
}

// score is the validation accuracy of a candidate, its predictions smoothed in the best way.
func (c *candidate) score() float64 {
	score := mean(c.tried().Accuracy)
	if best := c.bestSmoothed(); best != nil {
		score += mean(best.Gain)
	}
	return score
}

// settings are those of a candidate with the best way to smooth its predictions.
func (c *candidate) settings() map[string]string {
	all := maps.Clone(c.Settings)
	if best := c.bestSmoothed(); best != nil {
		maps.Copy(all, best.Settings)
	}
	return all
}

// smoothedStage is what trying ways to smooth on a training takes: they follow one another.
func smoothedStage(tried []smoothed, d *dataset, workers int) plan.Stage {
	var most plan.Stage
	for i := range tried {
		var one plan.Stage
		tried[i].post.plan(d, &one, 1, workers, d.inMemory(), 0)
		if one.Peak() > most.Peak() {
			most.Items = one.Items
		}
		one.Items = nil
		addStage(&most, one, 1)
	}
	return most
}
