package kernel

import "fmt"

// Mat is a view of a float32 matrix: element (i, j) is Data[i·RowStride + j·ColStride]. Strides are in elements and at
// least 0.
type Mat struct {
	Data                 []float32
	Rows, Cols           int
	RowStride, ColStride int
}

// RowMajor returns the matrix whose rows lie one after another in data.
func RowMajor(data []float32, rows, cols int) Mat {
	return Mat{Data: data, Rows: rows, Cols: cols, RowStride: cols, ColStride: 1}
}

// T returns the transpose, a view of the same elements.
func (m Mat) T() Mat {
	m.Rows, m.Cols, m.RowStride, m.ColStride = m.Cols, m.Rows, m.ColStride, m.RowStride
	return m
}

func (m *Mat) operand(batch int) operand {
	return operand{f: m.Data, row: m.RowStride, col: m.ColStride, batch: batch}
}

func (m *Mat) view() view {
	return view{len(m.Data), m.Rows, m.Cols, m.RowStride, m.ColStride}
}

// view is a matrix of any kind of elements as Check looks at it.
type view struct{ elements, rows, cols, rowStride, colStride int }

// need is the number of elements that there must be when batch matrices lie stride elements apart.
func (v view) need(batch, stride int) int {
	if v.rows == 0 || v.cols == 0 || batch == 0 {
		return 0
	}
	return (batch-1)*stride + (v.rows-1)*v.rowStride + (v.cols-1)*v.colStride + 1
}

// check says what is wrong with the matrix called name, of the given size.
func (v view) check(name string, rows, cols, batch, stride int) error {
	switch {
	case v.rows < 0 || v.cols < 0:
		return fmt.Errorf("matrix product: %s has the size %d×%d", name, v.rows, v.cols)
	case v.rows != rows || v.cols != cols:
		return fmt.Errorf("matrix product: %s is %d×%d, expected %d×%d", name, v.rows, v.cols, rows, cols)
	case v.rowStride < 0 || v.colStride < 0 || stride < 0:
		return fmt.Errorf("matrix product: %s has the strides %d, %d and %d between matrices; they must not be negative", name, v.rowStride, v.colStride, stride)
	case v.elements < v.need(batch, stride):
		return fmt.Errorf("matrix product: %s has %d elements, its size and strides reach %d", name, v.elements, v.need(batch, stride))
	}
	return nil
}

// MatMul is the product C = act(A·B + Bias), or C += A·B with Accumulate, of A (m, k), B (k, n) and C (m, n) in float32.
// Every element of A·B is the sum over k as the package defines it, so a row has the same bits however many rows, columns,
// workers or products share a call. C overlaps neither A nor B.
//
// With Batch > 1 it is that many products whose matrices lie ABatch, BBatch and CBatch elements apart (0 for A or B: the
// same matrix each time).
//
// A MatMul may be reused with other sizes. Run allocates nothing on the Go heap when the MatMul itself lies there.
type MatMul struct {
	A, B, C    Mat
	Bias       []float32  // added to every row: C.Cols elements, or nil
	Act        Activation // applied to A·B + Bias
	PreAct     Mat        // receives A·B + Bias when its Data is not nil; has the size of C, and CBatch between products
	Accumulate bool       // add to C; Bias, Act and PreAct are not allowed then
	BF16       bool       // round A and B to bfloat16 (to nearest even) and multiply as MatMulBF16 does: the same bits

	Batch                  int // number of products; 0 counts as 1
	ABatch, BBatch, CBatch int

	product product
}

// Check says what is wrong with the sizes. Run does not check.
func (m *MatMul) Check() error { return m.check(m.A.view(), m.B.view()) }

func (m *MatMul) check(a, b view) error {
	batch := max(m.Batch, 1)
	if m.Batch < 0 {
		return fmt.Errorf("matrix product: a batch of %d", m.Batch)
	}
	rows, k, cols := a.rows, a.cols, b.cols
	if err := a.check("A", rows, k, batch, m.ABatch); err != nil {
		return err
	}
	if err := b.check("B", k, cols, batch, m.BBatch); err != nil {
		return err
	}
	if err := m.C.view().check("C", rows, cols, batch, m.CBatch); err != nil {
		return err
	}
	if m.PreAct.Data != nil {
		if err := m.PreAct.view().check("PreAct", rows, cols, batch, m.CBatch); err != nil {
			return err
		}
	}
	if m.Bias != nil && len(m.Bias) != cols {
		return fmt.Errorf("matrix product: the bias has %d elements, C has %d columns", len(m.Bias), cols)
	}
	if m.Accumulate && (m.Bias != nil || m.Act != Identity || m.PreAct.Data != nil) {
		return fmt.Errorf("matrix product: Accumulate goes with neither bias, activation nor PreAct")
	}
	return nil
}

// ScratchBytes is the working memory that Run takes from a pool of the given number of workers.
func (m *MatMul) ScratchBytes(workers int) int {
	m.product = m.describe(m.A.Cols, m.A.operand(m.ABatch), m.B.operand(m.BBatch))
	return m.product.scratchBytes(active, workers)
}

// Run computes the product on the pool's workers. The sizes must pass Check.
func (m *MatMul) Run(p *Pool) { m.run(p, active) }

func (m *MatMul) run(p *Pool, level Level) {
	m.product = m.describe(m.A.Cols, m.A.operand(m.ABatch), m.B.operand(m.BBatch))
	m.product.run(p, level)
}

// describe returns the product of k terms of the operands a and b.
func (m *MatMul) describe(k int, a, b operand) product {
	a.round, b.round = m.BF16, m.BF16
	return product{
		m: m.C.Rows, n: m.C.Cols, k: k, batch: max(m.Batch, 1),
		a: a, b: b, c: m.C.operand(m.CBatch), pre: m.PreAct.operand(m.CBatch),
		bias: m.Bias, act: m.Act, accumulate: m.Accumulate, bf16: m.BF16,
	}
}
