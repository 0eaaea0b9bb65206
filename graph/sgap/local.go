package sgap

import (
	"context"
	"errors"
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// Local is node-dependent local smoothing (NDLS) of features or of predictions: graph.Smoothing with its choices. The zero
// value smooths nothing. It is comparable.
type Local struct {
	Epsilon      float64
	Kmax         int
	Distance     graph.Distance
	Stationarity graph.Stationarity
	Averaging    graph.Averaging
	Restart      float64
}

// acts says whether anything is smoothed.
func (l *Local) acts() bool { return l.Kmax > 0 }

// localNorm is the adjacency matrix that local smoothing walks along.
var localNorm = graph.Norm{R: 0, SelfLoops: true}

// smoothing describes the smoothing of the features, or else of those given, of which the rows of some nodes (nil: all) are kept.
func (l *Local) smoothing(g *graph.Graph, a *graph.Adjacency, features *graph.Features, scaling graph.Scaling, nodes []int32) *graph.Smoothing {
	return &graph.Smoothing{
		Graph: g, Adjacency: a, Features: features, Scaling: scaling, Rows: nodes,
		Epsilon: l.Epsilon, Kmax: l.Kmax, Distance: l.Distance, Stationarity: l.Stationarity, Averaging: l.Averaging, Restart: l.Restart,
	}
}

// smoothing describes that of a design's features, whose adjacency matrix is there.
func (pl *planner) smoothing(d *Design, nodes []int32) *graph.Smoothing {
	return d.Local.smoothing(pl.data.Graph, pl.adjacency, nil, d.Scaling, nodes)
}

// both is the finding of steps and the smoothing as one stage: what the larger of them holds, and the work of both.
func both(s *graph.Smoothing, w graph.Way, workers int) plan.Stage {
	stages := s.Stages(w, workers)
	larger, other := stages[0], stages[1]
	if other.Peak() > larger.Peak() {
		larger, other = other, larger
	}
	larger.Name, other.Items = stagePropagate, nil
	addStage(&larger, other, 1)
	return larger
}

// hopWays are those of making what a design reads.
func (pl *planner) hopWays(d *Design) []graph.Way {
	if d.Local.acts() {
		return pl.smoothing(d, nil).Ways()
	}
	return pl.propagation(*d, nil).Ways()
}

// hopStage is the plan of making what a design reads: as the propagation has it, or by smoothing.
func (pl *planner) hopStage(d *Design, p *graph.Propagation, w way) plan.Stage {
	if d.Local.acts() {
		return both(pl.smoothing(d, p.Rows), w.propagate, pl.job.Threads)
	}
	return subsetsStage(d, p, w.propagate)
}

// hopItems are what it holds as long as it is read.
func (pl *planner) hopItems(d *Design, p *graph.Propagation, w way) []plan.Item {
	if d.Local.acts() {
		return pl.smoothing(d, p.Rows).Items(w.propagate)
	}
	return subsetsItems(d, p.Items(w.propagate))
}

// smoothFeatures makes the smoothed features of some nodes (nil: all), and says how many steps the nodes took.
func (w *work) smoothFeatures(d *Design, nodes []int32, progress func(done, total int)) (*graph.Hops, error) {
	s := w.smoothing(d, nodes)
	s.Progress = progress
	return w.within(&s.Progress, func(ctx context.Context, spill *memory.Spill) (*graph.Hops, error) {
		h, steps, err := smoothLocally(ctx, s, w.chosen.propagate, w.pool, spill)
		w.steps = steps
		return h, err
	})
}

// smoothLocally finds the steps of the nodes, counts them, and smooths.
func smoothLocally(ctx context.Context, s *graph.Smoothing, w graph.Way, pool *kernel.Pool, spill *memory.Spill) (h *graph.Hops, steps *localSteps, err error) {
	local, err := s.Steps(ctx, w, pool, spill)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, local.Close()) }()
	steps = countSteps(s.Graph, local)
	h, err = s.Smooth(ctx, w, local.K, pool, spill)
	return h, steps, err
}

// localSettings are the settings of local smoothing, of features, of predictions or both.
func localSettings(features, predictions bool) []run.Setting {
	var list []run.Setting
	if features {
		list = append(list,
			run.Setting{Key: "epsilon", Type: run.Float, Default: "0.03", Min: "1e-9", Doc: "a node's features are smoothed until they are this near to the stationary state", Source: "zwt233/NDLS, train.py"},
			run.Setting{Key: "kmax", Type: run.Int, Default: "200", Min: "1", Max: "100000", Doc: "steps that are looked at for features; 1 leaves them as they are", Source: "zwt233/NDLS, train.py"})
	}
	if predictions {
		list = append(list,
			run.Setting{Key: "label-epsilon", Type: run.Float, Default: "0.05", Min: "1e-9", Doc: "the same for a node's predicted probabilities", Source: "zwt233/NDLS, train.py"},
			run.Setting{Key: "label-kmax", Type: run.Int, Default: "20", Min: "1", Max: "100000", Doc: "steps that are looked at for predictions; 1 leaves them as they are"})
	}
	return append(list,
		run.Setting{Key: "distance", Type: run.Choice, Choices: []string{string(graph.DistanceFeatures), string(graph.DistanceInfluence)}, Default: string(graph.DistanceFeatures),
			Doc: "of what a node is to be near the stationary state: of its features or probabilities, or of the influence of all nodes on it (for graphs of some 10⁴ nodes)"},
		run.Setting{Key: "stationarity", Type: run.Choice, Choices: []string{string(graph.StationaryGlobal), string(graph.StationaryComponent)}, Default: string(graph.StationaryGlobal),
			Doc: "stationary state over all nodes, which those outside of the largest component never reach, or over the component of a node", Source: "zwt233/NDLS, train.py"},
		run.Setting{Key: "averaging", Type: run.Choice, Choices: []string{string(graph.AverageReleased), string(graph.AverageFormula)}, Default: string(graph.AverageReleased),
			Doc: "mean over the steps before a node is near, as the released code has it, or that step included, as the paper's formula has it", Source: "zwt233/NDLS, train.py"},
		run.Setting{Key: "restart", Type: run.Float, Default: "0.15", Min: "0", Max: "1", Doc: "share of what was not smoothed; the paper's formula has 0", Source: "zwt233/NDLS, train.py"})
}

// localOf are the smoothing of features and that of predictions that settings describe.
func localOf(v run.Values) (features, predictions Local) {
	if v.Lookup("averaging") == nil {
		return Local{}, Local{}
	}
	l := Local{
		Distance: graph.Distance(v.String("distance")), Stationarity: graph.Stationarity(v.String("stationarity")),
		Averaging: graph.Averaging(v.String("averaging")), Restart: v.Float("restart"),
	}
	if v.Lookup("epsilon") != nil {
		features = l
		features.Epsilon, features.Kmax = v.Float("epsilon"), v.Int("kmax")
	}
	if v.Lookup("label-epsilon") != nil {
		predictions = l
		predictions.Epsilon, predictions.Kmax = v.Float("label-epsilon"), v.Int("label-kmax")
	}
	return features, predictions
}

const ndlsPaper = "Zhang et al., Node Dependent Local Smoothing for Scalable Graph Learning, NeurIPS 2021"

// localAxes are what tuning chooses for local smoothing of features.
var localAxes = []axis{
	{"epsilon", []string{"0.01", "0.03", "0.1", "0.3"}},
	{"kmax", []string{"20", "200"}},
	{"scaling", []string{"l1", "l2"}},
	{"weight-decay", []string{"5e-3", "5e-4", "5e-5"}},
	{"dropout", []string{"0.5", "0.8"}},
	{"lr", []string{"0.1", "0.01"}},
}

// localLabelAxes are what it chooses for local smoothing of predictions.
var localLabelAxes = []axis{
	{"label-epsilon", []string{"0.03", "0.1", "0.3"}},
	{"label-kmax", []string{"1", "5", "20"}},
}

// dropped gives the input as much dropout as the hidden layers.
func dropped(list []run.Setting) []run.Setting {
	for i := range list {
		if list[i].Key == "input-dropout" {
			list[i].Default = "0.5"
		}
	}
	return list
}

// rowScaled leaves out the scaling that gives every hop a scale of its own: distances to the stationary state would have none.
func rowScaled(list []run.Setting) []run.Setting {
	for i := range list {
		if list[i].Key == "scaling" {
			list[i].Choices = slices.DeleteFunc(slices.Clone(list[i].Choices), func(s string) bool { return s == string(graph.ScaleRMS) })
			list[i].Doc = "rows of features: as they are, or divided by their L1 or L2 norm"
		}
	}
	return list
}
