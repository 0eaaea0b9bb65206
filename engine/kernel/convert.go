package kernel

// The conversions between float32 and the formats of 16 bits round to nearest, ties to even; NaN stays NaN with the upper
// bits of its payload. The bits are the same at every level. Dst and X have the same length.

// F32ToBF16 rounds float32 to bfloat16, the upper half of a float32.
type F32ToBF16 struct {
	Dst []uint16
	X   []float32

	level Level
}

// Check says what is wrong with the sizes. Run does not check.
func (c *F32ToBF16) Check() error {
	return checkLengths("float32 to bfloat16", operandLength{"Dst", len(c.Dst)}, operandLength{"X", len(c.X)})
}

// Run computes Dst on the pool's workers.
func (c *F32ToBF16) Run(p *Pool) { c.run(p, active) }

func (c *F32ToBF16) run(p *Pool, level Level) {
	c.level = level
	p.For(len(c.Dst), elementGrain, (*f32ToBF16Task)(c))
}

type f32ToBF16Task F32ToBF16

// Do converts elements lo to hi.
func (c *f32ToBF16Task) Do(_, lo, hi int) { bf16FromF32Row(c.level, c.Dst[lo:hi], c.X[lo:hi]) }

// BF16ToF32 widens bfloat16 to float32, exactly.
type BF16ToF32 struct {
	Dst []float32
	X   []uint16

	level Level
}

// Check says what is wrong with the sizes. Run does not check.
func (c *BF16ToF32) Check() error {
	return checkLengths("bfloat16 to float32", operandLength{"Dst", len(c.Dst)}, operandLength{"X", len(c.X)})
}

// Run computes Dst on the pool's workers.
func (c *BF16ToF32) Run(p *Pool) { c.run(p, active) }

func (c *BF16ToF32) run(p *Pool, level Level) {
	c.level = level
	p.For(len(c.Dst), elementGrain, (*bf16ToF32Task)(c))
}

type bf16ToF32Task BF16ToF32

// Do converts elements lo to hi.
func (c *bf16ToF32Task) Do(_, lo, hi int) { f32FromBF16Row(c.level, c.Dst[lo:hi], c.X[lo:hi]) }

// F32ToF16 rounds float32 to IEEE 754 binary16; what is too large becomes infinite.
type F32ToF16 struct {
	Dst []uint16
	X   []float32

	level Level
}

// Check says what is wrong with the sizes. Run does not check.
func (c *F32ToF16) Check() error {
	return checkLengths("float32 to float16", operandLength{"Dst", len(c.Dst)}, operandLength{"X", len(c.X)})
}

// Run computes Dst on the pool's workers.
func (c *F32ToF16) Run(p *Pool) { c.run(p, active) }

func (c *F32ToF16) run(p *Pool, level Level) {
	c.level = level
	p.For(len(c.Dst), elementGrain, (*f32ToF16Task)(c))
}

type f32ToF16Task F32ToF16

// Do converts elements lo to hi.
func (c *f32ToF16Task) Do(_, lo, hi int) { f16FromF32Row(c.level, c.Dst[lo:hi], c.X[lo:hi]) }

// F16ToF32 widens IEEE 754 binary16 to float32, exactly.
type F16ToF32 struct {
	Dst []float32
	X   []uint16

	level Level
}

// Check says what is wrong with the sizes. Run does not check.
func (c *F16ToF32) Check() error {
	return checkLengths("float16 to float32", operandLength{"Dst", len(c.Dst)}, operandLength{"X", len(c.X)})
}

// Run computes Dst on the pool's workers.
func (c *F16ToF32) Run(p *Pool) { c.run(p, active) }

func (c *F16ToF32) run(p *Pool, level Level) {
	c.level = level
	p.For(len(c.Dst), elementGrain, (*f16ToF32Task)(c))
}

type f16ToF32Task F16ToF32

// Do converts elements lo to hi.
func (c *f16ToF32Task) Do(_, lo, hi int) { f32FromF16Row(c.level, c.Dst[lo:hi], c.X[lo:hi]) }
