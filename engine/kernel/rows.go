package kernel

import "fmt"

// ceil is n/d rounded up.
func ceil(n, d int) int { return (n + d - 1) / d }

// length is an operand's name, the elements it has and those it must have.
type length struct {
	name       string
	have, need int
}

// checkSizes says which operand of an operation is too short.
func checkSizes(operation string, operands ...length) error {
	for _, o := range operands {
		if o.need < 0 {
			return fmt.Errorf("%s: %s has a negative size", operation, o.name)
		}
		if o.have < o.need {
			return fmt.Errorf("%s: %s has %d elements, expected %d", operation, o.name, o.have, o.need)
		}
	}
	return nil
}

// checkShape says that a size is negative.
func checkShape(operation string, rows, cols int) error {
	if rows < 0 || cols < 0 {
		return fmt.Errorf("%s: the size is %d×%d", operation, rows, cols)
	}
	return nil
}

// optional is the length of an operand that may be nil.
func optional(name string, x []float32, need int) length {
	if x == nil {
		need = 0
	}
	return length{name, len(x), need}
}

// rowsArgs is the argument block of the kernels that work on rows, one after another; the offsets stand in gen/rows.go.
// What a kernel does with its operands stands there as well.
type rowsArgs struct {
	a, b, c       *float32 // matrices
	u, v, w, y, z *float32 // rows that serve every row
	s, t          *float32 // a number for each row
	rows, cols    int      // at least 1
	stride        int      // from row to row of the matrices, in bytes
	n, eps, one   float32  // n is float32(cols), or a factor; run sets one
	ahead         int      // how many bytes ahead to ask for what is read
	stream        bool     // store the result past the cache
}

// rowsOf returns the argument block for rows lo to hi of matrices of cols columns and so many rows in all, at which the
// pointers are still missing.
func rowsOf(lo, hi, rows, cols int) rowsArgs {
	return rowsArgs{
		rows: hi - lo, cols: cols, stride: 4 * cols, n: float32(cols),
		ahead: min(max(4*cols, leastAhead), mostAhead), stream: 4*rows*cols >= pastCache,
	}
}

const (
	// A kernel asks for the next row while it computes one, but for no less than memory needs time for, and no more than
	// the nearest cache holds.
	leastAhead = 2 << 10
	mostAhead  = 8 << 10

	// pastCache is the size in bytes from which a result is stored past the cache: it would not be found there anyway, and
	// memory need not be read before it is written.
	pastCache = 32 << 20
)

// rowsKernel is the number of such a kernel: its place in gen/rows.go.
type rowsKernel int

const (
	rowsSum rowsKernel = iota
	rowsSquares
	rowsDot
	rowsLayerNorm
	rowsRMSNorm
	rowsLayerNormGrad
	rowsRMSNormGrad
	rowsSoftmax
	rowsSoftmaxGrad
	rowsExpSum
	rowsShift
	rowsLogSoftmaxGrad
	rowsExpScaled
	rowsColumnNorm
	rowsColumnNormGrad
	rowsColumnSums // and the next, which takes rows in groups of 4
	_
	rowsColumnSquares
	_
	rowsRowNormSums
	_
	rowsColumnNormSums
	_
)

// from is the address of element i, or nil when x has none there.
func from(x []float32, i int) *float32 {
	if i >= len(x) {
		return nil
	}
	return &x[i]
}
