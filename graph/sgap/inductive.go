package sgap

import (
	"errors"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// Inductive training (Hamilton et al., Inductive Representation Learning on Large Graphs, NeurIPS 2017) sees the graph that the
// nodes that train have among themselves and nothing else: no feature, no edge, no label of any other node. What it learned is
// validated, by which the epoch is chosen, and tested on the whole graph, as it is later applied to one. The scale of ScaleRMS is part of
// what it learned. Components and stationary states are those of the graph at hand.

// inductiveKey is the setting that asks for it.
const inductiveKey = "inductive"

func inductiveSetting() run.Setting {
	return run.Setting{Key: inductiveKey, Type: run.Bool, Default: "false", Scope: run.OfData,
		Doc: "train on the graph that the training nodes have among themselves; validate and test on the whole graph", Source: "Hamilton et al., NeurIPS 2017"}
}

// inductive says whether a job asks for it.
func inductive(job *run.Job) bool { return job.Lookup(inductiveKey) != nil && job.Bool(inductiveKey) }

// learning is the graph of the nodes that train in a split.
type learning struct {
	*dataset
	nodes []int32 // of the whole graph
}

// checkInductive refuses what does not go together with it.
func (w *work) checkInductive() error {
	switch {
	case !inductive(w.job):
	case w.design.Labels.Kind == ReliableLabels:
		return run.Usagef("--inductive and --labels rlu exclude each other: its stages learn from the nodes that do not train")
	}
	return nil
}

// induce makes the graph of the training nodes of the largest split, which stands for all in plans.
func (d *dataset) induce() (err error) {
	var largest []int32
	most := int64(-1)
	for i, s := range d.splits {
		if i > 0 && sameList(s.Train, d.splits[i-1].Train) {
			continue
		}
		if bytes := d.InducedBytes(s.Train); bytes > most {
			largest, most = s.Train, bytes
		}
	}
	d.graphBytes += most
	d.learning, err = d.induced(largest)
	return err
}

func (d *dataset) induced(nodes []int32) (*learning, error) {
	g, err := d.Induced(nodes)
	if err != nil {
		return nil, err
	}
	return &learning{&dataset{Graph: g, graphBytes: g.Bytes()}, nodes}, nil
}

// learnFrom makes the graph of other nodes that train the one at hand.
func (d *dataset) learnFrom(nodes []int32) (err error) {
	if sameList(d.learning.nodes, nodes) {
		return nil
	}
	if err := d.learning.Close(); err != nil {
		return err
	}
	d.learning, err = d.induced(nodes)
	return err
}

// sameList says whether two lists are one: a public split is that of every seed.
func sameList(a, b []int32) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// distinctSplits is how many sets of training nodes there are.
func (d *dataset) distinctSplits() int {
	n := 0
	for i, s := range d.splits {
		if i == 0 || !sameList(s.Train, d.splits[i-1].Train) {
			n++
		}
	}
	return n
}

// learner makes what an inductive training reads of its graph: the rows of the nodes that train, of one split at a time.
type learner struct {
	whole  *work
	design Design
	first  int   // hop that is kept
	at     *work // on the graph of the split at hand
	nodes  []int32
	store  *store
}

// newLearner is the learner for the hops of a design from the first one on; nil where training sees the whole graph.
func (w *work) newLearner(d *Design, first int) *learner {
	if w.data.learning == nil {
		return nil
	}
	return &learner{whole: w, design: *d, first: first}
}

// of returns the rows of the nodes that train in a split, row i that of nodes[i]. They are there until it is called for another.
func (l *learner) of(nodes []int32) (*store, error) {
	if l.store != nil && sameList(l.nodes, nodes) {
		return l.store, nil
	}
	if err := l.close(); err != nil {
		return nil, err
	}
	w := l.whole
	if err := w.data.learnFrom(nodes); err != nil {
		return nil, err
	}
	if w.chosen.propagate.Spill {
		if _, err := w.disk(); err != nil {
			return nil, err
		}
	}
	l.at = &work{ctx: w.ctx, pool: w.pool, spill: w.spill, choice: w.choice,
		planner: planner{job: w.job, preset: w.preset, data: w.data.learning.dataset, chosen: w.chosen}}
	if err := l.at.normalize(&l.design); err != nil {
		return nil, err
	}
	p := l.at.propagation(l.design, nil)
	p.First = l.first
	s, err := l.at.propagate(&l.design, p, nil)
	if err != nil {
		return nil, err
	}
	l.store, l.nodes = s, nodes
	if l.design.passes() {
		return s, l.at.connect(s, &l.design) // along the matrix
	}
	return s, l.at.forget()
}

// tellLearner makes the label input of the rows that train, of the nodes that train, and its scale that of all rows.
func (s *store) tellLearner(d *Design, nodes []int32) error {
	if s.learner == nil {
		return nil
	}
	from, err := s.learner.of(nodes)
	if err != nil {
		return err
	}
	if err := s.learner.at.tellLabels(from, d, graph.Split{Train: ascending(len(nodes))}); err != nil {
		return err
	}
	return s.labels.Rescale(from.labels.Scale())
}

// close gives the memory of the rows at hand back.
func (l *learner) close() (err error) {
	if l == nil {
		return nil
	}
	if l.store != nil {
		err = l.store.Close()
	}
	if l.at != nil {
		err = errors.Join(err, l.at.forget())
	}
	l.store, l.at = nil, nil
	return err
}

// thatTrain are the rows that train in a split: whose they are, and where. All others take their scale.
func (s *store) thatTrain(nodes []int32) (from *store, rows []int32, err error) {
	if s.learner == nil {
		return s, nodes, nil
	}
	if from, err = s.learner.of(nodes); err != nil {
		return nil, nil, err
	}
	return from, ascending(len(nodes)), s.rescale(from.scale())
}

// learnStage is what a learner holds while it makes the rows that train, for a design and whose hops from the first one on, and its
// work; nothing where training sees the whole graph.
func (pl *planner) learnStage(d *Design, first int, w way) plan.Stage {
	if pl.data.learning == nil {
		return plan.Stage{}
	}
	own := planner{job: pl.job, preset: pl.preset, data: pl.data.learning.dataset, pretending: true}
	if d.Hops > 0 || d.passes() || d.Local.acts() {
		own.adjacency = own.data.Shape(d.Norm)
	}
	p := own.propagation(*d, nil)
	p.First = first
	s := own.hopStage(d, p, w)
	s.Items = append(s.Items, own.adjacencyItems()...)
	if d.passes() {
		s.Items = append(s.Items, passingItems(own.data, own.data.sizesOf(choice{design: *d}, []graph.Split{{Train: pl.data.learning.nodes}}, w, 1))...)
	}
	labels := own.labelStage(d, w, own.data.Nodes, nil)
	addStage(&s, labels, 1)
	for i := range s.Items {
		s.Items[i].Name = "nodes that train: " + s.Items[i].Name
	}
	return s
}
