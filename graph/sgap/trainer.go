package sgap

import (
	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/graph/gnn"
)

// Rows is a block of rows of the hops that a design reads.
type Rows struct {
	Count  int
	Hops   []HopRows
	Labels []int32
}

// HopRows is the rows of one hop: dense, or rows First to First+Count of compressed ones.
type HopRows struct {
	Dense []float32 // Count × features
	first int
	rows  *compressed
}

// Slice makes into rows lo ≤ i < hi.
func (r *Rows) Slice(lo, hi int, into *Rows) {
	into.Count = hi - lo
	into.Labels = r.Labels[lo:hi]
	into.Hops = into.Hops[:0]
	for _, h := range r.Hops {
		if h.rows != nil {
			h.first += lo
		} else {
			features := len(h.Dense) / r.Count
			h.Dense = h.Dense[lo*features : hi*features]
		}
		into.Hops = append(into.Hops, h)
	}
}

// trainer is programs with memory: a model being trained or applied.
type trainer struct {
	*Programs
	session *program.Session
	epoch   int // done
	step    uint64
	block   Rows

	guidance float32 // weight of the guide's loss
	taught   *teaching
	edges    *gnn.Edges // for message passing, else nil

	trainEdges *gnn.Edges // the same in training
}

func newTrainer(ps *Programs, pool *kernel.Pool) (*trainer, error) {
	s, err := program.Start(pool, ps.All()...)
	if err != nil {
		return nil, err
	}
	return &trainer{Programs: ps, session: s}, nil
}

func (t *trainer) close() error { return t.session.Close() }

// reset begins a training from the seed.
func (t *trainer) reset(seed uint64) {
	t.session.Initialize(seed)
	t.epoch, t.step = 0, 0
}

// fit makes one step on the rows and returns its loss.
func (t *trainer) fit(rows *Rows, lr float64) (float64, error) {
	e := t.session.Execution(t.Train)
	if err := t.train.bind(e, rows, t.trainEdges); err != nil {
		return 0, err
	}
	t.step++
	t.session.Step = t.step
	e.Tensor(t.lr).Float32s()[0] = float32(lr)
	if t.Programs.guidance != nil {
		e.Tensor(t.Programs.guidance).Float32s()[0] = t.guidance
	}
	t.lesson.bind(e, t.taught, rows.Count)
	if err := e.Run(); err != nil {
		return 0, err
	}
	return float64(e.Tensor(t.loss).Float32s()[0]), nil
}

// bind makes rows, and for message passing edges, the input of an execution.
func (in *inputs) bind(e *program.Execution, rows *Rows, edges *gnn.Edges) error {
	if err := e.SetSize("rows", rows.Count); err != nil {
		return err
	}
	for i, x := range in.hops {
		if x.Sparse == nil {
			e.Tensor(x.Dense).Bind(rows.Hops[i].Dense)
		} else if err := bindSparse(e, x.Sparse, hopName(i), &rows.Hops[i], rows.Count); err != nil {
			return err
		}
	}
	if in.adjacency != nil {
		edges.Bind(e, in.adjacency)
	}
	copy(e.Tensor(in.labels).Int32s(), rows.Labels)
	return nil
}

// apply evaluates rows, at most as many as planned for, and returns logits (rows, classes) and the loss of each row; of a design
// that embeds (rows, width) and nil.
func (t *trainer) apply(rows *Rows) (logits, losses []float32, err error) {
	c, ev := t.Eval, &t.eval
	if rows.dense() {
		c, ev = t.Dense, &t.dense
	}
	e := t.session.Execution(c)
	if err := ev.bind(e, rows, t.edges); err != nil {
		return nil, nil, err
	}
	if err := e.Run(); err != nil {
		return nil, nil, err
	}
	if ev.losses != nil {
		losses = e.Tensor(ev.losses).Float32s()
	}
	return e.Tensor(ev.logits).Float32s(), losses, nil
}

// applyAll evaluates the rows of a store in order, block by block in the buffer, and hands yield the logits from row lo on.
func (t *trainer) applyAll(s *store, block *buffer, d *Design, yield func(lo int, logits []float32) error) error {
	none := make([]int32, t.Sizes.Eval)
	for i := range none {
		none[i] = -1
	}
	block.fold = foldOf(s, d)
	for lo := 0; lo < s.Rows; lo += t.Sizes.Eval {
		hi := min(lo+t.Sizes.Eval, s.Rows)
		if err := block.read(s, lo, hi, d.FirstHop(), &t.block); err != nil {
			return err
		}
		t.block.Labels = none[:hi-lo]
		logits, _, err := t.apply(&t.block)
		if err != nil {
			return err
		}
		if err := yield(lo, logits); err != nil {
			return err
		}
	}
	return nil
}

// weights are those of the hops, (rows, hops), of the dense rows that were evaluated last.
func (t *trainer) weights() []float32 {
	return t.session.Execution(t.Dense).Tensor(t.Programs.dense.weights).Float32s()
}

// dense says whether no hop is compressed.
func (r *Rows) dense() bool {
	for _, h := range r.Hops {
		if h.rows != nil {
			return false
		}
	}
	return true
}

// score evaluates rows block by block.
func (t *trainer) score(rows *Rows, classes int) (*Score, error) {
	s := NewScore(classes)
	return s, t.addScore(s, rows)
}

func (t *trainer) addScore(s *Score, rows *Rows) error {
	for lo := 0; lo < rows.Count; lo += t.Sizes.Eval {
		rows.Slice(lo, min(lo+t.Sizes.Eval, rows.Count), &t.block)
		logits, losses, err := t.apply(&t.block)
		if err != nil {
			return err
		}
		s.Add(logits, losses, t.block.Labels)
	}
	return nil
}
