package program

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

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
	case tensor.Int64:
		for _, v := range x.Int64s() {
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
	for range 12 { // few draws may all move a lone sum by little
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
