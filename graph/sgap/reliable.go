package sgap

import (
	"errors"
	"math"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
	"github.com/seraph-ml/seraph/graph"
)

// Reliable is training in stages, each of which learns from what the one before predicts reliably (reliable label utilisation,
// arXiv 2108.10097, sec. 3.2.5). A stage begins anew, from the same weights. With P the softmax of the logits by
// Temperature, at the best epoch of the stage before, and V the nodes that do not train and whose max_j P_ij is above
// Threshold, a stage after the first
//
//   - propagates Y with the rows P_i for the nodes of V beside those of the nodes that train;
//   - takes n_1 of the nodes that train and n_2 of V in a step, as n_1 : n_2 of all, and has the loss
//     n_1/(n_1+n_2) · CE + Gamma · n_2/(n_1+n_2) · mean over V of max_j P_ij · KL(P_i ‖ softmax(logits_i)).
//
// An epoch ends with the shorter list. Where V is empty, a stage is the one before again, to the bit.
type Reliable struct {
	Stages      int // trainings, the first included
	Threshold   float64
	Temperature float64
	Gamma       float64
}

// firstStage is what the first stage does: it has nothing reliable to learn from yet.
func (c choice) firstStage() choice {
	if c.design.Labels.Kind == ReliableLabels {
		c.design.Labels.Kind = LabelInput
		c.training.Reliable = Reliable{}
	}
	return c
}

// lesson is the part of a step's program that learns from reliable nodes.
type lesson struct {
	share   *program.Value // scalar: n_1/(n_1+n_2)
	teacher *program.Value // (rows, classes): P
	trust   *program.Value // (rows): max_j P_ij, 0 in the rows of nodes that train
}

// learn appends the loss of a stage to a program, from that of the nodes that train.
func (r *Reliable) learn(p *program.Program, logits, loss *program.Value, classes int) (lesson, *program.Value) {
	rows := logits.Dim(0)
	l := lesson{
		share:   p.Input("share", tensor.F32()),
		teacher: p.External("teacher", tensor.F32(rows, tensor.Fixed(classes))),
		trust:   p.Input("trust", tensor.F32(rows)),
	}
	distilled := p.Distillation(logits, l.teacher, l.trust) // the mean over all rows: n_2/(n_1+n_2) times that over V
	return l, p.Add(p.Mul(l.share, loss), p.Scale(distilled, float32(r.Gamma)))
}

// bind gives a step of so many rows what it learns from.
func (l *lesson) bind(e *program.Execution, t *teaching, rows int) {
	if l.share == nil {
		return
	}
	e.Tensor(l.share).Float32s()[0] = t.share
	e.Tensor(l.teacher).Bind(t.teacher[:rows*t.classes])
	copy(e.Tensor(l.trust).Float32s(), t.trust[:rows])
}

// teaching is what a training in stages has learned of reliable nodes, and memory for steps that learn from them.
type teaching struct {
	arena   *memory.Arena
	y       []float32 // (nodes, classes): Y
	nodes   []int32   // V, ascending
	room    []int32   // for V
	order   []int32   // of V in an epoch
	teacher []float32 // of a step
	trust   []float32
	classes int
	share   float32

	rows      *buffer // of a step
	store     *store
	first     int  // of the hops
	later     bool // a stage after the first
	assembled bool // all rows make one step, and its rows are there
}

// teachingBytes is what a teaching takes, with steps of so many rows.
func teachingBytes(nodes, rows int, l layout) int64 {
	return aligned(4*int64(nodes)*int64(l.classes)) + 2*aligned(4*int64(nodes)) + aligned(4*int64(rows)*int64(l.classes)) + aligned(4*int64(rows)) +
		bufferBytes(rows, l, false)
}

// newTeaching sets the memory aside.
func newTeaching(nodes, rows int, l layout) (*teaching, error) {
	t := &teaching{classes: l.classes, share: 1}
	var err error
	if t.rows, err = newBuffer(rows, l, false); err != nil {
		return nil, err
	}
	if t.arena, err = memory.NewArena(teachingBytes(nodes, rows, l) - bufferBytes(rows, l, false)); err != nil {
		return nil, errors.Join(err, t.rows.close())
	}
	t.y = t.arena.Float32s(0, nodes*l.classes)
	at := aligned(4 * int64(len(t.y)))
	t.room = t.arena.Int32s(at, nodes)
	at += aligned(4 * int64(nodes))
	t.order = t.arena.Int32s(at, nodes)
	at += aligned(4 * int64(nodes))
	t.teacher = t.arena.Float32s(at, rows*l.classes)
	t.trust = t.arena.Float32s(at+aligned(4*int64(len(t.teacher))), rows)
	return t, nil
}

func (t *teaching) close() error {
	if t == nil {
		return nil
	}
	return errors.Join(t.arena.Close(), t.rows.close())
}

// forget goes back to the first stage.
func (t *teaching) forget() {
	t.nodes, t.share, t.later, t.assembled = nil, 1, false, false
	clear(t.teacher)
	clear(t.trust)
}

// features is Y.
func (t *teaching) features() graph.Features {
	return graph.Features{Rows: len(t.y) / t.classes, Cols: t.classes, Dense: t.y}
}

// predicted takes logits of nodes lo and following into Y, as probabilities.
func (t *teaching) predicted(lo int, logits []float32, temperature float64) {
	for at := 0; at < len(logits); at += t.classes {
		row := logits[at : at+t.classes]
		top := float64(row[argmax(row)])
		var sum float64
		for _, x := range row {
			sum += math.Exp((float64(x) - top) / temperature)
		}
		for j, x := range row {
			t.y[lo*t.classes+at+j] = float32(math.Exp((float64(x)-top)/temperature) / sum)
		}
	}
}

// settle makes Y of predictions of all nodes: one-hot for those that train, which ascend, and zero for those that are not
// reliable.
func (t *teaching) settle(train, labels []int32, threshold float64) {
	t.nodes = t.room[:0]
	for u := range len(t.y) / t.classes {
		row := t.y[u*t.classes : (u+1)*t.classes]
		switch {
		case len(train) > 0 && int(train[0]) == u:
			clear(row)
			row[labels[0]] = 1
			train, labels = train[1:], labels[1:]
		case float64(row[argmax(row)]) > threshold:
			t.nodes = append(t.nodes, int32(u))
		default:
			clear(row)
		}
	}
	t.share, t.later, t.assembled = 1, true, false // until a step has reliable rows
	clear(t.trust)
}

// compact moves the rows of Y that are not zero to its front and returns their nodes, ascending. Y is of no other use then.
func (t *teaching) compact() []int32 {
	nodes := t.room[:0]
	for u := range len(t.y) / t.classes {
		row := t.y[u*t.classes : (u+1)*t.classes]
		if row[argmax(row)] > 0 {
			copy(t.y[len(nodes)*t.classes:], row)
			nodes = append(nodes, int32(u))
		}
	}
	return nodes
}

// assemble makes a step's rows of some rows of r, and of reliable nodes.
func (t *teaching) assemble(r *Rows, rows, nodes []int32, into *Rows) error {
	t.rows.take(r, rows, into)
	n := len(rows)
	into.Count = n + len(nodes)
	for i := range into.Hops {
		cols := t.rows.layout.width(i)
		into.Hops[i].Dense = t.rows.hops[i][:into.Count*cols]
		from, k := t.rows.from(t.store, t.first, i)
		if err := from.Gather(nodes, k, into.Hops[i].Dense[n*cols:]); err != nil {
			return err
		}
	}
	clear(t.teacher[:n*t.classes])
	clear(t.trust[:n])
	for i, u := range nodes {
		p := t.y[int(u)*t.classes:][:t.classes]
		copy(t.teacher[(n+i)*t.classes:], p)
		t.trust[n+i] = p[argmax(p)]
		into.Labels = append(into.Labels, -1)
	}
	t.share = float32(n) / float32(into.Count)
	return nil
}

// reliableStream is mixed into the seed for the order of reliable nodes.
const reliableStream = 0x72656c6961626c65 // "reliable"

// lessons makes the steps of an epoch that learn from reliable nodes, too.
func (f *fitter) lessons() (loss float64, err error) {
	t := f.teaching
	n1, n2 := f.train.Count, len(t.nodes)
	part := func(n int) int { return max(1, min(n, int(int64(f.Sizes.Train)*int64(n)/int64(n1+n2)))) }
	b1, b2 := part(n1), part(n2)
	if b1 == n1 && b2 == n2 {
		if !t.assembled {
			if err := t.assemble(f.train, ascending(n1), t.nodes, &f.rows); err != nil {
				return 0, err
			}
			t.assembled = true
		}
		return f.fit(&f.rows, f.LR)
	}
	if len(f.order) != n1 {
		f.order = make([]int32, n1)
	}
	first, second := f.order, t.order[:n2]
	shuffle(first, f.seed, f.trainer.epoch)
	shuffle(second, f.seed^reliableStream, f.trainer.epoch)
	for i, u := range second {
		second[i] = t.nodes[u]
	}
	rows := 0
	for len(first) > 0 && len(second) > 0 {
		b1, b2 = min(b1, len(first)), min(b2, len(second))
		if err := t.assemble(f.train, first[:b1], second[:b2], &f.rows); err != nil {
			return 0, err
		}
		first, second = first[b1:], second[b2:]
		step, err := f.fit(&f.rows, f.LR)
		if err != nil {
			return 0, err
		}
		loss += step * float64(f.rows.Count)
		rows += f.rows.Count
	}
	return loss / float64(rows), nil
}

// ascending is 0 … n−1.
func ascending(n int) []int32 {
	list := make([]int32, n)
	for i := range list {
		list[i] = int32(i)
	}
	return list
}

// teachingItems is the memory of training in stages, in a plan.
func teachingItems(nodes int, s sizes, l layout) []plan.Item {
	return []plan.Item{
		{Name: "predictions of all nodes, and rows of steps that learn from them", Bytes: teachingBytes(nodes, s.Train, l), Where: plan.Resident},
	}
}
