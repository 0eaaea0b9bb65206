package sgap

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// A heterogeneous graph, whose edges are of several relations, is taken apart into the graphs of S subsets of relations
// (NARS: Yu et al., Scalable Graph Neural Networks for Heterogeneous Graphs, 2020). Features are propagated along each,
//
//	X_{k,s} = Â_s^k X,  Â_s of the edges of subset s in both directions,
//
// over nodes of all kinds, and what the message aggregator takes as hop k is
//
//	Z_k = Σ_s a_{k,s} ⊙ X_{k,s},  a_{k,s} ∈ R^features learned.

const (
	relationsKey = "relations"
	subsetsKey   = "relation-subsets"
)

// heteroName is the format of graphs with several kinds of nodes.
const heteroName = "ogb-hetero"

// relationSettings are the settings of models that take heterogeneous graphs.
func relationSettings() []run.Setting {
	return []run.Setting{
		{Key: relationsKey, Type: run.String, Doc: "of a graph with several kinds of nodes: subsets of its relations along which features are propagated, writes+cites,cites for two; none: as many as --relation-subsets says, drawn by the seed", Source: "Yu et al., NARS, 2020"},
		{Key: subsetsKey, Type: run.Int, Default: "8", Min: "1", Max: "1000", Doc: "subsets of relations to draw where none are given, each with relations of the nodes to classify", Source: "arXiv 2108.10097, ogbn-mag"},
	}
}

// readGraph reads a graph, of several kinds of nodes where the model takes such graphs.
func (d *dataset) readGraph(job *run.Job, kind detect.Kind, model *config) (*format.Graph, error) {
	takes := job.Lookup(relationsKey) != nil
	if kind.Name == heteroName && !takes {
		return nil, run.Usagef("%s has several kinds of nodes; gmlp, gamlp-jk and gamlp-r take such graphs", job.Data)
	}
	raw, err := detect.ReadGraph(job.Data, detect.Options{Weights: job.String("weights"), Kinds: takes})
	switch {
	case err != nil:
		return nil, err
	case raw.Weights == nil && job.String("weights") != "":
		return nil, run.Usagef("--weights %s: no weights are read from %s (%s)", job.String("weights"), job.Data, kind.Title)
	case !takes:
		return raw, nil
	case raw.Kinds == nil && (job.String(relationsKey) != "" || model != nil && model.Relations != ""):
		return nil, run.Usagef("%s (%s) has no relations: all its edges are of one kind", job.Data, kind.Title)
	case raw.Kinds != nil && model != nil && model.Relations == "":
		return nil, run.Usagef("%s has several kinds of nodes, the model was trained on a graph with one", job.Data)
	case raw.Kinds != nil && inductive(job):
		return nil, run.Usagef("--inductive is for graphs whose nodes are of one kind")
	}
	return raw, nil
}

// classify leaves the nodes that are classified as the graph, beside the whole, and finds the subsets of relations.
func (d *dataset) classify(job *run.Job, model *config) (err error) {
	d.whole = d.Graph
	d.Graph = d.whole.Classified()
	switch {
	case model != nil:
		d.subsets, err = d.whole.ParseRelations(model.Relations)
	case job.String(relationsKey) != "":
		d.subsets, err = d.whole.ParseRelations(job.String(relationsKey))
	default:
		d.subsets = d.whole.DrawRelations(job.Int(subsetsKey), job.Seed)
	}
	if err == nil && len(d.subsets) == 0 {
		err = run.Usagef("%s has no relation with edges of %s, whose classes are to be learned", job.Data, d.whole.Kinds[0].Name)
	}
	return err
}

// noteKinds tells what was read.
func (d *dataset) noteKinds(job *run.Job, title string) {
	g := d.whole
	job.Notef("%s: %s, %d nodes of %d kinds, %d edges of %d relations, %d features; %d nodes of %s in %d classes",
		job.Data, title, g.Nodes, len(g.Kinds), g.Edges(), len(g.Relations), g.Features.Cols, d.Nodes, g.Kinds[0].Name, d.Classes)
	job.Notef("features are propagated along %d subsets of relations: %s", len(d.subsets), d.relationNames())
}

// relationNames are the subsets of relations as --relations takes them; "" where all edges are of one kind.
func (d *dataset) relationNames() string {
	if d.whole == nil {
		return ""
	}
	return d.whole.RelationNames(d.subsets)
}

// network is the graph that features and labels are propagated in. Its first nodes are those that are classified, all of them
// where nodes are of one kind.
func (d *dataset) network() *graph.Graph {
	if d.whole != nil {
		return d.whole
	}
	return d.Graph
}

// rows are the nodes of the network whose rows a propagation keeps for some that are classified (nil: all of those).
func (d *dataset) rows(nodes []int32) []int32 {
	if d.whole == nil || nodes != nil {
		return nodes
	}
	all := make([]int32, d.Nodes)
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

// choiceOf is what settings describe, for the data at hand.
func (pl *planner) choiceOf(v run.Values) choice {
	c := pl.preset.choice(v, pl.job.Precision == "bf16")
	c.design.Subsets = len(pl.data.subsets)
	return c
}

// checkSubsets refuses what subsets of relations do not go together with.
func (d *Design) checkSubsets() error {
	switch {
	case d.Subsets == 0:
	case !d.Messages.attends():
		return run.Usagef("messages=%s adds up hops as they are made: subsets of relations are weighed first, by models that weigh hops", d.Messages)
	case d.Labels.Kind == ReliableLabels:
		return run.Usagef("--labels rlu is for graphs whose nodes are of one kind; --labels input takes others, too")
	}
	return nil
}

// combineSubsets is Z_k of the matrices that are read, hop after hop; where there are no subsets, the hops are as they are.
func (d *Design) combineSubsets(p *program.Program, matrices []nn.Matrix) []nn.Matrix {
	if d.Subsets == 0 {
		return matrices
	}
	defer p.Scope(relationsKey)()
	var hops []nn.Matrix
	for k := range len(matrices) / d.Subsets {
		parts := matrices[k*d.Subsets : (k+1)*d.Subsets]
		features := parts[0].Width(p)
		bound := math.Sqrt(6 / float64(d.Subsets+features)) // Glorot's, of a matrix (subsets, features)
		var sum *program.Value
		for s, x := range parts {
			part := p.MulRow(x.Dense, p.Parameter(fmt.Sprintf("%d.%d.weight", k, s), nn.Uniform(bound), features))
			if sum != nil {
				part = p.Add(sum, part)
			}
			sum = part
		}
		hops = append(hops, nn.Matrix{Dense: sum})
	}
	return hops
}

// propagateSubsets is propagate along each subset of relations, each computed as compute does.
func (pl *planner) propagateSubsets(d *Design, p *graph.Propagation, nodes []int32, compute func(*graph.Propagation) (*graph.Hops, error)) (s *store, err error) {
	s = &store{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	for i, set := range pl.data.subsets {
		norm := d.Norm
		norm.Relations = set
		if err := pl.adjacencyOf(norm); err != nil {
			return s, err
		}
		one := &graph.Propagation{Graph: p.Graph, Adjacency: pl.adjacency, Scaling: p.Scaling, First: p.First, K: p.K, Teleport: p.Teleport, Rows: p.Rows, Ranks: p.Ranks}
		if p.Progress != nil {
			one.Progress = func(done, total int) { p.Progress(i*total+done, len(pl.data.subsets)*total) }
		}
		h, err := compute(one)
		if err != nil {
			return s, err
		}
		if s.Hops == nil {
			if s, err = newStore(h, nodes, pl.data.Nodes); err != nil {
				return &store{}, err
			}
		}
		s.subsets = append(s.subsets, h)
	}
	return s, nil
}

// subsetsStage is the plan of a propagation along each subset of relations, of which p has the edges of all: hops of every subset
// stay, and none takes more while it is at work than all edges would.
func subsetsStage(d *Design, p *graph.Propagation, w graph.Way) plan.Stage {
	s := p.Stage(w)
	if d.Subsets > 0 {
		kept := len(p.Items(w)) // the first of the items
		copy(s.Items, subsetsItems(d, s.Items[:kept]))
		addStage(&s, plan.Stage{Flops: s.Flops, Traffic: s.Traffic, DiskRead: s.DiskRead, DiskWrite: s.DiskWrite}, float64(d.Subsets-1))
	}
	return s
}

// subsetsItems are what hops take along every subset, where they take such items along one.
func subsetsItems(d *Design, items []plan.Item) []plan.Item {
	if d.Subsets == 0 {
		return items
	}
	items = slices.Clone(items)
	for i := range items {
		items[i].Bytes *= int64(d.Subsets)
		items[i].Note = fmt.Sprintf("of %d subsets of relations: %s", d.Subsets, items[i].Note)
	}
	return items
}
