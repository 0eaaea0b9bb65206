package program

import (
	"fmt"
	"strings"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Product says which product of two matrices MatMul makes.
type Product struct {
	TransA, TransB bool
	BF16           bool // operands rounded to bfloat16, float32 accumulation; gradients too
}

// MatMul returns op(a)·op(b), where op transposes as asked. Arrays of more than two sizes are matrices of all leading sizes
// by the last one, and a result that is not of Aᵀ keeps a's leading sizes.
func (p *Program) MatMul(a, b *Value, o Product) *Value { return p.apply1(matmul{Product: o}, a, b) }

// Linear returns a·bᵀ + bias, b being (out, in) and bias (out): the fully connected layer. bias may be nil.
func (p *Program) Linear(a, b, bias *Value, bf16 bool) *Value {
	o := Product{TransB: true, BF16: bf16}
	if bias == nil {
		return p.MatMul(a, b, o)
	}
	return p.apply1(matmul{Product: o, bias: true}, a, b, bias)
}

// matmul is y = act(op(a)·op(b) + bias), or op(a)·op(b) + c with accumulate; act and accumulate come from rewriting.
// Operands: a, b, and bias or c. Results: y, and op(a)·op(b) + bias where something needs it too.
type matmul struct {
	Product
	bias       bool
	act        kernel.Activation
	accumulate bool
}

func (matmul) Name() string { return "matmul" }

func (o matmul) Attributes() string {
	var list []string
	for _, a := range []struct {
		on   bool
		text string
	}{
		{o.TransA, "transA"}, {o.TransB, "transB"}, {o.bias, "bias"}, {o.accumulate, "accumulate"},
		{o.act != kernel.Identity, "act=" + o.act.String()}, {o.BF16, "bf16"},
	} {
		if a.on {
			list = append(list, a.text)
		}
	}
	return strings.Join(list, " ")
}

// shape returns m, n and k.
func (o matmul) shape(in []tensor.Type) (m, n, k tensor.Dim, err error) {
	a, b := in[0].Shape, in[1].Shape
	aRows, okA := a.Rows()
	bRows, okB := b.Rows()
	m, k = aRows, a.Cols()
	if o.TransA {
		m, k = k, m
	}
	kb, n := bRows, b.Cols()
	if o.TransB {
		kb, n = n, kb
	}
	if !okA || !okB || k != kb || in[0].DType != tensor.Float32 || in[1].DType != tensor.Float32 {
		return m, n, k, fmt.Errorf("%s and %s do not go together (%s): %s against %s terms", in[0], in[1], o.Attributes(), k, kb)
	}
	return m, n, k, nil
}

func (o matmul) Infer(in []tensor.Type) ([]tensor.Type, error) {
	m, n, _, err := o.shape(in)
	if err != nil {
		return nil, err
	}
	if o.bias && !in[2].Equal(tensor.F32(n)) {
		return nil, fmt.Errorf("the bias is %s, expected %s", in[2], tensor.F32(n))
	}
	y := tensor.F32(m, n)
	if a := in[0].Shape; !o.TransA && len(a) > 0 {
		y = tensor.F32(append(a[:len(a)-1:len(a)-1], n)...)
	}
	return []tensor.Type{y}, nil
}

func (o matmul) Cost(in, _ []tensor.Type) Cost {
	m, n, k, _ := o.shape(in)
	c := Cost{Flops: 2 * float64(m.Size) * float64(n.Size) * float64(k.Size)}
	if o.BF16 {
		c.FlopsBF16 = c.Flops
	}
	return c
}

func (o matmul) Traits() Traits {
	if o.accumulate {
		return Traits{RowWise: !o.TransA, InPlace: []int{2}}
	}
	return Traits{RowWise: !o.TransA}
}

func (o matmul) ScratchBytes(in, _ []tensor.Type, workers int) int {
	m, n, k, err := o.shape(in)
	if err != nil {
		return 0
	}
	var product kernel.MatMul
	o.fill(&product, m.Size, n.Size, k.Size)
	return product.ScratchBytes(workers)
}

// fill sets sizes, strides and everything but the data.
func (o matmul) fill(p *kernel.MatMul, m, n, k int) {
	p.A, p.B, p.C = kernel.RowMajor(p.A.Data, m, k), kernel.RowMajor(p.B.Data, k, n), kernel.RowMajor(p.C.Data, m, n)
	if o.TransA {
		p.A = kernel.RowMajor(p.A.Data, k, m).T()
	}
	if o.TransB {
		p.B = kernel.RowMajor(p.B.Data, n, k).T()
	}
	p.Act, p.Accumulate, p.BF16 = o.act, o.accumulate, o.BF16
}

func (o matmul) Kernel() Kernel { return &matmulKernel{op: o} }

type matmulKernel struct {
	op      matmul
	product kernel.MatMul
}

func (k *matmulKernel) Run(c *Call) error {
	p, a, b := &k.product, c.In[0], c.In[1]
	m, terms, n := a.Rows(), a.Cols(), b.Cols()
	if k.op.TransA {
		m, terms = terms, m
	}
	if k.op.TransB {
		n = b.Rows()
	}
	p.A.Data, p.B.Data, p.C.Data = a.Float32s(), b.Float32s(), c.Out[0].Float32s()
	k.op.fill(p, m, n, terms)
	if k.op.bias {
		p.Bias = c.In[2].Float32s()
	}
	if len(c.Out) > 1 {
		p.PreAct = kernel.RowMajor(c.Out[1].Float32s(), m, n)
	}
	if k.op.accumulate {
		moveTo(p.C.Data, c.In[2].Float32s())
	}
	p.Run(c.Pool)
	return nil
}

// moveTo copies src to dst unless it lies there already.
func moveTo(dst, src []float32) {
	if len(dst) > 0 && &dst[0] != &src[0] {
		copy(dst, src)
	}
}

func (o matmul) Gradient(d *Derivative) {
	p, a, b, dy := d.P, d.In[0], d.In[1], d.OutGrad[0]
	if d.Wants(0) {
		var g *Value
		if o.TransA {
			g = p.MatMul(b, dy, Product{TransA: o.TransB, TransB: true, BF16: o.BF16})
		} else {
			g = p.MatMul(dy, b, Product{TransB: !o.TransB, BF16: o.BF16})
		}
		d.InGrad[0] = p.Reshape(g, a.Type.Shape...)
	}
	if d.Wants(1) {
		var g *Value
		if o.TransB {
			g = p.MatMul(dy, a, Product{TransA: true, TransB: o.TransA, BF16: o.BF16})
		} else {
			g = p.MatMul(a, dy, Product{TransA: !o.TransA, BF16: o.BF16})
		}
		d.InGrad[1] = p.Reshape(g, b.Type.Shape...)
	}
	if o.bias && d.Wants(2) {
		d.InGrad[2] = p.ColumnSum(dy)
	}
}

func (o matmul) Reference(c *ReferenceCall) {
	a, b, y := c.In[0], c.In[1], c.Out[0]
	m, terms, n := a.Rows(), a.Cols(), b.Cols()
	if o.TransA {
		m, terms = terms, m
	}
	if o.TransB {
		n = b.Rows()
	}
	for i := range m {
		for j := range n {
			var sum float64
			for k := range terms {
				ia, ib := i*terms+k, k*n+j
				if o.TransA {
					ia = k*m + i
				}
				if o.TransB {
					ib = j*terms + k
				}
				sum += a.X[ia] * b.X[ib]
			}
			if o.bias {
				sum += c.In[2].X[j]
			}
			if o.accumulate {
				sum += c.In[2].X[i*n+j]
			}
			if len(c.Out) > 1 {
				c.Out[1].X[i*n+j] = sum
			}
			y.X[i*n+j] = activate64(o.act, sum)
		}
	}
}
