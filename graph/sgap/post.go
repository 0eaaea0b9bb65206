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

// smoother is predictions of all nodes on their way through Post.
type smoother struct {
	graph *graph.Graph // the nodes, with their predictions in place of the features
	steps *localSteps  // of the nodes, where they have been smoothed locally
	arena *memory.Arena
}

// newSmoother makes the memory for the predictions of all nodes.
func newSmoother(d *dataset) (*smoother, error) {
	arena, err := memory.NewArena(predictionBytes(d))
	if err != nil {
		return nil, err
	}
	g := *d.Graph
	g.Features = graph.Features{Rows: d.Nodes, Cols: d.Classes, Dense: arena.Float32s(0, d.Nodes*d.Classes)}
	return &smoother{graph: &g, arena: arena}, nil
}

// predictionBytes is what the predictions of all nodes take.
func predictionBytes(d *dataset) int64 { return 4 * int64(d.Nodes) * int64(d.Classes) }

// set makes rows of logits the predictions of the nodes from lo on.
func (s *smoother) set(lo int, logits []float32) {
	classes := s.graph.Features.Cols
	for i := 0; i < len(logits); i += classes {
		softmax(s.graph.Features.Dense[lo*classes+i:][:classes], logits[i:i+classes])
	}
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
func (post *Post) propagation(g *graph.Graph, a *graph.Adjacency) (*graph.Propagation, graph.Way) {
	p := &graph.Propagation{Graph: g, Adjacency: a, Scaling: graph.ScaleNone, First: post.Hops, K: post.Hops, Teleport: post.Teleport}
	return p, graph.Way{Width: g.Features.Cols}
}

// smoothing is that of the predictions in place of propagation.
func (post *Post) smoothing(g *graph.Graph, a *graph.Adjacency) (*graph.Smoothing, graph.Way) {
	return post.Local.smoothing(g, a, nil, graph.ScaleNone, nil), graph.Way{Width: g.Features.Cols}
}

// run returns Q, all nodes × classes, to be closed.
func (s *smoother) run(ctx context.Context, post *Post, a *graph.Adjacency, pool *kernel.Pool) (h *graph.Hops, err error) {
	if post.Local.acts() {
		smoothing, way := post.smoothing(s.graph, a)
		h, s.steps, err = smoothLocally(ctx, smoothing, way, pool, nil)
		return h, err
	}
	p, way := post.propagation(s.graph, a)
	return p.Run(ctx, way, pool, nil)
}

func (s *smoother) close() error {
	if s == nil {
		return nil
	}
	return s.arena.Close()
}

// adjacencyOfPredictions is an item of a plan.
const adjacencyOfPredictions = "adjacency matrix of the predictions"

// plan adds what a smoother holds, its adjacency matrix included, and so many runs of it to a stage.
func (post *Post) plan(d *dataset, s *plan.Stage, runs float64, workers int) {
	if !post.acts() {
		return
	}
	g := *d.Graph
	g.Features = graph.Features{Rows: d.Nodes, Cols: d.Classes, Dense: []float32{}}
	var one plan.Stage
	if post.Local.acts() {
		smoothing, way := post.smoothing(&g, d.Shape(post.Norm))
		one = both(smoothing, way, workers)
	} else {
		p, way := post.propagation(&g, d.Shape(post.Norm))
		one = p.Stage(way)
	}
	s.Items = append(append(s.Items, one.Items...),
		plan.Item{Name: "predictions of all nodes", Bytes: predictionBytes(d), Where: plan.Resident},
		plan.Item{Name: adjacencyOfPredictions, Bytes: post.Norm.Bytes(d.Graph), Where: plan.Resident})
	s.Flops += runs * one.Flops
	s.Traffic += runs * one.Traffic
}

// predicted is what a trained model predicts of all nodes in the store, which pass through a buffer, to be propagated.
func (w *work) predicted(tr *trainer, block *buffer, s *store, d *Design) (*smoother, error) {
	sm, err := newSmoother(w.data)
	if err != nil {
		return nil, err
	}
	err = tr.applyAll(s, block, d, func(lo int, logits []float32) error {
		sm.set(lo, logits)
		return w.job.Interrupted()
	})
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
	return w.smoothBy(w.adjacency, tr, block, s)
}

// smoothBy is smooth with an adjacency matrix of the norm of Post.
func (w *work) smoothBy(a *graph.Adjacency, tr *trainer, block *buffer, s *store) (q *graph.Hops, steps *localSteps, err error) {
	sm, err := w.predicted(tr, block, s, &w.design)
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
