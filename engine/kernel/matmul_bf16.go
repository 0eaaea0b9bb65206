package kernel

// MatBF16 is a view of a bfloat16 matrix: element (i, j) is Data[i·RowStride + j·ColStride]. Strides are in elements and at
// least 0.
type MatBF16 struct {
	Data                 []uint16
	Rows, Cols           int
	RowStride, ColStride int

	float []float32 // in place of Data: elements that are rounded as they are read
}

// RowMajorBF16 returns the matrix whose rows lie one after another in data.
func RowMajorBF16(data []uint16, rows, cols int) MatBF16 {
	return MatBF16{Data: data, Rows: rows, Cols: cols, RowStride: cols, ColStride: 1}
}

// BF16 returns a view of the same float32 elements, which a product rounds to bfloat16 (to nearest even) as it reads them.
func (m Mat) BF16() MatBF16 {
	return MatBF16{float: m.Data, Rows: m.Rows, Cols: m.Cols, RowStride: m.RowStride, ColStride: m.ColStride}
}

// T returns the transpose, a view of the same elements.
func (m MatBF16) T() MatBF16 {
	m.Rows, m.Cols, m.RowStride, m.ColStride = m.Cols, m.Rows, m.ColStride, m.RowStride
	return m
}

func (m *MatBF16) view() view {
	return view{max(len(m.Data), len(m.float)), m.Rows, m.Cols, m.RowStride, m.ColStride}
}

func (m *MatBF16) operand(batch int) operand {
	return operand{f: m.float, h: m.Data, row: m.RowStride, col: m.ColStride, batch: batch, round: true}
}

// MatMulBF16 is MatMul with operands in bfloat16: C = act(A·B + Bias), or C += A·B with Accumulate, where C is float32 and
// the sums are float32 too. To multiply a float32 matrix with a bfloat16 one, view the former with [Mat.BF16].
//
// The sum over k has the chunks and the tree of a float32 one; what happens inside a chunk depends on the level, see the
// package's comment. At one level a row has the same bits however many rows, columns, workers or products share a call.
type MatMulBF16 struct {
	A, B       MatBF16
	C          Mat
	Bias       []float32  // added to every row: C.Cols elements, or nil
	Act        Activation // applied to A·B + Bias
	PreAct     Mat        // receives A·B + Bias when its Data is not nil; has the size of C, and CBatch between products
	Accumulate bool       // add to C; Bias, Act and PreAct are not allowed then

	Batch                  int // number of products; 0 counts as 1
	ABatch, BBatch, CBatch int // elements between the matrices of the batch

	product product
}

// Check says what is wrong with the sizes. Run does not check.
func (m *MatMulBF16) Check() error {
	rest := m.rest()
	return rest.check(m.A.view(), m.B.view())
}

// ScratchBytes is the working memory that Run takes from a pool of the given number of workers.
func (m *MatMulBF16) ScratchBytes(workers int) int {
	m.describe()
	return m.product.scratchBytes(active, workers)
}

// Run computes the product on the pool's workers. The sizes must pass Check.
func (m *MatMulBF16) Run(p *Pool) { m.run(p, active) }

func (m *MatMulBF16) run(p *Pool, level Level) {
	m.describe()
	m.product.run(p, level)
}

// rest is the product without its operands.
func (m *MatMulBF16) rest() MatMul {
	return MatMul{
		C: m.C, Bias: m.Bias, Act: m.Act, PreAct: m.PreAct, Accumulate: m.Accumulate, BF16: true,
		Batch: m.Batch, ABatch: m.ABatch, BBatch: m.BBatch, CBatch: m.CBatch,
	}
}

// describe fills the product from the exported fields.
func (m *MatMulBF16) describe() {
	rest := m.rest()
	m.product = rest.describe(m.A.Cols, m.A.operand(m.ABatch), m.B.operand(m.BBatch))
}
