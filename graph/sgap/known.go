package sgap

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/safetensors"
	"github.com/seraph-ml/seraph/graph"
)

// known is what label input starts from: the matrix Y of [LabelUse], (nodes, classes), of so many nodes one-hot.
type known struct {
	graph.Features
	arena *memory.Arena
}

// knownBytes is what the labels of some of all nodes take.
func knownBytes(all, some int) int64 {
	return 8*int64(all+1) + 8*int64(some) + 3*memory.Align
}

// aligned rounds up to where arrays of an arena may begin.
func aligned(n int64) int64 { return (n + memory.Align - 1) / memory.Align * memory.Align }

// newKnown makes Y of nodes, which ascend, and their classes.
func newKnown(all, classes int, nodes, labels []int32) (*known, error) {
	arena, err := memory.NewArena(knownBytes(all, len(nodes)))
	if err != nil {
		return nil, fmt.Errorf("set labels aside: %w", err)
	}
	indices := aligned(8 * int64(all+1))
	values := indices + aligned(4*int64(len(nodes)))
	s := &format.Sparse{
		Rows: all, Cols: classes, Indptr: arena.Int64s(0, all+1), Indices: arena.Int32s(indices, len(nodes)),
		Values: arena.Float32s(values, len(nodes)),
	}
	copy(s.Indices, labels)
	at := 0
	for u := range all {
		if at < len(nodes) && int(nodes[at]) == u {
			s.Values[at] = 1
			at++
		}
		s.Indptr[u+1] = int64(at)
	}
	return &known{graph.Features{Rows: all, Cols: classes, Sparse: s}, arena}, nil
}

func (k *known) close() error { return k.arena.Close() }

// labelNorm is the adjacency matrix that labels travel over.
func (d *Design) labelNorm() graph.Norm { return graph.Norm{R: d.Norm.R} }

// labelPropagation describes the label input for some nodes (nil: all), from Y.
func (pl *planner) labelPropagation(d *Design, y graph.Features, a *graph.Adjacency, nodes []int32) *graph.Propagation {
	g := *pl.data.network()
	g.Features = y
	return &graph.Propagation{Graph: &g, Adjacency: a, Scaling: graph.ScaleRMS, First: d.Labels.first(), K: d.Labels.Hops, Rows: pl.data.rows(nodes), Ranks: ranks(pl.job)}
}

// labelStage is what making and keeping the label input of some nodes (nil: all) takes, from so many labels, and the work of
// doing it once; nothing for a design without. It happens while a training has its memory.
func (pl *planner) labelStage(d *Design, w way, labels int, nodes []int32) plan.Stage {
	if d.Labels.reads() == 0 {
		return plan.Stage{}
	}
	g, classes := pl.data.network(), pl.data.Classes
	n := g.Nodes
	y := graph.Features{Rows: n, Cols: classes, Sparse: &format.Sparse{Rows: n, Cols: classes, Values: make([]float32, labels)}}
	a := g.Shape(d.labelNorm())
	s := pl.labelPropagation(d, y, a, nodes).Stage(w.propagate)
	if d.Labels.Kind == ReliableLabels { // after the first stage Y is dense
		dense := pl.labelPropagation(d, graph.Features{Rows: n, Cols: classes, Dense: []float32{}}, a, nodes).Stage(w.propagate)
		if dense.Peak() > s.Peak() {
			s = dense
		}
	}
	for i := range s.Items {
		s.Items[i].Name = "labels: " + s.Items[i].Name
	}
	s.Items = append(s.Items,
		plan.Item{Name: "labels: adjacency matrix", Bytes: a.Norm.Bytes(g), Where: plan.Resident},
		plan.Item{Name: "labels of nodes that train", Bytes: knownBytes(n, labels), Where: plan.Resident})
	return s
}

// addStage adds the items of another stage and so many times its work.
func addStage(s *plan.Stage, other plan.Stage, times float64) {
	s.Items = append(s.Items, other.Items...)
	s.Flops += times * other.Flops
	s.Traffic += times * other.Traffic
	s.DiskRead += int64(times * float64(other.DiskRead))
	s.DiskWrite += int64(times * float64(other.DiskWrite))
}

// tellLabels makes the label input of the rows of a store from the nodes of a split that train, where the design takes one.
func (w *work) tellLabels(s *store, d *Design, split graph.Split) error {
	if d.Labels.reads() == 0 {
		return nil
	}
	y, err := newKnown(w.data.network().Nodes, w.data.Classes, split.Train, w.data.labelsOf(split.Train))
	if err != nil {
		return err
	}
	if err := errors.Join(w.propagateLabels(s, d, y.Features), y.close()); err != nil {
		return err
	}
	return s.tellLearner(d, split.Train)
}

// propagateLabels makes the label input of the rows of a store, in place of the one before.
func (w *work) propagateLabels(s *store, d *Design, y graph.Features) error {
	if err := s.dropLabels(); err != nil {
		return err
	}
	a, err := w.data.network().Normalize(d.labelNorm())
	if err != nil {
		return err
	}
	s.labels, err = w.compute(w.labelPropagation(d, y, a, s.nodes))
	return errors.Join(err, a.Close())
}

// The tensors of a model with label input: the original ids of the nodes that train, and their classes.
const (
	labelIDs     = "labels.ids"
	labelClasses = "labels.classes"
	labelRows    = "labels.rows" // in place of classes: of nodes that train one-hot, and of reliable ones what a stage before predicted
)

// labelTensors is what a model keeps of the labels that it takes as input. Of a training that ended in a stage after the first it
// is rows of Y, which move to its front.
func (d *dataset) labelTensors(l *LabelUse, train []int32, t *teaching) []safetensors.Input {
	if l.reads() == 0 {
		return nil
	}
	nodes := train
	if t != nil && t.later {
		nodes = t.compact()
	}
	ids := make([]int64, len(nodes))
	for i, u := range nodes {
		ids[i] = d.ID(int(u))
	}
	shape := []int{len(nodes)}
	list := []safetensors.Input{{Name: labelIDs, DType: safetensors.I64, Shape: shape, Data: bytes.NewReader(format.Bytes(ids))}}
	if t != nil && t.later {
		return append(list, safetensors.Float32(labelRows, []int{len(nodes), t.classes}, t.y[:len(nodes)*t.classes]))
	}
	return append(list, safetensors.Input{Name: labelClasses, DType: safetensors.I32, Shape: shape, Data: bytes.NewReader(format.Bytes(d.labelsOf(train)))})
}

// savedLabel is where a model keeps the label of a node.
type savedLabel struct {
	id int64
	at int32
}

// badLabels is the error of labels that do not go together.
func (a *applied) badLabels(what, found, expected string) error {
	return format.CorruptAt(a.job.Dir.File("model/model.safetensors"), -1, what, found, expected)
}

// savedLabels reads whose labels the model keeps, in the order of their ids.
func (a *applied) savedLabels() ([]savedLabel, error) {
	ids, ok := a.saved.Tensor(labelIDs)
	if !ok || ids.DType != safetensors.I64 || ids.Len() < 1 {
		return nil, a.badLabels("nodes with labels", "", "I64 ids")
	}
	id := make([]int64, ids.Len())
	if err := ids.ReadAt(format.Bytes(id), 0); err != nil {
		return nil, err
	}
	list := make([]savedLabel, len(id))
	for i := range list {
		list[i] = savedLabel{id[i], int32(i)}
	}
	slices.SortFunc(list, func(x, y savedLabel) int { return cmp.Compare(x.id, y.id) })
	return list, nil
}

// recallLabels makes the label input of all nodes: from those that the model was told of and the graph has, by their ids.
func (a *applied) recallLabels(s *store) error {
	if a.design.Labels.reads() == 0 {
		return nil
	}
	nodes, at, kept, err := a.knownNodes()
	if err != nil {
		return err
	}
	read := a.recallClasses
	if _, ok := a.saved.Tensor(labelRows); ok {
		read = a.recallRows
	}
	y, err := read(nodes, at, kept)
	if err != nil {
		return err
	}
	return errors.Join(a.propagateLabels(s, &a.design, y.Features), y.close())
}

// knownNodes are the nodes of the graph, ascending, whose labels the model keeps, and where among how many.
func (a *applied) knownNodes() (nodes, at []int32, kept int, err error) {
	saved, err := a.savedLabels()
	if err != nil {
		return nil, nil, 0, err
	}
	for u := range a.data.Nodes {
		id := a.data.ID(u)
		if i, ok := slices.BinarySearchFunc(saved, id, func(l savedLabel, id int64) int { return cmp.Compare(l.id, id) }); ok {
			nodes, at = append(nodes, int32(u)), append(at, saved[i].at)
		}
	}
	a.job.Notef("known labels: the graph has %d of the %d nodes whose labels the model keeps", len(nodes), len(saved))
	return nodes, at, len(saved), nil
}

// recallClasses makes Y of the classes of nodes, which ascend, kept at the given places of so many.
func (a *applied) recallClasses(nodes, at []int32, kept int) (*known, error) {
	labels, err := a.classesAt(at, kept)
	if err != nil {
		return nil, err
	}
	return newKnown(a.data.network().Nodes, a.data.Classes, nodes, labels)
}

// classesAt reads the classes kept at the given places of so many.
func (a *applied) classesAt(at []int32, kept int) ([]int32, error) {
	tensor, ok := a.saved.Tensor(labelClasses)
	if !ok || tensor.DType != safetensors.I32 || tensor.Len() != kept {
		return nil, a.badLabels("labels of nodes", "", fmt.Sprintf("%d classes as I32", kept))
	}
	all := make([]int32, kept)
	if err := tensor.ReadAt(format.Bytes(all), 0); err != nil {
		return nil, err
	}
	labels := make([]int32, len(at))
	for i := range labels {
		labels[i] = all[at[i]]
		if labels[i] < 0 || int(labels[i]) >= a.data.Classes {
			return nil, a.badLabels("label", fmt.Sprint(labels[i]), fmt.Sprintf("0 … %d", a.data.Classes-1))
		}
	}
	return labels, nil
}

// recallRows makes Y of the rows of nodes.
func (a *applied) recallRows(nodes, at []int32, kept int) (*known, error) {
	classes := a.data.Classes
	tensor, _ := a.saved.Tensor(labelRows)
	if tensor.DType != safetensors.F32 || tensor.Len() != kept*classes {
		return nil, a.badLabels("labels of nodes", fmt.Sprintf("%s%v", tensor.DType, tensor.Shape), fmt.Sprintf("%d rows of %d classes as F32", kept, classes))
	}
	arena, err := memory.NewArena(denseKnownBytes(a.data.Nodes, classes))
	if err != nil {
		return nil, fmt.Errorf("set labels aside: %w", err)
	}
	y := arena.Float32s(0, a.data.Nodes*classes)
	for i, u := range nodes {
		if err := tensor.ReadAt(format.Bytes(y[int(u)*classes:][:classes]), 4*int64(at[i])*int64(classes)); err != nil {
			return nil, errors.Join(err, arena.Close())
		}
	}
	return &known{graph.Features{Rows: a.data.Nodes, Cols: classes, Dense: y}, arena}, nil
}

// denseKnownBytes is what Y takes with a whole row a node.
func denseKnownBytes(all, classes int) int64 { return 4*int64(all)*int64(classes) + memory.Align }

// recallStage is the plan of recallLabels.
func (a *applied) recallStage(w way) plan.Stage {
	ids, ok := a.saved.Tensor(labelIDs)
	if !ok {
		return plan.Stage{}
	}
	s := a.labelStage(&a.design, w, ids.Len(), nil)
	s.Items = append(s.Items, plan.Item{Name: "labels that the model keeps", Bytes: 48 * int64(ids.Len()), Where: plan.Resident})
	if _, ok := a.saved.Tensor(labelRows); ok {
		s.Items = append(s.Items, plan.Item{Name: "labels of all nodes", Bytes: denseKnownBytes(a.data.Nodes, a.data.Classes), Where: plan.Resident})
	}
	return s
}
