package sgap

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
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
	g := *pl.data.Graph
	g.Features = y
	return &graph.Propagation{Graph: &g, Adjacency: a, Scaling: graph.ScaleRMS, First: d.Labels.Hops, K: d.Labels.Hops, Rows: nodes}
}

// labelStage is what making and keeping the label input of some nodes (nil: all) takes, from so many labels, and the work of
// doing it once; nothing for a design without. It happens while a training has its memory.
func (pl *planner) labelStage(d *Design, w way, labels int, nodes []int32) plan.Stage {
	if d.Labels.reads() == 0 {
		return plan.Stage{}
	}
	n, classes := pl.data.Nodes, pl.data.Classes
	y := graph.Features{Rows: n, Cols: classes, Sparse: &format.Sparse{Rows: n, Cols: classes, Values: make([]float32, labels)}}
	a := &graph.Adjacency{Norm: d.labelNorm(), CSR: kernel.CSR{Rows: n, Cols: n, Indptr: pl.data.Indptr}} // as many entries as it will have
	s := pl.labelPropagation(d, y, a, nodes).Stage(w.propagate)
	for i := range s.Items {
		s.Items[i].Name = "labels: " + s.Items[i].Name
	}
	s.Items = append(s.Items,
		plan.Item{Name: "labels: adjacency matrix", Bytes: a.Norm.Bytes(pl.data.Graph), Where: plan.Resident},
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
	y, err := newKnown(w.data.Nodes, w.data.Classes, split.Train, w.data.labelsOf(split.Train))
	if err != nil {
		return err
	}
	return errors.Join(w.propagateLabels(s, d, y), y.close())
}

// propagateLabels makes the label input of the rows of a store, in place of the one before.
func (w *work) propagateLabels(s *store, d *Design, y *known) error {
	if err := s.dropLabels(); err != nil {
		return err
	}
	a, err := w.data.Normalize(d.labelNorm())
	if err != nil {
		return err
	}
	s.labels, err = w.compute(w.labelPropagation(d, y.Features, a, s.nodes))
	return errors.Join(err, a.Close())
}

// The tensors of a model with label input: the original ids of the nodes that train, and their classes.
const (
	labelIDs     = "labels.ids"
	labelClasses = "labels.classes"
)

// labelTensors is what a model keeps of the labels that it takes as input.
func (d *dataset) labelTensors(l *LabelUse, train []int32) []safetensors.Input {
	if l.reads() == 0 {
		return nil
	}
	ids := make([]int64, len(train))
	for i, u := range train {
		ids[i] = d.IDs[u]
	}
	shape := []int{len(train)}
	return []safetensors.Input{
		{Name: labelIDs, DType: safetensors.I64, Shape: shape, Data: bytes.NewReader(format.Bytes(ids))},
		{Name: labelClasses, DType: safetensors.I32, Shape: shape, Data: bytes.NewReader(format.Bytes(d.labelsOf(train)))},
	}
}

// savedLabel is a label that a model keeps.
type savedLabel struct {
	id    int64
	class int32
}

// savedLabels reads them, in the order of their ids.
func (a *applied) savedLabels() ([]savedLabel, error) {
	path := a.job.Dir.File("model/model.safetensors")
	ids, ok := a.saved.Tensor(labelIDs)
	classes, ok2 := a.saved.Tensor(labelClasses)
	if !ok || !ok2 || ids.DType != safetensors.I64 || classes.DType != safetensors.I32 || ids.Len() != classes.Len() || ids.Len() < 1 {
		return nil, format.CorruptAt(path, -1, "labels of nodes that trained", "", "as many I64 ids as I32 classes")
	}
	id, class := make([]int64, ids.Len()), make([]int32, ids.Len())
	if err := errors.Join(ids.ReadAt(format.Bytes(id), 0), classes.ReadAt(format.Bytes(class), 0)); err != nil {
		return nil, err
	}
	list := make([]savedLabel, len(id))
	for i := range list {
		if class[i] < 0 || int(class[i]) >= a.data.Classes {
			return nil, format.CorruptAt(path, -1, "label", fmt.Sprint(class[i]), fmt.Sprintf("0 … %d", a.data.Classes-1))
		}
		list[i] = savedLabel{id[i], class[i]}
	}
	slices.SortFunc(list, func(x, y savedLabel) int { return cmp.Compare(x.id, y.id) })
	return list, nil
}

// recallLabels makes the label input of all nodes: from those that the model trained on and the graph has, by their ids.
func (a *applied) recallLabels(s *store) error {
	if a.design.Labels.reads() == 0 {
		return nil
	}
	saved, err := a.savedLabels()
	if err != nil {
		return err
	}
	var nodes, labels []int32
	for u, id := range a.data.IDs {
		if at, ok := slices.BinarySearchFunc(saved, id, func(l savedLabel, id int64) int { return cmp.Compare(l.id, id) }); ok {
			nodes, labels = append(nodes, int32(u)), append(labels, saved[at].class)
		}
	}
	a.job.Notef("label input: the graph has %d of the %d nodes that the model was trained on", len(nodes), len(saved))
	y, err := newKnown(a.data.Nodes, a.data.Classes, nodes, labels)
	if err != nil {
		return err
	}
	return errors.Join(a.propagateLabels(s, &a.design, y), y.close())
}

// recallStage is the plan of recallLabels.
func (a *applied) recallStage(w way) plan.Stage {
	ids, ok := a.saved.Tensor(labelIDs)
	if !ok {
		return plan.Stage{}
	}
	s := a.labelStage(&a.design, w, ids.Len(), nil)
	s.Items = append(s.Items, plan.Item{Name: "labels that the model keeps", Bytes: 48 * int64(ids.Len()), Where: plan.Resident})
	return s
}
