package sgap

import (
	"context"
	"errors"
	"fmt"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// The stages of a job.
const (
	stageImport    = "import"
	stageTune      = "tune"
	stagePropagate = "propagate"
	stageTrain     = "train"
)

// The most that the rows of one evaluation take where memory is plenty, and where it is not.
const (
	largestBlock  int64 = 64 << 20
	smallestBlock int64 = 1 << 20
)

// way is how a job is carried out within the budget.
type way struct {
	propagate  graph.Way
	blockBytes int64 // bounds the rows of hops that pass through an evaluation
	shelve     bool  // rows that train and validate are on disk, in the order in which they are read
}

// choice is settings as what they mean.
type choice struct {
	design   Design
	training Training
}

// planner makes the plans of a job.
type planner struct {
	job      *run.Job
	preset   *preset
	baseline int64
	data     *dataset
	chosen   way
	tuned    *plan.Stage // of the search, once it is planned

	searching bool // for settings alone: nothing is trained with them

	adjacency  *graph.Adjacency // the last that was asked for
	pretending bool             // that the graph on disk is in memory: the matrix has no entries
}

// normalize makes the adjacency matrix of a design, where it looks at edges before it has predictions; it lives until another
// is asked for, or forget.
func (pl *planner) normalize(d *Design) error {
	if d.Hops == 0 && !d.passes() && !d.Local.acts() {
		return nil
	}
	return pl.adjacencyOf(d.Norm)
}

// adjacencyOf makes the adjacency matrix of a norm.
func (pl *planner) adjacencyOf(norm graph.Norm) error {
	if pl.adjacency != nil && pl.adjacency.Norm == norm {
		return nil
	}
	if err := pl.forget(); err != nil {
		return err
	}
	if pl.pretending {
		pl.adjacency = pl.data.network().Shape(norm)
		return nil
	}
	var err error
	pl.adjacency, err = pl.data.network().Normalize(norm)
	return err
}

// forget gives the adjacency matrix back.
func (pl *planner) forget() error {
	if pl.adjacency == nil {
		return nil
	}
	a := pl.adjacency
	pl.adjacency = nil
	return a.Close()
}

// importPlan is the plan of reading the input, from its size alone.
func importPlan(job *run.Job, baseline int64, applied bool) (*plan.Job, error) {
	bytes, err := importBound(job, applied)
	if err != nil {
		return nil, err
	}
	p := &plan.Job{Baseline: baseline, Stages: []plan.Stage{importStage(bytes, 0)}}
	p.Predict(plan.LoadRates(job.Threads))
	return p, nil
}

// importStage is the reading of so many bytes, which become a graph of so many; 0 while that is not known.
func importStage(bytes, graph int64) plan.Stage {
	s := plan.Stage{Name: stageImport, Traffic: 20 * float64(bytes)} // parsing
	if bytes > 0 {
		s.Items = append(s.Items, plan.Item{Name: "input, as it is read", Bytes: bytes, Where: plan.Resident})
	}
	if graph > 0 {
		s.Items = append(s.Items, plan.Item{Name: "graph", Bytes: graph, Where: plan.Resident})
	}
	return s
}

// plan chooses the fastest way that fits the budget whichever of the choices is trained in the end. The stage of tuning is
// there when candidates are still to be tried.
func (pl *planner) plan(choices []choice, tune *tuning) (*plan.Job, error) {
	deepest := &choices[0].design
	for i := range choices {
		if d := &choices[i].design; d.Hops > deepest.Hops {
			deepest = d
		}
	}
	return pl.choose(deepest, func(w way) (*plan.Job, error) { return pl.describe(w, choices, tune) })
}

// choose takes the fastest way whose job fits the budget: with the graph in memory, where it fits.
func (pl *planner) choose(design *Design, describe func(w way) (*plan.Job, error)) (*plan.Job, error) {
	return pl.settle(design, func() (*plan.Job, error) { return pl.fastest(design, describe) })
}

// fastest takes the fastest way whose job fits the budget, with the graph where it is.
func (pl *planner) fastest(design *Design, describe func(w way) (*plan.Job, error)) (*plan.Job, error) {
	if err := pl.normalize(design); err != nil {
		return nil, err
	}
	ways := pl.ways(design)
	var failed error
	tried := map[*plan.Job]way{}
	job, err := plan.Choose(pl.job.Memory, func(i int) (*plan.Job, bool) {
		if failed != nil || i >= len(ways) {
			return nil, false
		}
		var p *plan.Job
		if p, failed = describe(ways[i]); failed != nil {
			return nil, false
		}
		p.Predict(plan.LoadRates(pl.job.Threads))
		tried[p] = ways[i]
		return p, true
	})
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, err
	}
	pl.chosen = tried[job]
	return job, nil
}

// ways are those from the fastest to the one that takes the least memory.
func (pl *planner) ways(design *Design) []way {
	hops := pl.hopWays(design)
	var memory, disk []way
	for i := 0; i < len(hops) || largestBlock>>i > smallestBlock; i++ {
		w := way{propagate: hops[min(i, len(hops)-1)], blockBytes: max(largestBlock>>i, smallestBlock)}
		memory = append(memory, w)
		if w.propagate.Spill || pl.data.Features.Read != nil {
			w.shelve = true
			disk = append(disk, w)
		}
	}
	return append(memory, disk...)
}

// propagation describes the hops of a design, whose adjacency matrix is there, for some nodes (nil: all).
func (pl *planner) propagation(design Design, nodes []int32) *graph.Propagation {
	return &graph.Propagation{
		Graph: pl.data.network(), Adjacency: pl.adjacency, Scaling: design.Scaling, First: design.FirstHop(), K: design.Hops, Rows: pl.data.rows(nodes),
		Combine: design.weights(), Teleport: design.Teleport, Limit: design.Messages == Smoothing, Ranks: ranks(pl.job),
	}
}

// describe is the plan of one way: of each stage the one that takes the most memory.
func (pl *planner) describe(w way, choices []choice, tune *tuning) (*plan.Job, error) {
	d := pl.data
	input := plan.Item{Name: "graph", Bytes: d.graphBytes, Where: plan.Resident}
	p := &plan.Job{Baseline: pl.baseline, Stages: []plan.Stage{importStage(d.importBytes, d.graphBytes)}}
	if tune != nil {
		s, err := tune.stage(pl, w)
		if err != nil {
			return nil, err
		}
		s.Items = append(append(s.Items, input), pl.adjacencyItems()...)
		pl.tuned = &s
	}
	if pl.tuned != nil {
		p.Stages = append(p.Stages, *pl.tuned)
	}
	if pl.searching {
		return p, nil
	}
	var propagate, train plan.Stage
	for _, c := range choices {
		nodes := d.nodesFor(&c.design)
		propagation := pl.propagation(c.design, nodes)
		if s := pl.hopStage(&c.design, propagation, w); propagate.Name == "" || s.Peak() > propagate.Peak() {
			propagate = s
		}
		s, err := pl.trainStage(w, c, pl.hopReads(&c.design, propagation, w))
		if err != nil {
			return nil, err
		}
		s.Items = append(append(s.Items, pl.hopItems(&c.design, propagation, w)...), positionItems(nodes, d.Nodes)...)
		addStage(&s, pl.learnStage(&c.design, c.design.FirstHop(), w), float64(d.distinctSplits()))
		addStage(&s, pl.labelStage(&c.design, w, mostTrain(d.splits), nodes), float64(pl.job.Seeds*max(c.training.Reliable.Stages, 1)))
		if train.Name == "" || s.Peak() > train.Peak() {
			train = s
		}
	}
	propagate.Items = append(append(propagate.Items, input), pl.adjacencyItems()...)
	train.Items = append(train.Items, input)
	if choices[0].design.passes() {
		train.Items = append(train.Items, pl.adjacencyItems()...)
	}
	p.Stages = append(p.Stages, propagate, train)
	return p, nil
}

// mostTrain is the largest number of nodes that train in any split.
func mostTrain(splits []graph.Split) int {
	n := 0
	for _, s := range splits {
		n = max(n, len(s.Train))
	}
	return n
}

// positionItems are what a store takes beside the hops, in a plan.
func positionItems(nodes []int32, all int) []plan.Item {
	if nodes == nil {
		return nil
	}
	return []plan.Item{{Name: "index of rows", Bytes: positionBytes(all), Where: plan.Resident}}
}

// adjacencyItems are the adjacency matrix in a plan, where there is one.
func (pl *planner) adjacencyItems() []plan.Item {
	if pl.adjacency == nil {
		return nil
	}
	norm := pl.adjacency.Norm
	return []plan.Item{{Name: "adjacency matrix", Bytes: norm.Bytes(pl.data.network()), Where: plan.Resident, Note: fmt.Sprintf("r = %g", norm.R)}}
}

// trainStage is the plan of training all seeds, but for the hops and the graph. read says what so many rows of the hops take to read.
func (pl *planner) trainStage(w way, c choice, read func(rows int) int64) (plan.Stage, error) {
	d := pl.data
	s := plan.Stage{Name: stageTrain}
	sizes := d.sizesOf(c, d.splits, w, pl.job.Threads)
	if err := sizes.check(&c.design); err != nil {
		return s, err
	}
	ends, err := sizes.compileEnds(c)
	if err != nil {
		return s, err
	}
	s.Items = d.workItems(&c.design, ends, sizes, true)
	seeds := float64(pl.job.Seeds)
	c.design.Post.plan(d, &s, seeds, pl.job.Threads, d.predictionWay(w.propagate), sizes.Eval)
	addTraining(&s, seeds*float64(c.training.Epochs), &sizes, ends[0])
	addCost(&s, seeds*float64(d.Nodes)/float64(sizes.Eval), ends[0].Eval.Cost)
	if sizes.shelved {
		l := c.design.layout(d.Features.Cols, d.Classes)
		bytes := sizes.shelvedBytes(l)
		s.DiskWrite += int64(seeds) * bytes
		s.DiskRead += int64(seeds) * int64(c.training.Epochs) * bytes
	}
	if !c.design.passes() {
		s.DiskRead += int64(seeds) * sizes.readOfHops(d.Nodes, read)
	}
	return s, nil
}

// readOfHops is what a training reads of hops on disk: the rows that train and those that validate, together where they go to disk
// again, and all rows when it is tested. read says what so many rows take.
func (z *sizes) readOfHops(nodes int, read func(rows int) int64) int64 {
	test := read(nodes)
	switch {
	case z.shelved && z.batched():
		return test + read(z.train+z.Val)
	case z.compress: // once to count entries
		return test + 2*read(z.train) + 2*read(z.Val)
	}
	return test + read(z.train) + read(z.Val)
}

// hopReads says what reading so many rows of everything that a design takes reads from disk.
func (pl *planner) hopReads(design *Design, p *graph.Propagation, w way) func(rows int) int64 {
	if design.Local.acts() {
		s := pl.smoothing(design, p.Rows)
		return func(rows int) int64 { return s.ReadBytes(w.propagate, rows) }
	}
	return func(rows int) int64 { return int64(max(design.Subsets, 1)) * p.ReadBytes(w.propagate, rows) }
}

// addTraining adds so many epochs of training and validation.
func addTraining(s *plan.Stage, epochs float64, z *sizes, ps *Programs) {
	addCost(s, epochs*float64(z.train)/float64(z.Train), ps.Train.Cost)
	addCost(s, epochs*float64(z.Val)/float64(z.Eval), ps.Eval.Cost)
}

// addCost adds so many runs of a program.
func addCost(s *plan.Stage, runs float64, c program.Cost) {
	s.Flops += runs * c.Flops
	s.FlopsBF16 += runs * c.FlopsBF16
	s.Traffic += runs * c.Traffic
}

// Plan implements run.Model. It reads the input.
func (m Model) Plan(ctx context.Context, job *run.Job) (p *plan.Job, err error) {
	w, err := m.prepare(ctx, job, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	return w.plan()
}
