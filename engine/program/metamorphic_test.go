package program

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

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
	switch s.pick(20) {
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
		if v.Kind != plan.Input {
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
}

// results are the bits of outputs and persistent tensors after each step on so many rows. NaN is NaN, whichever it is.
func (s *specimen) results(t *rapid.T, o Options, steps []int) map[string][]uint32 {
	session, e := s.start(t, o)
	bits := map[string][]uint32{}
	note := func(name string, x []float32) {
		for _, v := range x {
			b := math.Float32bits(v)
			if v != v {
				b = math.Float32bits(float32(math.NaN()))
			}
			bits[name] = append(bits[name], b)
		}
	}
	for i, rows := range steps {
		session.Step = uint64(i + 1)
		s.feed(t, session, e, rows)
		if err := e.Run(); err != nil {
			t.Fatal(err)
		}
		for _, v := range s.p.values {
			if v.output {
				note(fmt.Sprintf("step %d: %s", i, v.Name), e.Tensor(v).Float32s())
			}
		}
		for _, x := range session.Persistent() {
			note(fmt.Sprintf("step %d: %s", i, x.Name), x.Tensor.Float32s())
		}
	}
	return bits
}

// TestRewritingAndSharingChangeNoBit holds random steps, rewritten and with shared storage, against the same steps as they were
// built, every tensor with storage of its own.
func TestRewritingAndSharingChangeNoBit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tape := rapid.SliceOfN(rapid.Uint32Max(1<<16), 40, 250).Draw(t, "tape")
		operations := rapid.IntRange(1, 14).Draw(t, "operations")
		rows := rapid.SampledFrom([]int{1, 2, 7, 40, 530}).Draw(t, "rows")
		steps := []int{rows, (rows + 1) / 2}
		want := grow(tape, steps[1], rows, operations).results(t, Options{Workers: 1, asBuilt: true}, steps)
		for _, o := range []Options{{Workers: 1}, {Workers: 1, Recompute: true}, {Workers: 3}, {Workers: 2, Recompute: true}} {
			for _, bound := range []int{rows, rows + 37} {
				s := grow(tape, steps[1], bound, operations)
				got := s.results(t, o, steps)
				for name, bits := range want {
					if i := firstDifference(bits, got[name]); i >= 0 {
						c, _ := Compile(s.p, o)
						t.Fatalf("%+v, rows ≤ %d: %s differs from element %d on\n%s\n%s", o, bound, name, i, s.p, c)
					}
				}
			}
		}
	})
}

// firstDifference is the first place at which two lists differ, -1 where they do not.
func firstDifference(a, b []uint32) int {
	if slices.Equal(a, b) {
		return -1
	}
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			return i
		}
	}
	return len(a)
}

// TestRandomStepsAgreeWithTheReferences holds every operation of random steps against its float64 reference on the same operands,
// and the rewritten steps against the built ones, both in float64.
func TestRandomStepsAgreeWithTheReferences(t *testing.T) {
	used := 0.0
	rapid.Check(t, func(t *rapid.T) {
		tape := rapid.SliceOfN(rapid.Uint32Max(1<<16), 40, 250).Draw(t, "tape")
		rows := rapid.SampledFrom([]int{1, 2, 7, 40}).Draw(t, "rows")
		s := grow(tape, rows, rows, rapid.IntRange(1, 14).Draw(t, "operations"))
		session, e := s.start(t, Options{Workers: 2, asBuilt: true})
		session.Step = 1
		s.feed(t, session, e, rows)
		given := map[*Value]*Array{}
		for _, v := range s.p.values {
			if v.producer == nil {
				given[v] = arrayOf(e.Tensor(v))
			}
		}
		for i := range e.steps {
			used = max(used, checkStep(t, session, &e.steps[i]))
		}
		want := evaluated(t, s.p.nodes, given)
		for _, o := range []Options{{Workers: 1}, {Workers: 1, Recompute: true}} {
			c, err := Compile(s.p, o)
			if err != nil {
				t.Fatal(err)
			}
			got := evaluated(t, c.nodes, given)
			for _, v := range s.p.values {
				if (v.output || v.Kind.Persistent()) && !slices.EqualFunc(want[v].X, got[v].X, near(1e-9)) {
					t.Fatalf("%+v: %s is %v, as built %v\n%s\n%s", o, v.Name, got[v].X, want[v].X, s.p, c)
				}
			}
		}
	})
	t.Logf("largest difference %.2f of the bound", used)
}

// near says whether numbers are equal up to a relative bound, or both beyond all numbers.
func near(bound float64) func(a, b float64) bool {
	return func(a, b float64) bool {
		return a == b || a != a && b != b || math.Abs(a-b) <= bound*max(1, math.Abs(a))
	}
}

func arrayOf(x *tensor.Tensor) *Array {
	a := &Array{Dims: x.Dims}
	switch x.Type.DType {
	case tensor.Float32:
		for _, v := range x.Float32s() {
			a.X = append(a.X, float64(v))
		}
	case tensor.Int32:
		for _, v := range x.Int32s() {
			a.X = append(a.X, float64(v))
		}
	}
	return a
}

func clones(arrays []*Array) []*Array {
	var list []*Array
	for _, a := range arrays {
		list = append(list, &Array{a.Dims, slices.Clone(a.X)})
	}
	return list
}

// evaluated is every value that some operations make of what is given.
func evaluated(t *rapid.T, nodes []*node, given map[*Value]*Array) map[*Value]*Array {
	values := map[*Value]*Array{}
	for v, a := range given {
		values[v] = clones([]*Array{a})[0]
	}
	if err := evaluate(nodes, values, 5, 1); err != nil {
		t.Fatal(err)
	}
	return values
}

// checkStep runs an operation and holds what it makes, and what it overwrites, against the reference on the same operands. The
// bound is what a relative change of the operands by a few roundings makes of the results. It returns the share of it
// that was used.
func checkStep(t *rapid.T, session *Session, st *step) (used float64) {
	unit := 1.0 / (1 << 20)
	if m, ok := st.node.op.(matmul); ok && m.BF16 {
		unit = 1.0 / (1 << 8)
	}
	var in []*Array
	for _, x := range st.call.In {
		in = append(in, arrayOf(x))
	}
	key := kernel.Key{Seed: session.Seed, Stream: st.call.Key.Stream, Step: session.Step}
	reference := func(in []*Array) (results []*Array) {
		call := &ReferenceCall{In: in, Key: key}
		for _, x := range st.call.Out {
			call.Out = append(call.Out, &Array{x.Dims, make([]float64, x.Len())})
		}
		st.node.op.Reference(call)
		for _, k := range traits(st.node.op).Mutates {
			call.Out = append(call.Out, call.In[k])
		}
		return call.Out
	}
	want := reference(clones(in))
	bounds := make([]float64, len(want))
	random := rand.New(rand.NewPCG(7, 8))
	for range 3 {
		changed := clones(in)
		for k, a := range changed {
			for i := range a.X {
				if st.call.In[k].Type.DType == tensor.Float32 {
					a.X[i] *= 1 + unit*(2*random.Float64()-1)
				}
			}
		}
		for k, y := range reference(changed) {
			for i := range y.X {
				bounds[k] = max(bounds[k], 8*math.Abs(y.X[i]-want[k].X[i]), unit*math.Abs(y.X[i]))
			}
		}
	}
	st.call.Key = key
	if err := st.kernel.Run(&st.call); err != nil {
		t.Fatal(err)
	}
	results := slices.Clone(st.call.Out)
	for _, k := range traits(st.node.op).Mutates {
		results = append(results, st.call.In[k])
	}
	for k, x := range results {
		for i, got := range arrayOf(x).X {
			off := math.Abs(got - want[k].X[i])
			if off <= 1e-6 || got != got && want[k].X[i] != want[k].X[i] {
				continue
			}
			if !(off <= bounds[k]) {
				t.Fatalf("%s(%s), result %d, element %d: %.8g, the reference says %.8g ± %.1g", st.node.op.Name(), attributes(st.node.op), k, i, got, want[k].X[i], bounds[k])
			}
			used = max(used, off/bounds[k])
		}
	}
	return used
}
