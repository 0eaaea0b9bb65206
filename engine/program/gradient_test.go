package program

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// gradientCase is a small program around one operation: what build returns is multiplied by random weights and added up,
// and that loss is differentiated by every parameter.
type gradientCase struct {
	name  string
	build func(p *Program) *Value
}

func f32(sizes ...int) tensor.Type { return tensor.F32(tensor.Of(sizes...)...) }

func i32(sizes ...int) tensor.Type { return tensor.I32(tensor.Of(sizes...)...) }

// gradientCases has every operation with a gradient.
func gradientCases() []gradientCase {
	var list []gradientCase
	add := func(name string, build func(p *Program) *Value) { list = append(list, gradientCase{name, build}) }
	for _, o := range []Product{{}, {TransA: true}, {TransB: true}, {TransA: true, TransB: true}} {
		add(fmt.Sprintf("matmul transA=%t transB=%t", o.TransA, o.TransB), func(p *Program) *Value {
			a, b := []int{5, 7}, []int{7, 4}
			if o.TransA {
				slices.Reverse(a)
			}
			if o.TransB {
				slices.Reverse(b)
			}
			return p.MatMul(p.Parameter("a", nil, a...), p.Parameter("b", nil, b...), o)
		})
	}
	add("linear of three axes", func(p *Program) *Value {
		return p.Linear(p.Parameter("x", nil, 2, 3, 5), p.Parameter("w", nil, 4, 5), p.Parameter("b", nil, 4), false)
	})
	for act := kernel.ReLU; act <= kernel.Exp; act++ {
		add("activation "+act.String(), func(p *Program) *Value {
			return p.Activate(p.Scale(p.Parameter("x", nil, 4, 9), 2), act)
		})
		add("linear and "+act.String(), func(p *Program) *Value {
			return p.Activate(p.Linear(p.Parameter("x", nil, 5, 3), p.Parameter("w", nil, 6, 3), p.Parameter("b", nil, 6), false), act)
		})
	}
	add("prelu, one slope", func(p *Program) *Value { return p.PReLU(p.Parameter("x", nil, 5, 6), p.Parameter("slope", nil, 1)) })
	add("prelu, a slope a column", func(p *Program) *Value { return p.PReLU(p.Parameter("x", nil, 5, 6), p.Parameter("slope", nil, 6)) })
	add("add", func(p *Program) *Value { return p.Add(p.Parameter("a", nil, 3, 4), p.Parameter("b", nil, 3, 4)) })
	add("sub", func(p *Program) *Value { return p.Sub(p.Parameter("a", nil, 3, 4), p.Parameter("b", nil, 3, 4)) })
	add("mul", func(p *Program) *Value { return p.Mul(p.Parameter("a", nil, 3, 4), p.Parameter("b", nil, 3, 4)) })
	add("a value used three times", func(p *Program) *Value {
		x := p.Parameter("x", nil, 3, 4)
		return p.Add(p.Mul(x, x), p.Scale(x, 3))
	})
	add("a chain that reads its first operand again", func(p *Program) *Value {
		x := p.MatMul(p.Parameter("x", nil, 6, 5), p.Parameter("w", nil, 5, 7), Product{})
		return p.Mul(p.Add(p.Activate(p.Scale(x, 2), kernel.Tanh), x), p.Dropout(p.Activate(p.Scale(x, 3), kernel.Sigmoid), 0.3))
	})
	add("a chain longer than a block", func(p *Program) *Value {
		x := p.Parameter("x", nil, 3, 1500)
		return p.Dropout(p.Activate(p.Scale(x, 2), kernel.Tanh), 0.25)
	})
	add("a product added to another", func(p *Program) *Value {
		x, w := p.Parameter("x", nil, 5, 5), p.Parameter("w", nil, 5, 5)
		return p.MatMul(p.Add(x, p.MatMul(x, w, Product{})), w, Product{TransB: true})
	})
	add("add-row", func(p *Program) *Value { return p.AddRow(p.Parameter("x", nil, 5, 4), p.Parameter("row", nil, 4)) })
	add("mul-row", func(p *Program) *Value { return p.MulRow(p.Parameter("x", nil, 5, 4), p.Parameter("row", nil, 4)) })
	add("column-sum", func(p *Program) *Value { return p.ColumnSum(p.Parameter("x", nil, 5, 4)) })
	add("sum", func(p *Program) *Value { return p.Sum(p.Parameter("x", nil, 5, 4)) })
	add("mean", func(p *Program) *Value { return p.Mean(p.Parameter("x", nil, 5, 4)) })
	add("dropout", func(p *Program) *Value { return p.Dropout(p.Parameter("x", nil, 8, 9), 0.4) })
	add("softmax", func(p *Program) *Value { return p.Softmax(p.Parameter("x", nil, 4, 7)) })
	add("combine", func(p *Program) *Value {
		return p.Combine(p.Parameter("w", nil, 5, 3), p.Parameter("a", nil, 5, 4), p.Parameter("b", nil, 5, 4), p.Parameter("c", nil, 5, 4))
	})
	add("combine one", func(p *Program) *Value { return p.Combine(p.Parameter("w", nil, 5, 1), p.Parameter("a", nil, 5, 4)) })
	add("combine one twice, and what has no gradient", func(p *Program) *Value {
		a, given := p.Parameter("a", nil, 5, 21), p.Input("given", f32(5, 21))
		return p.Combine(p.Parameter("w", nil, 5, 3), a, given, a)
	})
	add("combine by given weights", func(p *Program) *Value {
		return p.Combine(p.Input("w", f32(5, 2)), p.Parameter("a", nil, 5, 4), p.Input("given", f32(5, 4)))
	})
	add("combine sixty-four", func(p *Program) *Value {
		var parts []*Value
		for k := range 64 {
			parts = append(parts, p.Activate(p.Scale(p.Parameter("a", nil, 3, 4), float32(k)/16), kernel.Tanh))
		}
		return p.Combine(p.Parameter("w", nil, 3, 64), parts...)
	})
	add("attention over hops", func(p *Program) *Value {
		y, _ := hopAttention(p, p.Parameter("left", nil, 6, 5), p.Parameter("z0", nil, 6, 7), p.Parameter("z1", nil, 6, 7), p.Parameter("z2", nil, 6, 7), p.Parameter("z3", nil, 6, 7))
		return y
	})
	add("attention over given hops", func(p *Program) *Value {
		left := p.Activate(p.Parameter("left", nil, 6, 5), kernel.Tanh)
		y, _ := hopAttention(p, left, p.Input("z0", f32(6, 7)), p.Input("z1", f32(6, 7)), p.Input("z2", f32(6, 7)), p.Input("z3", f32(6, 7)))
		return y
	})
	add("cross-entropy", func(p *Program) *Value {
		loss, _ := p.CrossEntropy(p.Parameter("x", nil, 6, 5), p.Input("labels", i32(6)))
		return loss
	})
	add("distillation", func(p *Program) *Value {
		probabilities := p.Softmax(p.Input("teacher", f32(6, 5)))
		return p.Distillation(p.Parameter("x", nil, 6, 5), probabilities, p.Input("trust", f32(6)))
	})
	add("layer-norm", func(p *Program) *Value {
		return p.LayerNorm(p.Parameter("x", nil, 4, 9), p.Parameter("gain", nil, 9), p.Parameter("bias", nil, 9), 1e-5)
	})
	add("layer-norm without bias", func(p *Program) *Value {
		return p.LayerNorm(p.Parameter("x", nil, 4, 9), p.Parameter("gain", nil, 9), nil, 1e-5)
	})
	add("rms-norm", func(p *Program) *Value {
		return p.RMSNorm(p.Parameter("x", nil, 4, 9), p.Parameter("gain", nil, 9), 1e-5)
	})
	add("batch-norm", func(p *Program) *Value {
		mean, variance := p.State("mean", nil, f32(6)), p.State("var", nil, f32(6))
		return p.BatchNorm(p.Parameter("x", nil, 7, 6), p.Parameter("gain", nil, 6), p.Parameter("bias", nil, 6), mean, variance, 0.1, 1e-5)
	})
	add("gather", func(p *Program) *Value {
		return p.Gather(p.Parameter("table", nil, 5, 3), p.Input("labels", i32(2, 6)))
	})
	add("add-positions", func(p *Program) *Value {
		return p.AddPositions(p.Parameter("x", nil, 3, 4, 5), p.Parameter("table", nil, 6, 5))
	})
	for _, a := range []Attention{
		{Heads: 2, KVHeads: 2}, {Heads: 2, KVHeads: 2, Causal: true}, {Heads: 4, KVHeads: 2, Causal: true}, {Heads: 2, KVHeads: 1, Causal: true, Dropout: 0.3},
	} {
		add(fmt.Sprintf("attention %+v", a), func(p *Program) *Value {
			return p.Attention(p.Parameter("qkv", nil, 2, 5, (a.Heads+2*a.KVHeads)*3), a)
		})
	}
	add("transpose", func(p *Program) *Value { return p.Transpose(p.Parameter("x", nil, 5, 4)) })
	add("concat", func(p *Program) *Value {
		return p.Concat(p.Parameter("a", nil, 4, 3), p.Parameter("b", nil, 4, 1), p.Parameter("c", nil, 4, 2))
	})
	add("columns", func(p *Program) *Value { return p.Columns(p.Parameter("x", nil, 4, 6), 1, 4) })
	add("leaky-relu", func(p *Program) *Value { return p.LeakyReLU(p.Parameter("x", nil, 5, 6), 0.2) })
	add("elu", func(p *Program) *Value { return p.ELU(p.Parameter("x", nil, 5, 6)) })
	add("edge-aggregate", func(p *Program) *Value {
		return p.EdgeAggregate(smallEdges(p), p.Parameter("w", nil, 3, smallEntries), p.Parameter("x", nil, smallNodes, 3*4))
	})
	add("edge-aggregate by given weights", func(p *Program) *Value {
		return p.EdgeAggregate(smallEdges(p), p.Input("w", f32(1, smallEntries)), p.Parameter("x", nil, smallNodes, 5))
	})
	add("edge-scores", func(p *Program) *Value {
		return p.EdgeScores(smallEdges(p), p.Parameter("left", nil, smallNodes, 2), p.Parameter("right", nil, smallNodes, 2))
	})
	add("edge-softmax", func(p *Program) *Value {
		return p.EdgeSoftmax(smallEdges(p), p.Parameter("scores", nil, 2, smallEntries))
	})
	add("attention over edges", func(p *Program) *Value {
		edges, x := smallEdges(p), p.Parameter("x", nil, smallNodes, 2*3)
		score := func(name string) *Value { return p.Linear(x, p.Parameter(name, nil, 2, 6), nil, false) }
		alpha := p.EdgeSoftmax(edges, p.LeakyReLU(p.EdgeScores(edges, score("left"), score("right")), 0.2))
		return p.EdgeAggregate(edges, p.Dropout(alpha, 0.3), x)
	})
	add("reshape", func(p *Program) *Value { return p.Reshape(p.Parameter("x", nil, 4, 6), tensor.Of(3, 8)...) })
	return list
}

// built is a case with its loss, its parameters and their gradients, and random values for everything.
type built struct {
	p      *Program
	loss   *Value
	params []*Value
	grads  []*Value
	values map[*Value]*Array
}

func buildCase(t *testing.T, c gradientCase) *built {
	t.Helper()
	b := &built{p: New("case"), values: map[*Value]*Array{}}
	y := c.build(b.p)
	weights := b.p.Constant("weights", y.Type)
	b.loss = b.p.Output(b.p.Sum(b.p.Mul(y, weights)))
	b.params = b.p.Parameters()
	b.grads = b.p.Differentiate(b.loss, b.params...)
	if err := b.p.Err(); err != nil {
		t.Fatal(err)
	}
	for _, g := range b.grads {
		b.p.Output(g)
	}
	r := rand.New(rand.NewPCG(5, 6))
	for _, v := range b.p.values {
		if v.producer != nil {
			continue
		}
		a := NewArray(v.Type)
		for i := range a.X {
			a.X[i] = float64(float32(r.NormFloat64()))
			if v.Type.DType == tensor.Int32 {
				a.X[i] = float64(r.IntN(5))
			}
		}
		if v.Type.DType == tensor.Int32 && len(a.Dims) == 1 {
			a.X[2] = -1 // a row without label
		}
		if edges, ok := smallEdgeArrays()[v.Name]; ok {
			a.X = edges
		}
		b.values[v] = a
	}
	return b
}

const caseSeed, caseStep = 11, 3

// evaluate returns all values in float64; states begin anew.
func (b *built) evaluate(t *testing.T) map[*Value]*Array {
	t.Helper()
	values := map[*Value]*Array{}
	for v, a := range b.values {
		values[v] = &Array{Dims: a.Dims, X: append([]float64(nil), a.X...)}
	}
	if err := b.p.Evaluate(values, caseSeed, caseStep); err != nil {
		t.Fatal(err)
	}
	return values
}

// TestReferenceGradientsAgreeWithFiniteDifferences holds the formulas of all gradients against central differences of
// the formulas of the operations.
func TestReferenceGradientsAgreeWithFiniteDifferences(t *testing.T) {
	const h, bound = 1e-5, 1e-6
	for _, c := range gradientCases() {
		t.Run(c.name, func(t *testing.T) {
			b := buildCase(t, c)
			got := b.evaluate(t)
			for k, param := range b.params {
				x := b.values[param].X
				for i := 0; i < len(x); i += 1 + len(x)/100 {
					at := x[i]
					x[i] = at + h
					up := b.evaluate(t)[b.loss].X[0]
					x[i] = at - h
					down := b.evaluate(t)[b.loss].X[0]
					x[i] = at
					want := (up - down) / (2 * h)
					if g := got[b.grads[k]].X[i]; !(math.Abs(g-want) <= bound*max(1, math.Abs(want))) {
						t.Fatalf("d loss / d %s[%d]: %.10g by the formula, %.10g by differences", param.Name, i, g, want)
					}
				}
			}
		})
	}
}

// TestKernelsAgreeWithReferences runs every case in float32, as written and rewritten, and holds loss and gradients
// against the float64 references.
func TestKernelsAgreeWithReferences(t *testing.T) {
	const bound = 2e-5
	used := 0.0
	for _, c := range gradientCases() {
		for _, recompute := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s recompute=%t", c.name, recompute), func(t *testing.T) {
				b := buildCase(t, c)
				want := b.evaluate(t)
				compiled, err := Compile(b.p, Options{Workers: 2, Recompute: recompute})
				if err != nil {
					t.Fatal(err)
				}
				pool := kernel.NewPool(2)
				defer pool.Close()
				s, err := Start(pool, compiled)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				s.Seed, s.Step = caseSeed, caseStep
				e := s.Execution(compiled)
				for v, a := range b.values {
					fillTensor(e.Tensor(v), a, v.external)
				}
				if err := e.Run(); err != nil {
					t.Fatal(err)
				}
				for _, v := range append([]*Value{b.loss}, b.grads...) {
					got := e.Tensor(v).Float32s()
					for i, x := range want[v].X {
						off := math.Abs(float64(got[i])-x) / max(1, math.Abs(x))
						used = max(used, off)
						if !(off <= bound) {
							t.Fatalf("%s[%d]: %.8g in float32, %.8g in float64", v.Name, i, got[i], x)
						}
					}
				}
			})
		}
	}
	t.Logf("largest difference %.1e of %.0e", used, bound)
}

// fillTensor fills a tensor, or its caller's memory, whose place it takes.
func fillTensor(t *tensor.Tensor, a *Array, external bool) {
	if external {
		t.Bind(make([]float32, a.Len()))
		t.BindInt32(make([]int32, a.Len()))
		t.BindInt64(make([]int64, a.Len()))
	}
	switch t.Type.DType {
	case tensor.Int32:
		for i, x := range a.X {
			t.Int32s()[i] = int32(x)
		}
		return
	case tensor.Int64:
		for i, x := range a.X {
			t.Int64s()[i] = int64(x)
		}
		return
	}
	for i, x := range a.X {
		t.Float32s()[i] = float32(x)
	}
}
