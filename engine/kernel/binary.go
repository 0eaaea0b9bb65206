package kernel

// BinaryOp is an operation on two elements.
type BinaryOp uint8

// The operations.
const (
	Add       BinaryOp = iota // a + b
	Sub                       // a − b
	Mul                       // a·b
	binaryOps                 // how many there are
)

var binaryNames = [binaryOps]string{"add", "subtract", "multiply"}

// String returns the name of the operation.
func (op BinaryOp) String() string { return binaryNames[op] }

// The kernels of this file round after every operation, so that the bits are the same at every level.

// Binary applies an operation element by element: Dst = A op B. All have the same length; Dst may be the same slice as A
// or B.
type Binary struct {
	Dst, A, B []float32
	Op        BinaryOp

	level Level
}

// Check says what is wrong with the sizes. Run does not check.
func (b *Binary) Check() error {
	return checkLengths(b.Op.String(), operandLength{"Dst", len(b.Dst)}, operandLength{"A", len(b.A)}, operandLength{"B", len(b.B)})
}

// Run computes Dst on the pool's workers.
func (b *Binary) Run(p *Pool) { b.run(p, active) }

func (b *Binary) run(p *Pool, level Level) {
	b.level = level
	p.For(len(b.Dst), elementGrain, (*binaryTask)(b))
}

type binaryTask Binary

// Do computes elements lo to hi.
func (b *binaryTask) Do(_, lo, hi int) {
	binaryRow(b.level, b.Op, b.Dst[lo:hi], b.A[lo:hi], b.B[lo:hi])
}

// Broadcast combines every row of X with one row: Dst[i, j] = X[i, j] op Row[j]. X and Dst have len(Row) columns and the
// same length, and may be the same slice.
type Broadcast struct {
	Dst, X, Row []float32
	Op          BinaryOp

	level Level
}

// Check says what is wrong with the sizes. Run does not check.
func (b *Broadcast) Check() error {
	kernel := b.Op.String() + " to rows"
	if err := checkLengths(kernel, operandLength{"Dst", len(b.Dst)}, operandLength{"X", len(b.X)}); err != nil {
		return err
	}
	return checkRows(kernel, "X", len(b.X), len(b.Row))
}

// Run computes Dst on the pool's workers.
func (b *Broadcast) Run(p *Pool) { b.run(p, active) }

func (b *Broadcast) run(p *Pool, level Level) {
	b.level = level
	if len(b.Row) > 0 {
		p.For(len(b.X)/len(b.Row), rowGrain(len(b.Row)), (*broadcastTask)(b))
	}
}

type broadcastTask Broadcast

// Do computes rows lo to hi.
func (b *broadcastTask) Do(_, lo, hi int) {
	cols := len(b.Row)
	for i := lo * cols; i < hi*cols; i += cols {
		binaryRow(b.level, b.Op, b.Dst[i:i+cols], b.X[i:i+cols], b.Row)
	}
}

// Axpby is the sum of two multiples: Dst = Alpha·A + Beta·B. All have the same length; Dst may be the same slice as A or B.
type Axpby struct {
	Dst, A, B   []float32
	Alpha, Beta float32

	level Level
}

// Check says what is wrong with the sizes. Run does not check.
func (s *Axpby) Check() error {
	return checkLengths("αa + βb", operandLength{"Dst", len(s.Dst)}, operandLength{"A", len(s.A)}, operandLength{"B", len(s.B)})
}

// Run computes Dst on the pool's workers.
func (s *Axpby) Run(p *Pool) { s.run(p, active) }

func (s *Axpby) run(p *Pool, level Level) {
	s.level = level
	p.For(len(s.Dst), elementGrain, (*axpbyTask)(s))
}

type axpbyTask Axpby

// Do computes elements lo to hi.
func (s *axpbyTask) Do(_, lo, hi int) {
	axpbyRow(s.level, s.Dst[lo:hi], s.A[lo:hi], s.B[lo:hi], s.Alpha, s.Beta)
}

// Scale is a multiple: Dst = Alpha·X. Both have the same length, and may be the same slice.
type Scale struct {
	Dst, X []float32
	Alpha  float32

	level Level
}

// Check says what is wrong with the sizes. Run does not check.
func (s *Scale) Check() error {
	return checkLengths("scale", operandLength{"Dst", len(s.Dst)}, operandLength{"X", len(s.X)})
}

// Run computes Dst on the pool's workers.
func (s *Scale) Run(p *Pool) { s.run(p, active) }

func (s *Scale) run(p *Pool, level Level) {
	s.level = level
	p.For(len(s.Dst), elementGrain, (*scaleTask)(s))
}

type scaleTask Scale

// Do computes elements lo to hi.
func (s *scaleTask) Do(_, lo, hi int) { scaleRow(s.level, s.Dst[lo:hi], s.X[lo:hi], s.Alpha) }
