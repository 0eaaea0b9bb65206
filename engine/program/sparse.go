package program

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Sparse is a sparse matrix as an operand: rows by Cols in compressed rows, each row cut at multiples of kernel.Chunk
// columns. Part c of row i, parts = ⌈Cols/Chunk⌉ of them a row, has the entries Indptr[i·parts+c] up to the next one, in
// ascending columns. T is its transpose, cut at rows, which the gradient of what it is multiplied with needs; nil where
// nothing is differentiated.
//
// So cut, a product has the bits of the product of the same matrix with all its zeros: both add up the same terms in the
// same order, and zeros change no sum.
type Sparse struct {
	Indptr  *Value // int64 (rows·parts + 1)
	Indices *Value // int32 (entries)
	Values  *Value // float32 (entries)
	Rows    tensor.Dim
	Cols    tensor.Dim
	T       *Sparse
}

// SparseParts is the number of parts of a row of the given number of columns, at the bound.
func SparseParts(cols int) int { return max((cols+kernel.Chunk-1)/kernel.Chunk, 1) }

// NewSparse declares a sparse matrix in memory of the caller, with its transpose where it is to be differentiated: values
// name.indptr, name.indices, name.values, and name.t.…, and the symbolic size name.entries.
func (p *Program) NewSparse(name string, rows, cols tensor.Dim, entries int, transposed bool) *Sparse {
	n := p.Size(name+".entries", entries)
	s := p.sparse(name, rows, cols, n)
	if transposed {
		s.T = p.sparse(name+".t", cols, rows, n)
	}
	return s
}

func (p *Program) sparse(name string, rows, cols, entries tensor.Dim) *Sparse {
	parts := SparseParts(cols.Size)
	return &Sparse{
		Indptr:  p.External(name+".indptr", tensor.I64(rows.Times(parts).Plus(1))),
		Indices: p.External(name+".indices", tensor.I32(entries)),
		Values:  p.External(name+".values", tensor.F32(entries)),
		Rows:    rows, Cols: cols,
	}
}

// SparseLinear returns x·weightᵀ + bias for a sparse x: the fully connected layer of Linear, with the same bits. bias may be
// nil. x itself is not differentiated.
func (p *Program) SparseLinear(x *Sparse, weight, bias *Value) *Value {
	op := sparseMatMul{rows: x.Rows, cols: x.Cols}
	in := []*Value{p.Transpose(weight), x.Indptr, x.Indices, x.Values}
	if x.T != nil {
		op.transposed = true
		in = append(in, x.T.Indptr, x.T.Indices, x.T.Values)
	}
	y := p.apply1(op, in...)
	if bias == nil {
		return y
	}
	return p.AddRow(y, bias)
}

// sparseMatMul is y = x·b. Operands: b (cols, width), and indptr, indices, values of x and, where transposed, of xᵀ.
type sparseMatMul struct {
	rows, cols tensor.Dim
	transposed bool
}

func (sparseMatMul) Name() string { return "sparse-matmul" }

func (o sparseMatMul) Infer(in []tensor.Type) ([]tensor.Type, error) {
	b := in[0].Shape
	if len(b) != 2 || b[0] != o.cols || in[0].DType != tensor.Float32 {
		return nil, fmt.Errorf("a sparse matrix of %s columns and %s do not go together", o.cols, in[0])
	}
	return []tensor.Type{tensor.F32(o.rows, b[1])}, nil
}

func (sparseMatMul) Cost(in, _ []tensor.Type) Cost {
	return Cost{Flops: 2 * float64(in[2].Shape.Len()) * float64(in[0].Shape[1].Size)}
}

func (o sparseMatMul) ScratchBytes(in, _ []tensor.Type, _ int) int {
	parts := SparseParts(o.cols.Size)
	if parts == 1 {
		return 0
	}
	return 4 * o.rows.Size * parts * in[0].Shape[1].Size
}

func (o sparseMatMul) Gradient(d *Derivative) {
	if !d.Wants(0) {
		return
	}
	if !o.transposed {
		d.P.Fail("sparse-matmul: the transpose of the sparse matrix is needed for the gradient")
		return
	}
	d.InGrad[0] = d.P.apply1(sparseMatMul{rows: o.cols, cols: o.rows}, d.OutGrad[0], d.In[4], d.In[5], d.In[6])
}

func (o sparseMatMul) Kernel() Kernel { return &sparseKernel{} }

type sparseKernel struct {
	product kernel.SpMM
	sums    kernel.ChunkSums
}

func (k *sparseKernel) Run(c *Call) error {
	b, y := c.In[0], c.Out[0]
	rows, width := y.Dims[0], y.Dims[1]
	indptr := c.In[1].Int64s()
	parts := 1
	if rows > 0 {
		parts = (len(indptr) - 1) / rows
	}
	k.product.A = kernel.CSR{Indptr: indptr, Indices: c.In[2].Int32s(), Values: c.In[3].Float32s(), Rows: rows * parts, Cols: b.Dims[0]}
	k.product.X, k.product.XStride, k.product.YStride, k.product.Width = b.Float32s(), width, width, width
	k.product.Y = y.Float32s()
	if parts == 1 {
		k.product.Run(c.Pool)
		return nil
	}
	k.sums = kernel.ChunkSums{Dst: k.product.Y, Rows: rows, Chunks: parts, Cols: width}
	k.sums.Run(c.Pool, &k.product)
	return nil
}

func (o sparseMatMul) Reference(c *ReferenceCall) {
	b, y := c.In[0], c.Out[0]
	parts := (len(c.In[1].X) - 1) / max(y.Dims[0], 1)
	for i := range y.Dims[0] {
		for e := int(c.In[1].X[i*parts]); e < int(c.In[1].X[(i+1)*parts]); e++ {
			for j, v := range b.Row(int(c.In[2].X[e])) {
				y.Row(i)[j] += c.In[3].X[e] * v
			}
		}
	}
}
