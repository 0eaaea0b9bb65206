package sgap

import (
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/graph/gnn"
	"github.com/seraph-ml/seraph/run"
)

// passes says whether the design is message passing: all nodes are the rows of its one step, and every layer takes the edges.
// What the job does for other designs with the rows of training nodes, it does here with all rows, of which the labels of
// the others are left out.
func (d *Design) passes() bool { return d.Messages == Passing }

// pass appends the network to a program.
func (d *Design) pass(p *program.Program, in *inputs, classes int, training bool) Outputs {
	network := d.Network
	network.NoLast = d.Embeds
	return Outputs{Logits: network.Forward(p, in.adjacency, in.hops[0].Dense, classes, training)}
}

// whole makes the sizes those of a design that takes all nodes at once.
func (s *sizes) whole(d *dataset, norm graph.Norm) {
	s.train, s.Train, s.Val, s.Eval = d.Nodes, d.Nodes, d.Nodes, d.Nodes
	s.compress = false
	s.Edges = d.entries(norm)
	s.TrainEdges = s.Edges
	if d.learning != nil {
		s.train, s.Train, s.TrainEdges = 0, 0, d.learning.entries(norm)
		for _, split := range d.splits {
			s.train, s.Train = max(s.train, len(split.Train)), max(s.Train, len(split.Train))
		}
	}
}

// entries are those of an adjacency matrix without triangles.
func (d *dataset) entries(norm graph.Norm) int {
	n := int(d.Indptr[d.Nodes])
	if norm.SelfLoops {
		n += d.Nodes
	}
	return n
}

// connect gives a store the edges that a design with message passing takes.
func (w *work) connect(s *store, d *Design) (err error) {
	if d.passes() {
		s.edges, err = gnn.NewEdges(w.adjacency)
	}
	return err
}

// passingItems are what message passing holds beside the adjacency matrix, and beside what other designs do.
func passingItems(d *dataset, s sizes) []plan.Item {
	if s.Edges == 0 {
		return nil
	}
	return []plan.Item{
		{Name: "mirrored edges", Bytes: gnn.EdgeBytes(d.Nodes, s.Edges), Where: plan.Resident},
		{Name: "labels", Bytes: 3 * 4 * int64(d.Nodes), Where: plan.Resident},
	}
}

// only keeps the labels of some nodes, and is −1 for all others.
func (d *dataset) only(nodes []int32) []int32 {
	labels := make([]int32, d.Nodes)
	for i := range labels {
		labels[i] = -1
	}
	for _, u := range nodes {
		labels[u] = d.Labels[u]
	}
	return labels
}

// allRows are all nodes, with the labels of some.
func (w *workshop) allRows(b *buffer, s *store, nodes []int32) (rows Rows, err error) {
	err = b.read(s, 0, w.data.Nodes, 0, &rows)
	rows.Labels = w.data.only(nodes)
	return rows, err
}

// openAll makes all nodes the rows of a training and of its validation.
func (w *workshop) openAll(s *store, split graph.Split) error {
	if s.learner != nil {
		return w.openLearning(s, split)
	}
	if w.trainer == nil {
		if err := w.compile(nil); err != nil {
			return err
		}
	}
	w.trainer.edges, w.trainer.trainEdges = s.edges, s.edges
	train, err := w.allRows(w.rows, s, split.Train)
	if err != nil {
		return err
	}
	val := train
	val.Labels = w.data.only(split.Val)
	w.train, w.val = &train, &val
	return nil
}

// openLearning makes the nodes that train the rows of a training, with the edges among them, and all nodes those of its validation.
func (w *workshop) openLearning(s *store, split graph.Split) error {
	from, _, err := s.thatTrain(split.Train)
	if err != nil {
		return err
	}
	if edges := w.data.learning.entries(w.design.Norm); w.trainer == nil || edges != w.sizes.TrainEdges {
		w.sizes.TrainEdges = edges
		if err := w.compile(nil); err != nil {
			return err
		}
	}
	w.trainer.edges, w.trainer.trainEdges = s.edges, from.edges
	val, err := w.allRows(w.valRows, s, split.Val)
	if err != nil {
		return err
	}
	train := Rows{Labels: w.data.labelsOf(split.Train)}
	w.train, w.val = &train, &val
	return w.rows.read(from, 0, from.Rows, 0, &train)
}

// network are the settings of a message-passing network, but for those of attention.
func network(hidden, dropout, lr, weightDecay, decayed string) []run.Setting {
	return append([]run.Setting{
		{Key: "layers", Type: run.Int, Default: "2", Min: "1", Max: "100", Doc: "layers, and so hops"},
		{Key: "hidden", Type: run.Int, Default: hidden, Min: "1", Max: "65536", Doc: "width of the layers but the last"},
		{Key: "dropout", Type: run.Float, Default: dropout, Min: "0", Max: "0.99", Doc: "rate before every layer"},
	}, rates(lr, weightDecay, decayed)...)
}

// edgeAttention are the settings of GAT's attention.
func edgeAttention() []run.Setting {
	return []run.Setting{
		{Key: "heads", Type: run.Int, Default: "8", Min: "1", Max: "1024", Doc: "attention heads of the layers but the last, each hidden wide"},
		{Key: "out-heads", Type: run.Int, Default: "1", Min: "1", Max: "1024", Doc: "attention heads of the last layer, whose mean counts"},
		{Key: "edge-dropout", Type: run.Float, Default: "0.6", Min: "0", Max: "0.99", Doc: "rate on the weights of edges"},
	}
}

// networkOf is the network that settings describe.
func networkOf(v run.Values, bf16 bool) gnn.Network {
	n := gnn.Network{Kind: gnn.GCN, Layers: v.Int("layers"), Hidden: v.Int("hidden"), Dropout: v.Float("dropout"), BF16: bf16}
	if v.Lookup("heads") != nil {
		n.Kind, n.Heads, n.OutHeads, n.AttentionDropout = gnn.GAT, v.Int("heads"), v.Int("out-heads"), v.Float("edge-dropout")
	}
	return n
}
