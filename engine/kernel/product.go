package kernel

// operand is a matrix of a product, or as many as the batch has: element (i, j) of matrix b is at b·batch + i·row + j·col
// of f, or of h when the elements are bfloat16.
type operand struct {
	f               []float32
	h               []uint16
	row, col, batch int
	round           bool // float32 elements are rounded to bfloat16 as they are read
}

// at returns the float32 elements from (i, j) of matrix b on.
func (o *operand) at(b, i, j int) []float32 { return o.f[b*o.batch+i*o.row+j*o.col:] }

// half returns the bfloat16 elements from (i, j) of matrix b on.
func (o *operand) half(b, i, j int) []uint16 { return o.h[b*o.batch+i*o.row+j*o.col:] }

// read sets dst to the elements from (i, j) of matrix b on along its row.
func (o *operand) read(dst []float32, b, i, j int) {
	switch {
	case o.h != nil:
		src := o.half(b, i, j)
		for x := range dst {
			dst[x] = f32FromBF16(src[x*o.col])
		}
	case o.round:
		src := o.at(b, i, j)
		for x := range dst {
			dst[x] = f32FromBF16(bf16FromF32(src[x*o.col]))
		}
	default:
		src := o.at(b, i, j)
		for x := range dst {
			dst[x] = src[x*o.col]
		}
	}
}

// t returns the transpose.
func (o operand) t() operand {
	o.row, o.col = o.col, o.row
	return o
}

// product is a product as all its forms (MatMul, MatMulBF16, those inside Attention) hand it to the kernels:
// C = act(A·B + bias), or C += A·B.
type product struct {
	m, n, k, batch int
	a, b, c, pre   operand // pre.f may be nil
	bias           []float32
	act            Activation
	accumulate     bool
	bf16           bool // a and b are bfloat16, or rounded to it

	level   Level   // whose kernels compute it
	blocked blocked // how the kernels of a level above the portable one cut it
}

// scratchBytes is the working memory of run.
func (p *product) scratchBytes(level Level, workers int) int {
	if level == Generic || p.m == 0 || p.n == 0 || p.k == 0 {
		return 0
	}
	p.turn()
	return p.blockedBytes(level, workers)
}

// run computes the product with the kernels of a level.
func (p *product) run(pool *Pool, level Level) {
	p.level = level
	switch {
	case p.m == 0 || p.n == 0:
	case level == Generic || p.k == 0:
		pool.For(p.batch*p.m, 1, (*portable)(p))
	default:
		p.turn()
		p.runBlocked(pool, level)
	}
}

// turn computes Cᵀ = Bᵀ·Aᵀ instead when C has its columns side by side the other way: the kernels store along rows.
func (p *product) turn() {
	if p.c.col == 1 || p.c.row != 1 || p.bias != nil {
		return
	}
	p.m, p.n = p.n, p.m
	p.a, p.b = p.b.t(), p.a.t()
	p.c, p.pre = p.c.t(), p.pre.t()
}
