package sgap

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format/table"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// Spreading is a model that has no weights: what is known of the nodes that train travels over the edges. With Y the matrix of one
// row a node, one-hot for the nodes that train and zero for the others, label propagation (Zhou et al., NIPS 2003) is
//
//	Q_0 = Y,  Q_k = (1−α) Â Q_{k−1} + α Y.
//
// With predictions Z of all nodes it is Correct and Smooth (Huang et al., ICLR 2021): what they miss at the nodes that train
// travels, E_0 = Y − Z there and zero elsewhere, E_k = (1−α_c) Â E_{k−1} + α_c E_0, and is added to the predictions of the others,
// brought to the mean size σ of those errors (sums of absolute values: the paper's autoscale),
//
//	G_i = Z_i + σ E_i/|E_i|,  G_i = Y_i for nodes that train;
//
// then G travels as Y did. The class of a node is the largest element of its row of Q_K, of equal ones the first. Sums are in
// float32, in the order of [graph.Propagation]; the bits depend on neither threads nor memory.
type Spreading struct{ preset *preset }

// Spreadings returns label propagation, and Correct and Smooth.
func Spreadings() []run.Model {
	return []run.Model{Spreading{&labelPropagation}, Spreading{&correctAndSmooth}}
}

// Spec implements run.Model.
func (m Spreading) Spec() run.Spec {
	return run.Spec{
		Name: m.preset.name, Title: m.preset.title, Paper: m.preset.paper, Settings: m.preset.settings, Use: m.preset.use,
		Data:   "a graph with labels (.sgraph, planetoid, npz of Shchur et al., OGB folder)",
		Limits: "It knows nothing of nodes that no edges lead to from the ones whose classes are known.",
	}
}

var labelPropagation = preset{
	name:     "labelprop",
	title:    "label propagation: known classes travel over the edges; features are not looked at",
	paper:    "Zhou et al., Learning with Local and Global Consistency, NIPS 2003",
	settings: append(append(journey(true), alpha("0.1", "0", "share of the known classes in every step; 0: powers of the adjacency matrix alone")...), ofGraph()...),
	use:      "What the edges of a graph give without features: a baseline, and all there is where nodes have none.",
}

var correctAndSmooth = preset{
	name:  "correct-and-smooth",
	title: "Correct and Smooth: predictions of any model, set right by what they miss at nodes whose classes are known",
	paper: "Huang et al., Combining Label Propagation and Simple Models Out-performs Graph Neural Networks, ICLR 2021",
	settings: append(append(append([]run.Setting{
		{Key: "predictions", Type: run.String, Scope: run.OfData, Doc: "table of a row a node: id, and p_CLASS for every class, as seraph predict writes it; made by a model that trained on the same split"},
		{Key: "correct-alpha", Type: run.Float, Default: "0.2", Min: "0", Max: "1", Doc: "share of the errors themselves in every step of correction"},
	}, journey(false)...), alpha("0.2", "0", "share of the corrected predictions themselves in every step of smoothing")...), ofGraph()...),
	use: "Post-processing of predictions that were made without edges, or of a table with another program.",
}

// journey are the settings of what travels over the edges.
func journey(selfLoops bool) []run.Setting {
	list := propagation("50")
	list[0].Min, list[0].Doc = "1", "steps over the edges"
	list[2].Default = strconv.FormatBool(selfLoops)
	return list
}

// spreader is a job of a Spreading in progress. The design has its hops and adjacency matrix.
type spreader struct {
	*work
	corrects bool
}

// prepare reads the input, to train on or for a model to be applied to.
func (m Spreading) prepare(ctx context.Context, job *run.Job, model *config) (s *spreader, err error) {
	s = &spreader{&work{ctx: ctx, planner: planner{job: job, preset: m.preset}}, m.preset == &correctAndSmooth}
	s.design.Hops, s.design.Norm = job.Int("hops"), graph.Norm{R: job.Float("r"), SelfLoops: job.Bool("self-loops")}
	if s.corrects && job.String("predictions") == "" {
		return nil, run.Usagef("--predictions is missing: a table that seraph predict wrote, or one like it")
	}
	if err := m.preset.takes(job); err != nil {
		return nil, err
	}
	if s.baseline, err = memory.Baseline(); err != nil {
		return nil, err
	}
	if err := s.announce(false); err != nil {
		return nil, err
	}
	s.data, err = load(job, model, false)
	return s, err
}

// spreading describes the journey of the rows of y.
func (s *spreader) spreading(y graph.Features, teleport float64) *graph.Propagation {
	g := *s.data.Graph
	g.Features = y
	k := s.design.Hops
	return &graph.Propagation{Graph: &g, Adjacency: s.adjacency, Scaling: graph.ScaleNone, First: k, K: k, Teleport: teleport}
}

// plan chooses the fastest way within the budget for so many journeys, from so many known labels.
func (s *spreader) plan(runs, labels int) (*plan.Job, error) {
	return s.settle(&s.design, func() (*plan.Job, error) {
		if err := s.normalize(&s.design); err != nil {
			return nil, err
		}
		d := s.data
		p := s.spreading(graph.Features{Rows: d.Nodes, Cols: d.Classes, Dense: []float32{}}, 0.5)
		ways, tried := p.Ways(), map[*plan.Job]graph.Way{}
		job, err := plan.Choose(s.job.Memory, func(i int) (*plan.Job, bool) {
			if i >= len(ways) {
				return nil, false
			}
			j := &plan.Job{Baseline: s.baseline, Stages: []plan.Stage{importStage(d.importBytes, d.graphBytes), s.stage(p, ways[i], runs, labels)}}
			j.Predict(plan.LoadRates(s.job.Threads))
			tried[j] = ways[i]
			return j, true
		})
		s.chosen.propagate = tried[job]
		return job, err
	})
}

// stage is the plan of spreading.
func (s *spreader) stage(p *graph.Propagation, w graph.Way, runs, labels int) plan.Stage {
	d := s.data
	one := p.Stage(w)
	t := plan.Stage{Name: stagePropagate, Items: append(one.Items, s.adjacencyItems()...)}
	if s.corrects {
		runs *= 2
		t.Items = append(t.Items, plan.Item{Name: "predictions, and what travels of them", Bytes: 2 * predictionBytes(d), Where: plan.Resident},
			plan.Item{Name: "predictions, as they are read", Bytes: guessBytes(d), Where: plan.Resident})
	} else {
		t.Items = append(t.Items, plan.Item{Name: "known labels", Bytes: knownBytes(d.Nodes, labels), Where: plan.Resident})
	}
	t.Items = append(t.Items, plan.Item{Name: "graph", Bytes: d.graphBytes, Where: plan.Resident},
		plan.Item{Name: "block of rows", Bytes: 8 * spreadBlock * int64(d.Classes), Where: plan.Resident})
	one.Items = nil
	addStage(&t, one, float64(runs))
	return t
}

// spreadBlock is the rows that are looked at together.
const spreadBlock = 256

// spread returns Q_K of all nodes, to be closed, from nodes whose classes are known, which ascend.
func (s *spreader) spread(nodes, labels []int32) (h *graph.Hops, err error) {
	if s.corrects {
		return s.correctAndSmooth(nodes, labels)
	}
	y, err := newKnown(s.data.Nodes, s.data.Classes, nodes, labels)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, y.close()) }()
	return s.compute(s.spreading(y.Features, s.job.Float("alpha")))
}

// begin makes ready for journeys as the plan says.
func (s *spreader) begin(p *plan.Job) error {
	if err := s.job.SetPlan(p); err != nil {
		return err
	}
	s.pool = kernel.NewPool(s.job.Threads)
	s.job.Stage(stagePropagate, "", 0)
	return s.normalize(&s.design)
}

// Plan implements run.Model. It reads the input.
func (m Spreading) Plan(ctx context.Context, job *run.Job) (p *plan.Job, err error) {
	s, err := m.prepare(ctx, job, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return s.plan(job.Seeds, mostTrain(s.data.splits))
}

// Train implements run.Model: there is nothing to train; every split is scored, and the model keeps the known classes.
func (m Spreading) Train(ctx context.Context, job *run.Job) (err error) {
	s, err := m.prepare(ctx, job, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	p, err := s.plan(job.Seeds, mostTrain(s.data.splits))
	if err != nil {
		return err
	}
	if err := s.begin(p); err != nil {
		return err
	}
	for trial, err := range job.Trials() {
		if err != nil {
			return err
		}
		if err := s.trial(trial); err != nil {
			return err
		}
	}
	return addTestSections(job, s.data)
}

// trial is the spreading of one split.
func (s *spreader) trial(trial *run.Trial) (err error) {
	d := s.data
	split := d.splits[trial.Seed-s.job.Seed]
	q, err := s.spread(split.Train, d.labelsOf(split.Train))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	val, err := d.scoreHops(q, split.Val)
	if err != nil {
		return err
	}
	o := run.Outcome{Score: val.Accuracy(), Model: run.Trained{
		Config: configOf(s.work, nil), Tensors: d.labelTensors(&LabelUse{Kind: LabelInput, Hops: 1}, split.Train, nil),
	}}
	if len(split.Test) > 0 {
		test, err := d.scoreHops(q, split.Test)
		if err != nil {
			return err
		}
		o.Metrics = append(o.Metrics, run.Metric{Name: "test_accuracy", Value: test.Accuracy()}, run.Metric{Name: "test_macro_f1", Value: test.MacroF1()})
		if err := keepTest(trial, test, nil, nil); err != nil {
			return err
		}
	}
	o.Metrics = append(o.Metrics, run.Metric{Name: "val_accuracy", Value: val.Accuracy()})
	return trial.Finish(o)
}

// scoreHops scores nodes by their rows of the last hop.
func (d *dataset) scoreHops(q *graph.Hops, nodes []int32) (*Score, error) {
	score, rows, losses := NewScore(d.Classes), make([]float32, spreadBlock*d.Classes), make([]float32, spreadBlock)
	for len(nodes) > 0 {
		n := min(spreadBlock, len(nodes))
		if err := q.Gather(nodes[:n], q.K, rows[:n*d.Classes]); err != nil {
			return nil, err
		}
		score.Add(rows, losses, d.labelsOf(nodes[:n]))
		nodes = nodes[n:]
	}
	return score, nil
}

// prepareApplied opens the model of the job and reads the input.
func (m Spreading) prepareApplied(ctx context.Context, job *run.Job) (s *spreader, a *applied, err error) {
	c, saved, err := openModel(job)
	if err != nil {
		return nil, nil, err
	}
	if s, err = m.prepare(ctx, job, c); err != nil {
		return nil, nil, errors.Join(err, saved.Close())
	}
	return s, &applied{work: s.work, config: c, saved: saved}, nil
}

// planApplied is the plan of a prediction.
func (s *spreader) planApplied(a *applied) (*plan.Job, error) {
	ids, ok := a.saved.Tensor(labelIDs)
	if !ok {
		return nil, a.badLabels("nodes with labels", "", "I64 ids")
	}
	return s.plan(1, ids.Len())
}

// PlanPredict implements run.PredictPlanner. It reads the input.
func (m Spreading) PlanPredict(ctx context.Context, job *run.Job) (p *plan.Job, err error) {
	s, a, err := m.prepareApplied(ctx, job)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	return s.planApplied(a)
}

// Predict implements run.Model: as [Model.Predict], with the rows of Q_K brought to a sum of 1.
func (m Spreading) Predict(ctx context.Context, job *run.Job, out string) (err error) {
	s, a, err := m.prepareApplied(ctx, job)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	p, err := s.planApplied(a)
	if err != nil {
		return err
	}
	if err := s.begin(p); err != nil {
		return err
	}
	nodes, at, kept, err := a.knownNodes()
	if err != nil {
		return err
	}
	labels, err := a.classesAt(at, kept)
	if err != nil {
		return err
	}
	q, err := s.spread(nodes, labels)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	return writeTable(out, func(write func(*table.Table) error) error { return s.data.writeHops(q, write) })
}

// writeHops passes on the rows of the last hop as predictions.
func (d *dataset) writeHops(q *graph.Hops, write func(*table.Table) error) error {
	rows := make([]float32, spreadBlock*d.Classes)
	for lo := 0; lo < d.Nodes; lo += spreadBlock {
		hi := min(lo+spreadBlock, d.Nodes)
		part := rows[:(hi-lo)*d.Classes]
		if err := q.ReadRows(lo, hi, q.K, part); err != nil {
			return err
		}
		for i := 0; i < len(part); i += d.Classes {
			logarithms(part[i : i+d.Classes])
		}
		if err := write(d.predictions(lo, part)); err != nil {
			return err
		}
	}
	return nil
}

// Demo implements run.Model: that of [Model.Demo]; and for predictions, a table that names the right class more often than not.
func (m Spreading) Demo(ctx context.Context, dir string, seed uint64) (data string, set map[string]string, err error) {
	data, _, err = Model{}.Demo(ctx, dir, seed)
	if err != nil || m.preset != &correctAndSmooth {
		return data, nil, err
	}
	path, err := demoGuesses(data, dir, seed)
	if err != nil {
		return "", nil, fmt.Errorf("make predictions: %w", err)
	}
	return data, map[string]string{"predictions": path}, nil
}
