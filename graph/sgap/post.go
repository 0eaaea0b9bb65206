package sgap

import (
	"context"
	"errors"
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/graph"
)

// Post is steps of propagation of the predictions of all nodes: Q_0 = softmax(logits) and
//
//	Q_k = (1−α) Â Q_{k−1} + α Q_0,
//
// of which the largest element of a row of Q_Hops is the class; or local smoothing of Q_0 in place of the steps. Training does
// not see it, nor does the choice of the epoch. (PaSca's third stage; with α > 0 it is that of Klicpera et al., Predict then
// Propagate, ICLR 2019; local smoothing is NDLS-L.) The zero value leaves the predictions as they are.
type Post struct {
	Norm     graph.Norm
	Teleport float64 // α
	Hops     int
	Local    Local // then Hops is 0
}

// acts says whether predictions are propagated.
func (post *Post) acts() bool { return post.Hops > 0 || post.Local.acts() }

// smoother is predictions of all nodes on their way through Post: in memory, or on disk where the way spills.
type smoother struct {
	graph *graph.Graph // the nodes, with their predictions in place of the features
	way   graph.Way
	spill *memory.Spill // nil where all is in memory
	steps *localSteps   // of the nodes, where they have been smoothed locally
	arena *memory.Arena // of predictions in memory
	rows  *graph.SpilledFeatures
}

// inMemory is the way of predictions through Post that takes nothing of the disk.
func (d *dataset) inMemory() graph.Way { return graph.Way{Width: d.Classes} }

// predictionWay is that of predictions through Post where hops are made like this.
func (d *dataset) predictionWay(hops graph.Way) graph.Way {
	if hops.Spill {
		return graph.Way{Width: min(hops.Width, d.Classes), Spill: true}
	}
	return d.inMemory()
}

// newSmoother makes room for the predictions of all nodes.
func newSmoother(d *dataset, way graph.Way, spill *memory.Spill) (s *smoother, err error) {
	g := *d.Graph
	s = &smoother{graph: &g, way: way, spill: spill}
	if way.Spill {
		s.rows, err = graph.NewSpilledFeatures(spill, "predictions", d.Nodes, d.Classes)
		g.Features = graph.Features{Rows: d.Nodes, Cols: d.Classes}
		return s, err
	}
	if s.arena, err = memory.NewArena(predictionBytes(d)); err != nil {
		return nil, err
	}
	g.Features = graph.Features{Rows: d.Nodes, Cols: d.Classes, Dense: s.arena.Float32s(0, d.Nodes*d.Classes)}
	return s, nil
}

// predictionBytes is what the predictions of all nodes take in memory.
func predictionBytes(d *dataset) int64 { return 4 * int64(d.Nodes) * int64(d.Classes) }

// set makes rows of logits the predictions of the nodes from lo on, where those before have been set.
func (s *smoother) set(lo int, logits []float32) error {
	classes := s.graph.Features.Cols
	for i := 0; i < len(logits); i += classes {
		p, err := s.row(lo*classes + i)
		if err != nil {
			return err
		}
		softmax(p, logits[i:i+classes])
	}
	return nil
}

// row is where the predictions of a node are set that begin there among all.
func (s *smoother) row(at int) ([]float32, error) {
	if s.rows != nil {
		return s.rows.Row()
	}
	return s.graph.Features.Dense[at:][:s.graph.Features.Cols], nil
}

// ready ends the setting of predictions.
func (s *smoother) ready() (err error) {
	if s.rows != nil {
		s.graph.Features, err = s.rows.Features()
	}
	return err
}

// softmax writes the probabilities of a row of logits, computed in float64.
func softmax(p, logits []float32) {
	best := logits[argmax(logits)]
	var sum float64
	for _, x := range logits {
		sum += math.Exp(float64(x - best))
	}
	for c, x := range logits {
		p[c] = float32(math.Exp(float64(x-best)) / sum)
	}
}

// propagation is that of the predictions, by an adjacency matrix of the norm of Post.
func (post *Post) propagation(g *graph.Graph, a *graph.Adjacency) *graph.Propagation {
	return &graph.Propagation{Graph: g, Adjacency: a, Scaling: graph.ScaleNone, First: post.Hops, K: post.Hops, Teleport: post.Teleport}
}

// smoothing is that of the predictions in place of propagation.
func (post *Post) smoothing(g *graph.Graph, a *graph.Adjacency) *graph.Smoothing {
	return post.Local.smoothing(g, a, nil, graph.ScaleNone, nil)
}

// run returns Q, all nodes × classes, to be closed.
func (s *smoother) run(ctx context.Context, post *Post, a *graph.Adjacency, pool *kernel.Pool) (h *graph.Hops, err error) {
	if post.Local.acts() {
		h, s.steps, err = smoothLocally(ctx, post.smoothing(s.graph, a), s.way, pool, s.spill)
		return h, err
	}
	return post.propagation(s.graph, a).Run(ctx, s.way, pool, s.spill)
}

func (s *smoother) close() error {
	switch {
	case s == nil:
		return nil
	case s.rows != nil:
		return s.rows.Close()
	}
	return s.arena.Close()
}

// adjacencyOfPredictions is an item of a plan.
const adjacencyOfPredictions = "adjacency matrix of the predictions"

// plan adds what a smoother holds, its adjacency matrix included, and so many runs of it to a stage, of whose result so many rows are
// read at a time.
func (post *Post) plan(d *dataset, s *plan.Stage, runs float64, workers int, way graph.Way, rows int) {
	if !post.acts() {
		return
	}
	g := *d.Graph
	g.Features = graph.Features{Rows: d.Nodes, Cols: d.Classes, Dense: []float32{}}
	predictions := plan.Item{Name: "predictions of all nodes", Bytes: predictionBytes(d), Where: plan.Resident}
	if way.Spill {
		g.Features = graph.Features{Rows: d.Nodes, Cols: d.Classes, Read: func(int, []float32) error { return nil }}
		disk := graph.SpilledDisk(d.Nodes, d.Classes)
		predictions.Bytes = graph.SpilledBytes(d.Classes)
		predictions.Where, predictions.Note = plan.Streamed, memory.FormatSize(disk)+" on disk"
		s.DiskWrite += int64(runs) * disk
		s.DiskRead += int64(runs) * graph.SpilledDisk(d.Nodes, d.Classes) // of the result
	}
	var one plan.Stage
	if post.Local.acts() {
		one = both(post.smoothing(&g, d.Shape(post.Norm)), way, workers)
	} else {
		one = post.propagation(&g, d.Shape(post.Norm)).Stage(way)
	}
	predictions.Bytes += 4 * int64(rows) * int64(d.Classes+1) // of the result, and their order
	one.Items = append(one.Items, predictions, plan.Item{Name: adjacencyOfPredictions, Bytes: post.Norm.Bytes(d.Graph), Where: plan.Resident})
	addStage(s, one, runs)
}

// predicted is what a trained model predicts of all nodes in the store, which pass through a buffer, to be propagated.
func (w *work) predicted(tr *trainer, block *buffer, s *store, d *Design, way graph.Way) (*smoother, error) {
	var spill *memory.Spill
	if way.Spill {
		var err error
		if spill, err = w.disk(); err != nil {
			return nil, err
		}
	}
	sm, err := newSmoother(w.data, way, spill)
	if err != nil {
		return nil, err
	}
	err = tr.applyAll(s, block, d, func(lo int, logits []float32) error {
		if err := sm.set(lo, logits); err != nil {
			return err
		}
		return w.job.Interrupted()
	})
	if err == nil {
		err = sm.ready()
	}
	if err != nil {
		return nil, errors.Join(err, sm.close())
	}
	return sm, nil
}

// smooth propagates the predictions that the trained model makes of all nodes in the store. It returns Q, to be closed.
func (w *work) smooth(tr *trainer, block *buffer, s *store) (*graph.Hops, *localSteps, error) {
	if err := w.adjacencyOf(w.design.Post.Norm); err != nil {
		return nil, nil, err
	}
	return w.smoothBy(w.adjacency, w.data.predictionWay(w.chosen.propagate), tr, block, s)
}

// smoothBy is smooth with an adjacency matrix of the norm of Post, in that way.
func (w *work) smoothBy(a *graph.Adjacency, way graph.Way, tr *trainer, block *buffer, s *store) (q *graph.Hops, steps *localSteps, err error) {
	sm, err := w.predicted(tr, block, s, &w.design, way)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, sm.close()) }()
	q, err = sm.run(w.ctx, &w.design.Post, a, w.pool)
	return q, sm.steps, err
}

// scoreRows scores nodes by their rows in Q, nodes × classes, which are no logits: losses are 0.
func (d *dataset) scoreRows(q []float32, nodes []int32) *Score {
	s, none := NewScore(d.Classes), []float32{0}
	for _, u := range nodes {
		s.Add(q[int(u)*d.Classes:][:d.Classes], none, d.Labels[u:u+1])
	}
	return s
}

// scoreResult is scoreRows where Q may be on disk: so many rows of it, hop k, are read at a time.
func (d *dataset) scoreResult(q *graph.Hops, k int, nodes []int32, rows int) (*Score, error) {
	s, none := NewScore(d.Classes), []float32{0}
	read := make([]float32, rows*d.Classes)
	for len(nodes) > 0 {
		some := nodes[:min(rows, len(nodes))]
		if err := q.Gather(some, k, read); err != nil {
			return nil, err
		}
		for i, u := range some {
			s.Add(read[i*d.Classes:][:d.Classes], none, d.Labels[u:u+1])
		}
		nodes = nodes[len(some):]
	}
	return s, nil
}

// logarithms makes of a row of Q logits: what softmax makes of them is the row, brought to a sum of 1. The largest becomes
// 0, so that order and ties stay what they are.
func logarithms(row []float32) {
	largest := float64(row[argmax(row)])
	for c, x := range row {
		row[c] = 0
		if largest > 0 {
			row[c] = float32(math.Log(max(0, float64(x)) / largest))
		}
	}
}
