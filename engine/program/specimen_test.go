package program

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// specimen is a random training step, grown from a tape of numbers: the same tape gives the same step under any bound.
type specimen struct {
	p    *Program
	tape []uint32
	at   int

	rows    tensor.Dim
	least   int
	lr      *Value
	sparse  *Sparse  // (rows, 12)
	values  []*Value // (rows, width), to be read by operations to come
	vectors []*Value // parameters that are used as rows, several times
}

// widths of what the operations of a specimen pass to each other; 12 is a sequence of 3 tokens, too, and 80 more than a
// product makes at a time.
var widths = []int{1, 2, 4, 6, 12, 80}

func (s *specimen) pick(n int) int {
	if s.at == len(s.tape) {
		return 0
	}
	s.at++
	return int(s.tape[s.at-1] % uint32(n))
}

func (s *specimen) any() *Value { return s.values[s.pick(len(s.values))] }

// like returns a value as wide as x.
func (s *specimen) like(x *Value) *Value {
	var same []*Value
	for _, v := range s.values {
		if v.Dim(-1) == x.Dim(-1) {
			same = append(same, v)
		}
	}
	return same[s.pick(len(same))]
}

func (s *specimen) parameter(sizes ...int) *Value {
	return s.p.Parameter(fmt.Sprintf("w%d", len(s.p.values)), normal, sizes...)
}

// vector returns a row of the width: of a parameter, or a sum over a value.
func (s *specimen) vector(width int) *Value {
	if x := s.any(); s.pick(3) == 0 && x.Dim(-1).Size == width {
		return s.p.Scale(s.p.ColumnSum(x), 0.01)
	}
	for _, v := range s.vectors {
		if v.Dim(0).Size == width && s.pick(2) == 0 {
			return v
		}
	}
	v := s.parameter(width)
	s.vectors = append(s.vectors, v)
	return v
}

func (s *specimen) linear(x *Value, out int) *Value {
	var bias *Value
	if s.pick(2) == 0 {
		bias = s.vector(out)
	}
	return s.p.Linear(x, s.parameter(out, x.Dim(-1).Size), bias, s.pick(5) == 0)
}

// grow makes a step with the given number of operations in its forward pass, to be run on least … bound rows.
func grow(tape []uint32, least, bound, operations int) *specimen {
	p := New("specimen")
	s := &specimen{p: p, tape: tape, least: least, rows: p.Size("rows", bound)}
	s.lr = p.Input("lr", tensor.F32())
	s.sparse = p.NewSparse("sparse", s.rows, tensor.Fixed(12), 12*bound, true)
	s.values = []*Value{
		p.Input("x", tensor.F32(s.rows, tensor.Fixed(4))), p.External("e", tensor.F32(s.rows, tensor.Fixed(12))),
	}
	ids, labels := p.Input("ids", tensor.I32(s.rows)), p.Input("labels", tensor.I32(s.rows))
	for range operations {
		s.values = append(s.values, s.operation(ids))
		if s.pick(6) == 0 {
			p.Output(s.values[len(s.values)-1])
		}
		s.disturb()
	}
	p.Output(s.values[len(s.values)-1])
	for range s.pick(3) { // none: an evaluation; two: losses that share much of the forward pass
		s.minimize(labels)
	}
	return s
}

// disturb now and then updates a parameter in the middle of it all, by a share of itself or by another.
func (s *specimen) disturb() {
	params := s.p.Parameters()
	if len(params) == 0 || s.pick(6) != 0 {
		return
	}
	v := params[len(params)-1-s.pick(min(len(params), 3))]
	grad := s.p.Scale(v, 0.5)
	for _, w := range params {
		if w != v && w.Type.Equal(v.Type) && s.pick(2) == 0 {
			grad = w
		}
	}
	SGD{}.Update(s.p, v, grad, s.lr, nil)
}

// operation applies one to values at hand and returns a value of s.rows rows.
func (s *specimen) operation(ids *Value) *Value {
	p, x := s.p, s.values[len(s.values)-1]
	if s.pick(3) == 0 {
		x = s.any()
	}
	width := x.Dim(-1).Size
	switch s.pick(22) {
	case 0:
		return p.Add(x, s.like(x))
	case 1:
		return p.Sub(s.like(x), x)
	case 2:
		return p.Mul(x, s.like(x))
	case 3:
		return p.Scale(x, 0.7)
	case 4, 5:
		return p.Activate(x, []kernel.Activation{kernel.ReLU, kernel.GELU, kernel.GELUTanh, kernel.SiLU, kernel.Sigmoid, kernel.Tanh, kernel.Softplus}[s.pick(7)])
	case 6:
		return p.Dropout(x, 0.3)
	case 7:
		return p.Softmax(x)
	case 8:
		switch s.pick(3) {
		case 0:
			return p.LayerNorm(x, nil, nil, 1e-2)
		case 1:
			return p.LayerNorm(x, s.vector(width), nil, 1e-2)
		}
		return p.LayerNorm(x, s.vector(width), s.vector(width), 1e-2)
	case 9:
		return p.RMSNorm(x, s.vector(width), 1e-2)
	case 10:
		if s.least == 1 {
			return p.RMSNorm(x, s.vector(width), 1e-2)
		}
		name := fmt.Sprintf("state%d", len(p.values))
		v := tensor.F32(tensor.Fixed(width))
		mean, variance := p.State(name+".mean", nil, v), p.State(name+".var", ones, v)
		before := p.BatchNormApply(x, s.vector(width), s.vector(width), mean, variance, 1)
		y := p.BatchNorm(x, s.vector(width), s.vector(width), mean, variance, 0.1, 1e-2)
		if s.pick(2) == 0 { // a reader on each side of the update
			p.Output(before)
			p.Output(p.BatchNormApply(y, s.vector(width), s.vector(width), mean, variance, 1))
		}
		return y
	case 11:
		if s.pick(2) == 0 {
			return p.PReLU(x, s.parameter(1))
		}
		return p.PReLU(x, s.vector(width))
	case 12:
		if s.pick(2) == 0 {
			return p.AddRow(x, s.vector(width))
		}
		return p.MulRow(x, s.vector(width))
	case 13:
		return s.linear(x, widths[s.pick(len(widths))])
	case 14:
		return p.Activate(s.linear(x, widths[s.pick(len(widths))]), kernel.GELU)
	case 15: // a residual connection around a square layer, with and without something else in between
		y := p.MatMul(x, s.parameter(width, width), Product{TransB: s.pick(2) == 0})
		if s.pick(2) == 0 {
			y = s.linear(p.Activate(y, kernel.ReLU), width)
		}
		s.disturb()
		if s.pick(2) == 0 {
			return p.Add(y, x)
		}
		return p.Add(x, y)
	case 16: // products of two results
		y := s.any()
		return p.Scale(p.MatMul(x, p.MatMul(x, y, Product{TransA: true}), Product{}), 0.01)
	case 17:
		if y := s.any(); width+y.Dim(-1).Size <= 12 && slices.Contains(widths, width+y.Dim(-1).Size) {
			return p.Concat(x, y)
		}
		lo := s.pick(width)
		if w := width - lo; slices.Contains(widths, w) {
			return p.Columns(x, lo, width)
		}
		return p.Columns(x, 0, 1)
	case 18:
		if width == 12 {
			y := p.Reshape(x, s.rows, tensor.Fixed(3), tensor.Fixed(4))
			if s.pick(2) == 0 {
				y = p.AddPositions(y, s.parameter(3+s.pick(2), 4))
			}
			if s.pick(2) == 0 {
				y = p.Attention(y, Attention{Heads: 2, KVHeads: 1, Causal: s.pick(2) == 0, Dropout: float64(s.pick(2)) / 4})
				return p.Reshape(y, s.rows, tensor.Fixed(6))
			}
			return p.Reshape(y, s.rows, tensor.Fixed(12))
		}
		return p.Reshape(p.Reshape(x, s.rows.Times(width)), s.rows, tensor.Fixed(width))
	case 19:
		var bias *Value
		out := widths[s.pick(len(widths))]
		if s.pick(2) == 0 {
			bias = s.vector(out)
		}
		return p.SparseLinear(s.sparse, s.parameter(out, 12), bias)
	case 20:
		parts := []*Value{x}
		for range s.pick(4) {
			parts = append(parts, s.like(x))
		}
		weights := s.linear(s.any(), len(parts))
		if s.pick(2) == 0 {
			weights = p.Softmax(weights)
		}
		return p.Combine(weights, parts...)
	default:
		return p.Gather(s.parameter(5, widths[s.pick(len(widths))]), ids)
	}
}

// minimize appends a loss of what was grown last, its gradients, and the updates of all it depends on.
func (s *specimen) minimize(labels *Value) {
	p, x := s.p, s.values[len(s.values)-1]
	var loss *Value
	switch s.pick(3) {
	case 0:
		loss = p.Mean(p.Mul(x, s.like(x)))
	case 1:
		loss = p.Sum(p.Scale(x, 0.01))
	default:
		loss, _ = p.CrossEntropy(s.linear(x, 4), labels)
	}
	p.Output(loss)
	params := parametersBehind(loss)
	if len(params) == 0 {
		return
	}
	grads := p.Differentiate(loss, params...)
	for _, g := range grads {
		if s.pick(4) == 0 {
			p.Output(g)
		}
	}
	var scale *Value
	if s.pick(2) == 0 {
		_, scale = p.ClipNorm(0.5, grads...)
	}
	for i, v := range params {
		switch s.pick(3) {
		case 0:
			AdamW{Beta1: 0.9, Beta2: 0.99, Eps: 1e-3, WeightDecay: 0.01, Decoupled: s.pick(2) == 0}.Update(p, v, grads[i], s.lr, scale)
		case 1:
			SGD{Mu: 0.9, WeightDecay: 0.01, Nesterov: s.pick(2) == 0}.Update(p, v, grads[i], s.lr, scale)
		case 2:
			Adagrad{Eps: 1e-3}.Update(p, v, grads[i], s.lr, scale)
		}
	}
}

// parametersBehind are the parameters that a value depends on, through operations with a gradient.
func parametersBehind(v *Value) []*Value {
	seen := map[*Value]bool{}
	var visit func(v *Value)
	visit = func(v *Value) {
		if seen[v] {
			return
		}
		seen[v] = true
		if v.producer != nil && !v.producer.backward {
			for _, in := range v.producer.in {
				visit(in)
			}
		}
	}
	visit(v)
	var list []*Value
	for _, w := range v.program.Parameters() {
		if seen[w] {
			list = append(list, w)
		}
	}
	return list
}

// normal and ones are initializers.
func normal(dst []float32, _ []int, key kernel.Key) {
	r := rand.New(rand.NewPCG(key.Seed, key.Stream))
	for i := range dst {
		dst[i] = float32(r.NormFloat64()) / 2
	}
}

func ones(dst []float32, _ []int, _ kernel.Key) {
	for i := range dst {
		dst[i] = 1
	}
}

// start gives the specimen memory.
func (s *specimen) start(t *rapid.T, o Options) (*Session, *Execution) {
	c, err := Compile(s.p, o)
	if err != nil {
		t.Fatalf("%v\n%s", err, s.p)
	}
	pool := kernel.NewPool(o.Workers)
	t.Cleanup(pool.Close)
	session, err := Start(pool, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		session.Close()
		if took := 4 * reflect.ValueOf(pool).Elem().FieldByName("scratch").FieldByName("mem").Len(); took > int((c.Scratch+3)/4*4) {
			t.Errorf("kernels took %d bytes of working memory, planned %d\n%s", took, c.Scratch, c)
		}
	})
	session.Initialize(5)
	return session, session.Execution(c)
}

// feed fills the inputs of a run on so many rows, by their names.
func (s *specimen) feed(t *rapid.T, session *Session, e *Execution, rows int) {
	if err := e.SetSize("rows", rows); err != nil {
		t.Fatal(err)
	}
	for _, v := range s.p.values {
		if v.Kind != plan.Input || strings.HasPrefix(v.Name, "sparse.") {
			continue
		}
		x := e.Tensor(v)
		r := rand.New(rand.NewPCG(stream(v.Name), session.Step))
		if v.external {
			x.Bind(make([]float32, x.Len()))
		}
		switch v.Type.DType {
		case tensor.Float32:
			for i := range x.Float32s() {
				x.Float32s()[i] = float32(r.NormFloat64())
			}
		case tensor.Int32:
			for i := range x.Int32s() {
				x.Int32s()[i] = int32(r.IntN(4))
			}
		}
	}
	e.Tensor(s.lr).Float32s()[0] = 0.01
	if err := s.feedSparse(e, rows, session.Step); err != nil {
		t.Fatal(err)
	}
}

// feedSparse binds a random sparse matrix of so many rows, and its transpose.
func (s *specimen) feedSparse(e *Execution, rows int, step uint64) error {
	r := rand.New(rand.NewPCG(step, 9))
	parts := SparseParts(s.rows.Size) // of a row of the transpose
	type entry struct{ row, col int }
	var list []entry
	for i := range rows {
		for j := range 12 {
			if i == 0 && j == 0 || r.IntN(5) == 0 { // at least one: a size is never 0
				list = append(list, entry{i, j})
			}
		}
	}
	if err := e.SetSize("sparse.entries", len(list)); err != nil {
		return err
	}
	fill := func(x *Sparse, slots int, slot, index func(entry) int) {
		slices.SortStableFunc(list, func(a, b entry) int { return slot(a) - slot(b) })
		indptr, indices, values := make([]int64, slots+1), make([]int32, len(list)), make([]float32, len(list))
		for k, en := range list {
			indptr[slot(en)+1] = int64(k + 1)
			indices[k], values[k] = int32(index(en)), float32(en.row%7)-3.5+float32(en.col)/8
		}
		for k := range slots {
			indptr[k+1] = max(indptr[k+1], indptr[k])
		}
		e.Tensor(x.Indptr).BindInt64(indptr)
		e.Tensor(x.Indices).BindInt32(indices)
		e.Tensor(x.Values).Bind(values)
	}
	fill(s.sparse, rows, func(en entry) int { return en.row }, func(en entry) int { return en.col })
	fill(s.sparse.T, 12*parts, func(en entry) int { return en.col*parts + en.row/kernel.Chunk }, func(en entry) int { return en.row })
	return nil
}
